/* SPDX-License-Identifier: BSD-2-Clause */
/* cap.c: capability tables, and what goes in and out of their slots; see cap.h. */
#include "cap.h"
#include "memory.h"
#include "reap.h"
#include "reply.h"

struct cap_page cap_zero_page;
u64 cap_last_lineage;

/* ---- tables ---- */

l4_err_t cap_table_init(struct cap_table *table, struct factory *factory)
{
    *table = (struct cap_table){ .pages = memory_take_zero(factory), .factory = factory };
    return table->pages ? L4_OK : L4_NO_MEMORY;
}

/* Empty a slot; what becomes of the object of a tomb no longer matters here, but it is to be destroyed first. */
static l4_err_t empty_slot(struct cap *cap, u32 *budget)
{
    u64 changed = 0;
    l4_err_t err = cap_revoke(cap, false, budget, &changed);
    if (err == RESTART || !cap_is_tomb(cap))
        return err;
    cap->object->tomb = NULL;
    cap->object = NULL;
    return RESTART;
}

/* Empty the slots of a page that have been in use. */
static l4_err_t empty_page(struct cap_page *page, u32 *budget)
{
    u64 *mask = &kpage_of(page)->mask;
    for (; *mask; *mask &= *mask - 1)
        if (!*budget || empty_slot(&page->slot[__builtin_ctzl(*mask)], budget) == RESTART)
            return RESTART;
    return L4_OK;
}

static l4_err_t give_page(struct cap_table *table, u64 *distance, u32 *budget)
{
    struct cap_page *page = (struct cap_page *)((u64)&cap_zero_page + *distance);
    if (!*distance)
        return L4_OK;
    if (!*budget || empty_page(page, budget) == RESTART)
        return RESTART;
    *budget -= *budget > 0;
    *distance = 0;
    memory_give_zero(table->factory, page);
    return L4_OK;
}

l4_err_t cap_table_fini_step(struct cap_table *table, u32 *budget)
{
    u64 *mask = &kpage_of(table->pages)->mask;
    for (; *mask; *mask &= *mask - 1)
        for (u32 i = 0; i < CAP_PAGES / 64; i++)
            if (give_page(table, &table->pages[__builtin_ctzl(*mask) * (CAP_PAGES / 64) + i], budget) == RESTART)
                return RESTART;
    memory_give_zero(table->factory, table->pages);
    return L4_OK;
}

l4_err_t cap_reserve(struct cap_table *table, u64 slot, struct cap **empty)
{
    if (!slot || slot >= L4_CAP_SLOTS)
        return L4_BAD_ARGUMENT;
    u64 *distance = &table->pages[slot / CAP_PAGE_SLOTS];
    if (!COMMON(*distance)) {
        void *fresh = memory_take_zero(table->factory);
        if (!fresh)
            return L4_NO_MEMORY;
        *distance = (u64)fresh - (u64)&cap_zero_page;
        kpage_mark(kpage_of(distance), distance);
    }
    *empty = cap_at(table, slot);
    kpage_mark(kpage_of(*empty), *empty);
    return (*empty)->kind == L4_NOTHING && !(*empty)->object ? L4_OK : L4_SLOT_BUSY;
}

/* ---- in ---- */

void cap_make_root(struct cap *empty, struct object *object, u32 rights)
{
    *empty = (struct cap){
        .object = object, .lineage = ++cap_last_lineage, .kind = (u8)object->kind, .rights = (u8)rights
    };
    object->root = empty;
}

void cap_derive(struct cap *empty, struct cap *parent, enum l4_kind kind, u32 rights, u64 label)
{
    empty->label = label;
    empty->lineage = ++cap_last_lineage;
    empty->kind = (u8)kind;
    empty->rights = (u8)rights;
    tree_insert(empty, parent);
}

/* `to`, the only child of `from`, takes its place in the tree and becomes that very capability. */
static void replace(struct cap *to, struct cap *from)
{
    to->lineage = from->lineage;
    to->parent = NULL;
    tree_remove(from);
    if (from->parent)
        tree_insert(to, from->parent);
    else
        to->object->root = to;
    *from = (struct cap){ 0 };
}

/* One bounded step of moving all other children of `from` below its child `to`, which then replaces it. Those that have more
 * rights than `to` go, with all below them; not doors, whose rights are to another thing. */
static RARE l4_err_t grant_step(struct cap *to, struct cap *from)
{
    u64 gone;
    for (u32 budget = TREE_STEP; budget; ) {
        struct cap *child = from->child == to ? to->next : from->child;
        if (!child) {
            replace(to, from);
            return L4_OK;
        }
        if (child->kind == to->kind && child->rights & ~to->rights) {
            if (tree_revoke(child, TREE_EVERYTHING, false, &budget, &gone) == RESTART)
                return RESTART;
        } else {
            tree_remove(child);
            tree_insert(child, to);
            budget--;
        }
    }
    return RESTART;
}

static RARE bool is_same(const struct cap *there, const struct cap *from, u32 rights, u64 label, bool grant)
{
    if (there == from)
        return grant;
    return there->kind == from->kind && there->object == from->object && there->label == label
        && there->rights == rights && there->parent == from;
}

l4_err_t cap_map(struct cap_table *to, u64 to_slot, struct cap *from, u32 rights, u64 label, bool grant)
{
    struct cap *there;
    if (from->kind == L4_REPLY)
        return L4_WRONG_KIND;
    if (!COMMON(!from->tree->top))
        return tree_settle(from->tree);
    rights &= from->rights;
    l4_err_t err = cap_reserve(to, to_slot, &there);
    if (COMMON(err == L4_OK)) {
        cap_derive(there, from, from->kind, rights, label);
        there->incarnation = from->incarnation;
    } else if (err != L4_SLOT_BUSY || !is_same(there, from, rights, label, grant)) {
        return err;
    }
    return grant && there != from ? grant_step(there, from) : L4_OK;
}

/* ---- out ---- */

/* A root's slot becomes the tomb of the object, which is destroyed in reap.c. */
u64 cap_take(struct cap *cap)
{
    struct object *object = cap->object;
    bool is_root = object->root == cap;
    tree_remove(cap);
    cap->object = is_root ? object : NULL;
    cap->label = cap->lineage = 0;
    cap->parent = cap->child = cap->next = cap->prev = NULL;
    cap->incarnation = cap->kind = cap->rights = cap->given = cap->order = 0;
    if (COMMON(!is_root))
        return 1;
    object->root = NULL;
    object->tomb = cap;
    reap_insert(object);
    return 1;
}

l4_err_t cap_revoke(struct cap *cap, bool derived_only, u32 *budget, u64 *changed)
{
    if (cap->kind != L4_NOTHING && cap->kind != L4_REPLY)
        return tree_revoke(cap, TREE_EVERYTHING, derived_only, budget, changed);
    --*budget;
    if (cap->kind == L4_REPLY && !derived_only) {
        reply_abort(cap);
        ++*changed;
    }
    return L4_OK;
}
