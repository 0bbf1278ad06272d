/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.h: the four-level page table of a space (SDM vol. 3, 4.5), with shadows.
 *
 *   top (one frame) -> 512 GB: one frame -> 1 GB: two frames -> 2 MB: two frames
 *                                           entries | nodes      entries | nodes
 *
 * The lower two levels are pairs of frames: entries, and right behind them the shadow, one pointer to a mapping node an
 * entry.
 * INVARIANT counts: an entry that points to a table counts that table's used entries in bits 52-61, which the CPU
 * ignores; a table goes with its last entry. (The top-level table belongs to the space.) */
#pragma once
#include "object.h"

struct node;

#define ENTRY_PRESENT   1ul
#define ENTRY_WRITE     2ul
#define ENTRY_USER      4ul
#define ENTRY_UNCACHED  (1ul << 3 | 1ul << 4)   /* PWT and PCD: with the PAT after reset, strongly uncacheable */
#define ENTRY_ACCESSED  (1ul << 5)
#define ENTRY_DIRTY     (1ul << 6)
#define ENTRY_LARGE     (1ul << 7)
#define ENTRY_EXECUTE   (1ul << 9)              /* ours: the right X, also where the CPU has no NX */
#define ENTRY_KERNEL    (1ul << 10)             /* ours: a UTCB page, without node */
#define ENTRY_ADDRESS   0x000ffffffffff000ul
#define ENTRY_COUNT     (1ul << 52)             /* ours: a used entry of the table below; in UTCB pages, a used UTCB */
#define ENTRY_COUNTS    (1023ul << 52)
#define ENTRY_NX        (1ul << 63)

extern bool paging_nx;      /* the CPU has NX and it is on; set before the first space */

/* An entry, how much it maps or could map, and the entry that points to its table (NULL: it is in the top-level table).
 * */
struct place {
    u64 *entry, *up;
    u32 order;              /* 12, 21; 30 or 39: no table below */
    u32 region;             /* of an entry in a lowest table: address / 2 MB; else NO_REGION */
};
enum { NO_REGION = ~0 };

static inline bool paging_is_present(struct place place) { return *place.entry & ENTRY_PRESENT; }
/* Where the node of a leaf entry of order 12 or 21 is kept. */
static inline struct node **paging_node(u64 *entry) { return (struct node **)(entry + 512); }
static inline u32 paging_rights(u64 entry)
{
    return (u32)(entry & (ENTRY_PRESENT | ENTRY_WRITE)) | (u32)(entry >> 9 & 1) << 2;
}
static inline paddr_t paging_frame(u64 entry, u32 order) { return entry & ENTRY_ADDRESS & ~0ul << order; }
/* A leaf entry; `cache` is 0 or ENTRY_UNCACHED. Accessed and dirty are set, so that the CPU never has to. */
static inline u64 paging_leaf(paddr_t frame, u32 order, u32 rights, u64 cache)
{
    return frame | cache | ENTRY_PRESENT | ENTRY_USER | ENTRY_ACCESSED | (order == 21 ? ENTRY_LARGE : 0)
        | (rights & 2 ? ENTRY_WRITE | ENTRY_DIRTY : 0)
        | (rights & 4 ? ENTRY_EXECUTE : (u64)paging_nx << 63);
}

/* A top-level table with the kernel's half; 0: no memory. */
paddr_t paging_create(struct factory *factory);
/* All user entries are gone. */
void paging_destroy(paddr_t root, struct factory *factory);
/* The leaf entry that maps `at`, or the empty one (at whatever level) that does not. */
struct place paging_find(paddr_t root, vaddr_t at);
/* Make the place of an earlier walk that of `at`, if it is in the same lowest table and that still exists. */
static inline bool paging_again(struct place *place, vaddr_t at)
{
    if (place->region != at >> L4_LARGE_SHIFT)
        return false;
    place->entry = (u64 *)((u64)place->entry & ~(u64)(L4_PAGE_SIZE - 1)) + (at >> L4_PAGE_SHIFT & 511);
    return true;
}
/* Like paging_find, once the tables for an entry of `order` exist. What is found may be in use, or of another order. */
l4_err_t paging_make(paddr_t root, struct factory *factory, vaddr_t at, u32 order, struct place *place);
/* Fill an empty entry. */
static inline void paging_set(struct place place, u64 entry, struct node *node)
{
    *place.entry = entry;
    *paging_node(place.entry) = node;
    *place.up += ENTRY_COUNT;
}
/* Empty the leaf entry of `at`; tables that this empties are freed. */
void paging_clear(paddr_t root, struct factory *factory, vaddr_t at);
/* Free the tables on the way to `at` that are empty: paging_make was in vain. */
void paging_trim(paddr_t root, struct factory *factory, vaddr_t at);
