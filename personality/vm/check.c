/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c: the audit: every invariant that pool.h, space.h and object.h name, counted anew. At each start, in tests, on
 * demand. It is long in a large machine: each chunk and each run of frames is a step. */
#include <l4/log.h>

#include "fault.h"
#include "object.h"
#include "page.h"
#include "space.h"

enum { FRAMES_STEP = 4096 };
#define HOLDS(what) do { if (!(what)) { l4_log("audit: " #what); return false; } } while (0)

static bool regions_check(const struct space *s)
{
    u32 regions = 0;
    u64 pages = 0, end = 0;
    for (const struct region *r = region_at(s->first); r; r = region_next(r)) {
        HOLDS(r->address >= end && r->bytes && !((r->address | r->bytes) & (L4_PAGE_SIZE - 1)));
        HOLDS(r->of == space_ref(s) && (!r->object || object_at(r->object)) && (!region_is_shared(r) || r->object));
        end = region_end(r);
        pages += r->bytes >> L4_PAGE_SHIFT;
        HOLDS(++regions <= s->regions);
        for (const struct region *other = region_next(r); s->regions < 64 && other; other = region_next(other)) {
            HOLDS(region_is_shared(r) || region_is_shared(other) ||
                  r->index + (r->bytes >> L4_PAGE_SHIFT) <= other->index ||
                  other->index + (other->bytes >> L4_PAGE_SHIFT) <= r->index);
        }
    }
    HOLDS(regions == s->regions && pages == s->pages);
    return true;
}

/* How often each frame is named, held against what it says itself. */
static bool owner_check(u32 owner, u64 *chunks)
{
    u32 prev = 0;
    for (const struct chunk *c = chunk_first(owner); c; c = chunk_next(c)) {
        u32 used = 0;
        l4_step();
        HOLDS(c->owner == owner && c->prev == prev && chunk_find(owner, c->key) == c);
        for (u32 i = 0; i < CHUNK_PAGES; i++) {
            used += c->page[i] != 0;
            HOLDS(!c->page[i] || (c->page[i] < frames_page()->top && frame_refs(c->page[i])));
        }
        HOLDS(used && used == c->used);
        prev = chunk_ref(c);
        ++*chunks;
    }
    return true;
}

static bool split_check(void)
{
    u64 archive = 0, others = 0;
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        for (const struct chunk *c = chunk_first(object_owner(o)); c; c = chunk_next(c)) {
            l4_step();
            for (u32 i = 0; i < CHUNK_PAGES; i++) {
                archive += c->page[i] && frame_is_archive(c->page[i]);
                others += c->page[i] && !frame_is_archive(c->page[i]);
            }
        }
    }
    HOLDS(archive == pool()->of_archive && others == pool()->in_objects);
    return true;
}

static bool owners_check(u64 *chunks)
{
    for (const struct space *s = space_following(NULL); s; s = space_following(s)) {
        HOLDS(regions_check(s) && owner_check(space_ref(s), chunks));
    }
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        HOLDS(owner_check(object_owner(o), chunks));
    }
    return true;
}

static bool users_check(void)
{
    for (const struct space *s = space_following(NULL); s; s = space_following(s)) {
        u32 users = 0;
        for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
            users += (p->program == space_ref(s)) + (p->own == space_ref(s));
        }
        HOLDS(users == s->users);
    }
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        HOLDS(vmd_state()->process_of[(u16)p->label] == process_ref(p) && space_at(p->program) && space_at(p->own));
    }
    return true;
}

static bool uses_check(const struct vmd_state *state)
{
    u64 uses = 0, regions = 0, held = 0;
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        HOLDS(o->uses);
        uses += o->uses;
        held += o->owner || o->held;
    }
    for (const struct region *r = region_following(NULL); r; r = region_following(r)) {
        HOLDS(space_at(r->of));
        regions += r->object != 0;
    }
    HOLDS(uses == regions + held);
    u64 in_spaces = 0;
    for (const struct space *s = space_following(NULL); s; s = space_following(s)) {
        in_spaces += s->regions;
    }
    HOLDS(in_spaces == state->region_table.live);
    return true;
}

/* The sum over all frames: `refs` names in chunks, one for the frame of zeros; what is free is counted and in the list.
 * */
static void frame_step(u64 frame)
{
    if (frame % FRAMES_STEP == 0) {
        l4_step();
    }
}

static bool frames_check(void)
{
    const struct frames_page *page = frames_page();
    u64 refs = 0, named = 1, free = 0, listed = 0, chunks = 0;
    for (u64 f = 0; f < page->top; f++) {
        refs += frame_refs((u32)f);
        frame_step(f);
    }
    for (u32 i = 0; i < page->ranges; i++) {
        for (u64 f = page->range[i].first; f < page->range[i].first + page->range[i].count; f++) {
            free += !frame_refs((u32)f);
            frame_step(f);
        }
    }
    for (const struct space *s = space_following(NULL); s; s = space_following(s)) {
        named += pages_owned(space_ref(s));
    }
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        named += pages_owned(object_owner(o));
    }
    for (u32 f = pool()->free; f; f = frame_at(f)->next) {
        HOLDS(!frame_refs(f) && ++listed <= free);
        frame_step(listed);
    }
    for (u32 c = pool()->chunk_free; c; c = chunk_at(c)->next) {
        HOLDS(!chunk_at(c)->used && !chunk_at(c)->owner);
        frame_step(chunks++);
    }
    HOLDS(owners_check(&chunks) && chunks == pool()->chunk_high);
    HOLDS(free == pool()->frames_free && refs == named);
    return true;
}

bool vmd_exact(const struct vmd_state *state)
{
    if (!state->ready) {
        return true;
    }
    return frames_check() && split_check() && users_check() && uses_check(state);
}
