/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c: mapping, copying and unmapping memory; see space.h, and mapdb.h for what revoking means.
 * Long work goes in steps: the progress word holds the pages that are done and the entries that were changed. */
#include "space.h"
#include <abi/fpage.h>
#include "arch.h"
#include "factory.h"
#include "memory.h"
#include "paging.h"
#include "ports.h"

enum {
    DONE_BITS = 36,             /* 2^35 pages at most; the entries go above */
    LOOKS_STEP = 512,           /* entries to look at in one step, of which MAPDB_STEP may be changed */
};

/* One request to map, constant over its steps. */
struct request {
    struct space *to, *from;
    u32 rights;
    bool beside, grant;
};

static u64 pack(u64 done, u64 entries) { return done | entries << DONE_BITS; }
static u64 done_of(u64 progress) { return progress & ((1ul << DONE_BITS) - 1); }
static u64 entries_of(u64 progress) { return progress >> DONE_BITS; }

static bool is_mapped(struct place place) { return (*place.entry & (ENTRY_PRESENT | ENTRY_KERNEL)) == ENTRY_PRESENT; }

/* The first page after what `place`, which was found at `at`, covers. */
static vaddr_t end_of(struct place place, vaddr_t at) { return (at | ((1ul << place.order) - 1)) + 1; }

static bool is_window(u64 fpage)
{
    u32 order = l4_fpage_order(fpage);
    vaddr_t at = l4_fpage_address(fpage);
    return order >= L4_PAGE_SHIFT && order <= 47 && !(at & ((1ul << order) - 1)) && at < L4_USER_END;
}

l4_err_t space_init(struct space *space, struct factory *factory, u64 id)
{
    space->root = paging_create(factory);
    if (!space->root)
        return L4_NO_MEMORY;
    space->factory = factory;
    space->id = id;
    list_init(&space->port_nodes);
    return L4_OK;
}

l4_err_t space_fini_step(struct space *space)
{
    u64 ports = 0, changed;
    l4_err_t err = space_unmap(space, L4_FPAGE_EVERYTHING, L4_R, false, &space->going, &changed);
    if (err == L4_OK)
        err = space_unmap(space, l4_fpage_ports(0, 16), L4_R | L4_W, false, &ports, &changed);
    if (err != L4_OK)
        return err;
    ports_fini(space);
    paging_destroy(space->root, space->factory);
    return L4_OK;
}

/* Hang a new entry below `parent` (NULL: a root) into the empty place `at`. */
static l4_err_t insert_entry(struct space *to, vaddr_t at, struct place place, u64 entry, struct node *parent)
{
    struct node *node = node_create(to, at, place.order, paging_rights(entry), false, parent);
    if (!node) {
        paging_trim(to->root, to->factory, at);
        return L4_NO_MEMORY;
    }
    paging_set(place, entry, node);
    return L4_OK;
}

/* ---- roots ---- */

static l4_err_t add_root_entry(struct space *space, vaddr_t at, u32 order, u64 entry)
{
    struct place place;
    l4_err_t err = paging_make(space->root, space->factory, at, order, &place);
    if (err != L4_OK)
        return err;
    return place.order != order || *place.entry ? L4_SLOT_BUSY : insert_entry(space, at, place, entry, NULL);
}

l4_err_t space_add_root(struct space *space, vaddr_t at, paddr_t frame, u64 bytes, u32 rights, bool cached)
{
    vaddr_t end = at + ((bytes + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1));
    while (at < end) {
        bool large = !((at | frame) & (L4_LARGE_SIZE - 1)) && end - at >= L4_LARGE_SIZE;
        u32 order = large ? L4_LARGE_SHIFT : L4_PAGE_SHIFT;
        l4_err_t err = add_root_entry(space, at, order, paging_leaf(frame, order, rights, cached ? 0 : ENTRY_UNCACHED));
        if (err != L4_OK)
            return err;
        at += 1ul << order;
        frame += 1ul << order;
    }
    return L4_OK;
}

/* ---- map ---- */

/* The source's node moves to the empty place `at`. Caller: it has no more rights than the new entry. */
static l4_err_t move_entry(struct space *to, vaddr_t at, struct place place, u64 entry, struct node *node)
{
    struct space *from = node->space;
    vaddr_t from_at = node->at;
    if (!node_move(node, to, at)) {
        paging_trim(to->root, to->factory, at);
        return L4_NO_MEMORY;
    }
    paging_set(place, entry, node);
    paging_clear(from->root, from->factory, from_at);
    return L4_OK;
}

/* Before a grant with fewer rights, the node and all below it lose the others. */
static l4_err_t prepare_grant(const struct request *r, struct place source, u32 order)
{
    u32 budget = MAPDB_STEP, losing = paging_rights(*source.entry) & ~r->rights;
    u64 changed;
    if (source.order != order)
        return L4_BAD_ARGUMENT;
    return losing ? mapdb_revoke(*paging_node(source.entry), losing, false, &budget, &changed) : L4_OK;
}

/* The place for an entry at `at`; `last` is where the one before went. */
static l4_err_t make_place(const struct request *r, vaddr_t at, u32 order, struct place *last)
{
    if (at >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    return !r->grant && paging_again(last, at) ? L4_OK : paging_make(r->to->root, r->to->factory, at, order, last);
}

/* Something is in the way: it is the same mapping, or the wrong one. */
static l4_err_t compare_entry(const struct request *r, struct place place, u64 entry, const struct node *node,
                              const struct node *parent)
{
    if (*place.entry != entry)
        return L4_SLOT_BUSY;
    const struct node *there = *paging_node(place.entry);
    return there == node || (!r->grant && there->parent == parent) ? L4_OK : L4_SLOT_BUSY;
}

/* Map one entry of the source, or 4 KB of it, at `to_at`. */
static l4_err_t map_entry(const struct request *r, struct place source, vaddr_t from_at, vaddr_t to_at, u32 order,
                          struct place *place)
{
    u64 changed = 0;
    struct node *node = *paging_node(source.entry);
    l4_err_t err = mapdb_settle(node, &changed);
    if (err == L4_OK && r->grant)
        err = prepare_grant(r, source, order);
    if (err == L4_OK)
        err = make_place(r, to_at, order, place);
    if (err != L4_OK)
        return err;
    paddr_t frame = paging_frame(*source.entry, source.order) + (from_at & ((1ul << source.order) - 1));
    u64 entry = paging_leaf(frame, order, paging_rights(*source.entry) & r->rights, *source.entry & ENTRY_UNCACHED);
    struct node *parent = r->beside && node->parent ? node->parent : node;
    if (place->order != order)
        return L4_SLOT_BUSY;
    if (*place->entry)
        return compare_entry(r, *place, entry, node, parent);
    return r->grant ? move_entry(r->to, to_at, *place, entry, node) : insert_entry(r->to, to_at, *place, entry, parent);
}

/* The common case, a copy of consecutive pages into an empty part of one table: entry by entry without a walk, until
 * something is not simple. Returns how many of `count` pages went; map_entry says what is wrong with the next. */
static u32 map_run(const struct request *r, struct place source, struct place place, vaddr_t to_at, u32 count)
{
    u64 drop = (r->rights & L4_W ? 0 : ENTRY_WRITE | ENTRY_DIRTY) | (r->rights & L4_X ? 0 : ENTRY_EXECUTE);
    u64 add = r->rights & L4_X ? 0 : (u64)paging_nx << 63;
    u32 i = 0;
    for (; i < count && is_mapped(source) && !*place.entry; i++, source.entry++, place.entry++) {
        struct node *node = *paging_node(source.entry), *parent = r->beside && node->parent ? node->parent : node;
        u64 entry = (*source.entry & ~drop) | add;
        if (node->root->top)
            break;
        struct node *child = node_create(r->to, to_at + i * L4_PAGE_SIZE, L4_PAGE_SHIFT, paging_rights(entry), false,
                                         parent);
        if (!child)
            break;
        *place.entry = entry;
        *paging_node(place.entry) = child;
    }
    *place.up += i * ENTRY_COUNT;
    return i;
}

static u64 least(u64 a, u64 b) { return a < b ? a : b; }

/* How many of `pages` from `at` on lie, like `at`, in the known tables of source and target: 0 if the tables are not
 * known. */
static u32 run_length(const struct request *r, struct place *source, vaddr_t at, struct place *place, vaddr_t to_at,
                      u64 pages)
{
    if (r->grant || to_at >= L4_USER_END || !paging_again(source, at) || !paging_again(place, to_at))
        return 0;
    u64 in_source = 512 - (at >> L4_PAGE_SHIFT & 511), in_target = 512 - (to_at >> L4_PAGE_SHIFT & 511);
    u64 in_user = (L4_USER_END - to_at) >> L4_PAGE_SHIFT;
    return (u32)least(least(in_source, in_target), least(in_user, pages));
}

static l4_err_t map_memory(const struct request *r, vaddr_t base, u32 window_order, vaddr_t to_base, u64 *progress)
{
    u64 pages = 1ul << (window_order - L4_PAGE_SHIFT), done = done_of(*progress), entries = entries_of(*progress);
    struct place source = { .region = NO_REGION }, place = { .region = NO_REGION };
    u32 budget = MAPDB_STEP;
    for (u32 looks = LOOKS_STEP; done < pages; looks--) {
        vaddr_t at = base + done * L4_PAGE_SIZE, to_at = to_base + (at - base);
        *progress = pack(done, entries);
        if (!budget || !looks)
            return RESTART;
        u32 length = run_length(r, &source, at, &place, to_at, least(pages - done, budget));
        u32 run = length ? map_run(r, source, place, to_at, length) : 0;
        if (run) {
            done += run;
            entries += run;
            budget -= run;
            continue;
        }
        if (r->grant || !paging_again(&source, at))
            source = paging_find(r->from->root, at);
        vaddr_t end = end_of(source, at);
        if (is_mapped(source)) {
            bool large = source.order == L4_LARGE_SHIFT && window_order >= L4_LARGE_SHIFT;
            l4_err_t err = map_entry(r, source, at, to_at, large ? L4_LARGE_SHIFT : L4_PAGE_SHIFT, &place);
            if (err != L4_OK)
                return err;
            entries++;
            budget--;
            end = large ? end : at + L4_PAGE_SIZE;
        }
        done = (end - base) / L4_PAGE_SIZE;
    }
    *progress = pack(pages, entries);
    return L4_OK;
}

l4_err_t space_map(struct space *to, struct space *from, u64 fpage, u64 to_base, u32 rights, bool beside, bool grant,
                   u64 *progress, u64 *mapped)
{
    u32 order = l4_fpage_order(fpage);
    if (l4_fpage_type(fpage) == L4_FPAGE_IO)
        return beside ? L4_BAD_ARGUMENT : ports_map(to, from, fpage, to_base, grant, progress, mapped);
    if (l4_fpage_type(fpage) != L4_FPAGE_MEMORY || !is_window(fpage) || !(rights & L4_R) ||
        to_base & (L4_PAGE_SIZE - 1) || !is_window(l4_fpage_memory(to_base, order, 0)))
        return L4_BAD_ARGUMENT;
    const struct request r = { to, from, rights & (L4_R | L4_W | L4_X), beside, grant };
    l4_err_t err = map_memory(&r, l4_fpage_address(fpage), order, to_base, progress);
    *mapped = entries_of(*progress);
    return err == L4_OK && !*mapped ? L4_NOT_MAPPED : err;
}

/* ---- unmap ---- */

static l4_err_t unmap_entry(struct place place, u32 rights, bool derived_only, u32 *budget, u64 *changed)
{
    struct node *node = *paging_node(place.entry);
    l4_err_t err = mapdb_settle(node, changed);
    if (err == L4_OK && mapdb_has(node, paging_rights(*place.entry), rights, derived_only))
        err = mapdb_revoke(node, rights, derived_only, budget, changed);
    return err;
}

static l4_err_t unmap_memory(struct space *space, vaddr_t base, u32 order, u32 rights, bool derived_only, u64 *progress)
{
    u64 pages = 1ul << (order - L4_PAGE_SHIFT), done = done_of(*progress), entries = entries_of(*progress);
    u32 budget = MAPDB_STEP;
    for (u32 looks = LOOKS_STEP; done < pages; looks--) {
        vaddr_t at = base + done * L4_PAGE_SIZE;
        struct place place = paging_find(space->root, at);
        l4_err_t err = budget && looks ? L4_OK : RESTART;
        if (err == L4_OK && is_mapped(place))
            err = unmap_entry(place, rights, derived_only, &budget, &entries);
        if (err == L4_OK)
            done = (end_of(place, at) - base) / L4_PAGE_SIZE;
        *progress = pack(done, entries);
        if (err != L4_OK)
            return err;
    }
    return L4_OK;
}

l4_err_t space_unmap(struct space *space, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed)
{
    l4_err_t err;
    if (l4_fpage_type(fpage) == L4_FPAGE_IO) {
        u32 budget = MAPDB_STEP;
        if ((rights & (L4_R | L4_W)) != (L4_R | L4_W))
            return L4_BAD_ARGUMENT;
        err = ports_unmap(space, fpage, derived_only, &budget, progress);
        *changed = *progress;
        return err;
    }
    if (l4_fpage_type(fpage) != L4_FPAGE_MEMORY || !is_window(fpage) || !(rights & (L4_R | L4_W | L4_X)))
        return L4_BAD_ARGUMENT;
    err = unmap_memory(space, l4_fpage_address(fpage), l4_fpage_order(fpage), rights, derived_only, progress);
    *changed = entries_of(*progress);
    return err;
}

void space_drop(struct node *node)
{
    if (node->is_port)
        ports_drop(node);
    else
        paging_clear(node->space->root, node->space->factory, node->at);
}

bool space_restrict(struct node *node, u32 taking)
{
    struct place place = paging_find(node->space->root, node->at);
    u32 rights = paging_rights(*place.entry), left = rights & ~taking;
    *place.entry = paging_leaf(paging_frame(*place.entry, place.order), place.order, left,
                               *place.entry & ENTRY_UNCACHED);
    arch_tlb_forget(node->space->root, node->at);
    return left != rights;
}

/* ---- looking, and UTCB pages ---- */

bool space_find(const struct space *space, vaddr_t at, paddr_t *frame, u32 *rights, u32 *order)
{
    struct place place = paging_find(space->root, at);
    if (at >= L4_USER_END || !paging_is_present(place))
        return false;
    *frame = paging_frame(*place.entry, place.order);
    *rights = paging_rights(*place.entry);
    *order = place.order;
    return true;
}

l4_err_t space_map_kernel(struct space *space, vaddr_t at, paddr_t frame)
{
    struct place place;
    l4_err_t err = at < L4_USER_END ? paging_make(space->root, space->factory, at, L4_PAGE_SHIFT, &place)
        : L4_BAD_ARGUMENT;
    if (err != L4_OK)
        return err;
    if (place.order != L4_PAGE_SHIFT || *place.entry)
        return L4_SLOT_BUSY;
    paging_set(place, paging_leaf(frame, L4_PAGE_SHIFT, L4_R | L4_W, 0) | ENTRY_KERNEL, NULL);
    return L4_OK;
}

void space_remove_kernel(struct space *space, vaddr_t at) { paging_clear(space->root, space->factory, at); }

static bool next_memory(const struct space *space, u64 *cursor, struct space_entry *entry)
{
    while (*cursor < L4_USER_END) {
        vaddr_t at = *cursor;
        struct place place = paging_find(space->root, at);
        *cursor = end_of(place, at);
        if (!is_mapped(place))
            continue;
        const struct node *node = *paging_node(place.entry);
        *entry = (struct space_entry){ node->at, place.order, paging_rights(*place.entry), false, node_name(node),
                                       node_name(node->parent), paging_frame(*place.entry, place.order) };
        return true;
    }
    return false;
}

bool space_next(const struct space *space, u64 *cursor, struct space_entry *entry)
{
    if (next_memory(space, cursor, entry))
        return true;
    u64 past_memory = 1ul << 47;
    const struct node *node = ports_next(space, *cursor < past_memory ? 0 : *cursor - past_memory);
    if (!node)
        return false;
    *entry = (struct space_entry){ node->at, node->order, L4_R | L4_W, true, node_name(node), node_name(node->parent), 0 };
    *cursor = past_memory + node->at + (1ul << node->order);
    return true;
}
