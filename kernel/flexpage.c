/* SPDX-License-Identifier: BSD-2-Clause */
/* flexpage.c: see flexpage.h. Ports are pages (paging.h): there is one walk over pages and one over slots, to map and
 * to unmap; what becomes of what is found is in space.c and cap.c. */
#include "flexpage.h"

enum { DONE_BITS = 36 };        /* of *progress: 2^35 pages at most; the entries go above */

static const u64 units[] = { 1ul << (47 - L4_PAGE_SHIFT), PORTS, L4_CAP_SLOTS, 0 };     /* by type */
static const u8 rights_of[] = { L4_R | L4_W | L4_X, L4_R | L4_W, L4_RIGHTS_ALL, 0 };

u64 flexpage_units(enum l4_fpage_type type) { return units[type]; }

/* ---- one place ---- */

/* The page at `place`; NULL: none, or of UTCBs. */
static INLINE struct cap *page_of(struct place place) { return paging_is_present(place) ? *paging_page(place.entry) : NULL; }

/* How far it is from `at`, which is in `place`, to where the next may be. */
static INLINE u64 to_next(struct place place, struct cap *page, vaddr_t at)
{
    u64 size = 1ul << place.order;
    return COMMON(page) ? size - (at & (size - 1)) : paging_nothing(place, at);
}

struct found flexpage_find(struct task *task, enum l4_fpage_type type, u64 unit)
{
    if (unit >= units[type])
        return (struct found){ NULL, unit, unit + 1, 0, { NULL, 0 } };
    if (type == L4_FPAGE_CAP) {
        struct cap *cap = cap_find(&task->caps, unit);
        return (struct found){ cap->object || cap->kind ? cap : NULL, unit, cap_next(&task->caps, unit), 0, { NULL, 0 } };
    }
    vaddr_t at = (type == L4_FPAGE_IO ? PORTS_AT : 0) + (unit << L4_PAGE_SHIFT);
    struct place place = paging_find(&task->space, at);
    struct cap *page = page_of(place);
    u32 order = place.order - (type == L4_FPAGE_IO ? L4_PAGE_SHIFT : 0);
    return (struct found){ page, unit, unit + (to_next(place, page, at) >> L4_PAGE_SHIFT), order, place };
}

/* ---- windows ---- */

/* One step through a window of addresses or of slots. */
struct step {
    u64 start, at, end;
    u64 away;                   /* how far they go */
    u64 changed;                /* entries, those of the steps before it included */
    u32 shift, budget;          /* log2 of a unit; places that may still be looked at */
};

static INLINE bool set(struct step *s, u64 at, u64 to, u32 order, u32 least, u32 most)
{
    *s = (struct step){ at, at, at + (1ul << order), to - at, 0, least, TREE_STEP };
    return order - least <= most - least && !((at | to) & (s->end - at - 1)) && !((at | to) >> most);
}

/* False: there is no such window. */
static INLINE bool set_window(struct step *s, u64 fpage, u64 to)
{
    enum l4_fpage_type type = l4_fpage_type(fpage);
    u32 order = l4_fpage_order(fpage);
    if (type == L4_FPAGE_MEMORY)
        return set(s, l4_fpage_address(fpage), to, order, L4_PAGE_SHIFT, 47);
    if (type == L4_FPAGE_CAP)
        return set(s, l4_fpage_base(fpage), to, order, 0, 15);
    if (type != L4_FPAGE_IO || !set(s, l4_fpage_base(fpage), to, order, 0, 16))
        return false;
    set(s, PORTS_AT + l4_fpage_address(fpage), PORTS_AT + (to << L4_PAGE_SHIFT), order + L4_PAGE_SHIFT, L4_PAGE_SHIFT, 63);
    return true;
}

/* Signed: what is behind the ports, at the end of all addresses, begins at 0. */
static INLINE bool has_more(const struct step *s) { return (i64)s->at < (i64)s->end; }

/* Go on where the last step ended; the window may have become another one since, which ends before that. */
static INLINE void go_on(struct step *s, u64 progress)
{
    if (COMMON(!progress))
        return;
    s->at += (progress & ((1ul << DONE_BITS) - 1)) << s->shift;
    s->changed = progress >> DONE_BITS;
}

/* space_map may overdraw the budget. */
static INLINE bool is_on(const struct step *s) { return has_more(s) && COMMON((i32)s->budget > 0); }

/* It is not on: all is done, or the step is. */
static INLINE l4_err_t so_far(const struct step *s) { return has_more(s) ? RESTART : L4_OK; }

static INLINE l4_err_t end(const struct step *s, l4_err_t err, u64 *progress, u64 *changed)
{
    *changed = s->changed;
    if (err >= RESTART)
        *progress = (s->at - s->start) >> s->shift | s->changed << DONE_BITS;
    return err;
}

/* ---- map ---- */

static INLINE l4_err_t map_pages(struct step *s, struct task *to, struct task *from, u32 rights, enum how how)
{
    do {
        struct place place = paging_find(&from->space, s->at);
        if (!COMMON(page_of(place))) {
            s->at += paging_nothing(place, s->at);
            s->budget--;
            continue;
        }
        u32 order = COMMON(place.order == L4_PAGE_SHIFT) || s->end - s->start < L4_LARGE_SIZE ? L4_PAGE_SHIFT : L4_LARGE_SHIFT;
        l4_err_t n = space_map(&to->space, s->at + s->away, place, s->at, order, rights, how, s->end - s->at, &s->budget);
        if (!COMMON((u32)n < RESTART))
            return n;
        s->changed += (u32)n;
        s->at += (u64)(u32)n << order;
        s->budget -= (u32)n;
    } while (is_on(s));
    return so_far(s);
}

static INLINE l4_err_t map_slots(struct step *s, struct task *to, struct task *from, u32 rights, bool grant)
{
    do {
        struct cap *cap = cap_at(&from->caps, s->at);
        s->budget--;
        if (!COMMON(cap->kind)) {
            s->at = cap_next(&from->caps, s->at);
            continue;
        }
        l4_err_t err = cap_map(&to->caps, s->at + s->away, cap, rights, cap->label, grant);
        if (!COMMON(err == L4_OK))
            return err;
        s->changed++;
        s->at++;
    } while (is_on(s));
    return so_far(s);
}

COMMON_PATH l4_err_t flexpage_map(struct task *to, struct task *from, u64 fpage, u64 to_base, u32 rights, enum how how,
                                  u64 *progress, u64 *mapped)
{
    enum l4_fpage_type type = l4_fpage_type(fpage);
    struct step s;
    if (!set_window(&s, fpage, to_base) || !(rights & L4_R || type) || (type == L4_FPAGE_IO && s.away))
        return L4_BAD_ARGUMENT;
    go_on(&s, *progress);
    l4_err_t err = *progress && !has_more(&s) ? L4_OK :
                   type == L4_FPAGE_CAP ? map_slots(&s, to, from, rights, how == GRANT) :
                   map_pages(&s, to, from, type ? L4_R | L4_W : rights, how);
    err = end(&s, err, progress, mapped);
    return err == L4_OK && !s.changed ? L4_NOT_MAPPED : err;
}

/* ---- unmap ---- */

static INLINE l4_err_t unmap_pages(struct step *s, struct task *task, u32 taking, bool derived_only)
{
    l4_err_t err = L4_OK;
    do {
        struct place place = paging_find(&task->space, s->at);
        struct cap *page = page_of(place);
        u64 places = to_next(place, page, s->at);
        if (COMMON(page && (derived_only || page->rights & taking)))
            err = tree_revoke(page, taking, derived_only, &s->budget, &s->changed);
        else
            s->budget--;
        s->at += err == L4_OK ? places : 0;
    } while (err == L4_OK && is_on(s));
    return err == L4_OK ? so_far(s) : err;
}

static INLINE l4_err_t unmap_slots(struct step *s, struct task *task, bool derived_only)
{
    l4_err_t err = L4_OK;
    do {
        struct cap *cap = cap_at(&task->caps, s->at);
        u64 next = COMMON(cap->kind) ? s->at + 1 : cap_next(&task->caps, s->at);
        if (COMMON(cap->kind))
            err = cap_revoke(cap, derived_only, &s->budget, &s->changed);
        else
            s->budget--;
        if (!COMMON(err == L4_OK && !cap_is_tomb(cap)))
            return err == L4_OK ? REAP : err;
        s->at = next;
    } while (is_on(s));
    return so_far(s);
}

COMMON_PATH l4_err_t flexpage_unmap(struct task *task, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed)
{
    enum l4_fpage_type type = l4_fpage_type(fpage);
    u32 all = rights_of[type], taking = rights & all;
    struct step s;
    if (!set_window(&s, fpage, 0) || !taking || (type != L4_FPAGE_MEMORY && taking != all))
        return L4_BAD_ARGUMENT;
    go_on(&s, *progress);
    l4_err_t err = *progress && !has_more(&s) ? L4_OK :
                   type == L4_FPAGE_CAP ? unmap_slots(&s, task, derived_only) :
                   unmap_pages(&s, task, taking & L4_R ? TREE_EVERYTHING : taking, derived_only);
    return end(&s, err, progress, changed);
}
