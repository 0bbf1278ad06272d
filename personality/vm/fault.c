/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c: page faults. The pager's method is `retry`, since doing it again is harmless, but it may take a frame: then
 * it is a
 * transaction that answers no slot.
 * A private page may be written where it lies when nobody else holds its frame; else it is copied first. What is not
 * there is read as
 * the object, or as zeros: one frame of zeros is mapped for all readers. */
#include "fault.h"

#include <l4/clock.h>
#include <pager.h>

#include "fill.h"
#include "object.h"
#include "page.h"
#include "life.h"

/* Memory of the kernel's comes back behind vm's back: who waits tries again. */
enum { RETRY_NS = 20000000 };

u64 frames_reserve(void)
{
    u64 part = frames_total() / 64;
    return part < 256 ? part : 256;
}

l4_err_t access_check(const struct process *p, u64 address, enum fault_access access)
{
    const struct region *r = address < L4_USER_END ? region_find(space_for(p, address), address) : NULL;
    static const u32 needs[] = { [ACCESS_READ] = L4_R, [ACCESS_WRITE] = L4_W, [ACCESS_FETCH] = L4_X };
    if (!r) {
        return VM_FAULT;
    }
    if (!(rights_of(r->protection) & needs[access])) {
        return VM_ACCESS;
    }
    u64 in_object = r->offset + (page_down(address) - r->address);
    return r->object && in_object >= object_at(r->object)->bytes ? VM_BUS : L4_OK;
}

/* ---- pages ---- */
static u32 page_own(struct vmd_tx tx, const struct space *space, u64 page, u64 reserve)
{
    u32 frame = frame_take(tx, reserve);
    if (frame && !page_enter(tx, space_ref(space), page, frame)) {
        frame_put(tx, frame);
        return 0;
    }
    return frame;
}

u32 page_zero(struct vmd_tx tx, const struct space *space, u64 page, u64 reserve)
{
    u32 frame = page_own(tx, space, page, reserve);
    return frame ? (memset(frame_content(frame), 0, L4_PAGE_SIZE), frame) : 0;
}

u32 page_copy(struct vmd_tx tx, const struct space *space, u64 page, u32 from, u64 reserve)
{
    u32 frame = frame_take(tx, reserve);
    if (!frame) {
        return 0;
    }
    memcpy(frame_content(frame), frame_content(from), L4_PAGE_SIZE);
    if (!page_enter(tx, space_ref(space), page, frame)) {
        frame_put(tx, frame);
        return 0;
    }
    return frame;
}

/* ---- what to map ---- */
struct found { u32 frame, rights; bool changes; };

/* Without changing anything: the frame to map for this access, or that one must be taken. */
static struct found look_private(const struct region *r, u64 address, bool write)
{
    u32 frame = page_frame(r->of, region_page(r, address)), rights = rights_of(r->protection);
    if (frame) {
        bool alone = frame_refs(frame) == 1;
        return (struct found){ frame, alone ? rights : rights & ~L4_W, write && !alone };
    }
    if (write) {
        return (struct found){ 0, rights, true };
    }
    const struct object *o = object_at(r->object);
    frame = o ? page_frame(object_owner(o), (r->offset + (address - r->address)) >> L4_PAGE_SHIFT) : vmd_state()->zeros;
    return (struct found){ frame, rights & ~L4_W, false };
}

static struct found look_shared(const struct region *r, u64 address)
{
    const struct object *o = object_at(r->object);
    u32 frame = page_frame(object_owner(o), (r->offset + (address - r->address)) >> L4_PAGE_SHIFT);
    return (struct found){ frame, rights_of(r->protection), !frame };
}

u32 page_seen(const struct process *p, u64 address)
{
    const struct region *r = address < L4_USER_END ? region_find(space_for(p, address), address) : NULL;
    return !r ? 0 : (region_is_shared(r) ? look_shared(r, address) : look_private(r, address, false)).frame;
}

/* In a transaction: take the frame that `look` found missing. Nobody keeps what was mapped there to read. */
static u32 take_private(struct vmd_tx tx, const struct region *r, u64 address)
{
    const struct space *space = space_at(r->of);
    u64 page = region_page(r, address);
    u32 from = look_private(r, address, false).frame;
    if (!from) {
        return 0;
    }
    space_revoke(space, address, address + L4_PAGE_SIZE, L4_R);
    return from == vmd_state()->zeros ? page_zero(tx, space, page, frames_reserve())
                                      : page_copy(tx, space, page, from, frames_reserve());
}

static u32 take_shared(struct vmd_tx tx, const struct region *r, u64 address)
{
    const struct object *o = object_at(r->object);
    u32 frame = o->owner ? 0 : frame_take(tx, frames_reserve());
    if (frame && !page_enter(tx, object_owner(o), (r->offset + (address - r->address)) >> L4_PAGE_SHIFT, frame)) {
        return 0;
    }
    return frame ? (memset(frame_content(frame), 0, L4_PAGE_SIZE), frame) : 0;
}

/* pm is told in a transaction that does nothing else. */
static void exhausted_note(void)
{
    struct vmd_tx tx = { };
    l4_begin(NULL, 0);
    exhausted_tell(tx);
    l4_commit(NULL, 0);
}

static l4_err_t page_take(const struct region *r, u64 address, struct found *found)
{
    struct vmd_tx tx = { };
    l4_begin(NULL, 0);
    u32 frame = region_is_shared(r) ? take_shared(tx, r, address) : take_private(tx, r, address);
    if (!frame) {
        l4_undo();
    }
    l4_commit(NULL, 0);
    if (!frame) {
        exhausted_note();
    }
    *found = (struct found){ frame, rights_of(r->protection), false };
    return frame ? L4_OK : VM_NOMEM;
}

/* ---- the methods ---- */
l4_err_t vm_fault_do(u64 label, u64 address, u64 error, u64 ip)
{
    const struct process *p = process_find(label);
    enum fault_access access = error & PAGER_FETCH ? ACCESS_FETCH : error & PAGER_WRITE ? ACCESS_WRITE : ACCESS_READ;
    address = page_down(address);
    l4_err_t err = p ? access_check(p, address, access) : VM_PERM;
    if (err != L4_OK) {
        return err;
    }
    const struct region *r = region_find(space_for(p, address), address);
    struct found found =
        region_is_shared(r) ? look_shared(r, address) : look_private(r, address, access == ACCESS_WRITE);
    if (found.changes) {
        err = page_take(r, address, &found);
    }
    if (err == L4_OK && found.frame) {
        err = page_map(p->task, found.frame, address, found.rights);
        if (err == L4_NO_MEMORY) {
            exhausted_note();       /* the kernel has no more for page tables */
        }
    }
    if (err == L4_OK && found.frame) {
        return L4_OK;
    }
    if (err != L4_NO_MEMORY && err != VM_NOMEM) {
        return VM_NOMEM;
    }
    l4_volatile.deadline = l4_now() + RETRY_NS;
    return memory_wait(1);
}

void memory_again(struct vmd_tx tx) { memory_wake(tx, 1); }

l4_err_t vm_explain_do(u64 label, u64 address, u32 write)
{
    const struct process *p = process_find(label);
    if (!p) {
        return VM_PERM;
    }
    return write > ACCESS_FETCH ? VM_INVAL : access_check(p, address, (enum fault_access)write);
}
