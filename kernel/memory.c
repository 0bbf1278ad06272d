/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: see memory.h. A page is cut into blocks of one size when one is wanted and none is free, and is a page
 * again when its last block has come back.
 * INVARIANT slabs: a page of blocks is in memory_slabs <=> some of them are free; it is cut up <=> some are taken.
 * INVARIANT zero: the pages on memory_free[ZERO] are all zero. */
#include "memory.h"
#include "arch.h"
#include "factory.h"
#include "string.h"

enum { ANY, ZERO };

u64 kpage_bias;
struct kpage *memory_free[2];
struct list memory_slabs[MEMORY_MOST];
paddr_t memory_unused, memory_end;

void memory_init(paddr_t base, u64 bytes)
{
    u64 about = (bytes / (L4_PAGE_SIZE + sizeof(struct kpage)) + 2) * sizeof(struct kpage);
    memory_unused = (base + about + L4_PAGE_SIZE - 1) & ~(paddr_t)(L4_PAGE_SIZE - 1);
    memory_end = (base + bytes) & ~(paddr_t)(L4_PAGE_SIZE - 1);
    u64 first = (u64)arch_pointer((base + sizeof(struct kpage) - 1) & ~(paddr_t)(sizeof(struct kpage) - 1));
    kpage_bias = first - ((u64)arch_pointer(memory_unused) >> 6);
    for (u32 order = MEMORY_LEAST; order < MEMORY_MOST; order++)
        list_init(&memory_slabs[order]);
}

/* ---- pages ---- */

static void page_give(struct kpage *page, u32 kind)
{
    page->next = memory_free[kind];
    memory_free[kind] = page;
}

static struct kpage *page_pop(u32 kind)
{
    struct kpage *page = memory_free[kind];
    if (page)
        memory_free[kind] = page->next;
    return page;
}

/* Those that were zeroed for nothing are taken last. */
static struct kpage *page_take(void)
{
    struct kpage *page = page_pop(ANY);
    if (!page && memory_unused != memory_end) {
        page = kpage_of(arch_pointer(memory_unused));
        memory_unused += L4_PAGE_SIZE;
    }
    return page ? page : page_pop(ZERO);
}

/* ---- blocks ---- */

static u64 all_blocks(u32 order) { return ~0ul >> (64 - (L4_PAGE_SIZE >> order)); }

/* A fresh page of blocks; NULL: no memory. */
static RARE struct kpage *add_slab(u32 order)
{
    struct kpage *page = page_take();
    if (!page)
        return NULL;
    page->mask = all_blocks(order);
    list_insert(&memory_slabs[order], &page->in_slabs);
    return page;
}

static void *block_take(u32 order)
{
    if (order == MEMORY_MOST) {
        struct kpage *page = page_take();
        return page ? kpage_pointer(page) : NULL;
    }
    struct kpage *page = container_of(memory_slabs[order].next, struct kpage, in_slabs);
    if (!COMMON(!list_is_empty(&memory_slabs[order])) && !(page = add_slab(order)))
        return NULL;
    u64 block = (u32)__builtin_ctzl(page->mask);
    page->mask &= page->mask - 1;
    if (!COMMON(page->mask))
        list_remove(&page->in_slabs);
    return (u8 *)kpage_pointer(page) + (block << order);
}

static void block_give(void *at, u32 order)
{
    struct kpage *page = kpage_of(at);
    if (order == MEMORY_MOST) {
        page_give(page, ANY);
        return;
    }
    if (!COMMON(page->mask))
        list_insert(memory_slabs[order].next, &page->in_slabs);
    page->mask |= 1ul << (((u64)at & (L4_PAGE_SIZE - 1)) >> order);
    if (COMMON(page->mask != all_blocks(order)))
        return;
    list_remove(&page->in_slabs);
    page_give(page, ANY);
}

/* ---- charged ---- */

static u32 order_of(u32 bytes)
{
    return bytes <= 1 << MEMORY_LEAST ? MEMORY_LEAST : 32 - (u32)__builtin_clz(bytes - 1);
}

u32 memory_cost(u32 bytes) { return 1u << order_of(bytes); }

void *memory_take_block(struct factory *factory, u32 order)
{
    if (!factory_charge(factory, 1ul << order))
        return NULL;
    void *at = block_take(order);
    if (!at)
        factory_credit(factory, 1ul << order);
    return at;
}

void memory_give_block(struct factory *factory, void *at, u32 order)
{
    block_give(at, order);
    factory_credit(factory, 1ul << order);
}

RARE void *memory_take_zero(struct factory *factory)
{
    if (!factory_charge(factory, L4_PAGE_SIZE))
        return NULL;
    struct kpage *page = page_pop(ZERO);
    if (!page && (page = page_take()))
        memset(kpage_pointer(page), 0, L4_PAGE_SIZE);
    if (!page) {
        factory_credit(factory, L4_PAGE_SIZE);
        return NULL;
    }
    page->mask = page->used = 0;
    return kpage_pointer(page);
}

void memory_give_zero(struct factory *factory, void *page)
{
    page_give(kpage_of(page), ZERO);
    factory_credit(factory, L4_PAGE_SIZE);
}

void *memory_take(struct factory *factory, u32 bytes)
{
    void *at = memory_take_block(factory, order_of(bytes));
    return at ? memset(at, 0, bytes) : NULL;
}

void memory_give(struct factory *factory, void *at, u32 bytes) { memory_give_block(factory, at, order_of(bytes)); }
