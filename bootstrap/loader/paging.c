/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.c: the page tables that the kernel starts with. They lie behind the kernel's image, in memory that it keeps,
 * because every address space will share their upper half:
 *
 *   0xffff800000000000   physical 0-4 GB and all RAM above, not executable
 *   top 2 GB             the kernel's segments, 4 KB pages with their own rights
 *
 * A kernel with entry_pages (KPTI) has a second top-level table, which maps nothing else; then the TLB is to keep
 * nothing over a change of CR3.
 * The loader goes on with its own (start.S), which map 0-4 GB where they are and get the same upper half, so that the
 * kernel can be entered; it loads the others itself.
 *
 * 2 MB pages without any RAM are mapped uncached: they are device memory. */
#include "loader.h"

enum { PRESENT = 1, WRITE = 2, WRITE_THROUGH = 8, UNCACHED = 16, LARGE = 128, GLOBAL = 256, ENTRIES = 512 };
#define NO_EXECUTE (1ul << 63)
#define ADDRESS    0x000ffffffffff000ul
#define LOW_END    0x100000000ul
#define DIRECT_MAP 0xffff800000000000ul

extern u64 boot_pml4[ENTRIES];

static paddr_t next_table;
static u64 global;

static u64 no_execute(void)
{
    u32 eax, edx;
    __asm__("rdmsr" : "=a"(eax), "=d"(edx) : "c"(0xc0000080));
    return eax & 1 << 11 ? NO_EXECUTE : 0;
}

static u64 map_end(void)
{
    u64 top = round_up(memory_top(), 1ul << 30);
    return top > LOW_END ? top : LOW_END;
}

/* Top level, direct map, and for the kernel's 2 GB one directory pointer table, two directories and their tables; the
 * same for entry_pages. */
u64 paging_bytes_needed(void)
{
    u64 end = map_end(), kernel_tables = 16;
    return (round_up(end, 1ul << 39) / (1ul << 39) + (end >> 30) + 2 * (4 + kernel_tables)) * L4_PAGE_SIZE;
}

/* The table that entry `index` of `table` points to, made if need be. */
static u64 *table_below(u64 *table, u64 index)
{
    if (!(table[index] & PRESENT)) {
        table[index] = next_table | PRESENT | WRITE;
        next_table += L4_PAGE_SIZE;
    }
    return (u64 *)(table[index] & ADDRESS);
}

static u64 *leaf_of(u64 *root, vaddr_t at, u32 leaf_shift)
{
    u64 *table = root;
    u32 shift = 39;
    for (; shift > leaf_shift; shift -= 9)
        table = table_below(table, at >> shift & (ENTRIES - 1));
    return &table[at >> shift & (ENTRIES - 1)];
}

static void map_kernel(u64 *root, const struct l4_segment *segment)
{
    u64 bits = PRESENT | global | (segment->rights & L4_W ? WRITE : 0) | (segment->rights & L4_X ? 0 : no_execute());
    for (u64 done = 0; done < segment->bytes; done += L4_PAGE_SIZE)
        *leaf_of(root, segment->at + done, L4_PAGE_SHIFT) = (segment->frames + done) | bits;
}

u64 paging_build(paddr_t at, const struct kernel_image *kernel)
{
    u64 *root = (u64 *)at, *entry_root = root + ENTRIES;
    next_table = at + (kernel->entry_pages ? 2 : 1) * L4_PAGE_SIZE;
    global = kernel->entry_pages ? 0 : GLOBAL;
    for (paddr_t frame = 0; frame < map_end(); frame += L4_LARGE_SIZE) {
        u64 cache = memory_has_ram(frame, L4_LARGE_SIZE) ? 0 : WRITE_THROUGH | UNCACHED;
        if (frame < LOW_END || !cache)
            *leaf_of(root, DIRECT_MAP + frame, L4_LARGE_SHIFT) = frame | PRESENT | WRITE | LARGE | global | cache;
    }
    for (u32 i = ENTRIES / 2; root[i]; i++)
        root[i] |= no_execute();
    if (kernel->bytes > 14ul * L4_LARGE_SIZE)
        fail("the kernel's image is larger than 28 MB; build it again", NULL);
    for (u32 i = 0; i < kernel->segments; i++) {
        map_kernel(root, &kernel->segment[i]);
        if (kernel->entry_pages >> i & 1)
            map_kernel(entry_root, &kernel->segment[i]);
    }
    memcpy(boot_pml4 + ENTRIES / 2, root + ENTRIES / 2, L4_PAGE_SIZE / 2);
    return next_table - at;
}
