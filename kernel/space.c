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
enum { NODE_ORDER = 6 };
_Static_assert(sizeof(struct cap) == 1 << NODE_ORDER && sizeof(struct root_page) <= 2 << NODE_ORDER, "as order_of says");

static u32 order_of(const struct cap *page) { return page->parent ? NODE_ORDER : NODE_ORDER + 1; }

/* ---- roots ---- */

static l4_err_t add_root_page(struct space *space, vaddr_t at, u32 order, u64 entry, u32 rights)
{
    struct place place;
    l4_err_t err = paging_make(space->root, space->factory, at, order, &place);
    if (err != L4_OK)
        return err;
    if (place.order != order || *place.entry)
        return L4_SLOT_BUSY;
    struct root_page *root = memory_take(space->factory, sizeof *root);
    if (!root) {
        paging_trim(space->root, space->factory, place.entry);
        return L4_NO_MEMORY;
    }
    root->page = (struct cap){ .tree = &root->tree, .entry = place.entry, .space = space, .kind = KIND_PAGE,
                               .rights = (u8)rights, .order = (u8)order };
    paging_set(place.entry, entry, &root->page);
    return L4_OK;
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

/* The page moves to the empty entry at `to_entry`. Caller: it has no more rights than the new entry. */
static l4_err_t move(struct space *to, u64 *to_entry, u64 value, struct cap *page)
{
    struct space *from = page->space;
    u64 *from_entry = page->entry, bytes = 1ul << order_of(page);
    if (!factory_charge(to->factory, bytes)) {
        paging_trim(to->root, to->factory, to_entry);
        return L4_NO_MEMORY;
    }
    factory_credit(from->factory, bytes);
    page->space = to;
    page->entry = to_entry;
    paging_set(to_entry, value, page);
    paging_clear(from->root, from->factory, from_entry, page->order);
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

/* A node for an empty entry, below `parent`; false: no memory. */
static inline bool add(struct space *space, u64 *entry, u64 value, u32 rights, u32 order, struct cap *parent)
{
    struct cap *page = memory_take_block(space->factory, NODE_ORDER);
    if (!page)
        return false;
    *page = (struct cap){ .entry = entry, .space = space, .kind = KIND_PAGE, .rights = (u8)rights, .order = (u8)order };
    tree_insert(page, parent);
    paging_set(entry, value, page);
    return true;
}

/* Into the empty entry `place`, and the common case, pages into an empty part of one table, without a walk for each,
 * until something is not simple: the next step says what it is. Returns how many went; 0: no memory. */
static u64 copy(const struct request *r, const struct found *found, vaddr_t to_at, struct place place, u64 value)
{
    struct space *space = &r->to->space;
    u64 *source = found->place.entry, *entry = place.entry;
    u64 length = run_length(r, found, to_at), count = 0;
    struct cap *page = found->cap;
    while (add(space, entry, value, page->rights & r->rights, place.order, parent_of(r, page))) {
        if (++count == length)
            return count;
        source++;
        entry++;
        page = *paging_page(source);
        if (!page || *entry || page->tree->top)
            return count;
        value = paging_restrict(*source, r->rights);
    }
    if (!count)
        paging_trim(space->root, space->factory, entry);
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
        err = move(to, place.entry, entry, source);
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
        paging_clear(space->root, space->factory, page->entry, page->order);
        tree_remove(page);
        memory_give_block(space->factory, page, order_of(page));
        return 1;
    }
    page->rights &= (u8)~taking;
    *page->entry = paging_restrict(*page->entry, page->rights);
    arch_tlb_forget(space->root, space_at(page));
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
    return page ? task->object.id << 36 | (space_at(page) >> L4_PAGE_SHIFT & ((1ul << 36) - 1)) : 0;
}
