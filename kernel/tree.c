/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.c: see tree.h. What losing rights means to a slot or to a page is in cap.c and space.c. */
#include "lock.h"
#include "space.h"

static struct list marked = { &marked, &marked };

void tree_insert(struct cap *cap, struct cap *parent)
{
    lock_needs_all();
    cap->tree = parent->tree;
    cap->parent = parent;
    cap->next = parent->child;
    cap->prev = NULL;
    if (cap->next)
        cap->next->prev = cap;
    parent->child = cap;
    parent->given |= cap->rights | L4_R;
}

void tree_remove(struct cap *cap)
{
    lock_needs_all();
    if (cap->next)
        cap->next->prev = cap->prev;
    if (cap->prev)
        cap->prev->next = cap->next;
    else if (cap->parent)
        cap->parent->child = cap->next;
}

/* Does a child of this one have a right that goes? */
static bool has_given(const struct cap *cap, u32 taking) { return cap->child && (cap->given & taking); }

static u64 take(struct cap *cap, u32 taking)
{
    return cap->kind == KIND_PAGE ? space_take(cap, taking) : cap_take(cap);
}

/* One unit of work. True when it was the last. */
static bool revoke_one(struct tree *tree, u64 *changed)
{
    struct cap *cap = tree->cursor;
    bool is_top = cap == tree->top, is_chosen = tree->minted_only && cap->parent == tree->top;
    bool stays = is_chosen ? cap->kind != L4_DOOR || cap->incarnation != tree->minter : is_top && tree->derived_only;
    bool is_last = is_top || (is_chosen && !cap->next);
    if (has_given(cap, tree->taking) && !(is_chosen && stays)) {
        tree->cursor = cap->child;
        return false;
    }
    if (is_last) {
        tree->top = NULL;
        list_remove(&tree->in_marked);
    } else if (cap->next) {
        tree->cursor = cap->next;
    } else {
        tree->cursor = cap->parent;
        cap->parent->given &= (u8)~tree->taking;
    }
    if (!stays)
        *changed += take(cap, tree->taking);
    return is_last;
}

static RARE l4_err_t step(struct tree *tree, u32 *budget, u64 *changed)
{
    while (*budget) {
        --*budget;
        if (revoke_one(tree, changed))
            return L4_OK;
    }
    return RESTART;
}

static RARE void mark(struct tree *tree, struct tree as)
{
    *tree = as;
    list_insert(&marked, &tree->in_marked);
}

RARE l4_err_t tree_settle(struct tree *tree)
{
    u32 budget = TREE_STEP;
    u64 changed = 0;
    if (!tree->top)
        return L4_OK;
    step(tree, &budget, &changed);
    return RESTART;
}

l4_err_t tree_revoke(struct cap *top, u32 taking, bool derived_only, u32 *budget, u64 *changed)
{
    struct tree *tree = top->tree;
    bool is_leaf = !has_given(top, taking);
    if (is_leaf && (derived_only || !tree->top)) {      /* nothing to walk through, and so nothing to mark */
        --*budget;
        *changed += derived_only ? 0 : take(top, taking);
        return L4_OK;
    }
    if (tree->top) {
        step(tree, budget, changed);
        return RESTART;
    }
    mark(tree, (struct tree){ .top = top, .cursor = top, .taking = (u8)taking, .derived_only = derived_only });
    return step(tree, budget, changed);
}

l4_err_t tree_revoke_minted(struct cap *root, u32 minter, u32 *budget, u64 *changed)
{
    struct tree *tree = root->tree;
    bool is_begun = tree->top == root && tree->minted_only && tree->minter == minter;
    if (!tree->top && !root->child)
        return L4_OK;
    if (!tree->top) {
        mark(tree, (struct tree){ .top = root, .cursor = root->child, .taking = TREE_EVERYTHING, .minted_only = true, .minter = minter });
        is_begun = true;
    }
    l4_err_t err = step(tree, budget, changed);
    return is_begun ? err : RESTART;
}

bool tree_step(void)
{
    struct list *first = list_first(&marked);
    return first && tree_settle(container_of(first, struct tree, in_marked));
}
