/* SPDX-License-Identifier: BSD-2-Clause */
/* mapdb.c: see mapdb.h. Page tables and port bitmaps are changed through space_drop and space_restrict only. */
#include "mapdb.h"
#include "factory.h"
#include "memory.h"
#include "space.h"

static u32 bytes_of(bool is_port) { return is_port ? sizeof(struct port_node) : sizeof(struct node); }

struct node *node_create(struct space *space, u64 at, u32 order, u32 rights, bool is_port, struct node *parent)
{
    struct node *node = memory_take(space->factory, bytes_of(is_port));
    if (!node)
        return NULL;
    node->space = space;
    node->at = at;
    node->order = (u8)order;
    node->is_port = is_port;
    node->lacking = L4_R | L4_W | L4_X;
    node->root = node;
    if (parent) {
        node->root = parent->root;
        node->parent = parent;
        node->next = parent->child;
        if (node->next)
            node->next->prev = node;
        parent->child = node;
        parent->lacking &= (u8)~rights;
    }
    return node;
}

static void node_unlink(struct node *node)
{
    if (!node->parent)
        return;
    if (node->next)
        node->next->prev = node->prev;
    if (node->prev)
        node->prev->next = node->next;
    else
        node->parent->child = node->next;
}

/* The mapping goes, with its entry. Caller: it has no children and is not the root of a marked tree. */
static void node_destroy(struct node *node)
{
    struct factory *factory = node->space->factory;
    u32 bytes = bytes_of(node->is_port);
    space_drop(node);
    node_unlink(node);
    memory_give(factory, node, bytes);
}

bool node_move(struct node *node, struct space *space, u64 at)
{
    u32 bytes = memory_cost(bytes_of(node->is_port));
    if (!factory_charge(space->factory, bytes))
        return false;
    factory_credit(node->space->factory, bytes);
    node->space = space;
    node->at = at;
    return true;
}

/* Children before their parent. Returns true when the subtree's top is done. */
static bool remove_one(struct node *root, u64 *changed)
{
    struct node *node = root->cursor;
    if (node->child) {
        root->cursor = node->child;
        return false;
    }
    if (node != root->top) {
        root->cursor = node->parent;
        node_destroy(node);
        ++*changed;
        return false;
    }
    node->lacking = L4_R | L4_W | L4_X;
    root->top = NULL;
    if (!root->derived_only) {
        root->cursor = NULL;
        node_destroy(node);
        ++*changed;
    }
    return true;
}

static void restrict_cursor(struct node *root, u64 *changed)
{
    struct node *node = root->cursor;
    node->lacking |= root->taking;
    if (node != root->top || !root->derived_only)
        *changed += space_restrict(node, root->taking);
}

/* Parents before their children, so that an interrupted walk has left no child with more rights than its parent. */
static bool restrict_one(struct node *root, u64 *changed)
{
    struct node *node = root->cursor;
    if (!root->rising) {
        restrict_cursor(root, changed);
        if (node->child) {
            root->cursor = node->child;
            return false;
        }
    }
    if (node == root->top) {
        root->top = NULL;
        return true;
    }
    root->rising = !node->next;
    root->cursor = node->next ? node->next : node->parent;
    return false;
}

/* Go on with what `root` is marked for. */
static l4_err_t revoke_step(struct node *root, u32 *budget, u64 *changed)
{
    bool removing = root->taking & L4_R;
    while (*budget) {
        --*budget;
        if (removing ? remove_one(root, changed) : restrict_one(root, changed))
            return L4_OK;
    }
    return RESTART;
}

l4_err_t mapdb_settle(struct node *node, u64 *changed)
{
    u32 budget = MAPDB_STEP;
    if (!node->root->top)
        return L4_OK;
    revoke_step(node->root, &budget, changed);
    return RESTART;
}

bool mapdb_has(const struct node *node, u32 rights, u32 taking, bool derived_only)
{
    if (!derived_only)
        return rights & taking;
    return node->child && (taking & ~node->lacking);
}

l4_err_t mapdb_revoke(struct node *top, u32 taking, bool derived_only, u32 *budget, u64 *changed)
{
    struct node *root = top->root;
    root->top = root->cursor = top;
    root->taking = taking & L4_R ? L4_R | L4_W | L4_X : (u8)taking;
    root->derived_only = derived_only;
    root->rising = false;
    return revoke_step(root, budget, changed);
}

u64 node_name(const struct node *node)
{
    if (!node)
        return 0;
    return node->is_port ? node->space->id << 36 | 1ul << 35 | node->at
        : node->space->id << 36 | node->at >> L4_PAGE_SHIFT;
}
