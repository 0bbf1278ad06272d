/* SPDX-License-Identifier: BSD-2-Clause */
/* look.c: what is asked and changes nothing. */
#include "look.h"

#include "fault.h"
#include "object.h"
#include "page.h"
#include "life.h"

/* `process` 0: the caller; another one only pm may ask about, who is the one label without a space of its own. */
static const struct process *process_asked(u64 label, u32 process)
{
    if (!process) {
        return process_find(label);
    }
    const struct process *p = process < VM_PROCESS_END ? process_at(vmd_state()->process_of[process]) : NULL;
    return p && !p->step ? p : NULL;
}

l4_err_t vm_look_do(u64 label, u32 process, u64 address, struct vm_region *found)
{
    const struct process *p = process_asked(label, process);
    if (!p || (process && label_is_process(label))) {
        return VM_PERM;
    }
    const struct region *r = region_from(space_at(p->program), address);
    *found = (struct vm_region){ 0 };
    if (!r) {
        return L4_OK;
    }
    const struct object *o = object_at(r->object);
    *found = (struct vm_region){
        .address = r->address, .bytes = r->bytes, .offset = r->offset, .inode = r->inode, .object = r->object,
        .owner = o ? (u16)o->owner : 0, .protection = r->protection, .how = r->how,
    };
    return L4_OK;
}

/* The root image and the runtime are memory of the machine, whether or not their pages are adopted yet. */
l4_err_t vm_total_do(u64 label, struct vm_totals *now)
{
    const struct frames_page *page = frames_page();
    u64 image = (page->adoptable_bytes + page->runtime_bytes) >> L4_PAGE_SHIFT;
    *now = (struct vm_totals){
        .total = frames_total() + image,
        .free = frames_free(),
        .objects = pool()->in_objects + image,
        .anonymous = frames_total() - frames_free() - pool()->in_objects,
        .page_tables = page->pool_bytes >> L4_PAGE_SHIFT,
        .file_limit = frames_for_objects(),
        .file_pages = pool()->in_objects,
    };
    return L4_OK;
}

/* Pages of the object that are there and in the region. */
static u64 pages_shared(const struct region *r)
{
    const struct object *o = object_at(r->object);
    u64 first = r->offset >> L4_PAGE_SHIFT, end = first + (r->bytes >> L4_PAGE_SHIFT), pages = 0;
    for (const struct chunk *c = o ? chunk_first(object_owner(o)) : NULL; c; c = chunk_next(c)) {
        u64 base = c->key << CHUNK_SHIFT;
        for (u32 i = 0; base < end && base + CHUNK_PAGES > first && i < CHUNK_PAGES; i++) {
            pages += c->page[i] && base + i >= first && base + i < end;
        }
    }
    return pages;
}

static u64 pages_resident(const struct process *p) { return pages_owned(p->program) + pages_owned(p->own); }

l4_err_t vm_use_do(u64 label, u32 process, struct vm_usage *now)
{
    const struct process *p = process_asked(label, process);
    if (!p) {
        return VM_PERM;
    }
    u64 shared = 0;
    for (const struct region *r = region_at(space_at(p->program)->first); r; r = region_next(r)) {
        shared += pages_shared(r);
    }
    *now = (struct vm_usage){
        .size = space_at(p->program)->pages << L4_PAGE_SHIFT, .resident = (pages_resident(p) + shared) << L4_PAGE_SHIFT,
        .shared = shared << L4_PAGE_SHIFT,
    };
    return L4_OK;
}

l4_err_t vm_peek_do(u64 label, u32 process, u64 address, u8 *data, u32 *length)
{
    const struct process *p = process ? process_asked(label, process) : NULL;
    u32 frame = p ? page_seen(p, address) : 0, at = (u32)(address & (L4_PAGE_SIZE - 1));
    *length = 0;
    if (!p || label_is_process(label)) {
        return VM_PERM;
    }
    if (frame) {
        *length = L4_PAGE_SIZE - at < VM_PEEK ? L4_PAGE_SIZE - at : VM_PEEK;
        memcpy(data, (const u8 *)frame_content(frame) + at, *length);
    }
    return L4_OK;
}

/* Shared memory without a name counts for everyone who has it: it ends with the last of them. */
static u64 pages_taken(const struct process *p)
{
    u64 pages = pages_resident(p);
    for (const struct region *r = region_at(space_at(p->program)->first); r; r = region_next(r)) {
        const struct object *o = object_at(r->object);
        pages += o && !o->owner && !o->held ? pages_shared(r) : 0;
    }
    return pages;
}

l4_err_t vm_largest_do(u64 label, u64 but, u64 *client, u64 *bytes, bool *scarce)
{
    *scarce = pool_is_exhausted(frames_reserve()) || l4_volatile.parked;     /* whoever waits may lack the kernel's memory */
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        u64 held = pages_taken(p) << L4_PAGE_SHIFT;
        if (!p->step && p->label != but && held > *bytes) {
            *client = p->label;
            *bytes = held;
        }
    }
    return L4_OK;
}
