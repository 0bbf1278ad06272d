/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.h: kernel memory: pages, and blocks of 64 bytes to 2 KB, each a power of two and aligned to its size. All of
 * it is charged to a factory, so that quotas balance to the byte when what was made is destroyed. Page tables and
 * capability tables are all zero when nothing is in them any more: such a page is given back as it is, and need not be
 * cleared for whoever takes it next. */
#pragma once
#include "object.h"

enum { MEMORY_LEAST = 6, MEMORY_MOST = L4_PAGE_SHIFT };     /* log2 of bytes: a mapping node; a page */

/* What is known of each page. */
struct kpage {
    union {
        struct list in_slabs;                           /* of blocks, some of them free: memory_slabs */
        struct kpage *next;                             /* free: memory_free */
        struct { u64 *up; struct cap **shadow; };       /* page table: the entry that points to it (NULL: top level) */
    };
    /* Of blocks: a bit for each that is free. Of a page table or a part of a capability table: a bit for each 64th of
     * the page in which something has been since it was taken; so taking it apart costs what it holds (INVARIANT
     * counts, mask). */
    u64 mask;
    vaddr_t at;                                         /* page table: what its first entry maps */
    u32 used;                                           /* page table: entries that are not empty */
} __attribute__((aligned(64)));

extern u64 kpage_bias;
static inline struct kpage *kpage_of(const void *at) { return (struct kpage *)(kpage_bias + ((u64)at >> 6 & ~63ul)); }
static inline void *kpage_pointer(const struct kpage *page) { return (void *)(((u64)page - kpage_bias) << 6); }
static inline void kpage_mark(struct kpage *page, const void *at) { page->mask |= 1ul << ((u64)at >> 6 & 63); }

/* All there is: once, before anything is taken. */
void memory_init(paddr_t base, u64 bytes);
/* What `bytes` of memory_take cost. */
u32 memory_cost(u32 bytes);
/* Zeroed memory of 1 to 4096 bytes, or NULL: quota or machine exhausted. */
void *memory_take(struct factory *factory, u32 bytes);
void memory_give(struct factory *factory, void *at, u32 bytes);
/* The same, 1 << order bytes and not zeroed. */
void *memory_take_block(struct factory *factory, u32 order);
void memory_give_block(struct factory *factory, void *at, u32 order);
/* A zeroed page that is all zero again when it is given back. Its kpage says that nothing is in it. */
void *memory_take_zero(struct factory *factory);
void memory_give_zero(struct factory *factory, void *page);

/* For kernel/check: pages that nobody has (zeroed ones apart), those that nobody has had so far, blocks by log2 of
 * bytes. */
extern struct kpage *memory_free[2];
extern struct list memory_slabs[MEMORY_MOST];
extern paddr_t memory_unused, memory_end;
