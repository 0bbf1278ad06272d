/* SPDX-License-Identifier: BSD-2-Clause */
/* model_map.c: mapping, granting and taking away, entry by entry; see model.h and idl/interfaces/task.idl. */
#include <string.h>
#include "model.h"

enum { UNITS_OF_LARGE = 512, LARGE = 21, SMALL = 12 };
static const u32 unit_bits[] = { [L4_FPAGE_MEMORY] = 12, [L4_FPAGE_IO] = 0, [L4_FPAGE_CAP] = 0 };
static const u32 total_bits[] = { [L4_FPAGE_MEMORY] = 35, [L4_FPAGE_IO] = 16, [L4_FPAGE_CAP] = 15 };
static const u32 all_rights[] = { [L4_FPAGE_MEMORY] = 7, [L4_FPAGE_IO] = 3, [L4_FPAGE_CAP] = 127 };

/* A window in units of its type, and where it goes. */
struct window {
    u32 type;
    u64 base, units, to;
};

static bool window_of(u64 fpage, u64 to_base, struct window *w)
{
    w->type = (u32)l4_fpage_type(fpage);
    if (w->type > L4_FPAGE_CAP)
        return false;
    u32 bits = unit_bits[w->type], order = l4_fpage_order(fpage);
    if (order < bits || order - bits > total_bits[w->type] || to_base & ((1ul << bits) - 1))
        return false;
    w->base = l4_fpage_base(fpage);
    w->to = to_base >> bits;
    w->units = 1ul << (order - bits);
    u64 limit = 1ul << total_bits[w->type];
    return !(w->base % w->units) && !(w->to % w->units) && w->base < limit && w->to < limit;
}

static u64 address_of(u32 type, u64 unit) { return (type == L4_FPAGE_IO ? model_costs.ports_at : 0) + (unit << 12); }

/* ---- pages ---- */
static u64 task_factory(u64 task) { return object_find(task)->factory; }
static u64 page_cost(const struct seen_page *p) { return p->parent_task ? model_costs.node : model_costs.root_node; }

/* Take a page out; its tables go when they are empty. */
static void page_remove(struct seen_page *page)
{
    struct seen_page gone = *page;
    page_drop(page);
    quota_credit(task_factory(gone.task), page_cost(&gone) + table_bytes(gone.task, gone.at, gone.order));
}

static bool page_is_below(const struct seen_page *p, u64 task, u64 at)
{
    while (p) {
        if (p->task == task && p->at == at)
            return true;
        p = p->parent_task ? page_lookup(p->parent_task, p->parent_at) : NULL;
    }
    return false;
}

/* Take rights from all that was derived from the page at (task, at) and perhaps from itself; without R it goes. */
static u64 pages_take(u64 task, u64 at, u32 taking, bool derived_only)
{
    static bool below[SEEN_PAGES];
    u64 changed = 0;
    for (u64 i = 0; i < model.pages; i++) {
        const struct seen_page *p = &model.page[i];
        bool is_top = p->task == task && p->at == at;
        below[i] = page_is_below(p, task, at) && !(is_top && derived_only) && p->rights & taking;
        changed += below[i];
    }
    for (u64 i = model.pages; i-- > 0; ) {
        if (!below[i])
            continue;
        model.page[i].rights &= ~(u64)taking;
        if (taking & L4_R)
            page_remove(&model.page[i]);
    }
    return changed;
}

static bool entry_is_usable(u64 at, u64 order) { return at >= model_costs.ports_at || at + (1ul << order) <= L4_USER_END; }

/* Whether an entry of `order` at `at` would overlap anything that is there. */
static bool is_taken(u64 task, u64 at, u64 order)
{
    const struct seen_page *p = page_from(task, at);
    if (p && p->at < at + (1ul << order))
        return true;
    for (u64 i = 0; i < model.objects; i++) {
        const struct seen_thread *t = &model.object[i].thread;
        if (model.object[i].kind == L4_THREAD && t->task == task && t->utcb_at >> order == at >> order)
            return true;
    }
    return false;
}

/* The page that an entry would be, without its place in the tree. */
static struct seen_page copy_of(const struct seen_page *source, u64 at, u64 order, u64 to, u64 to_at, u32 rights)
{
    return (struct seen_page){ to, to_at, source->frame + (at - source->at), 0, 0, order, source->rights & rights,
                               source->uncached };
}

static l4_err_t page_grant(struct seen_page *source, struct seen_page entry)
{
    u64 cost = page_cost(source), from = source->task, from_at = source->at;
    if (!quota_charge(task_factory(entry.task), cost + table_bytes(entry.task, entry.at, entry.order)))
        return L4_NO_MEMORY;
    entry.parent_task = source->parent_task;
    entry.parent_at = source->parent_at;
    page_add(entry);
    struct seen_page *old = page_lookup(from, from_at);
    struct seen_page gone = *old;
    page_drop(old);
    quota_credit(task_factory(from), cost + table_bytes(from, from_at, gone.order));
    for (u64 i = 0; i < model.pages; i++)
        if (model.page[i].parent_task == from && model.page[i].parent_at == from_at) {
            model.page[i].parent_task = entry.task;
            model.page[i].parent_at = entry.at;
        }
    return L4_OK;
}

static l4_err_t page_map(struct seen_page *source, u64 at, u64 order, u64 to, u64 to_at, u32 rights, enum model_how how)
{
    u64 from = source->task, from_at = source->at;
    if (!entry_is_usable(to_at, order) || (how == MODEL_GRANT && source->order != order))
        return L4_BAD_ARGUMENT;
    if (how == MODEL_GRANT && source->rights & ~rights)
        pages_take(from, from_at, (u32)source->rights & ~rights, false);
    source = page_lookup(from, from_at);
    struct seen_page entry = copy_of(source, at, order, to, to_at, rights);
    bool beside = how == MODEL_COPY && source->parent_task;
    entry.parent_task = beside ? source->parent_task : from;
    entry.parent_at = beside ? source->parent_at : from_at;
    if (is_taken(to, to_at, order)) {
        const struct seen_page *there = page_lookup(to, to_at);
        bool is_source = there == source, same = there && there->at == to_at && there->order == order
            && there->frame == entry.frame && there->rights == entry.rights && there->uncached == entry.uncached;
        bool same_parent = there && there->parent_task == entry.parent_task && there->parent_at == entry.parent_at;
        return same && (is_source || (how != MODEL_GRANT && same_parent)) ? L4_OK : L4_SLOT_BUSY;
    }
    if (how == MODEL_GRANT)
        return page_grant(source, entry);
    if (!quota_charge(task_factory(to), model_costs.node + table_bytes(to, to_at, order)))
        return L4_NO_MEMORY;
    page_add(entry);
    return L4_OK;
}

static l4_err_t map_pages(const struct window *w, u64 to, u64 from, u32 rights, enum model_how how, u64 *mapped)
{
    u64 start = address_of(w->type, w->base), to_start = address_of(w->type, w->to), end = start + (w->units << 12);
    for (u64 at = start; at < end; ) {
        struct seen_page *source = page_from(from, at);
        if (!source || source->at >= end)
            break;
        at = source->at > at ? source->at : at;
        u64 order = source->order == LARGE && w->units >= UNITS_OF_LARGE ? LARGE : SMALL;
        l4_err_t err = page_map(source, at, order, to, to_start + (at - start), rights, how);
        if (err != L4_OK)
            return err;
        ++*mapped;
        at += 1ul << order;
    }
    return L4_OK;
}

static u64 unmap_pages(const struct window *w, u64 task, u32 rights, bool derived_only)
{
    u64 start = address_of(w->type, w->base), end = start + (w->units << 12), changed = 0;
    for (u64 at = start; at < end; ) {
        struct seen_page *page = page_from(task, at);
        if (!page || page->at >= end)
            break;
        at = page->at + (1ul << page->order);
        if (derived_only || page->rights & rights)
            changed += pages_take(task, page->at, rights, derived_only);
    }
    return changed;
}

u64 pages_remove_all(u64 task)
{
    u64 changed = 0;
    for (struct seen_page *page; (page = page_from(task, 0)); )
        changed += pages_take(task, page->at, ~0u, false);
    return changed;
}

/* ---- capabilities ---- */
l4_err_t cap_make_room(u64 task, u64 slot)
{
    if (!slot || slot >= L4_CAP_SLOTS)
        return L4_BAD_ARGUMENT;
    struct seen_object *owner = object_find(task);
    u64 *pages = &owner->cap_pages[slot / 64 / 64], bit = 1ul << slot / 64 % 64;
    if (!(*pages & bit)) {
        if (!quota_charge(owner->factory, model_costs.cap_page))
            return L4_NO_MEMORY;
        *pages |= bit;
    }
    return cap_lookup(task, slot) ? L4_SLOT_BUSY : L4_OK;
}

/* A child of `from` that has more rights than `to`; NULL: none. */
static struct seen_cap *cap_stronger(struct seen_cap to, struct seen_cap from)
{
    for (u64 i = 0; i < model.caps; i++) {
        struct seen_cap *c = &model.cap[i];
        if (c->kind == to.kind && c->parent_task == from.task && c->parent_slot == from.slot && c->rights & ~to.rights)
            return c;
    }
    return NULL;
}

/* `to`, derived from `from`, becomes what `from` was. */
static void cap_replace(struct seen_cap to, struct seen_cap from)
{
    for (struct seen_cap *child; (child = cap_stronger(to, from)); )
        cap_remove(child->task, child->slot, false);
    for (u64 i = 0; i < model.caps; i++) {
        struct seen_cap *c = &model.cap[i];
        if (c->kind != L4_REPLY && c->parent_task == from.task && c->parent_slot == from.slot) {
            c->parent_task = to.task;
            c->parent_slot = to.slot;
        }
    }
    struct seen_cap *there = cap_lookup(to.task, to.slot);
    there->parent_task = from.parent_task;
    there->parent_slot = from.parent_slot;
    cap_drop(from.task, from.slot);
}

static l4_err_t cap_map_one(u64 to, u64 slot, struct seen_cap from, u32 rights, bool grant)
{
    struct seen_cap new = from;
    const struct seen_cap *there = cap_lookup(to, slot);
    if (from.kind == L4_REPLY)
        return L4_WRONG_KIND;
    if (grant && to == from.task && slot == from.slot)
        return L4_OK;
    new.task = to;
    new.slot = slot;
    new.rights &= rights;
    new.parent_task = from.task;
    new.parent_slot = from.slot;
    bool same = there && there->kind == new.kind && there->object == new.object && there->label == new.label
        && there->rights == new.rights && there->parent_task == from.task && there->parent_slot == from.slot;
    if (!same) {
        l4_err_t err = cap_make_room(to, slot);
        if (err != L4_OK)
            return err;
        cap_add(new);
    }
    if (grant)
        cap_replace(new, from);
    return L4_OK;
}

static struct seen_cap *cap_from(u64 task, u64 slot, u64 end)
{
    for (u64 i = 0; i < model.caps; i++)
        if (model.cap[i].task == task && model.cap[i].slot >= slot && model.cap[i].slot < end)
            return &model.cap[i];
    return NULL;
}

static l4_err_t map_caps(const struct window *w, u64 to, u64 from, u32 rights, bool grant, u64 *mapped)
{
    struct seen_cap *cap;
    for (u64 slot = w->base, end = slot + w->units; (cap = cap_from(from, slot, end)); ) {
        slot = cap->slot + 1;
        l4_err_t err = cap_map_one(to, w->to + (cap->slot - w->base), *cap, rights, grant);
        if (err != L4_OK)
            return err;
        ++*mapped;
    }
    return L4_OK;
}

static bool cap_is_below(const struct seen_cap *c, u64 task, u64 slot)
{
    while (c && c->kind != L4_REPLY) {
        if (c->task == task && c->slot == slot)
            return true;
        c = c->parent_task ? cap_lookup(c->parent_task, c->parent_slot) : NULL;
    }
    return false;
}

u64 cap_remove(u64 task, u64 slot, bool derived_only)
{
    static struct seen_cap gone[SEEN_CAPS];
    u64 count = 0, dies = 0;
    struct seen_cap *top = cap_lookup(task, slot);
    if (top && top->kind == L4_REPLY) {
        if (!derived_only)
            reply_drop(top);
        return !derived_only;
    }
    for (u64 i = 0; i < model.caps; i++) {
        const struct seen_cap *c = &model.cap[i];
        if (cap_is_below(c, task, slot) && !(derived_only && c == top))
            gone[count++] = *c;
    }
    for (u64 i = 0; i < count; i++) {
        cap_drop(gone[i].task, gone[i].slot);
        dies = gone[i].parent_task ? dies : gone[i].object;     /* the root */
    }
    if (dies)
        object_die(dies);
    return count;
}

/* Who ends itself gets no further. */
static bool model_invoker_runs(void)
{
    const struct seen_thread *t = thread_find(model.current);
    return t && t->state == SEEN_READY && t->task;
}

static u64 unmap_caps(const struct window *w, u64 task, bool derived_only)
{
    u64 changed = 0;
    struct seen_cap *cap;
    for (u64 slot = w->base, end = slot + w->units; model_invoker_runs() && (cap = cap_from(task, slot, end)); ) {
        slot = cap->slot + 1;
        changed += cap_remove(task, cap->slot, derived_only);
    }
    return changed;
}

/* ---- flexpages ---- */
l4_err_t map_flexpage(u64 to, u64 from, u64 fpage, u64 to_base, u32 rights, enum model_how how, u64 *mapped)
{
    struct window w;
    l4_err_t err;
    *mapped = 0;
    if (!window_of(fpage, to_base, &w) || (w.type == L4_FPAGE_MEMORY && !(rights & L4_R)))
        return L4_BAD_ARGUMENT;
    if (w.type == L4_FPAGE_IO && w.to != w.base)
        return L4_BAD_ARGUMENT;
    if (w.type == L4_FPAGE_CAP)
        err = map_caps(&w, to, from, rights, how == MODEL_GRANT, mapped);
    else
        err = map_pages(&w, to, from, w.type == L4_FPAGE_IO ? 3 : rights, how, mapped);
    return err == L4_OK && !*mapped ? L4_NOT_MAPPED : err;
}

l4_err_t unmap_flexpage(u64 task, u64 fpage, u32 rights, bool derived_only, u64 *changed)
{
    struct window w;
    *changed = 0;
    if (!window_of(fpage, 0, &w))
        return L4_BAD_ARGUMENT;
    u32 all = all_rights[w.type];
    if (!(rights & all) || (w.type != L4_FPAGE_MEMORY && (rights & all) != all))
        return L4_BAD_ARGUMENT;
    if (w.type == L4_FPAGE_CAP)
        *changed = unmap_caps(&w, task, derived_only);
    else
        *changed = unmap_pages(&w, task, rights & L4_R ? ~0u : rights & all, derived_only);
    return L4_OK;
}
