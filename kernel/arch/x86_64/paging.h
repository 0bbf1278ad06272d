/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.h: the four-level page table of a space (SDM vol. 3, 4.5), with shadows.
 *
 *   top: one page -> 512 GB: one page -> 1 GB: one page, shadow -> 2 MB: one page, shadow
 *
 * The tables of the lower two levels have a *shadow* beside them, for each entry a pointer to the struct cap that it
 * belongs to.
 * INVARIANT counts: a table's kpage (memory.h) knows the entry that points to it, where what it maps begins, how many
 * entries it uses, and which eights of them may be in use; a table goes with its last entry. (The top-level table
 * belongs to the space; the kernel's half of it counts for nothing.)
 *
 * I/O ports are in the same table: port p is the page PORTS_AT + 4096 p, where no access ever gets to: the address is
 * the kernel's, which does not use it, and the entry is not for users. The frames that they stand for do not exist
 * either.
 * INVARIANT ports: an entry of the kernel's half that a space has for itself is that of a port p: its frame is
 * PORT_FRAMES + 4096 p.
 * What the CPU asks is a bitmap, made from these pages (iobitmap.c). */
#pragma once
#include "arch.h"
#include "memory.h"

#define ENTRY_PRESENT   1ul
#define ENTRY_WRITE     2ul
#define ENTRY_USER      4ul
#define ENTRY_UNCACHED  (1ul << 3 | 1ul << 4)   /* PWT and PCD: with the PAT after reset, strongly uncacheable */
#define ENTRY_ACCESSED  (1ul << 5)
#define ENTRY_DIRTY     (1ul << 6)
#define ENTRY_LARGE     (1ul << 7)
#define ENTRY_KERNEL    (1ul << 10)             /* ours: a UTCB page, without node */
#define ENTRY_ADDRESS   0x000ffffffffff000ul
#define ENTRY_UTCB      (1ul << 52)             /* ours: the first of a UTCB page's four UTCBs is taken; 53 to 55: the others */
#define ENTRY_NX        (1ul << 63)

#define PORTS_AT        0xffffff0000000000ul
#define PORT_FRAMES     (1ul << 51)
enum { PORTS = 1 << 16, TABLE_ENTRIES = 512 };

extern bool paging_nx;      /* the CPU has NX and it is on; set before the first space */

/* What a task can address. */
struct space {
    paddr_t root;               /* top-level page table */
    struct factory *factory;    /* pays for tables, shadows and pages */
    u64 *leaf;                  /* the lowest table that was walked to last, and the 2 MB that it maps; ~0: none */
    u64 leaf_at;
};

/* An entry, and how much it maps or could map. */
struct place {
    u64 *entry;
    u32 order;              /* 12, 21; 30 or 39: no table below */
};

static inline bool paging_is_present(struct place place) { return *place.entry & ENTRY_PRESENT; }
/* What `entry` maps begins here. */
static inline vaddr_t paging_at(const u64 *entry, u32 order)
{
    return kpage_of(entry)->at + (((u64)entry / sizeof *entry % TABLE_ENTRIES) << order);
}
/* Where the shadow of a leaf entry of order 12 or 21 is kept. */
static inline struct cap **paging_page(const u64 *entry)
{
    return (struct cap **)((u64)kpage_of(entry)->shadow + (u64)entry % L4_PAGE_SIZE);
}
static inline paddr_t paging_frame(u64 entry) { return entry & ENTRY_ADDRESS; }
/* A leaf entry without the rights that are not in `rights`. */
static inline u64 paging_restrict(u64 entry, u32 rights)
{
    u64 keep = rights & L4_W ? ~0ul : ~(ENTRY_WRITE | ENTRY_DIRTY);
    return (entry & keep) | (rights & L4_X ? 0 : (u64)paging_nx << 63);
}
/* A leaf entry; `flags` are ENTRY_USER, ENTRY_UNCACHED, ENTRY_KERNEL. Accessed and dirty are set, so that the CPU never
 * has to. */
static inline u64 paging_leaf(paddr_t frame, u32 order, u32 rights, u64 flags)
{
    return paging_restrict(frame | flags | (order == L4_LARGE_SHIFT ? ENTRY_LARGE : 0) | ENTRY_PRESENT | ENTRY_WRITE
                           | ENTRY_ACCESSED | ENTRY_DIRTY, rights);
}

/* A space with the kernel's half alone; false: no memory. */
bool paging_create(struct space *space, struct factory *factory);
/* All user entries are gone. */
void paging_destroy(struct space *space);
/* The leaf entry that maps `at`, or the empty one (at whatever level) that does not. */
struct place paging_walk(struct space *space, vaddr_t at);
static inline struct place paging_find(struct space *space, vaddr_t at)
{
    if (!COMMON(at >> L4_LARGE_SHIFT == space->leaf_at))
        return paging_walk(space, at);
    return (struct place){ space->leaf + (at >> L4_PAGE_SHIFT) % TABLE_ENTRIES, L4_PAGE_SHIFT };
}
/* How many bytes from the entry `place`, which `at` is in and which is empty or of UTCBs, there is surely no page, in
 * one table. */
u64 paging_nothing(struct place place, vaddr_t at);
/* Like paging_find, once the tables for an entry of `order` exist; no entry: no memory. What is found may be in use, or
 * of another order. */
struct place paging_make(struct space *space, vaddr_t at, u32 order);
static inline bool paging_suffices(struct place place, u32 order) { return place.order <= order || *place.entry; }
/* `n` entries of a table from `entry` on were filled. */
static inline void paging_count(const u64 *entry, u32 n)
{
    struct kpage *table = kpage_of(entry);
    table->used += n;
    kpage_mark(table, entry);
    if (n > 1)
        table->mask |= (2ul << ((u64)(entry + n - 1) >> 6 & 63)) - (1ul << ((u64)entry >> 6 & 63));
}
/* Fill an empty entry. */
static inline void paging_set(u64 *entry, u64 value, struct cap *page)
{
    *entry = value;
    *paging_page(entry) = page;
    paging_count(entry, 1);
}
/* Free the tables of an empty entry that are empty: paging_make was in vain. */
void paging_trim(struct space *space, u64 *entry);
/* Empty a leaf entry, which maps `at`; tables that this empties are freed. */
static inline void paging_clear(struct space *space, u64 *entry, vaddr_t at)
{
    *entry = 0;
    *paging_page(entry) = NULL;
    arch_tlb_forget(space->root, at);
    if (!COMMON(--kpage_of(entry)->used))
        paging_trim(space, entry);
}
