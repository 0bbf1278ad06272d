/* SPDX-License-Identifier: BSD-2-Clause */
/* mapdb.h: who derived which memory or port mapping from whom.
 *
 *   root (sigma0's RAM) -- child -- next -- next        a node is one page-table entry, 4 KB or 2 MB, or one range of
 * ports
 *                            |
 *                          child -- next
 *
 * Revoking walks a subtree in steps and allocates nothing. While it lasts, the root is *marked*: whoever wants to
 * change this tree first does one step of that revocation himself and then starts over. So the tree keeps its shape
 * under the walk (its cursor stays valid), and two tasks that map to each other cannot outrun a revoker.
 *
 * INVARIANT family: n->child->parent == n; siblings share the parent; n->root is the tree's root, also of itself.
 * INVARIANT inside: what a child maps lies inside what its parent maps, with no more rights unless the tree is marked.
 * INVARIANT lacking: no child of n has a right that is in n->lacking. */
#pragma once
#include "object.h"

struct space;

struct node {
    struct space *space;
    u64 at;                                     /* virtual address, or first port */
    struct node *parent, *child;                /* parent NULL: a root */
    union {
        struct { struct node *next, *prev; };   /* siblings; NULL-terminated, prev NULL in the first */
        struct { struct node *top, *cursor; };  /* a root: the subtree being revoked (NULL: not marked), and how far */
    };
    struct node *root;
    u8 order;                                   /* log2 of bytes (12, 21) or of ports */
    u8 lacking;
    bool is_port;
    u8 taking;                                  /* a root, while marked: the rights that go; */
    bool derived_only;                          /* the subtree's top keeps them; */
    bool rising;                                /* the cursor's own subtree is done */
};
_Static_assert(sizeof(struct node) == 64, "a mapping costs 64 bytes");

/* A mapping of a space's I/O ports; their number is bounded, so that a list does. */
struct port_node {
    struct node node;
    struct list in_space;
};

enum { MAPDB_STEP = 64 };   /* units of work in one step */

/* A node below `parent` (NULL: a root), charged to the space's factory; NULL: no memory. The caller makes the entry. */
struct node *node_create(struct space *space, u64 at, u32 order, u32 rights, bool is_port, struct node *parent);
/* The mapping moves to another place, its charge too: false when there is no quota. */
bool node_move(struct node *node, struct space *space, u64 at);

/* L4_OK if the tree is not marked; else one step of what it is marked for, and RESTART. */
l4_err_t mapdb_settle(struct node *node, u64 *changed);
/* Is there anything for mapdb_revoke to do? `rights` are those of the node's entry. */
bool mapdb_has(const struct node *node, u32 rights, u32 taking, bool derived_only);
/* Take rights from all below `top`, and from itself unless `derived_only`; taking L4_R takes the mapping. Uses up
 * *budget: RESTART and the tree marked when that did not suffice. Caller: the tree is not marked. */
l4_err_t mapdb_revoke(struct node *top, u32 taking, bool derived_only, u32 *budget, u64 *changed);

/* Names for traces: task, port or not, page or port; 0 for NULL. */
u64 node_name(const struct node *node);
