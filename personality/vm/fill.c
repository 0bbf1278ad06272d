/* SPDX-License-Identifier: BSD-2-Clause */
/* fill.c: see fill.h. */
#include "fill.h"

#include <l4/log.h>
#include <process.h>

#include "page.h"

enum { FILLS = 64, FILL_FRAMES = 0, FILL_COPY, FILL_OBJECT, FILL_OBJECTS };

struct fill { u32 what, frame, rights; cap_t task, from; u64 address, end, count; };
static struct { u32 count; struct fill fill[FILLS]; } noted L4_VOLATILE_ZERO;

void fill_begin(void) { noted.count = 0; }

static void note(struct vmd_tx tx, struct fill fill)
{
    if (noted.count == FILLS) {
        return;
    }
    noted.fill[noted.count++] = fill;
    if (noted.count == 1) {
        vmd_after_fill(tx, 1);
    }
}

void fill_frames(struct vmd_tx tx, cap_t task, u32 frame, u64 count, u64 address, u32 rights)
{
    struct fill *last = noted.count ? &noted.fill[noted.count - 1] : NULL;
    bool goes_on = last && last->what == FILL_FRAMES && last->task == task && last->rights == rights
                   && last->frame + last->count == frame && last->address + (last->count << L4_PAGE_SHIFT) == address;
    if (goes_on) {
        last->count += count;
    } else {
        note(tx, (struct fill){ .what = FILL_FRAMES,
                     .frame = frame,
                     .rights = rights,
                     .task = task,
                     .address = address,
                     .count = count });
    }
}

void fill_copy(struct vmd_tx tx, cap_t to, cap_t from, u64 address, u64 end)
{
    note(tx, (struct fill){ .what = FILL_COPY, .task = to, .from = from, .address = address, .end = end });
}

void fill_object(struct vmd_tx tx, const struct object *o, u64 first, u64 end)
{
    note(tx, (struct fill){ .what = FILL_OBJECT, .frame = object_ref(o), .address = first, .end = end });
}

void fill_objects(struct vmd_tx tx) { note(tx, (struct fill){ .what = FILL_OBJECTS }); }

/* Frames in a row are mapped together: a file that was adopted lies in one piece. */
l4_err_t object_present(const struct object *o, u64 base, u64 first, u64 end)
{
    cap_t task = PROCESS_TASKS_AT_VM + (u16)o->owner;
    while (first < end) {
        u32 frame = page_frame(object_owner(o), first);
        u64 run = 1;
        while (first + run < end && page_frame(object_owner(o), first + run) == frame + run) {
            run++;
        }
        l4_err_t err = frame ? page_map_run(task, frame, run, base + (first << L4_PAGE_SHIFT), L4_R | L4_W) : L4_OK;
        if (err != L4_OK) {
            return err;
        }
        first += run;
    }
    return L4_OK;
}

/* It was there before: only a kernel that has lost memory refuses. */
static void object_again(const struct object *o, u64 first, u64 end)
{
    l4_err_t err = object_present(o, o->at, first, end);
    if (err != L4_OK) {
        l4_log("object %u of %lx is not mapped at its owner: %e", object_ref(o), o->owner, err);
    }
}

static void objects_fill(void)
{
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        if (o->held && o->owner) {
            object_again(o, 0, (o->bytes + L4_PAGE_SIZE - 1) >> L4_PAGE_SHIFT);
        }
    }
}

void fill_do(u32 count)
{
    for (u32 i = 0; i < noted.count; i++) {
        const struct fill *f = &noted.fill[i];
        if (f->what == FILL_FRAMES) {
            page_map_run(f->task, f->frame, f->count, f->address, f->rights);
        } else if (f->what == FILL_COPY) {
            pages_copy(f->task, f->from, f->address, f->end);
        } else if (f->what == FILL_OBJECTS) {
            objects_fill();
        } else if (object_at(f->frame)) {
            object_again(object_at(f->frame), f->address, f->end);
        }
    }
    noted.count = 0;
}
