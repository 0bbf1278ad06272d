/* SPDX-License-Identifier: BSD-2-Clause */
/* life.c: see life.h. Whatever is long is done in pieces before the transaction that answers: copying into a child that
 * nobody
 * runs yet, and giving back what nobody reaches any more. */
#include "life.h"

#include <process.h>

#include "fault.h"
#include "fill.h"
#include "object.h"
#include "page.h"

enum {
    STACK_TOP_PAGES = 2,            /* of a runtime stack, present from the start */
    TOP_SHIFT = 39,                 /* bytes below one entry of a top-level page table */
    STACK_BYTES = VM_BLOCK - VM_BLOCK_STACK,
    COPY_PAGES = 4096,              /* a larger child gets its page tables by faults */
};

static u64 block_at(u32 slot) { return VM_RUNTIME_THREADS + (u64)slot * VM_BLOCK; }
static u32 index_of(u64 label) { return (u16)label; }

bool label_is_process(u64 label)
{
    return index_of(label) >= VM_PROCESS_FIRST && index_of(label) < VM_PROCESS_END;
}

const struct process *process_find(u64 label)
{
    const struct process *p = label_is_process(label) ? process_at(vmd_state()->process_of[index_of(label)]) : NULL;
    return p && p->label == label && !p->step ? p : NULL;
}

/* One that is there, complete or not. */
static const struct process *process_any(u64 label)
{
    const struct process *p = label_is_process(label) ? process_at(vmd_state()->process_of[index_of(label)]) : NULL;
    return p && p->label == label ? p : NULL;
}

const struct space *space_for(const struct process *p, u64 address)
{
    return space_at(address < VM_ADDRESS_END ? p->program : p->own);
}

void exhausted_tell(struct vmd_tx tx)
{
    if (vmd_state()->pm) {
        vmd_raise_exhausted(tx, vmd_state()->pm);
    }
}

static void pm_note(struct vmd_tx tx, u64 label)
{
    if (vmd_state()->pm != label) {
        vmd_set_pm(tx, label);
    }
}

static void process_of_set(struct vmd_tx tx, u64 label, u32 ref)
{
    const u32 *at = &vmd_state()->process_of[index_of(label)];
    l4_keep((const void *)((u64)at & ~7ul), 1);
    vmd_writable()->process_of[index_of(label)] = ref;
    l4_hook();
}

static const struct space *space_make(struct vmd_tx tx)
{
    struct space *s = space_new(tx);
    if (s) {
        s->users = 1;
        s->window = 1;
    }
    return s;
}

/* ---- the runtime's memory ---- */
static bool pages_fresh(struct vmd_tx tx, const struct process *p, u64 address, u64 end)
{
    const struct region *r = region_find(space_at(p->own), address);
    for (; address < end; address += L4_PAGE_SIZE) {
        u32 frame = page_zero(tx, space_at(p->own), region_page(r, address), 0);
        if (!frame) {
            return false;
        }
        fill_frames(tx, p->task, frame, 1, address, L4_R | L4_W);
    }
    return true;
}

static void own_region(struct vmd_tx tx, const struct process *p, u64 address, u64 bytes)
{
    region_insert(tx, space_at(p->own),
        (struct region){ .address = address, .bytes = bytes, .protection = VM_RW, .most = VM_RWX });
}

/* The data page and the stack of a block, without pages yet. */
static void block_regions(struct vmd_tx tx, const struct process *p, u32 slot)
{
    own_region(tx, p, block_at(slot) + VM_BLOCK_THREAD, L4_PAGE_SIZE);
    own_region(tx, p, block_at(slot) + VM_BLOCK_STACK, STACK_BYTES);
    process_set_blocks(tx, p, p->blocks | 1u << slot);
}

static bool block_fill(struct vmd_tx tx, const struct process *p, u32 slot)
{
    u64 page = block_at(slot) + VM_BLOCK_THREAD, end = block_at(slot) + VM_BLOCK;
    return pages_fresh(tx, p, page, page + L4_PAGE_SIZE)
           && pages_fresh(tx, p, end - STACK_TOP_PAGES * L4_PAGE_SIZE, end);
}

/* Keeper has mapped it. */
static void text_region(struct vmd_tx tx, const struct process *p)
{
    const struct object *o = object_at(vmd_state()->runtime);
    if (!o || !o->bytes) {
        return;
    }
    region_insert(tx, space_at(p->own),
        (struct region){ .address = VM_RUNTIME_TEXT,
            .bytes = page_up(o->bytes),
            .object = object_ref(o),
            .protection = VM_RX,
            .most = VM_RX,
            .how = VM_SHARED });
}

static void runtime_regions(struct vmd_tx tx, const struct process *p)
{
    text_region(tx, p);
    own_region(tx, p, VM_RUNTIME_DATA, VM_RUNTIME_DATA_BYTES);
    block_regions(tx, p, 0);
}

static bool runtime_map(struct vmd_tx tx, const struct process *p)
{
    runtime_regions(tx, p);
    return pages_fresh(tx, p, VM_RUNTIME_DATA, VM_RUNTIME_DATA + VM_RUNTIME_DATA_PRESENT) && block_fill(tx, p, 0);
}

static bool is_room_for_runtime(void)
{
    return vmd_state()->region_table.live + 8 <= VMD_REGIONS;
}

/* ---- make ---- */
static struct process *process_begin(struct vmd_tx tx, u64 client, u32 task, u32 program)
{
    struct process *p = process_new(tx);
    const struct space *own = p ? space_make(tx) : NULL;
    const struct space *space = own && !program ? space_make(tx) : space_at(program);
    if (!own || !space) {
        return NULL;
    }
    if (program) {
        space_set_users(tx, space, space->users + 1);
    }
    *p = (struct process){ .label = client, .task = task, .program = space_ref(space), .own = space_ref(own) };
    l4_hook();
    process_of_set(tx, client, process_ref(p));
    return p;
}

/* The index is taken by another generation, or by the same label. */
static l4_err_t place_check(u64 client)
{
    if (!label_is_process(client)) {
        return VM_PERM;
    }
    return vmd_state()->process_of[index_of(client)] ? VM_EXIST : L4_OK;
}

l4_err_t vm_make_do(struct vmd_tx tx, u64 label, u64 client, u32 task)
{
    l4_err_t err = place_check(client);
    fill_begin();
    if (err != L4_OK) {
        return err;
    }
    pm_note(tx, label);
    if (!is_room_for_runtime()) {
        return VM_AGAIN;
    }
    const struct process *p = process_begin(tx, client, task, 0);
    return !p ? VM_AGAIN : runtime_map(tx, p) ? L4_OK : VM_NOMEM;
}

/* ---- giving back ---- */
/* The program space, unless others see it. In pieces. */
static void program_leave(struct vmd_tx tx, const struct process *p)
{
    if (space_at(p->program)->users == 1) {
        space_empty(tx, space_at(p->program));
    }
}

static void space_put(struct vmd_tx tx, const struct space *space)
{
    if (space->users > 1) {
        space_set_users(tx, space, space->users - 1);
    } else {
        space_free(tx, space);
    }
}

/* What the task has of the program, whole entries of the top-level page table at once. */
static void program_hide(const struct process *p)
{
    const struct region *r = region_at(space_at(p->program)->first);
    while (r) {
        u64 address = r->address >> TOP_SHIFT, end = address;
        for (; r && r->address >> TOP_SHIFT <= end; r = region_next(r)) {
            end = ((region_end(r) - 1) >> TOP_SHIFT) + 1;
        }
        pages_revoke(p->task, address << TOP_SHIFT, end << TOP_SHIFT, L4_R);
    }
}

/* What it has of the runtime's own regions in [address, end). */
static void own_hide(const struct process *p, u64 address, u64 end)
{
    for (const struct region *r = region_from(space_at(p->own), address); r && r->address < end; r = region_next(r)) {
        pages_revoke(p->task, r->address, region_end(r), L4_R);
    }
}

/* All that vm has mapped into the task. What keeper has stays for whoever has the task next: the runtime's text, the info page, a window. */
static void process_hide(const struct process *p)
{
    program_hide(p);
    own_hide(p, VM_RUNTIME_DATA, VM_RUNTIME_PROGRAM);
    if (!space_is_free(space_at(p->own), VM_RUNTIME_PROGRAM, L4_USER_END)) {
        pages_revoke(p->task, VM_RUNTIME_PROGRAM, VM_RUNTIME_PROGRAM + VM_RUNTIME_PROGRAM_BYTES, L4_R);
    }
}

/* In pieces. */
static void process_empty(struct vmd_tx tx, const struct process *p)
{
    process_hide(p);
    program_leave(tx, p);
    space_empty(tx, space_at(p->own));
    piece_pause();
}

/* Caller: it is empty. */
static void process_end(struct vmd_tx tx, const struct process *p)
{
    space_put(tx, space_at(p->program));
    space_free(tx, space_at(p->own));
    process_of_set(tx, p->label, 0);
    process_free(tx, p);
}

l4_err_t vm_drop_do(struct vmd_tx tx, u64 label, u64 client)
{
    const struct process *p = process_any(client);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    struct pieces own = pieces_open();
    process_empty(tx, p);
    pieces_close(own);
    process_end(tx, p);
    return L4_OK;
}

/* ---- threads ---- */
/* Nobody sees the block any more. In pieces. */
static void block_clear(struct vmd_tx tx, const struct process *p, u32 slot)
{
    u64 page = block_at(slot) + VM_BLOCK_THREAD, stack = block_at(slot) + VM_BLOCK_STACK;
    space_clear(tx, space_at(p->own), page, page + L4_PAGE_SIZE);
    space_clear(tx, space_at(p->own), stack, stack + STACK_BYTES);
}

l4_err_t vm_make_thread_do(struct vmd_tx tx, u64 label, u64 client, u32 slot)
{
    const struct process *p = process_find(client);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    if (slot >= VM_THREADS) {
        return VM_INVAL;
    }
    if (p->blocks >> slot & 1) {
        return VM_EXIST;
    }
    if (!is_room_for_runtime()) {
        return VM_AGAIN;
    }
    block_regions(tx, p, slot);
    return block_fill(tx, p, slot) ? L4_OK : VM_NOMEM;
}

l4_err_t vm_drop_thread_do(struct vmd_tx tx, u64 label, u64 client, u32 slot)
{
    const struct process *p = process_find(client);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    if (slot >= VM_THREADS || !(p->blocks >> slot & 1)) {
        return VM_INVAL;
    }
    own_hide(p, block_at(slot), block_at(slot + 1));
    struct pieces own = pieces_open();
    block_clear(tx, p, slot);
    pieces_close(own);
    process_set_blocks(tx, p, p->blocks & ~(1u << slot));
    return L4_OK;
}

/* ---- exec ---- */
/* All that may be refused, at once, before anything is given up: a program space that nobody else sees, the first
 * block. Asked again it is there, whatever others have taken since. */
static bool exec_begin(struct vmd_tx tx, const struct process *p)
{
    const struct space *program = space_at(p->program), *alone = program->users == 1 ? program : space_make(tx);
    if (!alone) {
        return false;
    }
    if (alone != program) {
        space_set_users(tx, program, program->users - 1);
        process_set_program(tx, p, space_ref(alone));
    }
    if (p->blocks & 1) {
        return true;
    }
    if (!is_room_for_runtime()) {
        return false;
    }
    block_regions(tx, p, 0);
    return block_fill(tx, p, 0);
}

/* The first block and no other. In pieces. */
static void blocks_thin(struct vmd_tx tx, const struct process *p)
{
    for (u32 slot = 1; slot < VM_THREADS; slot++) {
        if (p->blocks >> slot & 1) {
            block_clear(tx, p, slot);
        }
    }
}

/* The runtime's pages are zeros again, where they lie: nobody runs who could see it. */
static void own_zero(const struct process *p)
{
    for (const struct region *r = region_from(space_at(p->own), VM_RUNTIME_DATA); r && r->address < VM_RUNTIME_PROGRAM; r = region_next(r)) {
        for (u64 i = 0; i < r->bytes >> L4_PAGE_SHIFT; i++) {
            u32 frame = page_frame(p->own, r->index + i);
            if (frame) {
                memset(frame_content(frame), 0, L4_PAGE_SIZE);
            }
        }
    }
}

l4_err_t vm_exec_do(struct vmd_tx tx, u64 label, u64 client)
{
    const struct process *p = process_find(client);
    fill_begin();
    if (!p) {
        return VM_PERM;
    }
    program_hide(p);
    own_hide(p, block_at(1), VM_RUNTIME_PROGRAM);
    struct pieces own = pieces_open();
    bool begun = exec_begin(tx, p);
    if (begun) {
        piece_commit();
        space_empty(tx, space_at(p->program));
        blocks_thin(tx, p);
    } else {
        l4_undo();
    }
    pieces_close(own);
    if (!begun) {
        fill_begin();
        return VM_NOMEM;
    }
    process_set_blocks(tx, p, 1);
    own_zero(p);
    return L4_OK;
}

/* ---- fork ---- */
static bool program_fork(struct vmd_tx tx, const struct process *parent, const struct process *child)
{
    const struct space *from = space_at(parent->program), *to = space_at(child->program);
    return from == to || space_fork(tx, from, to);
}

/* The pages of the parent's region at `address` as the child's own, at `to`: as they are now, since the threads wait. In pieces. */
static bool pages_own_fork(struct vmd_tx tx, const struct process *parent, const struct process *child, u64 address, u64 to)
{
    const struct space *own = space_at(child->own);
    const struct region *from = region_find(space_at(parent->own), address), *r = region_find(own, to);
    for (u64 i = 0; i < from->bytes >> L4_PAGE_SHIFT; i++) {
        u32 frame = page_frame(parent->own, from->index + i), copy = 0;
        piece_pause();
        if (frame && !(copy = page_copy(tx, own, r->index + i, frame, 0))) {
            return false;
        }
        if (copy) {
            fill_frames(tx, child->task, copy, 1, to + (i << L4_PAGE_SHIFT), L4_R | L4_W);
        }
    }
    return true;
}

static bool runtime_fork(struct vmd_tx tx, const struct process *parent, const struct process *child, u32 slot)
{
    u64 from = block_at(slot), to = block_at(0);
    return pages_own_fork(tx, parent, child, VM_RUNTIME_DATA, VM_RUNTIME_DATA) &&
           pages_own_fork(tx, parent, child, from + VM_BLOCK_THREAD, to + VM_BLOCK_THREAD) &&
           pages_own_fork(tx, parent, child, from + VM_BLOCK_STACK, to + VM_BLOCK_STACK);
}

/* ---- page tables ----
 * The addresses below one entry of a top-level page table, where all is private, are one request to the kernel, whatever regions there
 * are: pages lose a right there that faults give back, or are copied that faults would bring. */
struct stretch { u64 address, end; const struct region *behind; };

/* That of region `r`, the first one there. `behind` is the first region in the next; no addresses: shared regions are there, too. */
static struct stretch stretch_of(const struct region *r)
{
    u64 address = r->address >> TOP_SHIFT << TOP_SHIFT, end = address + (1ul << TOP_SHIFT);
    bool alone = true;
    for (; r && r->address < end; r = region_next(r)) {
        alone &= !region_is_shared(r) && region_end(r) <= end;
    }
    return alone ? (struct stretch){ address, end, r } : (struct stretch){ 0, 0, r };
}

static bool is_private_writable(const struct region *r) { return !region_is_shared(r) && r->protection & VM_W; }

/* Private pages that the parent may write lose that: everywhere the space is seen, before any frame gets a second
 * holder. */
static void program_freeze(const struct space *space)
{
    for (const struct region *r = region_at(space->first); r;) {
        struct stretch s = stretch_of(r);
        bool writes = false;
        for (; r != s.behind; r = region_next(r)) {
            writes |= is_private_writable(r);
            if (!s.end && is_private_writable(r)) {
                space_revoke(space, r->address, region_end(r), L4_W);
            }
        }
        if (s.end && writes) {
            space_revoke(space, s.address, s.end, L4_W);
        }
    }
}

/* What was made of a child before a crash goes: its parent's threads have run since, and what they have is another
 * space. In pieces. */
static void child_end(struct vmd_tx tx, const struct process *child)
{
    struct pieces own = pieces_open();
    process_empty(tx, child);
    process_end(tx, child);
    pieces_close(own);
}

/* A child as `make` makes it, but incomplete: nothing but this method and drop knows it. */
static l4_err_t child_begin(struct vmd_tx tx, const struct process *parent, u64 client, u32 task, bool share)
{
    struct process *p = is_room_for_runtime() ? process_begin(tx, client, task, share ? parent->program : 0) : NULL;
    if (!p) {
        return VM_AGAIN;
    }
    p->step = 1;
    p->spare_space = parent->spare_space;
    p->spare_data = parent->spare_data;
    l4_hook();
    runtime_regions(tx, p);
    return L4_OK;
}

static l4_err_t child_fill(struct vmd_tx tx, const struct process *parent, const struct process *child, u32 slot)
{
    return program_fork(tx, parent, child) && runtime_fork(tx, parent, child, slot) ? L4_OK : VM_NOMEM;
}

/* All of it but its page tables, or nothing. In pieces. */
static l4_err_t child_make(struct vmd_tx tx, const struct process *parent, u64 client, u32 task, u32 slot, bool share)
{
    struct pieces own = pieces_open();
    l4_err_t err = child_begin(tx, parent, client, task, share);
    if (err != L4_OK) {
        l4_undo();
    } else {
        piece_commit();
        const struct process *child = process_any(client);
        err = child_fill(tx, parent, child, slot);
        if (err != L4_OK) {
            process_empty(tx, child);
            process_end(tx, child);
        }
    }
    pieces_close(own);
    return err;
}

static void page_tables_fork(struct vmd_tx tx, const struct process *parent, const struct process *child)
{
    const struct space *from = space_at(parent->program);
    if (parent->program == child->program || pages_owned(parent->program) > COPY_PAGES) {
        return;
    }
    for (const struct region *r = region_at(from->first); r;) {
        struct stretch s = stretch_of(r);
        if (s.end) {
            fill_copy(tx, child->task, parent->task, s.address, s.end);
        }
        for (; r != s.behind; r = region_next(r)) {
            if (!s.end && !region_is_shared(r)) {
                fill_copy(tx, child->task, parent->task, r->address, region_end(r));
            }
        }
    }
}

l4_err_t vm_fork_do(
    struct vmd_tx tx, u64 label, u64 parent, u64 child, u32 task, u32 slot, bool share, u64 done, u64 *next)
{
    const struct process *from = process_find(parent), *to = process_any(child);
    *next = 0;
    fill_begin();
    if (!from || slot >= VM_THREADS || !(from->blocks >> slot & 1)) {
        return VM_PERM;
    }
    if (done) {
        return VM_INVAL;
    }
    if (to && !to->step) {
        return VM_EXIST;
    }
    if (to) {
        child_end(tx, to);
    }
    l4_err_t err = place_check(child);
    if (err != L4_OK) {
        return err;
    }
    if (!share) {
        program_freeze(space_at(from->program));
    }
    err = child_make(tx, from, child, task, slot, share);
    if (err != L4_OK) {
        fill_begin();
        return err;
    }
    process_set_step(tx, process_any(child), 0);
    page_tables_fork(tx, from, process_any(child));
    return L4_OK;
}
