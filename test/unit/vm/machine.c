/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: see machine.h. Page tables survive a kill of vm, as the kernel's do. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <process.h>
#include "../../../personality/vm/fault.h"
#include "../../../personality/vm/object.h"
#include "../../../personality/vm/page.h"

enum {
    FIRST = 100,
    HOLE = 190,
    HOLE_PAGES = 50,
    ARCHIVE = 600,
    TOP = ARCHIVE + MACHINE_ARCHIVE,
    CHUNKS = 256,
    ENTRIES = 8192
};

static u8 content[TOP][L4_PAGE_SIZE];
static struct machine_entry entry[ENTRIES];
static u32 entries;
static u64 installed;
static u32 refuse_in;
static struct frames_page page;

static void page_fill(void)
{
    page = (struct frames_page){
        .magic = FRAMES_MAGIC, .top = TOP, .chunks = CHUNKS, .pool_bytes = frames_pool_bytes(TOP, CHUNKS),
        .archive = ARCHIVE * L4_PAGE_SIZE, .archive_bytes = MACHINE_ARCHIVE * L4_PAGE_SIZE - 100,
        .adoptable = (ARCHIVE + 4) * L4_PAGE_SIZE, .adoptable_bytes = (MACHINE_ARCHIVE - 5) * L4_PAGE_SIZE,
        .runtime = (ARCHIVE + 1) * L4_PAGE_SIZE, .runtime_bytes = MACHINE_RUNTIME * L4_PAGE_SIZE - 10, .ranges = 2,
        .range = { { FIRST, HOLE - FIRST }, { HOLE + HOLE_PAGES, MACHINE_FRAMES - (HOLE - FIRST) } },
    };
}

void machine_reset(void)
{
    page_fill();
    entries = 0;
    memset(content, 0xa5, sizeof content);
    for (u32 i = 0; i < MACHINE_ARCHIVE; i++) {
        u64 value = 0xa000 + i;
        memcpy(content[ARCHIVE + i], &value, sizeof value);
    }
}

const struct frames_page *frames_page(void)
{
    if (!page.magic) {
        page_fill();
    }
    return &page;
}

u64 machine_pool_bytes(void) { return frames_page()->pool_bytes; }
u64 machine_installed(void) { return installed; }

void *frame_content(u32 frame)
{
    if (frame < FIRST || frame >= TOP || (frame >= HOLE && frame < HOLE + HOLE_PAGES)) {
        abort();
    }
    return content[frame];
}

const struct machine_entry *machine_find(u64 task, u64 address)
{
    for (u32 i = 0; i < entries; i++) {
        if (entry[i].task == task && entry[i].address == (address & ~(L4_PAGE_SIZE - 1ul))) {
            return &entry[i];
        }
    }
    return NULL;
}

static void enter(u64 task, u64 address, u32 frame, u32 rights)
{
    struct machine_entry *e = &entry[entries];
    for (u32 i = 0; i < entries; i++) {
        if (entry[i].task == task && entry[i].address == address) {
            e = &entry[i];
        }
    }
    if (e == &entry[entries] && ++entries == ENTRIES) {
        abort();
    }
    *e = (struct machine_entry){ task, address, frame, rights };
    installed++;
}

l4_err_t page_map(cap_t task, u32 frame, u64 address, u32 rights)
{
    l4_hook();
    enter(task, address, frame, rights);
    l4_hook();
    return L4_OK;
}

l4_err_t page_map_run(cap_t task, u32 frame, u64 count, u64 address, u32 rights)
{
    bool refuses = refuse_in && --refuse_in == 0;
    for (u64 i = 0; i < count; i++) {
        if (refuses && i) {
            return L4_NO_MEMORY;
        }
        page_map(task, frame + (u32)i, address + i * L4_PAGE_SIZE, rights);
    }
    return refuses ? L4_NO_MEMORY : L4_OK;
}

void machine_refuse(u32 nth) { refuse_in = nth; }

void pages_copy(cap_t to, cap_t from, u64 address, u64 end)
{
    l4_hook();
    u32 last = entries;
    for (u32 i = 0; i < last; i++) {
        const struct machine_entry *e = &entry[i];
        if (e->task == from && e->address >= address && e->address < end && !machine_find(to, e->address)) {
            enter(to, e->address, e->frame, e->rights & ~L4_W);
        }
    }
    l4_hook();
}

static void entry_revoke(u32 i, u32 rights)
{
    entry[i].rights &= ~rights;
    if (rights & L4_R) {
        entry[i] = entry[--entries];
    }
}

void pages_revoke(cap_t task, u64 address, u64 end, u32 rights)
{
    l4_hook();
    for (u32 i = entries; i-- > 0; ) {
        if (entry[i].task == task && entry[i].address >= address && entry[i].address < end) {
            entry_revoke(i, rights);
        }
    }
    l4_hook();
}

/* ---- against the state ---- */
static const char *process_entry_check(const struct process *p, const struct machine_entry *e)
{
    const struct space *space = space_for(p, e->address);
    const struct region *r = region_find(space, e->address);
    if (!r) {
        return "mapped where there is no region";
    }
    if (e->rights & ~rights_of(r->protection)) {
        return "mapped with more rights than the region has";
    }
    u64 in_object = (r->offset + (e->address - r->address)) >> L4_PAGE_SHIFT;
    const struct object *o = object_at(r->object);
    u32 own = region_is_shared(r) ? 0 : page_frame(space_ref(space), region_page(r, e->address));
    u32 below = own ? own : o ? page_frame(object_owner(o), in_object) : vmd_state()->zeros;
    if (e->frame != below) {
        return "another frame is mapped than the state says";
    }
    bool writes = e->rights & L4_W;
    if (!region_is_shared(r) && writes && (!own || frame_refs(own) != 1)) {
        return "a shared frame may be written";
    }
    return NULL;
}

/* An object that moves is shown at its new place before it is said to be there: only frames that its owner has in any case. */
static bool is_moving(const struct machine_entry *e)
{
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        bool is_owners = o->owner && PROCESS_TASKS_AT_VM + (u64)(u16)o->owner == e->task;
        for (u64 i = 0; is_owners && i << L4_PAGE_SHIFT < o->bytes; i++) {
            if (page_frame(object_owner(o), i) == e->frame) {
                return true;
            }
        }
    }
    return false;
}

/* Pages that an object grows by are shown before its size says so, at the place where it will be. */
static const char *object_entry_check(const struct machine_entry *e)
{
    for (const struct object *o = object_following(NULL); o; o = object_following(o)) {
        if (o->owner && PROCESS_TASKS_AT_VM + (u64)(u16)o->owner == e->task && e->address >= o->at &&
            e->address < o->at + o->reserve) {
            return page_frame(object_owner(o), (e->address - o->at) >> L4_PAGE_SHIFT) == e->frame
                       ? NULL
                       : "another frame of the object";
        }
    }
    return is_moving(e) ? NULL : "mapped where there is no object";
}

/* The runtime's text stays in a task, whoever has it next. */
static bool is_text(const struct machine_entry *e)
{
    u64 page = (e->address - VM_RUNTIME_TEXT) >> L4_PAGE_SHIFT;
    return page < MACHINE_RUNTIME && e->frame == (frames_page()->runtime >> L4_PAGE_SHIFT) + page && !(e->rights & L4_W);
}

const char *machine_check(void)
{
    for (u32 i = 0; i < entries; i++) {
        const struct process *p = process_following(NULL);
        while (p && p->task != entry[i].task) {
            p = process_following(p);
        }
        const char *wrong = is_text(&entry[i]) ? NULL : p ? process_entry_check(p, &entry[i]) : object_entry_check(&entry[i]);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}
