/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c: see object.h. An object is filled in pieces while its bytes do not count the new pages yet, and emptied in
 * pieces when they
 * do not count them any more. */
#include "object.h"

#include <l4/log.h>
#include <process.h>

#include "fault.h"
#include "fill.h"
#include "page.h"

static u64 pages_of(u64 bytes) { return (bytes + L4_PAGE_SIZE - 1) >> L4_PAGE_SHIFT; }
enum { LARGE_PAGES = 512 };        /* in an entry of the page tables, which goes as a whole */

static cap_t task_of(const struct object *o) { return PROCESS_TASKS_AT_VM + (u16)o->owner; }

/* ---- names ---- */
static const u32 *key_head(u64 owner, u64 key)
{
    u64 hash = (key + (owner << 40)) * 0x9e3779b97f4a7c15ul;
    return &vmd_state()->keys[(hash >> 32) % (sizeof vmd_state()->keys / sizeof vmd_state()->keys[0])];
}

static void key_head_set(struct vmd_tx tx, const u32 *head, u32 ref)
{
    l4_keep((const void *)((u64)head & ~7ul), 1);
    vmd_writable()->keys[head - vmd_state()->keys] = ref;
    l4_hook();
}

static const struct object *object_find(u64 owner, u64 key)
{
    const struct object *o = object_at(*key_head(owner, key));
    while (o && (o->owner != owner || o->key != key)) {
        o = object_at(o->next_key);
    }
    return o;
}

static void key_remove(struct vmd_tx tx, const struct object *o)
{
    const u32 *head = key_head(o->owner, o->key);
    u32 ref = object_ref(o);
    if (*head == ref) {
        key_head_set(tx, head, o->next_key);
        return;
    }
    const struct object *before = object_at(*head);
    while (before->next_key != ref) {
        before = object_at(before->next_key);
    }
    object_set_next_key(tx, before, o->next_key);
}

/* ---- life ---- */
struct object *object_make(struct vmd_tx tx, u64 owner, u64 key, u64 bytes)
{
    struct object *o = object_new(tx);
    if (!o) {
        return NULL;
    }
    o->owner = owner;
    o->key = key;
    o->bytes = bytes;
    o->uses = 1;
    if (owner) {
        const u32 *head = key_head(owner, key);
        o->next_key = *head;
        key_head_set(tx, head, object_ref(o));
    }
    return o;
}

void object_hold(struct vmd_tx tx, const struct object *o) { object_set_uses(tx, o, o->uses + 1); }

void object_put(struct vmd_tx tx, const struct object *o)
{
    if (o->uses > 1) {
        object_set_uses(tx, o, o->uses - 1);
    } else {
        object_free(tx, o);
    }
}

void object_release(struct vmd_tx tx, const struct object *o)
{
    if (o->uses == 1) {
        pages_drop(tx, object_owner(o), 0, ~0ul);
    }
}

void object_stretch(struct vmd_tx tx, const struct region *r)
{
    const struct object *o = object_at(r->object);
    if (o && !o->owner && o->bytes < r->offset + r->bytes) {
        object_set_bytes(tx, o, r->offset + r->bytes);
    }
}

/* Its owner has no more use for it. Caller: released. */
static void object_disown(struct vmd_tx tx, const struct object *o)
{
    key_remove(tx, o);
    object_set_owner(tx, o, 0);
    object_set_held(tx, o, false);
    object_put(tx, o);
}

void runtime_make(struct vmd_tx tx)
{
    const struct frames_page *page = frames_page();
    struct object *o = object_make(tx, 0, 0, page->runtime_bytes);
    o->held = true;
    vmd_set_runtime(tx, object_ref(o));
    for (u64 i = 0; i < pages_of(page->runtime_bytes); i++) {
        u32 frame = (u32)((page->runtime >> L4_PAGE_SHIFT) + i);
        frame_hold(tx, frame);
        page_enter(tx, object_owner(o), i, frame);
    }
}

/* ---- filling ---- */
/* Frames for pages [first, end) that have none: of the archive from `archive` on, or zeros. In pieces. */
static l4_err_t object_fill(struct vmd_tx tx, const struct object *o, u64 first, u64 end, u32 archive)
{
    if (!archive && pool()->in_objects + (end - first) > frames_for_objects()) {
        return VM_NOMEM;
    }
    for (u64 i = first; i < end; i++) {
        piece_pause();
        if (page_frame(object_owner(o), i)) {
            continue;
        }
        u32 frame = archive ? archive + (u32)(i - first) : frame_take(tx, frames_reserve());
        if (!frame || (archive && frame_refs(frame))) {
            return frame ? VM_EXIST : VM_NOMEM;
        }
        if (archive) {
            frame_hold(tx, frame);
        } else {
            memset(frame_content(frame), 0, L4_PAGE_SIZE);
        }
        if (!page_enter(tx, object_owner(o), i, frame)) {
            frame_put(tx, frame);
            return VM_NOMEM;
        }
    }
    return L4_OK;
}

/* In its owner's task, who has no pager: all of them, or none and the pages are given back. In pieces; caller: what is filled is
 * committed. */
static l4_err_t object_show(struct vmd_tx tx, const struct object *o, u64 at, u64 first, u64 end)
{
    piece_commit();
    l4_err_t err = object_present(o, at, first, end);
    if (err == L4_OK) {
        return L4_OK;
    }
    l4_log("no kernel memory to show object %u to %lx: %e", object_ref(o), o->owner, err);
    pages_revoke(task_of(o), at + (first << L4_PAGE_SHIFT), at + (end << L4_PAGE_SHIFT), L4_R);
    pages_drop(tx, object_owner(o), first, ~0ul);
    return VM_NOMEM;
}

static bool place_is_wrong(u64 at, u64 reserve, u64 bytes)
{
    return (at | reserve) & (L4_PAGE_SIZE - 1) || at < VM_ADDRESS_FIRST || reserve > L4_USER_END ||
           at > L4_USER_END - reserve || bytes > reserve;
}

/* `held` is set last: an object with a key that is not held is being made, and is gone on with. */
static l4_err_t object_begin(
    struct vmd_tx tx, u64 label, u64 key, u64 at, u64 reserve, u64 bytes, u32 archive, u32 *object)
{
    const struct object *o = object_find(label, key);
    if (place_is_wrong(at, reserve, bytes)) {
        return VM_INVAL;
    }
    if (o && o->held) {
        *object = object_ref(o);
        fill_object(tx, o, 0, pages_of(o->bytes));
        return o->at == at ? L4_OK : VM_EXIST;
    }
    struct pieces own = pieces_open();
    o = o ? o : object_make(tx, label, key, 0);
    if (o) {
        object_set_at(tx, o, at);
        object_set_reserve(tx, o, reserve);
    }
    l4_err_t err = o ? object_fill(tx, o, 0, pages_of(bytes), archive) : VM_AGAIN;
    err = err == L4_OK ? object_show(tx, o, at, 0, pages_of(bytes)) : err;
    if (o && err != L4_OK) {
        object_release(tx, o);
        piece_pause();
        object_disown(tx, o);
    }
    pieces_close(own);
    if (err != L4_OK) {
        return err;
    }
    struct object *to = object_edit(tx, o);
    to->bytes = bytes;
    to->held = true;
    l4_hook();
    *object = object_ref(o);
    return L4_OK;
}

l4_err_t vm_make_object_do(struct vmd_tx tx, u64 label, u64 key, u64 at, u64 reserve, u64 bytes, u32 *object)
{
    fill_begin();
    return object_begin(tx, label, key, at, reserve, bytes, 0, object);
}

l4_err_t vm_adopt_object_do(
    struct vmd_tx tx, u64 label, u64 key, u64 at, u64 reserve, u64 offset, u64 bytes, u32 *object)
{
    const struct frames_page *page = frames_page();
    u64 first = page->archive + offset, end = first + ((bytes + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul));
    u64 last = (page->adoptable + page->adoptable_bytes + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul);
    fill_begin();
    if (offset & (L4_PAGE_SIZE - 1) || offset > page->top << L4_PAGE_SHIFT || end < first || first < page->adoptable ||
        end > last) {
        return VM_INVAL;
    }
    return object_begin(tx, label, key, at, reserve, bytes, (u32)((page->archive + offset) >> L4_PAGE_SHIFT), object);
}

/* ---- size and place ---- */
static const struct object *object_of(u64 label, u32 ref)
{
    const struct object *o = object_at(ref);
    return o && o->held && o->owner == label ? o : NULL;
}

static l4_err_t object_grow(struct vmd_tx tx, const struct object *o, u64 bytes)
{
    u64 had = pages_of(o->bytes), want = pages_of(bytes);
    if (bytes > o->reserve) {
        return VM_NOMEM;
    }
    if (want > had) {
        struct pieces own = pieces_open();
        l4_err_t err = object_fill(tx, o, had, want, 0);
        if (err == L4_OK) {
            err = object_show(tx, o, o->at, had, want);
        } else {
            pages_drop(tx, object_owner(o), had, ~0ul);
        }
        pieces_close(own);
        if (err != L4_OK) {
            return err;
        }
    }
    object_set_bytes(tx, o, bytes);
    return L4_OK;
}

/* The next region after `r` (NULL: the first) that shows bytes of the object past `end`; they begin at `from` of its space. */
static const struct region *region_past(const struct object *o, u64 end, const struct region *r, u64 *from)
{
    for (r = region_following(r); o->uses > 1 && r; r = region_following(r)) {
        if (r->object == object_ref(o) && r->offset + r->bytes > end) {
            *from = r->offset < end ? r->address + (end - r->offset) : r->address;
            return r;
        }
    }
    return NULL;
}

/* Copies that private mappings made of pages past the end go, too. */
static void regions_trim(struct vmd_tx tx, const struct object *o, u64 end)
{
    u64 from = 0;
    for (const struct region *r = region_past(o, end, NULL, &from); r; r = region_past(o, end, r, &from)) {
        if (!region_is_shared(r)) {
            space_discard(tx, space_at(r->of), from, region_end(r));
        }
    }
}

/* Nobody sees its bytes from `end` on any more: neither its owner nor who maps it. */
static void object_revoke(const struct object *o, u64 end)
{
    u64 from = 0;
    pages_revoke(task_of(o), o->at + end, o->at + o->reserve, L4_R);
    for (const struct region *r = region_past(o, end, NULL, &from); r; r = region_past(o, end, r, &from)) {
        space_revoke(space_at(r->of), from, region_end(r), L4_R);
    }
}

/* The rest of the last page is zeroed for when it grows again: what is cut off is nobody's from here on, come what may. What of a large page
 * stays is mapped again. */
static void object_shrink(struct vmd_tx tx, const struct object *o, u64 bytes)
{
    u64 pages = pages_of(bytes), rest = bytes % L4_PAGE_SIZE;
    object_revoke(o, pages << L4_PAGE_SHIFT);
    if (rest && bytes < o->bytes) {
        memset((u8 *)frame_content(page_frame(object_owner(o), pages - 1)) + rest, 0, L4_PAGE_SIZE - rest);
    }
    struct pieces own = pieces_open();
    object_set_bytes(tx, o, bytes);
    piece_commit();
    regions_trim(tx, o, pages << L4_PAGE_SHIFT);
    pages_drop(tx, object_owner(o), pages, ~0ul);
    pieces_close(own);
    if (pages % LARGE_PAGES) {
        fill_object(tx, o, pages & ~(u64)(LARGE_PAGES - 1), pages);
    }
}

l4_err_t vm_resize_object_do(struct vmd_tx tx, u64 label, u32 object, u64 bytes)
{
    const struct object *o = object_of(label, object);
    fill_begin();
    if (!o) {
        return VM_PERM;
    }
    if (bytes > o->bytes) {
        return object_grow(tx, o, bytes);
    }
    object_shrink(tx, o, bytes);
    return L4_OK;
}

l4_err_t vm_move_object_do(struct vmd_tx tx, u64 label, u32 object, u64 at, u64 reserve)
{
    const struct object *o = object_of(label, object);
    fill_begin();
    if (!o) {
        return VM_PERM;
    }
    if (place_is_wrong(at, reserve, o->bytes)) {
        return VM_INVAL;
    }
    if (at != o->at && object_present(o, at, 0, pages_of(o->bytes)) != L4_OK) {
        pages_revoke(task_of(o), at, at + reserve, L4_R);
        return VM_NOMEM;
    }
    if (at != o->at) {
        pages_revoke(task_of(o), o->at, o->at + o->reserve, L4_R);
    }
    object_set_at(tx, o, at);
    object_set_reserve(tx, o, reserve);
    return L4_OK;
}

static l4_err_t object_drop(struct vmd_tx tx, const struct object *o)
{
    if (o->reserve) {
        pages_revoke(task_of(o), o->at, o->at + o->reserve, L4_R);
    }
    struct pieces own = pieces_open();
    object_release(tx, o);
    pieces_close(own);
    object_disown(tx, o);
    return L4_OK;
}

l4_err_t vm_drop_object_do(struct vmd_tx tx, u64 label, u32 object)
{
    const struct object *o = object_of(label, object);
    fill_begin();
    return o ? object_drop(tx, o) : VM_PERM;
}

l4_err_t vm_retire_object_do(struct vmd_tx tx, u64 label, u32 object)
{
    const struct object *o = object_of(label, object);
    fill_begin();
    return !o ? VM_PERM : o->uses > 1 ? VM_AGAIN : object_drop(tx, o);
}
