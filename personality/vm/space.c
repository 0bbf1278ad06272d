/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c: see space.h. */
#include "space.h"

#include <l4/panic.h>

#include "object.h"
#include "page.h"

/* Below the room for a stack of 8 MB that a program asks to grow to 128 MB. */
#define MMAP_BASE (VM_ADDRESS_END - 0x8000000ul)

/* ---- finding ---- */
const struct region *region_from(const struct space *space, u64 address)
{
    const struct region *r = region_at(space->first);
    while (r && region_end(r) <= address) {
        r = region_next(r);
    }
    return r;
}

const struct region *region_find(const struct space *space, u64 address)
{
    const struct region *r = region_from(space, address);
    return r && r->address <= address ? r : NULL;
}

bool space_is_free(const struct space *space, u64 address, u64 end)
{
    const struct region *r = region_from(space, address);
    return !r || r->address >= end;
}

u64 space_hole(const struct space *space, u64 bytes)
{
    u64 start = VM_ADDRESS_FIRST, best = 0;
    for (const struct region *r = region_at(space->first); start < MMAP_BASE; r = region_next(r)) {
        u64 end = r && r->address < MMAP_BASE ? r->address : MMAP_BASE;
        if (end > start && end - start >= bytes) {
            best = end - bytes;
        }
        if (!r) {
            break;
        }
        start = region_end(r);
    }
    return best;
}

bool space_has_room(const struct space *space, u32 regions)
{
    return space->regions + regions <= REGIONS_SPACE && vmd_state()->region_table.live + regions <= VMD_REGIONS;
}

/* ---- changing ---- */
static const struct region *region_before(const struct space *space, u64 address)
{
    const struct region *before = NULL;
    for (const struct region *r = region_at(space->first); r && r->address < address; r = region_next(r)) {
        before = r;
    }
    return before;
}

static void link_after(struct vmd_tx tx, const struct space *space, const struct region *before, u32 ref)
{
    if (before) {
        region_set_next(tx, before, ref);
    } else {
        space_set_first(tx, space, ref);
    }
}

static void region_add(
    struct vmd_tx tx, const struct space *space, const struct region *before, const struct region *like)
{
    struct region *r = region_new(tx);
    if (!r) {
        l4_panic("no region is left, which was looked at before");
    }
    *r = *like;
    r->of = space_ref(space);
    r->next = before ? before->next : space->first;
    l4_hook();
    link_after(tx, space, before, region_ref(r));
    space_set_regions(tx, space, space->regions + 1);
    if (r->object) {
        object_hold(tx, object_at(r->object));
    }
}

static void region_remove(
    struct vmd_tx tx, const struct space *space, const struct region *before, const struct region *r)
{
    const struct object *object = object_at(r->object);
    link_after(tx, space, before, r->next);
    space_set_regions(tx, space, space->regions - 1);
    region_free(tx, r);
    if (object) {
        object_put(tx, object);
    }
}

void region_cut(struct vmd_tx tx, const struct space *space, u64 at)
{
    const struct region *r = region_find(space, at);
    if (!r || r->address == at) {
        return;
    }
    struct region rest = *r;
    u64 part = at - r->address;
    rest.address = at;
    rest.bytes = r->bytes - part;
    rest.offset += r->object ? part : 0;
    rest.index += region_is_shared(r) ? 0 : part >> L4_PAGE_SHIFT;
    region_set_bytes(tx, r, part);
    region_add(tx, space, r, &rest);
}

/* Whether `b` goes on where `a` ends in every respect. */
static bool continues(const struct region *a, const struct region *b)
{
    bool same = a->object == b->object && a->inode == b->inode && a->protection == b->protection &&
                a->most == b->most && a->how == b->how;
    return same && region_end(a) == b->address && (!a->object || a->offset + a->bytes == b->offset) &&
           (region_is_shared(a) || (a->index + (a->bytes >> L4_PAGE_SHIFT) == b->index &&
                                       a->index >> WINDOW_SHIFT == b->index >> WINDOW_SHIFT));
}

void regions_join(struct vmd_tx tx, const struct space *space, u64 address, u64 end)
{
    const struct region *a = region_before(space, address);
    a = a ? a : region_at(space->first);
    while (a && a->address < end) {
        const struct region *b = region_next(a);
        if (b && continues(a, b)) {
            region_set_bytes(tx, a, a->bytes + b->bytes);
            region_remove(tx, space, a, b);
        } else {
            a = b;
        }
    }
}

bool space_owns_no(const struct space *space, u64 first, u64 end, u64 page)
{
    for (const struct region *r = region_at(space->first); r; r = region_next(r)) {
        if (!region_is_shared(r) && r->index < end && r->index + (r->bytes >> L4_PAGE_SHIFT) > first) {
            return false;
        }
    }
    return first >> WINDOW_SHIFT == page >> WINDOW_SHIFT && (end - 1) >> WINDOW_SHIFT == page >> WINDOW_SHIFT;
}

/* Indices that go on a neighbour's, so that the regions become one; else fresh ones. */
static u64 index_for(
    struct vmd_tx tx, const struct space *space, const struct region *before, const struct region *like)
{
    u64 pages = like->bytes >> L4_PAGE_SHIFT;
    struct region tried = *like;
    bool heap = like->how & VM_HEAP;      /* other mappings stay apart, so that each can grow and move alone */
    if (heap && before && !region_is_shared(before)) {
        tried.index = before->index + (before->bytes >> L4_PAGE_SHIFT);
        if (continues(before, &tried) && space_owns_no(space, tried.index, tried.index + pages, before->index)) {
            return tried.index;
        }
    }
    u64 half = 1ul << (WINDOW_SHIFT - 1), index = (space->window << WINDOW_SHIFT) + half;
    space_set_window(tx, space, space->window + 1 + ((half + pages) >> WINDOW_SHIFT));
    return index;
}

const struct region *region_insert(struct vmd_tx tx, const struct space *space, struct region like)
{
    const struct region *before = region_before(space, like.address);
    if (!region_is_shared(&like) && !like.index) {
        like.index = index_for(tx, space, before, &like);
    }
    region_add(tx, space, before, &like);
    space_set_pages(tx, space, space->pages + (like.bytes >> L4_PAGE_SHIFT));
    regions_join(tx, space, like.address, like.address + like.bytes);
    return region_find(space, like.address);
}

void region_take(struct vmd_tx tx, const struct space *space, u64 address)
{
    const struct region *r = region_find(space, address);
    space_set_pages(tx, space, space->pages - (r->bytes >> L4_PAGE_SHIFT));
    region_remove(tx, space, region_before(space, address), r);
}

/* ---- a copy ---- */
static bool regions_fork(struct vmd_tx tx, const struct space *from, const struct space *to)
{
    const struct region *last = NULL;
    for (const struct region *r = region_at(from->first); r; r = region_next(r)) {
        piece_pause();
        if (!space_has_room(to, 1)) {
            return false;
        }
        region_add(tx, to, last, r);
        space_set_pages(tx, to, to->pages + (r->bytes >> L4_PAGE_SHIFT));
        last = last ? region_next(last) : region_at(to->first);
    }
    space_set_window(tx, to, from->window);
    return true;
}

/* Frames of both have one holder more from now on, and neither may write. */
static bool pages_fork(struct vmd_tx tx, const struct space *from, const struct space *to)
{
    for (const struct chunk *c = chunk_first(space_ref(from)); c; c = chunk_next(c)) {
        piece_pause();
        if (!chunk_copy(tx, c, space_ref(to))) {
            return false;
        }
    }
    return true;
}

bool space_fork(struct vmd_tx tx, const struct space *from, const struct space *to)
{
    return regions_fork(tx, from, to) && pages_fork(tx, from, to);
}

/* ---- taking away ---- */
void space_revoke(const struct space *space, u64 address, u64 end, u32 rights)
{
    u32 ref = space_ref(space);
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        if (p->program == ref || p->own == ref) {
            pages_revoke(p->task, address, end, rights);
        }
    }
}

void pages_drop(struct vmd_tx tx, u32 owner, u64 first, u64 end)
{
    const struct chunk *c = chunk_first(owner);
    while (c) {
        const struct chunk *next = chunk_next(c);
        u64 base = c->key << CHUNK_SHIFT, from = first > base ? first - base : 0, to = end > base ? end - base : 0;
        to = to < CHUNK_PAGES ? to : CHUNK_PAGES;
        piece_pause();
        if (from == 0 && to == CHUNK_PAGES) {
            chunk_drop(tx, c);
            c = next;
            continue;
        }
        for (u32 left = c->used; left && from < to; from++) {
            if (c->page[from]) {
                chunk_set(tx, c, (u32)from, 0);
                left--;
            }
        }
        c = next;
    }
}

static u64 min(u64 a, u64 b) { return a < b ? a : b; }
static u64 max(u64 a, u64 b) { return a > b ? a : b; }

void space_discard(struct vmd_tx tx, const struct space *space, u64 address, u64 end)
{
    for (const struct region *r = region_from(space, address); r && r->address < end; r = region_next(r)) {
        if (!region_is_shared(r)) {
            pages_drop(tx, space_ref(space), region_page(r, max(r->address, address)),
                region_page(r, min(region_end(r), end)));
        }
    }
}

/* A region whose pages have gone, the one behind `before`. In pieces. */
static void region_drop(struct vmd_tx tx, const struct space *space, const struct region *before, const struct region *r)
{
    if (r->object) {
        object_release(tx, object_at(r->object));
    }
    piece_pause();
    space_set_pages(tx, space, space->pages - (r->bytes >> L4_PAGE_SHIFT));
    region_remove(tx, space, before, r);
}

void space_empty(struct vmd_tx tx, const struct space *space)
{
    pages_drop(tx, space_ref(space), 0, ~0ul);
    while (space->first) {
        region_drop(tx, space, NULL, region_at(space->first));
    }
}

void space_clear(struct vmd_tx tx, const struct space *space, u64 address, u64 end)
{
    space_discard(tx, space, address, end);
    piece_pause();
    region_cut(tx, space, address);
    region_cut(tx, space, end);
    const struct region *before = region_before(space, address), *r = region_from(space, address);
    while (r && r->address < end) {
        const struct region *next = region_next(r);
        region_drop(tx, space, before, r);
        r = next;
    }
}
