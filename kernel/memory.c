/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: a buddy allocator; see memory.h. A block is split until it fits; when it is given back, it joins its other
 * half (its *buddy*: the block of the same size with which it makes up an aligned one of twice the size) if that is
 * free, too.
 * INVARIANT buddies: of two buddies at most one is free and whole. */
#include "memory.h"
#include "arch.h"
#include "factory.h"
#include "string.h"

enum { LARGEST = 1 << MEMORY_MOST };

struct list memory_free[MEMORY_MOST + 1];
static paddr_t first;           /* here the first block begins */
static u8 *orders;              /* of the free block that begins there, for each 64 bytes from `first` on; or 0 */

static u8 *order_at(paddr_t block) { return &orders[(block - first) >> MEMORY_LEAST]; }

static void insert(paddr_t block, u32 order)
{
    *order_at(block) = (u8)order;
    list_insert(memory_free[order].next, arch_pointer(block));
}

static void remove(paddr_t block)
{
    *order_at(block) = 0;
    list_remove(arch_pointer(block));
}

void memory_init(paddr_t base, u64 bytes)
{
    u64 units = bytes >> MEMORY_LEAST;
    orders = memset(arch_pointer(base), 0, units);
    first = (base + units + LARGEST - 1) & ~(paddr_t)(LARGEST - 1);
    for (u32 order = MEMORY_LEAST; order <= MEMORY_MOST; order++)
        list_init(&memory_free[order]);
    for (paddr_t block = first; block + LARGEST <= base + bytes; block += LARGEST)
        insert(block, MEMORY_MOST);
}

static u32 order_of(u32 bytes)
{
    return bytes <= 1 << MEMORY_LEAST ? MEMORY_LEAST : 32 - (u32)__builtin_clz(bytes - 1);
}

static paddr_t block_take(u32 wanted)
{
    u32 order = wanted;
    while (order <= MEMORY_MOST && list_is_empty(&memory_free[order]))
        order++;
    if (order > MEMORY_MOST)
        return 0;
    paddr_t block = arch_paddr(memory_free[order].next);
    remove(block);
    while (order > wanted) {
        order--;
        insert(block + (1ul << order), order);
    }
    return block;
}

static void block_give(paddr_t block, u32 order)
{
    for (; order < MEMORY_MOST; order++) {
        paddr_t buddy = block ^ 1ul << order;
        if (*order_at(buddy) != order)
            break;
        remove(buddy);
        block &= ~(1ul << order);
    }
    insert(block, order);
}

/* ---- charged ---- */

u32 memory_cost(u32 bytes) { return 1u << order_of(bytes); }

void *memory_take(struct factory *factory, u32 bytes)
{
    u32 order = order_of(bytes);
    if (!factory_charge(factory, 1ul << order))
        return NULL;
    paddr_t block = block_take(order);
    if (block)
        return memset(arch_pointer(block), 0, 1ul << order);
    factory_credit(factory, 1ul << order);
    return NULL;
}

void memory_give(struct factory *factory, void *at, u32 bytes)
{
    block_give(arch_paddr(at), order_of(bytes));
    factory_credit(factory, memory_cost(bytes));
}

paddr_t memory_take_frame(struct factory *factory)
{
    void *frame = memory_take(factory, L4_PAGE_SIZE);
    return frame ? arch_paddr(frame) : 0;
}

void memory_give_frame(struct factory *factory, paddr_t frame)
{
    memory_give(factory, arch_pointer(frame), L4_PAGE_SIZE);
}
