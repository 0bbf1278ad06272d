/* SPDX-License-Identifier: BSD-2-Clause */
/* ram.c: free RAM as a few extents. Nothing comes back, so taking is all: cut an aligned block out of the smallest
 * extent that
 * has one, which keeps large ones whole. */
#include "ram.h"
#include <l4/panic.h>
#include <l4/start.h>

enum { EXTENTS = 256 };

struct extent {
    paddr_t base;
    u64 bytes;
};

static struct extent extent[EXTENTS] L4_VOLATILE_ZERO;
static u32 extents L4_VOLATILE_ZERO;

/* Where in `e` an aligned block of this order begins. */
static bool block_in(const struct extent *e, u32 order, paddr_t *block)
{
    u64 size = 1ul << order;
    *block = (e->base + size - 1) & ~(size - 1);
    return *block - e->base <= e->bytes && e->bytes - (*block - e->base) >= size;
}

void ram_add(paddr_t base, u64 bytes)
{
    paddr_t start = (base + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1),
            end = (base + bytes) & ~(u64)(L4_PAGE_SIZE - 1);
    if (end <= start)
        return;
    if (extents == EXTENTS)
        l4_panic("RAM is in more than %d pieces", EXTENTS);
    extent[extents++] = (struct extent){ start, end - start };
}

bool ram_take(u32 order, paddr_t *block)
{
    struct extent *best = NULL;
    paddr_t at;
    for (u32 i = 0; i < extents; i++) {
        if (block_in(&extent[i], order, &at) && (!best || extent[i].bytes < best->bytes))
            best = &extent[i];
    }
    if (!best || extents == EXTENTS)
        return false;
    struct extent whole = *best;
    block_in(&whole, order, block);
    *best = extent[--extents];
    ram_add(whole.base, *block - whole.base);
    ram_add(*block + (1ul << order), whole.base + whole.bytes - *block - (1ul << order));
    return true;
}

u64 ram_left(void)
{
    u64 bytes = 0;
    for (u32 i = 0; i < extents; i++)
        bytes += extent[i].bytes;
    return bytes;
}

u32 ram_largest(void)
{
    paddr_t at;
    for (u32 order = 30; order >= L4_PAGE_SHIFT; order--) {
        for (u32 i = 0; i < extents; i++) {
            if (block_in(&extent[i], order, &at))
                return order;
        }
    }
    return 0;
}
