/* SPDX-License-Identifier: BSD-2-Clause */
/* flexpage.c: see flexpage.h. One walk over a window for all three types, one entry or run of entries at a time. */
#include "flexpage.h"

enum {
    DONE_BITS = 36,             /* of *progress: 2^35 pages at most; the entries go above */
    LOOKS_STEP = 128,           /* places to look at in one step, of which TREE_STEP may be changed */
};

/* By type: bytes of a unit, how many units there are, the rights that there are, and where the first page is. */
static const struct { u8 unit_log2, units_log2, rights; vaddr_t at; } types[] = {
    [L4_FPAGE_MEMORY] = { L4_PAGE_SHIFT, 47 - L4_PAGE_SHIFT, L4_R | L4_W | L4_X, 0 },
    [L4_FPAGE_IO] = { 0, 16, L4_R | L4_W, PORTS_AT },
    [L4_FPAGE_CAP] = { 0, 15, L4_RIGHTS_ALL, 0 },
};

u64 flexpage_units(enum l4_fpage_type type) { return type > L4_FPAGE_CAP ? 0 : 1ul << types[type].units_log2; }

/* ---- one place ---- */

static inline struct found find_page(const struct task *task, enum l4_fpage_type type, u64 unit)
{
    vaddr_t at = types[type].at + (unit << L4_PAGE_SHIFT);
    struct place place = paging_find(task->space.root, at);
    u32 order = place.order - L4_PAGE_SHIFT, size = order + types[type].unit_log2;
    if (!paging_is_present(place))
        return (struct found){ NULL, unit, unit + (paging_nothing(place, at) >> L4_PAGE_SHIFT), size, place };
    return (struct found){ *paging_page(place.entry), unit, (unit | ((1ul << order) - 1)) + 1, size, place };
}

static inline struct found find_slot(const struct task *task, u64 slot)
{
    struct cap *cap = cap_find(&task->caps, slot);
    if (cap->object || cap->kind)
        return (struct found){ cap, slot, slot + 1, 0, { NULL, 0 } };
    u64 absent = task->caps.pages[slot / CAP_PAGE_SLOTS] ? 0 : CAP_PAGE_SLOTS - 1;
    return (struct found){ NULL, slot, (slot | absent) + 1, 0, { NULL, 0 } };
}

static inline struct found find(const struct task *task, enum l4_fpage_type type, u64 unit)
{
    return type == L4_FPAGE_CAP ? find_slot(task, unit) : find_page(task, type, unit);
}

struct found flexpage_find(const struct task *task, enum l4_fpage_type type, u64 unit)
{
    bool is_there = unit < flexpage_units(type);
    return is_there ? find(task, type, unit) : (struct found){ NULL, unit, unit + 1, 0, { NULL, 0 } };
}

/* ---- many ---- */

/* The window and where it goes, in units. */
static bool set_window(struct request *r, u64 fpage, u64 to_base)
{
    r->type = l4_fpage_type(fpage);
    if (r->type > L4_FPAGE_CAP)
        return false;
    u32 unit_log2 = types[r->type].unit_log2, units_log2 = types[r->type].units_log2;
    u32 order = l4_fpage_order(fpage) - unit_log2;
    if (order > units_log2)
        return false;
    r->base = l4_fpage_base(fpage);
    r->to_unit = to_base >> unit_log2;
    r->units = 1ul << order;
    u64 both = r->base | r->to_unit;
    bool is_aligned = !(both & (r->units - 1)) && r->to_unit << unit_log2 == to_base;
    return is_aligned && !(both >> units_log2);
}

/* `act` on whatever is in the window. It may move found->end, to go on elsewhere than behind the entry. */
static l4_err_t walk(struct request *r, l4_err_t (*act)(struct request *, struct found *), u64 *progress)
{
    l4_err_t err = L4_OK;
    r->done = *progress & ((1ul << DONE_BITS) - 1);
    r->entries = *progress >> DONE_BITS;
    r->budget = TREE_STEP;
    r->looks = LOOKS_STEP;
    while (err == L4_OK && r->done < r->units) {
        struct found found = find(r->from, r->type, r->base + r->done);
        if (!r->budget || !r->looks)
            err = RESTART;
        else if (found.cap)
            err = act(r, &found);
        if (err == L4_OK) {
            r->done = found.end - r->base;
            r->looks--;
        }
    }
    *progress = r->done | r->entries << DONE_BITS;
    return err;
}

static l4_err_t map_slot(struct request *r, struct found *found)
{
    if (cap_is_tomb(found->cap))
        return L4_OK;
    l4_err_t err = cap_map(&r->to->caps, r->to_unit + r->done, found->cap, r->rights, r->how == GRANT);
    r->entries += err == L4_OK;
    r->budget--;
    return err;
}

static l4_err_t map_page(struct request *r, struct found *found)
{
    return space_map(r, found, types[r->type].at + ((r->to_unit + r->done) << L4_PAGE_SHIFT));
}

l4_err_t flexpage_map(struct task *to, struct task *from, u64 fpage, u64 to_base, u32 rights, enum how how,
                      u64 *progress, u64 *mapped)
{
    struct request r = { .to = to, .from = from, .rights = rights, .how = how };
    if (!set_window(&r, fpage, to_base) || (r.type == L4_FPAGE_MEMORY && !(rights & L4_R)))
        return L4_BAD_ARGUMENT;
    if (r.type == L4_FPAGE_IO && r.to_unit != r.base)
        return L4_BAD_ARGUMENT;
    if (r.type == L4_FPAGE_IO)
        r.rights = types[r.type].rights;
    l4_err_t err = walk(&r, r.type == L4_FPAGE_CAP ? map_slot : map_page, progress);
    *mapped = r.entries;
    return err == L4_OK && !r.entries ? L4_NOT_MAPPED : err;
}

static l4_err_t unmap_slot(struct request *r, struct found *found)
{
    l4_err_t err = cap_revoke(found->cap, r->derived_only, &r->entries);
    r->budget--;
    return err == L4_OK && cap_is_tomb(found->cap) ? REAP : err;
}

/* The page, and those right behind it in its table, without a walk for each, while each is nobody's parent. */
static l4_err_t unmap_page(struct request *r, struct found *found)
{
    const struct kpage *table = kpage_of(found->place.entry);
    u64 in_table = TABLE_ENTRIES - found->unit % TABLE_ENTRIES, in_window = r->units - r->done;
    u64 left = found->place.order > L4_PAGE_SHIFT ? 1 : in_table < in_window ? in_table : in_window;
    for (struct cap *page = found->cap;;) {
        bool goes_on = --left && r->looks > 1 && r->budget > 1 && !page->child && table->used > 1;
        bool is_meant = r->derived_only || page->rights & r->rights;
        l4_err_t err = is_meant ? tree_revoke(page, r->rights, r->derived_only, &r->budget, &r->entries) : L4_OK;
        if (err != L4_OK || !goes_on)
            return err;
        page = *paging_page(++found->place.entry);
        r->looks--;
        r->done++;
        found->end = r->base + r->done + !!page;
        if (!page)
            return L4_OK;
    }
}

l4_err_t flexpage_unmap(struct task *task, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed)
{
    struct request r = { .from = task, .derived_only = derived_only };
    if (!set_window(&r, fpage, 0))
        return L4_BAD_ARGUMENT;
    u32 all = types[r.type].rights;
    if (!(rights & all) || (r.type != L4_FPAGE_MEMORY && (rights & all) != all))
        return L4_BAD_ARGUMENT;
    r.rights = rights & L4_R ? TREE_EVERYTHING : rights & all;
    l4_err_t err = walk(&r, r.type == L4_FPAGE_CAP ? unmap_slot : unmap_page, progress);
    *changed = r.entries;
    return err;
}
