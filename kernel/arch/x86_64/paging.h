/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.h: the four-level page table of a space (SDM vol. 3, 4.5), with shadows.
 *
 *   top (one frame) -> 512 GB: one frame -> 1 GB: two frames -> 2 MB: two frames
 *                                           entries | nodes      entries | nodes
 *
 * The lower two levels are pairs of frames: entries, and right behind them the shadow, for each entry a pointer to the
 * struct cap that it belongs to.
 * INVARIANT counts: an entry that points to a table counts that table's used entries in bits 52-61, which the CPU
 * ignores; a table goes with its last entry. (The top-level table belongs to the space.)
 *
 * I/O ports are in the same table: port p is the page PORTS_AT + 4096 p, where no access ever gets to: the address is
 * the kernel's, which does not use it, and the entry is not for users. The frames that they stand for do not exist
 * either.
 * What the CPU asks is a bitmap, made from these pages (iobitmap.c). */
#pragma once
#include "object.h"

#define ENTRY_PRESENT   1ul
#define ENTRY_WRITE     2ul
#define ENTRY_USER      4ul
#define ENTRY_UNCACHED  (1ul << 3 | 1ul << 4)   /* PWT and PCD: with the PAT after reset, strongly uncacheable */
#define ENTRY_ACCESSED  (1ul << 5)
#define ENTRY_DIRTY     (1ul << 6)
#define ENTRY_LARGE     (1ul << 7)
#define ENTRY_KERNEL    (1ul << 10)             /* ours: a UTCB page, without node */
#define ENTRY_ADDRESS   0x000ffffffffff000ul
#define ENTRY_COUNT     (1ul << 52)             /* ours: a used entry of the table below; in UTCB pages, a used UTCB */
#define ENTRY_COUNTS    (1023ul << 52)
#define ENTRY_NX        (1ul << 63)

#define PORTS_AT        0xffffff0000000000ul
#define PORT_FRAMES     (1ul << 51)
enum { PORTS = 1 << 16, TABLE_ENTRIES = 512 };

extern bool paging_nx;      /* the CPU has NX and it is on; set before the first space */

/* An entry, how much it maps or could map, and the entry that points to its table (NULL: it is in the top-level table).
 * */
struct place {
    u64 *entry, *up;
    u32 order;              /* 12, 21; 30 or 39: no table below */
};

static inline bool paging_is_present(struct place place) { return *place.entry & ENTRY_PRESENT; }
/* Where the shadow of a leaf entry of order 12 or 21 is kept. */
static inline struct cap **paging_page(u64 *entry) { return (struct cap **)(entry + TABLE_ENTRIES); }
static inline paddr_t paging_frame(u64 entry) { return entry & ENTRY_ADDRESS; }
/* A leaf entry without the rights that are not in `rights`. */
static inline u64 paging_restrict(u64 entry, u32 rights)
{
    if (!(rights & L4_W))
        entry &= ~(ENTRY_WRITE | ENTRY_DIRTY);
    return rights & L4_X ? entry : entry | (u64)paging_nx << 63;
}
/* A leaf entry; `flags` are ENTRY_USER, ENTRY_UNCACHED, ENTRY_KERNEL. Accessed and dirty are set, so that the CPU never
 * has to. */
static inline u64 paging_leaf(paddr_t frame, u32 order, u32 rights, u64 flags)
{
    return paging_restrict(frame | flags | (order == L4_LARGE_SHIFT ? ENTRY_LARGE : 0) | ENTRY_PRESENT | ENTRY_WRITE
                           | ENTRY_ACCESSED | ENTRY_DIRTY, rights);
}

/* A top-level table with the kernel's half; 0: no memory. */
paddr_t paging_create(struct factory *factory);
/* All user entries are gone. */
void paging_destroy(paddr_t root, struct factory *factory);
/* The leaf entry that maps `at`, or the empty one (at whatever level) that does not. */
struct place paging_find(paddr_t root, vaddr_t at);
/* Like paging_find, once the tables for an entry of `order` exist. What is found may be in use, or of another order. */
l4_err_t paging_make(paddr_t root, struct factory *factory, vaddr_t at, u32 order, struct place *place);
/* Fill an empty entry. */
static inline void paging_set(const struct place *place, u64 entry, struct cap *page)
{
    *place->entry = entry;
    *paging_page(place->entry) = page;
    *place->up += ENTRY_COUNT;
}
/* Empty the leaf entry of `at`; tables that this empties are freed. */
void paging_clear(paddr_t root, struct factory *factory, vaddr_t at);
/* Free the tables on the way to `at` that are empty: paging_make was in vain. */
void paging_trim(paddr_t root, struct factory *factory, vaddr_t at);
