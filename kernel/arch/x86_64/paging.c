/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.c: walks through page tables; see paging.h. Whoever changes an entry of a live space forgets it in the TLB
 * here. */
#include "paging.h"
#include "string.h"

enum { TOP_ORDER = 39, TABLE_BITS = 9, HALF = TABLE_ENTRIES / 2, LINE = 8 };

bool paging_nx;

static u64 *table_of(u64 entry) { return arch_pointer(entry & ENTRY_ADDRESS); }

/* ---- the kernel's half ---- */

/* The eights of the kernel's half in which there is anything: the same for all spaces and for ever. */
static u64 kernel_lines(void)
{
    static u64 lines;
    const u64 *half = arch_kernel_half();
    for (u32 i = lines ? HALF : 0; i < HALF; i++)
        lines |= (u64)(half[i] != 0) << i / LINE;
    return lines;
}

bool paging_create(struct space *space, struct factory *factory)
{
    u64 *root = memory_take_zero(factory);
    if (!root)
        return false;
    kpage_of(root)->at = 0;
    kpage_of(root)->up = NULL;
    for (u64 lines = kernel_lines(); lines; lines &= lines - 1) {
        u32 at = (u32)__builtin_ctzl(lines) * LINE;
        memcpy(root + HALF + at, arch_kernel_half() + at, LINE * sizeof *root);
    }
    *space = (struct space){ arch_paddr(root), factory, NULL, ~0ul };
    return true;
}

void paging_destroy(struct space *space)
{
    u64 *table = arch_pointer(space->root);
    for (u64 lines = kernel_lines(); lines; lines &= lines - 1)
        memset(table + HALF + __builtin_ctzl(lines) * LINE, 0, LINE * sizeof *table);
    memory_give_zero(space->factory, table);
}

/* ---- tables ---- */

RARE struct place paging_walk(struct space *space, vaddr_t at)
{
    u64 *table = arch_pointer(space->root);
    for (u32 order = TOP_ORDER;; order -= TABLE_BITS) {
        u64 *entry = &table[at >> order & (TABLE_ENTRIES - 1)];
        if (order == L4_PAGE_SHIFT) {
            space->leaf = table;
            space->leaf_at = at >> L4_LARGE_SHIFT;
            return (struct place){ entry, order };
        }
        if ((*entry & (ENTRY_PRESENT | ENTRY_LARGE)) != ENTRY_PRESENT)
            return (struct place){ entry, order };
        table = table_of(*entry);
    }
}

u64 paging_nothing(struct place place, vaddr_t at)
{
    u64 index = (u64)place.entry / sizeof(u64) % TABLE_ENTRIES, next = index + 1;
    u64 lines = kpage_of(place.entry)->mask >> index / LINE;
    if (!lines)
        next = TABLE_ENTRIES;
    else if (!(lines & 1))
        next = (index / LINE + (u64)__builtin_ctzl(lines)) * LINE;
    for (u64 *entry = place.entry + (next - index); next % LINE && !*entry; entry++)
        next++;
    return ((next - index) << place.order) - (at & ((1ul << place.order) - 1));
}

static void table_give(struct space *space, u64 *table)
{
    if (space->leaf == table)
        space->leaf_at = ~0ul;
    if (kpage_of(table)->shadow)
        memory_give_zero(space->factory, kpage_of(table)->shadow);
    memory_give_zero(space->factory, table);
}

/* The TLB keeps whole paths, so it forgets first. */
RARE void paging_trim(struct space *space, u64 *entry)
{
    struct kpage *table = kpage_of(entry);
    while (table->up && !table->used) {
        entry = table->up;
        *entry = 0;
        arch_tlb_forget(space->root, table->at);
        table_give(space, kpage_pointer(table));
        table = kpage_of(entry);
        table->used--;
    }
}

/* A table below the empty entry `place`, with a shadow if there may be pages in it. */
static bool add_table(struct factory *factory, vaddr_t at, struct place place)
{
    bool has_shadow = place.order <= L4_LARGE_SHIFT + TABLE_BITS;
    u64 *table = memory_take_zero(factory);
    struct cap **shadow = table && has_shadow ? memory_take_zero(factory) : NULL;
    if (table && has_shadow && !shadow)
        memory_give_zero(factory, table);
    if (!table || has_shadow != !!shadow)
        return false;
    struct kpage *below = kpage_of(table);
    below->up = place.entry;
    below->shadow = shadow;
    below->at = at & ~((1ul << place.order) - 1);
    *place.entry = arch_paddr(table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED;
    paging_count(place.entry, 1);
    return true;
}

RARE struct place paging_make(struct space *space, vaddr_t at, u32 order)
{
    for (;;) {
        struct place place = paging_walk(space, at);
        if (paging_suffices(place, order))
            return place;
        if (!add_table(space->factory, at, place)) {
            paging_trim(space, place.entry);
            return (struct place){ NULL, 0 };
        }
    }
}
