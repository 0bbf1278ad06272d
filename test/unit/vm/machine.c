/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: see machine.h. */
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
    ENTRIES = 8192,
    /* as frames_pool_bytes says */
    POOL_BYTES = (L4_PAGE_SIZE + (4 + FRAMES_CHUNK_BYTES) * CHUNKS + FRAMES_BYTES * TOP + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1)
};

/* All zero: it is to be made. */
struct machine {
    u64 is_made, installed;
    u32 entries, refuse_in;
    struct machine_entry entry[ENTRIES];
    u8 content[TOP][L4_PAGE_SIZE];
};

static struct machine *machine_at(void)
{
    return (struct machine *)(FRAMES_POOL + frames_pool_bytes(TOP, CHUNKS));
}

/* All page tables are empty at first, the archive is filled, other frames hold junk. */
static struct machine *machine(void)
{
    struct machine *m = machine_at();
    if (!m->is_made) {
        m->is_made = 1;
        memset(m->content, 0xa5, sizeof m->content);
        for (u32 i = 0; i < MACHINE_ARCHIVE; i++) {
            u64 value = 0xa000 + i;
            memcpy(m->content[ARCHIVE + i], &value, sizeof value);
        }
    }
    return m;
}

const struct frames_page *frames_page(void)
{
    static const struct frames_page page = {
        .magic = FRAMES_MAGIC, .top = TOP, .chunks = CHUNKS, .pool_bytes = POOL_BYTES,
        .archive = ARCHIVE * L4_PAGE_SIZE, .archive_bytes = MACHINE_ARCHIVE * L4_PAGE_SIZE - 100,
        .adoptable = (ARCHIVE + 4) * L4_PAGE_SIZE, .adoptable_bytes = (MACHINE_ARCHIVE - 5) * L4_PAGE_SIZE,
        .runtime = (ARCHIVE + 1) * L4_PAGE_SIZE, .runtime_bytes = MACHINE_RUNTIME * L4_PAGE_SIZE - 10, .ranges = 2,
        .range = { { FIRST, HOLE - FIRST }, { HOLE + HOLE_PAGES, MACHINE_FRAMES - (HOLE - FIRST) } },
    };
    return &page;
}

u64 machine_bytes(void) { return (u64)(machine_at() + 1) - L4_STATE_ADDRESS; }
u64 machine_installed(void) { return machine()->installed; }

void *frame_content(u32 frame)
{
    if (frame < FIRST || frame >= TOP || (frame >= HOLE && frame < HOLE + HOLE_PAGES)) {
        abort();
    }
    return machine()->content[frame];
}

const struct machine_entry *machine_find(u64 task, u64 address)
{
    const struct machine *m = machine();
    for (u32 i = 0; i < m->entries; i++) {
        if (m->entry[i].task == task && m->entry[i].address == (address & ~(L4_PAGE_SIZE - 1ul))) {
            return &m->entry[i];
        }
    }
    return NULL;
}

static void enter(u64 task, u64 address, u32 frame, u32 rights)
{
    struct machine *m = machine();
    struct machine_entry *e = &m->entry[m->entries];
    for (u32 i = 0; i < m->entries; i++) {
        if (m->entry[i].task == task && m->entry[i].address == address) {
            e = &m->entry[i];
        }
    }
    if (e == &m->entry[m->entries] && ++m->entries == ENTRIES) {
        abort();
    }
    *e = (struct machine_entry){ task, address, frame, rights };
    m->installed++;
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
    bool refuses = machine()->refuse_in && --machine()->refuse_in == 0;
    for (u64 i = 0; i < count; i++) {
        if (refuses && i) {
            return L4_NO_MEMORY;
        }
        page_map(task, frame + (u32)i, address + i * L4_PAGE_SIZE, rights);
    }
    return refuses ? L4_NO_MEMORY : L4_OK;
}

void machine_refuse(u32 nth) { machine()->refuse_in = nth; }

void pages_copy(cap_t to, cap_t from, u64 address, u64 end)
{
    l4_hook();
    u32 last = machine()->entries;
    for (u32 i = 0; i < last; i++) {
        const struct machine_entry *e = &machine()->entry[i];
        if (e->task == from && e->address >= address && e->address < end && !machine_find(to, e->address)) {
            enter(to, e->address, e->frame, e->rights & ~L4_W);
        }
    }
    l4_hook();
}

static void entry_revoke(struct machine *m, u32 i, u32 rights)
{
    m->entry[i].rights &= ~rights;
    if (rights & L4_R) {
        m->entry[i] = m->entry[--m->entries];
    }
}

void pages_revoke(cap_t task, u64 address, u64 end, u32 rights)
{
    l4_hook();
    struct machine *m = machine();
    for (u32 i = m->entries; i-- > 0; ) {
        if (m->entry[i].task == task && m->entry[i].address >= address && m->entry[i].address < end) {
            entry_revoke(m, i, rights);
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
    for (u32 i = 0; i < machine()->entries; i++) {
        const struct machine_entry *e = &machine()->entry[i];
        const struct process *p = process_following(NULL);
        while (p && p->task != e->task) {
            p = process_following(p);
        }
        const char *wrong = is_text(e) ? NULL : p ? process_entry_check(p, e) : object_entry_check(e);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}
