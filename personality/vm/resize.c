/* SPDX-License-Identifier: BSD-2-Clause */
/* resize.c: mremap. Pages keep their indices, so none is touched when a region moves. */
#include "fault.h"
#include "fill.h"
#include "limit.h"
#include "map.h"
#include "object.h"
#include "page.h"

enum { MOVE_NOT = 0, MOVE_MAY = 1, MOVE_TO = 2 };

static void tail_unmap(struct vmd_tx tx, const struct space *space, u64 address, u64 end)
{
    space_revoke(space, address, end, L4_R);
    struct pieces own = pieces_open();
    space_clear(tx, space, address, end);
    pieces_close(own);
}

/* Whether the part of `r` before `end` may have more pages behind it. */
static bool pages_follow(const struct space *space, const struct region *r, u64 end, u64 more)
{
    u64 first = region_page(r, end);
    return region_is_shared(r) || space_owns_no(space, first, first + (more >> L4_PAGE_SHIFT), r->index);
}

static l4_err_t move(
    struct vmd_tx tx, const struct process *p, const struct space *space, u64 address, u64 old_bytes, u64 bytes, u64 to)
{
    bool goes_on = pages_follow(space, region_find(space, address), address + old_bytes, bytes - old_bytes);
    if ((bytes > old_bytes && !goes_on) || !space_has_room(space, 5)) {
        return VM_NOMEM;
    }
    space_revoke(space, address, address + old_bytes, L4_R);
    if (!space_is_free(space, to, to + bytes)) {
        tail_unmap(tx, space, to, to + bytes);
    }
    region_cut(tx, space, address);
    region_cut(tx, space, address + old_bytes);
    struct region like = *region_find(space, address);
    like.address = to;
    like.bytes = bytes;
    region_insert(tx, space, like);
    region_take(tx, space, address);
    return L4_OK;
}

static l4_err_t range_check(u64 address, u64 bytes, u32 may_move, u64 wanted)
{
    bool wrong = (address | (may_move == MOVE_TO ? wanted : 0)) & (L4_PAGE_SIZE - 1);
    if (wrong || may_move > MOVE_TO || bytes == 0 || bytes > VM_ADDRESS_END) {
        return VM_INVAL;
    }
    return may_move == MOVE_TO && (wanted > VM_ADDRESS_END - bytes || wanted < VM_ADDRESS_FIRST) ? VM_INVAL : L4_OK;
}

/* Larger, where it is or elsewhere. */
static l4_err_t grow(struct vmd_tx tx, const struct process *p, const struct space *space, u64 address, u64 old_bytes,
    u64 bytes, u32 may_move, u64 *at)
{
    const struct region *r = region_find(space, address);
    u64 end = address + old_bytes, more = bytes - old_bytes;
    if (!r || region_end(r) < end) {
        return VM_FAULT;
    }
    if (!limit_allows(p, space, VM_ADDRESS_END, more, is_data(r->protection, r->how))) {
        return VM_NOMEM;
    }
    bool in_place = region_end(r) == end && bytes <= VM_ADDRESS_END - address &&
                    space_is_free(space, end, address + bytes) && pages_follow(space, r, end, more);
    *at = address;
    if (in_place) {
        region_set_bytes(tx, r, r->bytes + more);
        space_set_pages(tx, space, space->pages + (more >> L4_PAGE_SHIFT));
        object_stretch(tx, r);
        return L4_OK;
    }
    *at = may_move == MOVE_MAY ? space_hole(space, bytes) : 0;
    return *at ? move(tx, p, space, address, old_bytes, bytes, *at) : VM_NOMEM;
}

static l4_err_t move_to(struct vmd_tx tx, const struct process *p, const struct space *space, u64 address,
    u64 old_bytes, u64 bytes, u64 wanted)
{
    if (wanted < address + old_bytes && address < wanted + bytes) {
        return VM_INVAL;
    }
    u64 kept = bytes < old_bytes ? bytes : old_bytes;
    const struct region *r = region_find(space, address);
    if (!r || region_end(r) < address + kept) {
        return VM_FAULT;
    }
    if (kept < old_bytes) {
        tail_unmap(tx, space, address + kept, address + old_bytes);
    }
    return move(tx, p, space, address, kept, bytes, wanted);
}

l4_err_t vm_resize_do(
    struct vmd_tx tx, u64 label, u64 address, u64 old_bytes, u64 bytes, u32 may_move, u64 wanted, u64 *at)
{
    const struct process *p = process_find(label);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    bytes = page_up(bytes);
    old_bytes = page_up(old_bytes);
    l4_err_t err = range_check(address, bytes, may_move, wanted);
    if (err == L4_OK && (old_bytes == 0 || old_bytes > VM_ADDRESS_END || address > VM_ADDRESS_END - old_bytes)) {
        err = VM_INVAL;
    }
    if (err != L4_OK) {
        return err;
    }
    const struct space *space = space_at(p->program);
    *at = wanted;
    if (may_move == MOVE_TO) {
        return move_to(tx, p, space, address, old_bytes, bytes, wanted);
    }
    if (bytes > old_bytes) {
        return grow(tx, p, space, address, old_bytes, bytes, may_move, at);
    }
    *at = address;
    if (!region_find(space, address)) {
        return VM_FAULT;
    }
    if (bytes < old_bytes) {
        if (!space_has_room(space, 2)) {
            return VM_NOMEM;
        }
        tail_unmap(tx, space, address + bytes, address + old_bytes);
    }
    return L4_OK;
}
