/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: the machine's memory map, and pages for what is loaded.
 * INVARIANT taken: what memory_take returns is RAM, page aligned, and meets nothing reserved or taken before. */
#include "loader.h"

enum { LINES = 256, TAKEN = 32 };
#define LOWEST  0x100000ul      /* firmware and the start information live below */
#define HIGHEST 0x100000000ul   /* the loader sees no more */
#define DEVICES 0xa0000ul       /* from here to 4 GB, what is no memory may be a device */
/* Kinds beside L4_REGION_*: the firmware's word for both devices and its own; spoken for. */
enum { RESERVED = 5, USED = 6 };

struct range {
    paddr_t base, end;
    u64 kind;
};
static struct range line[LINES];
static struct range taken[TAKEN];
static u32 lines, takens;

static u64 kind_of(u32 e820_type)
{
    switch (e820_type) {
    case 1: return L4_REGION_RAM;
    case 3: case 4: return L4_REGION_ACPI;      /* tables, and NVS, which holds one of them */
    default: return RESERVED;
    }
}

/* RAM shrinks to whole pages, everything else grows to them. */
void memory_add(paddr_t base, u64 bytes, u32 e820_type)
{
    u64 kind = kind_of(e820_type);
    bool is_ram = kind == L4_REGION_RAM;
    paddr_t end = is_ram ? round_down(base + bytes, L4_PAGE_SIZE) : round_up(base + bytes, L4_PAGE_SIZE);
    base = is_ram ? round_up(base, L4_PAGE_SIZE) : round_down(base, L4_PAGE_SIZE);
    if (base >= end)
        return;
    if (lines == LINES)
        fail("the firmware's memory map has more than 256 lines; raise LINES in bootstrap/loader/memory.c", NULL);
    line[lines++] = (struct range){ base, end, kind };
}

void memory_keep(paddr_t base, u64 bytes, u64 kind)
{
    if (lines == LINES)
        fail("the firmware's memory map is too long; raise LINES in bootstrap/loader/memory.c", NULL);
    line[lines++] = (struct range){ round_down(base, L4_PAGE_SIZE), round_up(base + bytes, L4_PAGE_SIZE),
        kind ? kind : (u64)USED };
}

/* What [base, *end) is, *end shrunk to where that changes. Where lines overlap, the heavier kind counts. */
static u64 kind_at(paddr_t base, paddr_t *end)
{
    static const u8 weight[] = { 0, [L4_REGION_DEVICE] = 1, [L4_REGION_RAM] = 2, [L4_REGION_ACPI] = 3, [RESERVED] = 4,
        [USED] = 5, [L4_REGION_ARCHIVE] = 6 };
    u64 kind = 0;
    for (u32 i = 0; i < lines; i++) {
        if (line[i].base > base && line[i].base < *end)
            *end = line[i].base;
        if (line[i].base <= base && base < line[i].end) {
            if (line[i].end < *end)
                *end = line[i].end;
            if (weight[line[i].kind] > weight[kind])
                kind = line[i].kind;
        }
    }
    return kind;
}

/* RAM that matters least goes first where the firmware's map is too long for the record. */
static u32 drop_smallest_ram(struct l4_region *region, u32 count)
{
    u32 smallest = count;
    for (u32 i = 0; i < count; i++) {
        if (region[i].kind == L4_REGION_RAM && (smallest == count || region[i].bytes < region[smallest].bytes))
            smallest = i;
    }
    if (smallest == count)
        fail("the firmware's memory map has too many reserved regions for the boot record (64)", NULL);
    for (u32 i = smallest; i + 1 < count; i++)
        region[i] = region[i + 1];
    return count - 1;
}

/* The record's kind; 0: not for sigma0. The firmware's reserved ranges may be devices where devices can be. */
static u64 record_kind(u64 kind, paddr_t base)
{
    if (kind == RESERVED)
        return base >= DEVICES && base < HIGHEST ? L4_REGION_DEVICE : 0;
    return kind == USED ? 0 : kind;
}

u32 memory_regions(struct l4_region *region, u32 max)
{
    u32 count = 0;
    memory_keep(DEVICES, HIGHEST - DEVICES, L4_REGION_DEVICE);
    for (paddr_t base = 0, end; base != ~0ul; base = end) {
        end = ~0ul;
        u64 kind = record_kind(kind_at(base, &end), base);
        if (!kind)
            continue;
        struct l4_region *last = count ? &region[count - 1] : NULL;
        if (last && last->kind == kind && last->base + last->bytes == base) {
            last->bytes += end - base;
            continue;
        }
        if (count == max)
            count = drop_smallest_ram(region, count);
        region[count++] = (struct l4_region){ base, end - base, kind };
    }
    return count;
}

paddr_t memory_top(void)
{
    paddr_t top = 0;
    for (u32 i = 0; i < lines; i++) {
        if (line[i].kind == L4_REGION_RAM && line[i].end > top)
            top = line[i].end;
    }
    return top;
}

bool memory_has_ram(paddr_t base, u64 bytes)
{
    for (u32 i = 0; i < lines; i++) {
        if (line[i].kind == L4_REGION_RAM && line[i].base < base + bytes && base < line[i].end)
            return true;
    }
    return false;
}

void memory_reserve(paddr_t base, u64 bytes)
{
    if (takens == TAKEN)
        fail("sigma0 and keeper have too many segments; link them with at most 8 each", NULL);
    taken[takens++] = (struct range){ round_down(base, L4_PAGE_SIZE), round_up(base + bytes, L4_PAGE_SIZE), 0 };
}

/* The first address from `at` on where nothing taken is met by `bytes`. */
static paddr_t behind_taken(paddr_t at, u64 bytes)
{
    for (u32 i = 0; i < takens; i++) {
        if (taken[i].base < at + bytes && at < taken[i].end) {
            at = taken[i].end;
            i = -1u;            /* from the start again: the table is not sorted */
        }
    }
    return at;
}

paddr_t memory_take(u64 bytes, const char *what)
{
    bytes = round_up(bytes, L4_PAGE_SIZE);
    for (paddr_t base = LOWEST, end; base < HIGHEST; base = end) {
        end = HIGHEST;
        if (kind_at(base, &end) != L4_REGION_RAM)
            continue;
        while (end < HIGHEST) {         /* neighbours that are RAM too */
            paddr_t next = HIGHEST;
            if (kind_at(end, &next) != L4_REGION_RAM)
                break;
            end = next;
        }
        paddr_t at = behind_taken(base, bytes);
        if (at + bytes <= end) {
            memory_reserve(at, bytes);
            return (paddr_t)memset((void *)at, 0, bytes);
        }
    }
    fail("there is too little memory for ", what,
         "; give the machine more (QEMU: -m 64M or more) or make the archive smaller", NULL);
}
