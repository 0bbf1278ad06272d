/* SPDX-License-Identifier: BSD-2-Clause */
/* flexpage.c: see flexpage.h. Ports are pages (paging.h): there is one walk over pages and one over slots, to map and to
 * unmap; what becomes of what is found is in space.c and cap.c. */
#include "flexpage.h"

enum { DONE_BITS = 36 };        /* of *progress: 2^35 pages at most; the entries go above */

#define INLINE static inline __attribute__((always_inline))

u64 flexpage_units(enum l4_fpage_type type)
{
    static const u64 units[] = { 1ul << (47 - L4_PAGE_SHIFT), PORTS, L4_CAP_SLOTS, 0 };
    return units[type];
}

/* ---- one place ---- */

/* The page at `place`; NULL: none, or of UTCBs. */
INLINE struct cap *page_of(struct place place) { return paging_is_present(place) ? *paging_page(place.entry) : NULL; }

struct found flexpage_find(struct task *task, enum l4_fpage_type type, u64 unit)
{
    if (unit >= flexpage_units(type))
        return (struct found){ NULL, unit, unit + 1, 0, { NULL, 0 } };
    if (type == L4_FPAGE_CAP) {
        struct cap *cap = cap_find(&task->caps, unit);
        return (struct found){ cap->object || cap->kind ? cap : NULL, unit, cap_next(&task->caps, unit), 0, { NULL, 0 } };
    }
    vaddr_t at = (type == L4_FPAGE_IO ? PORTS_AT : 0) + (unit << L4_PAGE_SHIFT);
    struct place place = paging_find(&task->space, at);
    struct cap *page = page_of(place);
    u32 order = place.order - L4_PAGE_SHIFT, size = type == L4_FPAGE_IO ? order : place.order;
    u64 end = page ? (unit | ((1ul << order) - 1)) + 1 : unit + (paging_nothing(place, at) >> L4_PAGE_SHIFT);
    return (struct found){ page, unit, end, size, place };
}

/* ---- windows ---- */

/* Addresses or slots, and where they go. */
struct window {
    u64 at, to, size;
    u32 shift;                  /* log2 of a unit */
};

/* One step through it. */
struct step {
    u64 at, end;
    u64 changed;                /* entries, those of the steps before it included */
    u32 budget;                 /* places that may still be looked at */
};

INLINE bool set(struct window *w, u64 at, u64 to, u32 order, u32 least, u32 most)
{
    *w = (struct window){ at, to, 1ul << order, least };
    return order - least <= most - least && !((at | to) & (w->size - 1)) && !((at | to) >> most);
}

/* False: there is no such window. */
INLINE bool window_set(struct window *w, u64 fpage, u64 to)
{
    enum l4_fpage_type type = l4_fpage_type(fpage);
    u32 order = l4_fpage_order(fpage);
    if (type == L4_FPAGE_MEMORY)
        return set(w, l4_fpage_address(fpage), to, order, L4_PAGE_SHIFT, 47);
    if (type == L4_FPAGE_CAP)
        return set(w, l4_fpage_base(fpage), to, order, 0, 15);
    if (type != L4_FPAGE_IO || !set(w, l4_fpage_base(fpage), to, order, 0, 16))
        return false;
    *w = (struct window){ PORTS_AT + (w->at << L4_PAGE_SHIFT), PORTS_AT + (to << L4_PAGE_SHIFT), w->size << L4_PAGE_SHIFT,
                          L4_PAGE_SHIFT };
    return true;
}

/* Where the last step ended; the window may have become another one since. */
INLINE struct step begin(const struct window *w, u64 progress)
{
    struct step s = { w->at, w->at + w->size, 0, TREE_STEP };
    if (COMMON(!progress))
        return s;
    s.at += (progress & ((1ul << DONE_BITS) - 1)) << w->shift;
    s.changed = progress >> DONE_BITS;
    return s;
}

/* Signed: what is behind the ports, at the end of all addresses, begins at 0. */
INLINE bool has_more(const struct step *s) { return (i64)s->at < (i64)s->end; }

INLINE bool is_on(const struct step *s) { return has_more(s) && s->budget; }

INLINE l4_err_t end(const struct step *s, const struct window *w, l4_err_t err, u64 *progress, u64 *changed)
{
    *changed = s->changed;
    if (err == L4_OK && has_more(s))
        err = RESTART;
    if (err >= RESTART)
        *progress = (s->at - w->at) >> w->shift | s->changed << DONE_BITS;
    return err;
}

/* ---- map ---- */

/* All of a page of 2 MB, or 4 KB of it. */
static RARE l4_err_t map_large(struct space *to, vaddr_t to_at, struct place source, vaddr_t at, u32 order, u32 rights, enum how how)
{
    return space_map(to, to_at, source, at, order, rights, how, 1, 1);
}

INLINE l4_err_t map_pages(struct step *s, const struct window *w, struct task *to, struct task *from, u32 rights, enum how how)
{
    u64 away = w->to - w->at;
    while (is_on(s)) {
        struct place place = paging_find(&from->space, s->at);
        if (!COMMON(page_of(place))) {
            s->at += paging_nothing(place, s->at);
            s->budget--;
            continue;
        }
        u32 order = L4_PAGE_SHIFT;
        l4_err_t n;
        if (COMMON(place.order == L4_PAGE_SHIFT)) {
            n = space_map(&to->space, s->at + away, place, s->at, order, rights, how, s->end - s->at, s->budget);
        } else {
            order = w->size < L4_LARGE_SIZE ? L4_PAGE_SHIFT : L4_LARGE_SHIFT;
            n = map_large(&to->space, s->at + away, place, s->at, order, rights, how);
        }
        if (!COMMON((u32)n < RESTART))
            return n;
        s->changed += (u32)n;
        s->at += (u64)(u32)n << order;
        s->budget -= (u32)n;
    }
    return L4_OK;
}

INLINE l4_err_t map_slots(struct step *s, const struct window *w, struct task *to, struct task *from, u32 rights, bool grant)
{
    for (; is_on(s); s->budget--) {
        struct cap *cap = cap_find(&from->caps, s->at);
        if (!COMMON(cap->kind)) {
            s->at = cap_next(&from->caps, s->at);
            continue;
        }
        l4_err_t err = cap_map(&to->caps, s->at - w->at + w->to, cap, rights, grant);
        if (!COMMON(err == L4_OK))
            return err;
        s->at++;
        s->changed++;
    }
    return L4_OK;
}

COMMON_PATH l4_err_t flexpage_map(struct task *to, struct task *from, u64 fpage, u64 to_base, u32 rights, enum how how,
                                  u64 *progress, u64 *mapped)
{
    enum l4_fpage_type type = l4_fpage_type(fpage);
    struct window w;
    l4_err_t err;
    if (!window_set(&w, fpage, to_base) || (type == L4_FPAGE_MEMORY && !(rights & L4_R)))
        return L4_BAD_ARGUMENT;
    if (type == L4_FPAGE_IO && w.at != w.to)
        return L4_BAD_ARGUMENT;
    struct step s = begin(&w, *progress);
    if (type == L4_FPAGE_CAP)
        err = map_slots(&s, &w, to, from, rights, how == GRANT);
    else
        err = map_pages(&s, &w, to, from, type == L4_FPAGE_IO ? L4_R | L4_W : rights, how);
    err = end(&s, &w, err, progress, mapped);
    return err == L4_OK && !s.changed ? L4_NOT_MAPPED : err;
}

/* ---- unmap ---- */

/* What does not simply go. */
static RARE l4_err_t revoke(struct step *s, struct cap *page, u32 taking, bool derived_only)
{
    u32 had = s->budget;
    if (!derived_only && !(page->rights & taking))
        return L4_OK;
    l4_err_t err = tree_revoke(page, taking, derived_only, &s->budget, &s->changed);
    s->budget -= s->budget == had;
    return err;
}

/* The page at `place`, and those right behind it in its table, without a walk for each. */
INLINE l4_err_t unmap_run(struct step *s, struct place place, u32 taking, bool derived_only)
{
    u64 *entry = place.entry;
    const struct kpage *table = kpage_of(entry);
    struct cap **shadow = paging_page(entry);
    u64 size = 1ul << place.order;
    do {
        struct cap *page = *shadow++;
        if (COMMON(taking == TREE_EVERYTHING && !derived_only && !page->child && page->parent && !page->tree->top)) {
            space_remove(page, s->at);
            s->changed++;
            s->budget--;
        } else {
            struct step rare = *s;
            l4_err_t err = revoke(&rare, page, taking, derived_only);
            *s = rare;
            if (err != L4_OK)
                return err;
        }
        s->at = (s->at | (size - 1)) + 1;
    } while (is_on(s) && size == L4_PAGE_SIZE && (u64)++entry % L4_PAGE_SIZE && table->used && *shadow);
    return L4_OK;
}

INLINE l4_err_t unmap_pages(struct step *s, struct task *task, u32 taking, bool derived_only)
{
    l4_err_t err = L4_OK;
    while (err == L4_OK && is_on(s)) {
        struct place place = paging_find(&task->space, s->at);
        if (COMMON(page_of(place))) {
            err = unmap_run(s, place, taking, derived_only);
            continue;
        }
        s->at += paging_nothing(place, s->at);
        s->budget--;
    }
    return err;
}

INLINE l4_err_t unmap_slots(struct step *s, struct task *task, bool derived_only)
{
    u64 changed = 0;
    l4_err_t err = L4_OK;
    for (; is_on(s); s->budget--) {
        struct cap *cap = cap_find(&task->caps, s->at);
        if (COMMON(cap->kind))
            err = cap_revoke(cap, derived_only, &changed);
        if (!COMMON(err == L4_OK && !cap_is_tomb(cap))) {
            err = err == L4_OK ? REAP : err;
            break;
        }
        s->at = cap_next(&task->caps, s->at);
    }
    s->changed += changed;
    return err;
}

COMMON_PATH l4_err_t flexpage_unmap(struct task *task, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed)
{
    static const u8 rights_of[] = { L4_R | L4_W | L4_X, L4_R | L4_W, L4_RIGHTS_ALL, 0 };
    enum l4_fpage_type type = l4_fpage_type(fpage);
    u32 all = rights_of[type], taking = rights & all;
    struct window w;
    if (!window_set(&w, fpage, 0) || !taking || (type != L4_FPAGE_MEMORY && taking != all))
        return L4_BAD_ARGUMENT;
    struct step s = begin(&w, *progress);
    l4_err_t err = type == L4_FPAGE_CAP ? unmap_slots(&s, task, derived_only)
                                        : unmap_pages(&s, task, taking & L4_R ? TREE_EVERYTHING : taking, derived_only);
    return end(&s, &w, err, progress, changed);
}
