/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c: pages in and out of page tables; see space.h, and tree.h for what revoking means. */
#include "space.h"
#include "factory.h"
#include "task.h"

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
    struct place place = paging_make(space, at, order);
    if (!place.entry)
        return L4_NO_MEMORY;
    if (place.order != order || *place.entry)
        return L4_SLOT_BUSY;
    struct root_page *root = memory_take(space->factory, sizeof *root);
    if (!root) {
        paging_trim(space, place.entry);
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

/* Something is in the way: is it the same mapping? */
static RARE l4_err_t find_same(u64 *there, u64 entry, const struct cap *source, u32 rights, enum how how)
{
    const struct cap *page = *paging_page(there), *parent = how == COPY && source->parent ? source->parent : source;
    if (!page || *there != entry || page->rights != (source->rights & rights))
        return L4_SLOT_BUSY;
    return page == source || (how != GRANT && page->parent == parent) ? 1 : L4_SLOT_BUSY;
}

/* The tree is to be settled; and before a grant with fewer rights, the page and all below it lose the others. */
static RARE l4_err_t prepare(struct cap *source, u32 order, u32 rights, enum how how)
{
    u32 budget = TREE_STEP, losing = source->rights & ~rights;
    u64 changed;
    l4_err_t err = tree_settle(source->tree);
    if (err != L4_OK || how != GRANT)
        return err;
    if (source->order != order)
        return L4_BAD_ARGUMENT;
    return losing ? tree_revoke(source, losing, false, &budget, &changed) : L4_OK;
}

/* The page moves to the empty entry at `to_entry`. Caller: it has no more rights than the new entry. */
static RARE l4_err_t move(struct space *to, u64 *to_entry, u64 value, struct cap *page)
{
    struct space *from = page->space;
    u64 *from_entry = page->entry, bytes = 1ul << order_of(page);
    if (!factory_charge(to->factory, bytes)) {
        paging_trim(to, to_entry);
        return L4_NO_MEMORY;
    }
    factory_credit(from->factory, bytes);
    vaddr_t from_at = space_at(page);
    page->space = to;
    page->entry = to_entry;
    paging_set(to_entry, value, page);
    paging_clear(from, from_entry, from_at);
    return 1;
}

static u64 least(u64 a, u64 b) { return a < b ? a : b; }

/* How many of `most` pages from there on are in the same two tables, and may be mapped. */
static u64 run_length(const u64 *source, vaddr_t to_at, u64 most)
{
    u64 in_source = TABLE_ENTRIES - (u64)source / sizeof *source % TABLE_ENTRIES;
    u64 in_target = TABLE_ENTRIES - (to_at >> L4_PAGE_SHIFT) % TABLE_ENTRIES;
    return least(least(in_source, in_target), least(most, (L4_USER_END - to_at) >> L4_PAGE_SHIFT));
}

/* Into the empty entry `to_entry`, and the common case, pages into an empty part of one table, without a walk for each,
 * until something is not simple: the next step says what it is. Returns how many went. */
static inline l4_err_t copy(struct space *to, u64 *to_entry, u32 order, u64 *source, struct cap **sources, u64 value,
                            u32 rights, bool beside, u64 length)
{
    struct cap **shadow = paging_page(to_entry), *page = *sources;
    u32 n = 0;
    for (;;) {
        struct cap *node = memory_take_block(to->factory, NODE_ORDER);
        if (!node) {
            if (n)
                break;
            paging_trim(to, to_entry);
            return L4_NO_MEMORY;
        }
        node->entry = &to_entry[n];
        node->child = NULL;
        node->space = to;
        node->kind = KIND_PAGE;
        node->rights = page->rights & (u8)rights;
        node->given = 0;
        node->order = (u8)order;
        tree_insert(node, beside && page->parent ? page->parent : page);
        to_entry[n] = value;
        shadow[n] = node;
        if (++n == length)
            break;
        page = sources[n];
        if (!page || to_entry[n] || page->tree->top)
            break;
        value = paging_restrict(source[n], rights);
    }
    paging_count(to_entry, n);
    return (l4_err_t)n;
}

/* The last page below the end of user addresses is never mapped. */
static RARE bool is_usable(struct space *to, vaddr_t at, u32 order)
{
    if (at >= PORTS_AT)
        arch_tlb_forget(to->root, at);
    return at >= PORTS_AT || at + (1ul << order) <= L4_USER_END;
}

l4_err_t space_map(struct space *to, vaddr_t to_at, struct place source, vaddr_t at, u32 order, u32 rights, enum how how,
                   u64 bytes, u32 *budget)
{
    struct cap **sources = paging_page(source.entry), *page = *sources;
    if (!COMMON(to_at < L4_USER_END - L4_LARGE_SIZE) && !is_usable(to, to_at, order))
        return L4_BAD_ARGUMENT;
    l4_err_t err = COMMON(how != GRANT && !page->tree->top) ? L4_OK : prepare(page, order, rights, how);
    if (err != L4_OK)
        return err;
    struct place place = paging_find(to, to_at);
    u32 most = *budget;
    if (!COMMON(paging_suffices(place, order))) {
        place = paging_make(to, to_at, order);
        *budget = 0;
    }
    if (place.order != order)
        return place.entry ? L4_SLOT_BUSY : L4_NO_MEMORY;
    u64 value = paging_restrict(*source.entry, rights);
    if (order != source.order)
        value = (value & ~ENTRY_LARGE) + (at & (L4_LARGE_SIZE - 1));
    if (!COMMON(!*place.entry))
        return find_same(place.entry, value, page, rights, how);
    if (!COMMON(how != GRANT))
        return move(to, place.entry, value, page);
    u64 length = bytes <= L4_PAGE_SIZE || source.order != L4_PAGE_SHIFT ? 1 :
                 run_length(source.entry, to_at, least(bytes >> L4_PAGE_SHIFT, most));
    return copy(to, place.entry, order, source.entry, sources, value, rights, how == COPY, length);
}

/* ---- unmap ---- */

u64 space_take(struct cap *page, u32 taking)
{
    struct space *space = page->space;
    u32 had = page->rights, order = order_of(page);
    if (COMMON(taking & L4_R)) {
        paging_clear(space, page->entry, space_at(page));
        tree_remove(page);
        memory_give_block(space->factory, page, order);
        return 1;
    }
    page->rights &= (u8)~taking;
    *page->entry = paging_restrict(*page->entry, page->rights);
    arch_tlb_forget(space->root, space_at(page));
    return page->rights != had;
}

bool space_is_zero(struct space *space, vaddr_t at)
{
    struct place place = paging_find(space, at);
    u64 entry = *place.entry, needed = ENTRY_PRESENT | ENTRY_USER;
    if ((entry & (needed | ENTRY_UNCACHED)) != needed || at % sizeof(u64))
        return false;
    return !*(const u64 *)arch_pointer(paging_frame(entry) + (at & ((1ul << place.order) - 1)));
}

u64 space_name(const struct cap *cap)
{
    const struct task *task = cap ? container_of(cap->space, struct task, space) : NULL;
    if (!cap || cap->kind != KIND_PAGE)
        return cap ? cap->lineage : 0;
    return task->object.id << 36 | (space_at(cap) >> L4_PAGE_SHIFT & ((1ul << 36) - 1));
}
