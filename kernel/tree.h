/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.h: who derived what from whom: capabilities, pages of memory and I/O ports alike. An object has one tree, and so
 * has each page that a first task was given at boot.
 *
 *   root -- child -- next -- next      Revoking walks a subtree in steps, children before their parents, and allocates
 *             |                        nothing. While it lasts the tree is *marked*: whoever wants to change it first
 *           child -- next              does one step of that revocation himself and then starts over. So the tree keeps
 *                                      its shape under the walk, and tasks that map to each other outrun nobody.
 *
 * INVARIANT family: c->child->parent == c; siblings share the parent, and all have one tree.
 * INVARIANT inside: what a child maps lies inside what its parent maps, and it has no right that its parent, if of its kind,
 * has not: a door's rights are not those to its gate.
 * INVARIANT given: a right that a child of c has is in c->given; L4_R is there for any child. */
#pragma once
#include "list.h"

/* A revocation. */
struct tree {
    struct list in_marked;      /* while it goes on (tree.c) */
    struct cap *top;            /* the subtree; NULL: none is going on */
    struct cap *cursor;         /* how far it is */
    u8 taking;                  /* the rights that go; with L4_R it goes whole */
    bool derived_only;          /* top itself keeps them */
    bool minted_only;           /* of top's children only doors of this minter, with all below them */
    u32 minter;
};

enum { TREE_STEP = 64, TREE_EVERYTHING = 255 };     /* units of work in one step; `taking` all there is */

/* Hang a capability that is in no family below `parent`. Caller: its other members are filled. */
void tree_insert(struct cap *cap, struct cap *parent);
/* Take one out of its family, with all below it. */
void tree_remove(struct cap *cap);

/* L4_OK if the tree is not marked; else one step of what it is marked for, and RESTART. */
l4_err_t tree_settle(struct tree *tree);
/* One step of a revocation that is going on somewhere; false: of none. For a CPU that has nothing else to do: who began one may not live
 * to see its end. */
bool tree_step(void);
/* Take rights from all below `top`, and from itself unless `derived_only`; *changed counts who lost any. Uses up
 * *budget: RESTART, and the tree marked, when that did not suffice. */
l4_err_t tree_revoke(struct cap *top, u32 taking, bool derived_only, u32 *budget, u64 *changed);
/* The same for the doors right below a gate's `root` that `minter` minted. */
l4_err_t tree_revoke_minted(struct cap *root, u32 minter, u32 *budget, u64 *changed);
