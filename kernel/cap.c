/* SPDX-License-Identifier: BSD-2-Clause */
/* cap.c: capability tables and the derivation tree over their slots; see cap.h.
 * Revoking works like that of mappings (mapdb.h): children before parents, one cursor an object, and whoever changes a
 * tree that is being revoked first helps. Destroying an object is not part of it: the object goes to reap.c. */
#include "cap.h"
#include "memory.h"
#include "reap.h"
#include "reply.h"
#include "string.h"

enum { CAP_STEP = 64 };

struct cap_page cap_zero_page;
static u64 last_lineage;

/* ---- tables ---- */

l4_err_t cap_table_init(struct cap_table *table, struct factory *factory)
{
    *table = (struct cap_table){ .pages = memory_take(factory, L4_PAGE_SIZE), .factory = factory };
    if (!table->pages)
        return L4_NO_MEMORY;
    for (u32 i = 0; i < CAP_PAGES; i++)
        table->pages[i] = &cap_zero_page;
    return L4_OK;
}

/* Empty the slot at table->going. */
static l4_err_t fini_slot(struct cap_table *table)
{
    u64 changed = 0;
    struct cap *cap = cap_find(table, table->going);
    if (cap->kind != L4_NOTHING && cap_bury_step(cap, false, &changed) == RESTART)
        return RESTART;
    if (cap_is_tomb(cap))
        cap->object->tomb = NULL;
    return L4_OK;
}

l4_err_t cap_table_fini_step(struct cap_table *table)
{
    struct cap_page **page = &table->pages[table->going / CAP_PAGE_SLOTS];
    if (table->going == L4_CAP_SLOTS) {
        memory_give(table->factory, table->pages, L4_PAGE_SIZE);
        return L4_OK;
    }
    if (*page == &cap_zero_page)
        table->going += CAP_PAGE_SLOTS;
    else if (fini_slot(table) == L4_OK && ++table->going % CAP_PAGE_SLOTS == 0) {
        memory_give(table->factory, *page, sizeof **page);
        *page = &cap_zero_page;
    }
    return RESTART;
}

l4_err_t cap_reserve(struct cap_table *table, u64 slot, struct cap **empty)
{
    if (!slot || slot >= L4_CAP_SLOTS)
        return L4_BAD_ARGUMENT;
    struct cap_page **page = &table->pages[slot / CAP_PAGE_SLOTS];
    if (*page == &cap_zero_page) {
        struct cap_page *fresh = memory_take(table->factory, sizeof *fresh);
        if (!fresh)
            return L4_NO_MEMORY;
        *page = fresh;
    }
    *empty = cap_find(table, slot);
    return (*empty)->kind == L4_NOTHING && !(*empty)->object ? L4_OK : L4_SLOT_BUSY;
}

/* ---- the tree ---- */

void cap_make_root(struct cap *empty, struct object *object, u32 rights)
{
    *empty = (struct cap){ .object = object, .lineage = ++last_lineage, .kind = (u8)object->kind, .rights = (u8)rights,
                           .is_root = true };
    object->root = empty;
}

void cap_derive(struct cap *empty, struct cap *parent, enum l4_kind kind, u32 rights, u64 label)
{
    *empty = (struct cap){ .object = parent->object, .label = label, .lineage = ++last_lineage, .kind = (u8)kind,
                           .rights = (u8)rights, .parent = parent, .next = parent->child };
    if (empty->next)
        empty->next->prev = empty;
    parent->child = empty;
}

static void unlink(struct cap *cap)
{
    if (cap->next)
        cap->next->prev = cap->prev;
    if (cap->prev)
        cap->prev->next = cap->next;
    else if (cap->parent)
        cap->parent->child = cap->next;
}

/* `to` takes the place of `from` in the tree. */
static void move(struct cap *to, struct cap *from, u32 rights)
{
    *to = *from;
    to->rights = (u8)rights;
    if (to->next)
        to->next->prev = to;
    if (to->prev)
        to->prev->next = to;
    else if (to->parent)
        to->parent->child = to;
    for (struct cap *child = to->child; child; child = child->next)
        child->parent = to;
    if (to->is_root)
        to->object->root = to;
    memset(from, 0, sizeof *from);
}

static bool is_same(const struct cap *there, const struct cap *from, u32 rights)
{
    return there->kind == from->kind && there->object == from->object && there->label == from->label
        && there->rights == rights && there->parent == from;
}

l4_err_t cap_map(struct cap_table *to, u64 to_slot, struct cap *from, u32 rights, bool grant)
{
    struct cap *there = cap_find(to, to_slot), *empty;
    if (from->kind == L4_NOTHING)
        return L4_NO_CAPABILITY;
    if (from->kind == L4_REPLY)
        return L4_WRONG_KIND;
    l4_err_t err = cap_settle(from);
    if (err != L4_OK)
        return err;
    rights &= from->rights;
    if (grant ? there == from : is_same(there, from, rights))
        return L4_OK;
    err = cap_reserve(to, to_slot, &empty);
    if (err != L4_OK)
        return err;
    if (grant) {
        move(empty, from, rights);
        return L4_OK;
    }
    cap_derive(empty, from, from->kind, rights, from->label);
    empty->incarnation = from->incarnation;
    return L4_OK;
}

/* ---- revoking ---- */

/* The root goes: its slot becomes the tomb of the object, which is destroyed in reap.c. */
static void bury(struct cap *root)
{
    struct object *object = root->object;
    *root = (struct cap){ .object = object };
    object->root = NULL;
    object->tomb = root;
    reap_insert(object);
}

static void clear(struct cap *cap, u64 *changed)
{
    ++*changed;
    unlink(cap);
    if (cap->is_root)
        bury(cap);
    else
        memset(cap, 0, sizeof *cap);
}

/* One step of what is being revoked of this object; true when it is done. */
static bool revoke_one(struct object *object, u64 *changed)
{
    struct cap *cap = object->cursor, *top = object->top;
    if (cap->child) {
        object->cursor = cap->child;
        return false;
    }
    if (cap != top) {
        object->cursor = cap->parent;
        clear(cap, changed);
        return false;
    }
    object->top = object->cursor = NULL;
    if (!object->derived_only)
        clear(top, changed);
    return true;
}

static l4_err_t revoke_step(struct object *object, u64 *changed)
{
    for (u32 i = 0; i < CAP_STEP; i++)
        if (revoke_one(object, changed))
            return L4_OK;
    return RESTART;
}

l4_err_t cap_settle(const struct cap *cap)
{
    u64 changed = 0;
    if (!cap->object || !cap->object->top)
        return L4_OK;
    revoke_step(cap->object, &changed);
    return RESTART;
}

l4_err_t cap_bury_step(struct cap *cap, bool derived_only, u64 *changed)
{
    struct object *object = cap->object;
    if (cap->kind == L4_REPLY) {
        if (!derived_only) {
            reply_abort(cap);
            ++*changed;
        }
        return L4_OK;
    }
    if (cap->kind == L4_NOTHING)
        return L4_OK;
    if (object->top) {
        revoke_step(object, changed);
        return RESTART;
    }
    if (derived_only && !cap->child)
        return L4_OK;
    object->top = object->cursor = cap;
    object->derived_only = derived_only;
    return revoke_step(object, changed);
}

/* Small objects cannot end the caller, so they go at once. */
static bool is_small(const struct object *object) { return object->kind == L4_GATE || object->kind == L4_IRQ; }

l4_err_t cap_remove_step(struct cap *cap, bool derived_only, u64 *changed)
{
    if (cap_is_tomb(cap)) {
        reap_step();
        return RESTART;
    }
    l4_err_t err = cap_bury_step(cap, derived_only, changed);
    if (err == L4_OK && cap_is_tomb(cap) && is_small(cap->object))
        reap_step();
    return err == L4_OK && cap_is_tomb(cap) ? RESTART : err;
}
