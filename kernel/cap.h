/* SPDX-License-Identifier: BSD-2-Clause */
/* cap.h: what a task holds: capabilities, in the table below, and mapped pages and I/O ports, found through its page
 * table (space.h). Both are a `struct cap`, a place in the tree of who derived what from whom (tree.h).
 *
 *   table: 512 distances -> page of 64 slots         (an absent page is the one zero page: distance 0)
 *
 * INVARIANT root: c->object->root == c <=> c has no parent.
 * INVARIANT mask: a slot in which there is anything has its bit in its page's kpage.mask (memory.h).
 * INVARIANT absent: every slot of the zero page is empty.
 * A slot of kind L4_NOTHING with an object is a *tomb*: the object is being destroyed, and the slot is not free before.
 * Kept replies (kind L4_REPLY) are in no tree: `in_thread` links them to the thread that must answer. */
#pragma once
#include "object.h"


enum { KIND_PAGE = L4_KINDS };          /* cap.kind of a page or port; its object is none, only the tree is there */

struct cap {
    union {
        struct object *object;          /* NULL: an empty slot, or a reply whose caller died (kind tells) */
        struct tree *tree;              /* an object begins with its tree */
    };
    union {
        u64 label;                      /* doors: the client's label */
        u64 *entry;                     /* pages: in the page table of `space` */
    };
    union {
        struct { struct cap *parent, *child, *next, *prev; };   /* siblings: NULL-terminated; prev NULL in the first */
        struct list in_thread;          /* replies: thread->kept */
    };
    union {
        u64 lineage;                    /* unique id of this capability, for traces */
        struct space *space;            /* pages: named by task and address */
    };
    u32 incarnation;                    /* minted doors: of the minter */
    u8 kind;                            /* enum l4_kind, KIND_PAGE; L4_NOTHING: empty */
    u8 rights;                          /* enum l4_rights */
    u8 given;                           /* rights that a child may have */
    u8 order;                           /* pages: 12 or 21 */
};
_Static_assert(sizeof(struct cap) == 64 && !offsetof(struct object, tree), "64 slots a page");

enum { CAP_PAGE_SLOTS = 64, CAP_PAGES = L4_CAP_SLOTS / CAP_PAGE_SLOTS };
struct cap_page { struct cap slot[CAP_PAGE_SLOTS]; };

struct cap_table {
    u64 *pages;                 /* how far behind cap_zero_page each is */
    struct factory *factory;    /* pays for pages */
};
extern struct cap_page cap_zero_page;
extern u64 cap_last_lineage;    /* of the last capability that was made */

l4_err_t cap_table_init(struct cap_table *table, struct factory *factory);
/* Remove every capability, then the pages, while *budget lasts: RESTART until empty and freed. */
l4_err_t cap_table_fini_step(struct cap_table *table, u32 *budget);

/* The slot with this index, which is below L4_CAP_SLOTS; an absent one is an empty slot of the zero page, never to be
 * written. */
static inline struct cap *cap_at(const struct cap_table *table, u64 slot)
{
    return (struct cap *)((u64)&cap_zero_page + table->pages[slot / CAP_PAGE_SLOTS]) + slot % CAP_PAGE_SLOTS;
}
/* The same of any number: an impossible one is like an absent one. */
static inline struct cap *cap_find(const struct cap_table *table, u64 slot)
{
    return slot < L4_CAP_SLOTS ? cap_at(table, slot) : &cap_zero_page.slot[0];
}
/* The next after `slot` in which there may be anything. */
static inline u64 cap_next(const struct cap_table *table, u64 slot)
{
    u64 page = slot / CAP_PAGE_SLOTS;
    if (COMMON(table->pages[page]))
        return slot + 1;
    while (++page < CAP_PAGES && !table->pages[page])
        ;
    return page * CAP_PAGE_SLOTS;
}
/* An empty slot to write into, all zero, its page allocated. L4_SLOT_BUSY, L4_NO_MEMORY, L4_BAD_ARGUMENT (slot 0, too
 * large). */
l4_err_t cap_reserve(struct cap_table *table, u64 slot, struct cap **empty);

/* Fill `empty` with the root capability of a new object. */
void cap_make_root(struct cap *empty, struct object *object, u32 rights);
/* Fill `empty`, which is all zero, with a child of `parent` (for doors: of the gate's root) with these rights. Caller, if
 * this is a user's will: the tree is settled. */
void cap_derive(struct cap *empty, struct cap *parent, enum l4_kind kind, u32 rights, u64 label);
static inline bool cap_is_tomb(const struct cap *cap) { return cap->kind == L4_NOTHING && cap->object; }
/* Map one capability: like cap_derive, but succeeds when `to` already holds just that (same object, label, rights,
 * parent). Replies cannot be mapped (L4_WRONG_KIND); `grant` moves the capability: mapped like that, `to` then takes
 * its place in the tree, and children with more rights than it has then go. May answer RESTART: the tree is not settled,
 * or a grant has many children to take along. Caller: `from` is not empty; a `label` other than its own is the caller's
 * business. */
l4_err_t cap_map(struct cap_table *to, u64 to_slot, struct cap *from, u32 rights, u64 label, bool grant);
/* One bounded step, of *budget > 0 units, of removing the capabilities derived from `cap` and, unless `derived_only`,
 * itself: RESTART until done. *changed counts removed capabilities. A root's removal leaves a tomb, and its object to
 * reap.c; a kept reply's removal aborts its caller. */
l4_err_t cap_revoke(struct cap *cap, bool derived_only, u32 *budget, u64 *changed);
/* For tree.c: remove a capability without children. Returns 1. */
u64 cap_take(struct cap *cap);
