/* SPDX-License-Identifier: BSD-2-Clause */
/* cap.h: the capability table of a task, and who derived which capability from which.
 *
 *   table: 512 pointers -> page of 64 slots          a slot is itself the node of the derivation tree:
 *   (an absent page is the one zero page)            mapping derives a child; revoking removes a subtree
 *
 * INVARIANT tree: c->child->parent == c, siblings share the parent; c->object == c->parent->object.
 * INVARIANT root: c->is_root <=> c->object->root == c.
 * A slot of kind L4_NOTHING with an object is a *tomb*: the object is being destroyed, and the slot is not free before.
 * Kept replies (kind L4_REPLY) are in no tree: `in_thread` links them to the thread that must answer. */
#pragma once
#include "object.h"

struct thread;
struct task;

struct cap {
    struct object *object;      /* NULL: an empty slot, or a reply whose caller died (kind tells) */
    u64 label;                  /* doors: the client's label */
    union {
        struct { struct cap *parent, *child, *next, *prev; };   /* siblings: NULL-terminated; prev NULL in the first */
        struct list in_thread;  /* replies: thread->kept */
    };
    u64 lineage;                /* unique id of this capability, for traces */
    u32 incarnation;            /* minted doors: of the minter */
    u8 kind;                    /* enum l4_kind; L4_NOTHING: empty */
    u8 rights;                  /* enum l4_rights */
    bool is_root;
    u8 spare;
};
_Static_assert(sizeof(struct cap) == 64, "64 slots a page");

enum { CAP_PAGE_SLOTS = 64, CAP_PAGES = 512 };
struct cap_page { struct cap slot[CAP_PAGE_SLOTS]; };

struct cap_table {
    struct cap_page **pages;    /* a frame of 512 pointers; absent ones point to cap_zero_page */
    struct factory *factory;    /* pays for pages */
    u32 going;                  /* the slot that cap_table_fini_step is at */
};
extern struct cap_page cap_zero_page;

l4_err_t cap_table_init(struct cap_table *table, struct factory *factory);
/* One bounded step of removing every capability, then the pages: RESTART until empty and freed. */
l4_err_t cap_table_fini_step(struct cap_table *table);

/* The slot with this index. Never NULL: an absent or impossible one is an empty slot of the zero page, never to be
 * written. */
static inline struct cap *cap_find(const struct cap_table *table, u64 slot)
{
    if (slot >= L4_CAP_SLOTS)
        return &cap_zero_page.slot[0];
    return &table->pages[slot / CAP_PAGE_SLOTS]->slot[slot % CAP_PAGE_SLOTS];
}
/* An empty slot to write into, its page allocated. L4_SLOT_BUSY, L4_NO_MEMORY, L4_BAD_ARGUMENT (slot 0 or too large).
 * */
l4_err_t cap_reserve(struct cap_table *table, u64 slot, struct cap **empty);

/* Fill `empty` with the root capability of a new object. */
void cap_make_root(struct cap *empty, struct object *object, u32 rights);
/* Fill `empty` with a child of `parent` (for doors: of the gate's root) with these rights. */
void cap_derive(struct cap *empty, struct cap *parent, enum l4_kind kind, u32 rights, u64 label);
/* L4_OK if nothing is being revoked in this capability's tree; else one step of that, and RESTART. Whoever adds to a
 * tree at a user's will asks first, so that nobody outruns a revoker. */
l4_err_t cap_settle(const struct cap *cap);
static inline bool cap_is_tomb(const struct cap *cap) { return cap->kind == L4_NOTHING && cap->object; }
/* Map one capability: like cap_derive, but succeeds when `to` already holds just that (same object, label, rights,
 * parent). Replies cannot be mapped (L4_WRONG_KIND); `grant` moves the capability: `to` takes its place in the tree.
 * May answer RESTART (cap_settle). */
l4_err_t cap_map(struct cap_table *to, u64 to_slot, struct cap *from, u32 rights, bool grant);
/* One bounded step of removing the capabilities derived from `cap` and, unless `derived_only`, itself; a root's removal
 * destroys its object; a kept reply's removal aborts its caller. RESTART until done. *changed counts removed
 * capabilities. On a tomb it destroys, which may end caller and table: RESTART is returned, and nothing of either may
 * be touched. */
l4_err_t cap_remove_step(struct cap *cap, bool derived_only, u64 *changed);
/* The same up to the tomb: L4_OK when all capabilities are gone, whatever remains of the object. */
l4_err_t cap_bury_step(struct cap *cap, bool derived_only, u64 *changed);
