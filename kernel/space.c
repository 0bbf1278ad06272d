/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c: pages in and out of page tables; see space.h, and tree.h for what revoking means. */
#include "space.h"
#include "arch.h"
#include "factory.h"
#include "flexpage.h"
#include "memory.h"

/* The root of a tree has its revocation with it. */
struct root_page {
    struct cap page;
    struct tree tree;
};

static u32 bytes_of(const struct cap *parent) { return parent ? sizeof(struct cap) : sizeof(struct root_page); }

/* A new page below `parent` (NULL: a root) in the empty entry `place`. */
static l4_err_t insert(struct space *space, vaddr_t at, const struct place *place, u64 entry, u32 rights,
                       struct cap *parent)
{
    struct cap *page = memory_take(space->factory, bytes_of(parent));
    if (!page) {
        paging_trim(space->root, space->factory, at);
        return L4_NO_MEMORY;
    }
    page->at = at;
    page->space = space;
    page->kind = KIND_PAGE;
    page->rights = (u8)rights;
    page->order = (u8)place->order;
    if (parent)
        tree_insert(page, parent);
    else
        page->tree = &container_of(page, struct root_page, page)->tree;
    paging_set(place, entry, page);
    return L4_OK;
}

/* ---- roots ---- */

static l4_err_t add_root_page(struct space *space, vaddr_t at, u32 order, u64 entry, u32 rights)
{
    struct place place;
    l4_err_t err = paging_make(space->root, space->factory, at, order, &place);
    if (err != L4_OK)
        return err;
    return place.order != order || *place.entry ? L4_SLOT_BUSY : insert(space, at, &place, entry, rights, NULL);
}

l4_err_t space_add_root(struct space *space, vaddr_t at, paddr_t frame, u64 bytes, u32 rights, bool cached)
{
    vaddr_t end = at + ((bytes + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1));
    u64 flags = (at < L4_USER_END ? ENTRY_USER : 0) | (cached ? 0 : ENTRY_UNCACHED);
    while (at < end) {
        bool large = !((at | frame) & (L4_LARGE_SIZE - 1)) && end - at >= L4_LARGE_SIZE;
        u32 order = large ? L4_LARGE_SHIFT : L4_PAGE_SHIFT;
        l4_err_t err = add_root_page(space, at, order, paging_leaf(frame, order, rights, flags), rights);
        if (err != L4_OK)
            return err;
        at += 1ul << order;
        frame += 1ul << order;
    }
    return L4_OK;
}

/* ---- map ---- */

static struct cap *parent_of(const struct request *r, struct cap *source)
{
    return r->how == COPY && source->parent ? source->parent : source;
}

/* Something is in the way: is it the same mapping? */
static bool is_same(const struct request *r, const struct place *place, u64 entry, struct cap *source)
{
    const struct cap *there = *paging_page(place->entry);
    if (!there || *place->entry != entry || there->rights != (source->rights & r->rights))
        return false;
    return there == source || (r->how != GRANT && there->parent == parent_of(r, source));
}

/* Before a grant with fewer rights, the page and all below it lose the others. */
static l4_err_t prepare_grant(const struct request *r, struct cap *source, u32 order)
{
    u32 budget = TREE_STEP, losing = source->rights & ~r->rights;
    u64 changed;
    if (source->order != order)
        return L4_BAD_ARGUMENT;
    return losing ? tree_revoke(source, losing, false, &budget, &changed) : L4_OK;
}

/* The page moves to the empty entry `place`. Caller: it has no more rights than the new entry. */
static l4_err_t move(struct space *to, vaddr_t at, const struct place *place, u64 entry, struct cap *page)
{
    struct space *from = page->space;
    vaddr_t from_at = page->at;
    u32 bytes = memory_cost(bytes_of(page->parent));
    if (!factory_charge(to->factory, bytes)) {
        paging_trim(to->root, to->factory, at);
        return L4_NO_MEMORY;
    }
    factory_credit(from->factory, bytes);
    page->space = to;
    page->at = at;
    paging_set(place, entry, page);
    paging_clear(from->root, from->factory, from_at);
    return L4_OK;
}

static u64 least(u64 a, u64 b) { return a < b ? a : b; }

/* How many 4 KB pages from there on may be looked for in the same two tables. */
static u64 run_length(const struct request *r, const struct found *found, vaddr_t to_at)
{
    u64 in_source = TABLE_ENTRIES - found->unit % TABLE_ENTRIES;
    u64 in_target = TABLE_ENTRIES - (to_at >> L4_PAGE_SHIFT) % TABLE_ENTRIES;
    u64 in_window = least(r->units - r->done, (L4_USER_END - to_at) >> L4_PAGE_SHIFT);
    return found->place.order == L4_PAGE_SHIFT ? least(least(in_source, in_target), least(in_window, r->budget)) : 1;
}

/* Into the empty entry `place`, and the common case, pages into an empty part of one table, without a walk for each,
 * until something is not simple: the next step says what it is. Returns how many went; 0: no memory. */
static u64 copy(const struct request *r, const struct found *found, vaddr_t to_at, struct place place, u64 entry)
{
    u64 *source = found->place.entry, length = run_length(r, found, to_at), count = 0;
    struct cap *page = found->cap;
    while (insert(&r->to->space, to_at, &place, entry, page->rights & r->rights, parent_of(r, page)) == L4_OK) {
        if (++count == length)
            break;
        source++;
        place.entry++;
        to_at += L4_PAGE_SIZE;
        page = *paging_page(source);
        if (!page || *place.entry || page->tree->top)
            break;
        entry = paging_restrict(*source, r->rights);
    }
    return count;
}

/* The last page below the end of user addresses is never mapped. */
static bool is_usable(vaddr_t at, u32 order) { return at >= PORTS_AT || at + (1ul << order) <= L4_USER_END; }

l4_err_t space_map(struct request *r, struct found *found, vaddr_t to_at)
{
    struct space *to = &r->to->space;
    struct cap *source = found->cap;
    struct place place;
    u32 order = source->order == L4_LARGE_SHIFT && r->units >= TABLE_ENTRIES ? L4_LARGE_SHIFT : L4_PAGE_SHIFT;
    l4_err_t err = is_usable(to_at, order) ? tree_settle(source->tree) : L4_BAD_ARGUMENT;
    if (err == L4_OK && r->how == GRANT)
        err = prepare_grant(r, source, order);
    if (err == L4_OK)
        err = paging_make(to->root, to->factory, to_at, order, &place);
    if (err != L4_OK)
        return err;
    u64 entry = paging_restrict(*found->place.entry, r->rights), count = 1;
    if (order != source->order)
        entry = (entry & ~ENTRY_LARGE) + found->unit % TABLE_ENTRIES * L4_PAGE_SIZE;
    if (place.order != order || (*place.entry && !is_same(r, &place, entry, source)))
        return L4_SLOT_BUSY;
    if (!*place.entry && r->how == GRANT)
        err = move(to, to_at, &place, entry, source);
    else if (!*place.entry)
        count = copy(r, found, to_at, place, entry);
    if (to_at >= PORTS_AT)
        arch_tlb_forget(to->root, to_at);
    found->end = found->unit + (count << (order - L4_PAGE_SHIFT));
    r->entries += count;
    r->budget -= (u32)count;
    return count ? err : L4_NO_MEMORY;
}

/* ---- unmap ---- */

u64 space_take(struct cap *page, u32 taking)
{
    struct space *space = page->space;
    u32 had = page->rights;
    if (taking & L4_R) {
        paging_clear(space->root, space->factory, page->at);
        tree_remove(page);
        memory_give(space->factory, page, bytes_of(page->parent));
        return 1;
    }
    u64 *entry = paging_find(space->root, page->at).entry;
    page->rights &= (u8)~taking;
    *entry = paging_restrict(*entry, page->rights);
    arch_tlb_forget(space->root, page->at);
    return page->rights != had;
}

bool space_is_zero(const struct space *space, vaddr_t at)
{
    struct place place = paging_find(space->root, at);
    u64 entry = *place.entry, needed = ENTRY_PRESENT | ENTRY_USER;
    if ((entry & (needed | ENTRY_UNCACHED)) != needed || at % sizeof(u64))
        return false;
    return !*(const u64 *)arch_pointer(paging_frame(entry) + (at & ((1ul << place.order) - 1)));
}

u64 space_name(const struct cap *page)
{
    const struct task *task = page ? container_of(page->space, struct task, space) : NULL;
    return page ? task->object.id << 36 | (page->at >> L4_PAGE_SHIFT & ((1ul << 36) - 1)) : 0;
}
