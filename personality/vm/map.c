/* SPDX-License-Identifier: BSD-2-Clause */
/* map.c: map, unmap, protect, discard. What is in the way of a fixed mapping goes in pieces, once nothing can fail any
 * more. */
#include "map.h"

#include "fault.h"
#include "fill.h"
#include "limit.h"
#include "object.h"
#include "page.h"

enum { LOCKED_PAGES = 64 };     /* a larger mapping that shall be present gets the rest by faults */

static bool is_aligned(u64 n) { return !(n & (L4_PAGE_SIZE - 1)); }

const struct space *space_of_range(const struct process *p, u64 address, u64 bytes)
{
    u64 end = address + bytes;
    if (end >= address && end <= VM_ADDRESS_END) {
        return space_at(p->program);
    }
    bool is_arguments =
        address >= VM_RUNTIME_PROGRAM && end >= address && end <= VM_RUNTIME_PROGRAM + VM_RUNTIME_PROGRAM_BYTES;
    return is_arguments ? space_at(p->own) : NULL;
}

/* ---- where ---- */
struct place { const struct space *space; u64 at; bool clears; };

static l4_err_t place_fixed(const struct process *p, u64 address, u64 bytes, u32 how, struct place *place)
{
    const struct space *space = space_of_range(p, address, bytes);
    if (!is_aligned(address)) {
        return VM_INVAL;
    }
    if (!space) {
        return VM_NOMEM;
    }
    if (address < VM_ADDRESS_FIRST) {
        return VM_PERM;
    }
    bool is_free = space_is_free(space, address, address + bytes);
    if (!is_free && how & VM_EXACTLY) {
        return VM_EXIST;
    }
    *place = (struct place){ space, address, !is_free };
    return L4_OK;
}

static l4_err_t place_any(const struct process *p, u64 hint, u64 bytes, struct place *place)
{
    const struct space *space = space_at(p->program);
    hint = page_down(hint);
    bool fits = hint >= VM_ADDRESS_FIRST && hint <= VM_ADDRESS_END - bytes && space_is_free(space, hint, hint + bytes);
    *place = (struct place){ space, fits ? hint : space_hole(space, bytes), false };
    return place->at ? L4_OK : VM_NOMEM;
}

/* `bytes` are rounded up. Three regions are the most that a fixed mapping makes: two cuts and itself. */
static l4_err_t place_find(const struct process *p, u64 address, u64 *bytes, u32 how, struct place *place)
{
    if (*bytes == 0 || how & ~(VM_SHARED | VM_FIXED | VM_EXACTLY | VM_STACK | VM_HEAP | VM_LOCKED)) {
        return VM_INVAL;
    }
    if (*bytes > VM_ADDRESS_END) {
        return VM_NOMEM;
    }
    *bytes = page_up(*bytes);
    l4_err_t err = how & (VM_FIXED | VM_EXACTLY) ? place_fixed(p, address, *bytes, how, place)
                                                 : place_any(p, address, *bytes, place);
    return err == L4_OK && !space_has_room(place->space, 3) ? VM_NOMEM : err;
}

static void space_unmap(struct vmd_tx tx, const struct space *space, u64 address, u64 end)
{
    space_revoke(space, address, end, L4_R);
    struct pieces own = pieces_open();
    space_clear(tx, space, address, end);
    pieces_close(own);
}

/* ---- map ---- */
static void present_make(struct vmd_tx tx, const struct process *p, const struct region *r, u64 address, u64 bytes)
{
    const struct space *space = space_at(r->of);
    for (u64 i = 0; i < bytes >> L4_PAGE_SHIFT && i < LOCKED_PAGES; i++, address += L4_PAGE_SIZE) {
        u32 frame = page_zero(tx, space, region_page(r, address), frames_reserve());
        if (!frame) {
            return;
        }
        fill_frames(tx, p->task, frame, 1, address, rights_of(r->protection));
    }
}

/* More than the machine ever had is refused at once, as Linux's heuristic does. A stack is as large as it may get, which it seldom does. */
static bool is_too_much(u64 bytes, u32 protection, u32 how)
{
    return protection & VM_W && !(how & (VM_SHARED | VM_STACK)) && bytes >> L4_PAGE_SHIFT > frames_total();
}

l4_err_t vm_map_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes, u32 protection, u32 how, u64 *at)
{
    const struct process *p = process_find(label);
    struct place place;
    fill_begin();
    l4_err_t err = p ? place_find(p, address, &bytes, how, &place) : VM_PERM;
    if (err != L4_OK) {
        return err;
    }
    u64 counted = how & VM_STACK && bytes > STACK_COUNTED ? STACK_COUNTED : bytes;
    if (!limit_allows(p, place.space, place.at, counted, is_data(protection, how)) || is_too_much(bytes, protection, how) || (how & VM_SHARED && vmd_state()->object_table.live == VMD_OBJECTS)) {
        return VM_NOMEM;
    }
    if (place.clears) {
        space_unmap(tx, place.space, place.at, place.at + bytes);
    }
    struct region like = { .address = place.at, .bytes = bytes, .protection = protection & 7, .most = VM_RWX,
                           .how = how & (VM_SHARED | VM_STACK | VM_HEAP) };
    const struct object *o = how & VM_SHARED ? object_make(tx, 0, 0, bytes) : NULL;
    like.object = o ? object_ref(o) : 0;
    const struct region *r = region_insert(tx, place.space, like);
    if (o) {
        object_put(tx, o);      /* the region's use remains */
    } else if (how & VM_LOCKED && protection & VM_W) {
        present_make(tx, p, r, place.at, bytes);
    }
    *at = place.at;
    return L4_OK;
}

l4_err_t vm_map_object_do(struct vmd_tx tx, u64 label, u64 client, u32 object, u64 offset, u64 address, u64 bytes,
    u32 protection, u32 how, u32 most, u64 inode, u64 *at)
{
    const struct process *p = process_find(client);
    const struct object *o = object_at(object);
    struct place place;
    fill_begin();
    if (!p || !o || !o->held || !o->owner) {
        return VM_PERM;
    }
    if (!is_aligned(offset) || offset + bytes < offset) {
        return VM_INVAL;
    }
    if (!(most & VM_R) || (how & VM_SHARED && protection & VM_W && !(most & VM_W))) {
        return VM_ACCESS;
    }
    l4_err_t err = place_find(p, address, &bytes, how, &place);
    if (err != L4_OK) {
        return err;
    }
    if (!limit_allows(p, place.space, place.at, bytes, is_data(protection, how))) {
        return VM_NOMEM;
    }
    if (place.clears) {
        space_unmap(tx, place.space, place.at, place.at + bytes);
    }
    region_insert(tx, place.space,
        (struct region){ .address = place.at,
            .bytes = bytes,
            .offset = offset,
            .inode = inode,
            .object = object,
            .protection = protection & 7,
            .most = how & VM_SHARED ? most & 7 : VM_RWX,
            .how = how & VM_SHARED });
    *at = place.at;
    return L4_OK;
}

/* ---- unmap, discard ---- */
static l4_err_t range_check(const struct process *p, u64 address, u64 *bytes, const struct space **space)
{
    if (!p) {
        return VM_PERM;
    }
    if (!is_aligned(address) || *bytes > VM_RUNTIME_THREADS) {
        return VM_INVAL;
    }
    *bytes = page_up(*bytes);
    *space = space_of_range(p, address, *bytes);
    return *space ? L4_OK : VM_INVAL;
}

/* Whether a region goes over both ends, so that one becomes two. */
static bool makes_two(const struct space *space, u64 address, u64 end)
{
    const struct region *r = region_find(space, address);
    return r && r->address < address && region_end(r) > end;
}

l4_err_t vm_unmap_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes)
{
    const struct space *space;
    fill_begin();
    l4_err_t err = range_check(process_find(label), address, &bytes, &space);
    if (err != L4_OK || bytes == 0) {
        return err != L4_OK ? err : VM_INVAL;
    }
    if (makes_two(space, address, address + bytes) && !space_has_room(space, 2)) {
        return VM_NOMEM;
    }
    space_unmap(tx, space, address, address + bytes);
    return L4_OK;
}

/* The first address at or above `address` that no region holds. */
static u64 hole_from(const struct space *space, u64 address, u64 end)
{
    for (const struct region *r = region_from(space, address); r && r->address <= address && address < end;
         r = region_next(r)) {
        address = region_end(r);
    }
    return address < end ? address : end;
}

l4_err_t vm_discard_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes)
{
    const struct space *space;
    fill_begin();
    l4_err_t err = range_check(process_find(label), address, &bytes, &space);
    if (err != L4_OK || bytes == 0) {
        return err;
    }
    space_revoke(space, address, address + bytes, L4_R);
    struct pieces own = pieces_open();
    space_discard(tx, space, address, address + bytes);
    pieces_close(own);
    return hole_from(space, address, address + bytes) < address + bytes ? VM_NOMEM : L4_OK;
}

/* ---- protect ---- */
/* How far it goes, and why no further. */
static l4_err_t protect_reach(const struct space *space, u64 address, u64 end, u32 protection, u64 *reach)
{
    *reach = address;
    for (const struct region *r = region_from(space, address); *reach < end; r = region_next(r)) {
        if (!r || r->address > *reach) {
            return VM_NOMEM;
        }
        if (region_is_shared(r) && protection & 7 & ~r->most) {
            return VM_ACCESS;
        }
        *reach = region_end(r) < end ? region_end(r) : end;
    }
    return L4_OK;
}

static void rights_revoke(const struct space *space, u64 address, u64 end, u32 protection)
{
    for (const struct region *r = region_from(space, address); r && r->address < end; r = region_next(r)) {
        u32 lost = rights_of(r->protection) & ~rights_of(protection);
        if (lost) {
            u64 from = r->address > address ? r->address : address, to = region_end(r) < end ? region_end(r) : end;
            space_revoke(space, from, to, lost & L4_R ? L4_R | L4_W | L4_X : lost);
        }
    }
}

l4_err_t vm_protect_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes, u32 protection)
{
    const struct space *space;
    const struct process *p = process_find(label);
    u64 reach;
    fill_begin();
    if (p && is_aligned(address) && bytes == 0) {
        return L4_OK;
    }
    l4_err_t err = range_check(p, address, &bytes, &space);
    if (err != L4_OK) {
        return p && is_aligned(address) ? VM_NOMEM : err;
    }
    err = protect_reach(space, address, address + bytes, protection, &reach);
    if (reach == address || !space_has_room(space, 2)) {
        return err != L4_OK ? err : VM_NOMEM;
    }
    if (protection & VM_W && !limit_allows_writing(p, space, address, reach)) {
        return VM_NOMEM;
    }
    rights_revoke(space, address, reach, protection);
    struct pieces own = pieces_open();
    region_cut(tx, space, address);
    region_cut(tx, space, reach);
    for (const struct region *r = region_from(space, address); r && r->address < reach; r = region_next(r)) {
        piece_pause();
        region_set_protection(tx, r, protection & 7);
    }
    piece_pause();
    regions_join(tx, space, address, reach + 1);
    pieces_close(own);
    return err;
}
