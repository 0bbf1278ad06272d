/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c: page faults. The pager's method is `retry`, since doing it again is harmless, but it may take frames: then it is a transaction
 * that answers no slot.
 * A private page may be written where it lies when nobody else holds its frame; else it is copied first. What is not there is read as the
 * object, or as zeros: one frame of zeros is mapped for all readers.
 * Who writes page after page gets more of them at each fault, up to AROUND_MOST, of the same kind and within one chunk: zeros, or copies of
 * what a fork shares. They count as its own from then on, as Linux's huge pages do; at most as many as it has written before. */
#include "fault.h"

#include <l4/clock.h>
#include <pager.h>

#include "fill.h"
#include "object.h"
#include "page.h"
#include "life.h"

/* Memory of the kernel's comes back behind vm's back: who waits tries again. */
enum { RETRY_NS = 20000000, AROUND_MOST = 16 };

/* By space: the page index after the last that was taken, and how many were then. A hint: any value is as good as none. */
static struct { u64 next; u32 count; } run_of[VMD_SPACES] L4_VOLATILE_ZERO;
/* By space: the region of the last fault. A hint: it is taken only if it fits. */
static u32 region_of[VMD_SPACES] L4_VOLATILE_ZERO;

u64 frames_reserve(void)
{
    u64 part = frames_total() / 64;
    return part < 256 ? part : 256;
}

static const struct region *region_hinted(const struct process *p, u64 address)
{
    const struct space *space = space_for(p, address);
    u32 ref = space_ref(space);
    const struct region *r = region_at(region_of[ref - 1]);
    if (r && r->of == ref && address - r->address < r->bytes) {
        return r;
    }
    r = address < L4_USER_END ? region_find(space, address) : NULL;
    region_of[ref - 1] = r ? region_ref(r) : 0;
    return r;
}

static l4_err_t region_check(const struct region *r, u64 address, enum fault_access access)
{
    static const u32 needs[] = { [ACCESS_READ] = L4_R, [ACCESS_WRITE] = L4_W, [ACCESS_FETCH] = L4_X };
    if (!r) {
        return VM_FAULT;
    }
    if (!(rights_of(r->protection) & needs[access])) {
        return VM_ACCESS;
    }
    return r->object && r->offset + (address - r->address) >= object_at(r->object)->bytes ? VM_BUS : L4_OK;
}

l4_err_t access_check(const struct process *p, u64 address, enum fault_access access)
{
    return region_check(region_hinted(p, address), page_down(address), access);
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
/* `frame` 0: one must be taken. `copies`: one must be, with what `frame` has, since others hold it. */
struct found { u32 frame, rights; bool copies; };

static u32 object_frame(const struct region *r, u64 address)
{
    return page_frame(object_owner(object_at(r->object)), (r->offset + (address - r->address)) >> L4_PAGE_SHIFT);
}

/* What lies below a private page that is not the space's own. */
static u32 frame_below(const struct region *r, u64 address)
{
    return r->object ? object_frame(r, address) : vmd_state()->zeros;
}

/* Without changing anything. */
static struct found look_private(const struct region *r, u64 address, bool writes)
{
    u32 frame = page_frame(r->of, region_page(r, address)), rights = rights_of(r->protection);
    if (frame) {
        bool alone = frame_refs(frame) == 1;
        return (struct found){ frame, alone ? rights : rights & ~L4_W, writes && !alone };
    }
    if (writes && !r->object) {
        return (struct found){ 0, rights, false };
    }
    return (struct found){ frame_below(r, address), rights & ~L4_W, writes };
}

static struct found look(const struct region *r, u64 address, bool writes)
{
    return region_is_shared(r) ? (struct found){ object_frame(r, address), rights_of(r->protection), false }
                               : look_private(r, address, writes);
}

u32 page_seen(const struct process *p, u64 address)
{
    const struct region *r = region_hinted(p, address);
    return r ? look(r, page_down(address), false).frame : 0;
}

/* ---- taking frames, in a transaction ---- */
struct taken { u32 count, frame[AROUND_MOST]; };

/* Whether entry `i` is what the one that faulted is: empty, or held by others. */
static bool is_alike(const struct chunk *c, u32 i, bool copies)
{
    return copies ? c && c->page[i] && frame_refs(c->page[i]) > 1 : !c || !c->page[i];
}

/* How many pages to take: those that are like the first, in the same chunk, and not over the next multiple of AROUND_MOST. */
static u32 around(const struct fault *f, const struct chunk *c, bool copies)
{
    const struct region *r = f->r;
    u64 page = region_page(r, f->address), left = (region_end(r) - f->address) >> L4_PAGE_SHIFT;
    u32 most = AROUND_MOST - (u32)(f->address >> L4_PAGE_SHIFT) % AROUND_MOST, entry = page % CHUNK_PAGES, count = 1;
    bool goes_on = run_of[r->of - 1].next == page && !r->object && frames_free() > 2 * frames_reserve() + AROUND_MOST;
    u32 wanted = goes_on ? 2 * run_of[r->of - 1].count : 1;
    most = most < left ? most : (u32)left;
    most = most < CHUNK_PAGES - entry ? most : CHUNK_PAGES - entry;
    most = most < wanted ? most : wanted;
    while (count < most && is_alike(c, entry + count, copies)) {
        count++;
    }
    return count;
}

/* Nobody keeps what was mapped there to read: zeros, which may lie at the pages behind as well. The one page that was not there may have
 * come in between, for another thread: they go when the frame is mapped. */
static void pages_hide(const struct fault *f, u32 count, bool copies)
{
    if (copies || count > 1 || f->present || space_at(f->r->of)->users > 1) {
        space_revoke(space_at(f->r->of), f->address, f->address + ((u64)count << L4_PAGE_SHIFT), L4_R);
    }
}

static void take_zeros(struct vmd_tx tx, const struct fault *f, struct taken *taken)
{
    u64 page = region_page(f->r, f->address);
    const struct chunk *c = chunk_find(f->r->of, page >> CHUNK_SHIFT);
    u32 count = around(f, c, false);
    pages_hide(f, count, false);
    c = c ? c : chunk_new(tx, f->r->of, page >> CHUNK_SHIFT);
    taken->count = c ? frames_take(tx, frames_reserve(), count, taken->frame) : 0;
    for (u32 i = 0; i < taken->count; i++) {
        memset(frame_content(taken->frame[i]), 0, L4_PAGE_SIZE);
    }
    if (taken->count) {
        chunk_fill(tx, c, page % CHUNK_PAGES, taken->count, taken->frame);
    }
}

/* Of the space's own pages, whose frames others hold, or of one page of an object. */
static void take_copies(struct vmd_tx tx, const struct fault *f, u32 from, struct taken *taken)
{
    u64 page = region_page(f->r, f->address);
    const struct chunk *c = chunk_find(f->r->of, page >> CHUNK_SHIFT);
    bool own = c && c->page[page % CHUNK_PAGES];
    u32 count = own ? around(f, c, true) : 1;
    pages_hide(f, count, true);
    taken->count = frames_take(tx, frames_reserve(), count, taken->frame);
    for (u32 i = 0; i < taken->count; i++) {
        u32 entry = page % CHUNK_PAGES + i;
        memcpy(frame_content(taken->frame[i]), frame_content(own ? c->page[entry] : from), L4_PAGE_SIZE);
        if (own) {
            chunk_set(tx, c, entry, taken->frame[i]);
        } else if (!page_enter(tx, f->r->of, page, taken->frame[i])) {
            taken->count = 0;
        }
    }
}

static void take_shared(struct vmd_tx tx, const struct fault *f, struct taken *taken)
{
    const struct object *o = object_at(f->r->object);
    u64 page = (f->r->offset + (f->address - f->r->address)) >> L4_PAGE_SHIFT;
    u32 frame = o->owner ? 0 : frame_take(tx, frames_reserve());
    if (frame && page_enter(tx, object_owner(o), page, frame)) {
        memset(frame_content(frame), 0, L4_PAGE_SIZE);
        *taken = (struct taken){ 1, { frame } };
    }
}

/* pm is told in a transaction that does nothing else. */
static void exhausted_note(void)
{
    struct vmd_tx tx = { };
    l4_begin(NULL, 0);
    exhausted_tell(tx);
    l4_commit(NULL, 0);
}

static l4_err_t pages_take(const struct fault *f, const struct found *found, struct taken *taken)
{
    struct vmd_tx tx = { };
    l4_begin(NULL, 0);
    if (region_is_shared(f->r)) {
        take_shared(tx, f, taken);
    } else if (found->frame) {
        take_copies(tx, f, found->frame, taken);
    } else if (!f->r->object) {
        take_zeros(tx, f, taken);
    }
    if (!taken->count) {
        l4_undo();
    }
    l4_commit(NULL, 0);
    if (!taken->count) {
        exhausted_note();
        return VM_NOMEM;
    }
    run_of[f->r->of - 1].next = region_page(f->r, f->address) + taken->count;
    run_of[f->r->of - 1].count = taken->count;
    return L4_OK;
}

/* What lies in a row is mapped at once. An error counts for the page that faulted alone: the others fault in. */
static l4_err_t pages_map(const struct fault *f, const struct taken *taken, u32 rights)
{
    l4_err_t first = L4_OK;
    for (u32 i = 0, run; i < taken->count; i += run) {
        for (run = 1; i + run < taken->count && taken->frame[i + run] == taken->frame[i] + run; run++) {
        }
        l4_err_t err = page_map_run(f->p->task, taken->frame[i], run, f->address + ((u64)i << L4_PAGE_SHIFT), rights);
        first = i ? first : err;
    }
    return first;
}

/* ---- the methods ---- */
static l4_err_t fault_resolve(const struct fault *f)
{
    struct found found = look(f->r, f->address, f->writes);
    if (found.frame && !found.copies) {
        return page_map(f->p->task, found.frame, f->address, found.rights);
    }
    struct taken taken = { .count = 0 };
    l4_err_t err = pages_take(f, &found, &taken);
    return err == L4_OK ? pages_map(f, &taken, rights_of(f->r->protection)) : err;
}

l4_err_t vm_fault_do(u64 label, u64 address, u64 error, u64 ip)
{
    const struct process *p = process_find(label);
    enum fault_access access = error & PAGER_FETCH ? ACCESS_FETCH : error & PAGER_WRITE ? ACCESS_WRITE : ACCESS_READ;
    struct fault f = { .p = p, .address = page_down(address), .writes = access == ACCESS_WRITE, .present = error & PAGER_PRESENT };
    f.r = p ? region_hinted(p, f.address) : NULL;
    l4_err_t err = p ? region_check(f.r, f.address, access) : VM_PERM;
    if (err != L4_OK) {
        return err;
    }
    err = fault_resolve(&f);
    if (err == L4_OK) {
        return L4_OK;
    }
    if (err == L4_NO_MEMORY) {
        exhausted_note();           /* the kernel has no more for page tables */
    } else if (err != VM_NOMEM) {
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
