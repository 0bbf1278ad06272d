/* SPDX-License-Identifier: BSD-2-Clause */
/* vmd_kill.c: kills vm at every step of every method. The pool lies behind the state, frames and page tables behind
 * that: they are part of each image. That its counts are exact is the audit's business, which each new incarnation
 * runs; that nobody sees a frame which is not his is machine.c's. */
#include "vmd_kill.h"

#include <boot/frames.h>
#include "../../../personality/vm/page.h"
#include "../../../personality/vm/space.h"
#include "machine.h"

enum {
    PARENT = 0x70010,
    CHILD = 0x70011,
    OTHER = 0x70012,
    TASK = 4096 + 16,
    CHILD_TASK = 4096 + 17,
    OTHER_TASK = 4096 + 18
};
enum {
    SERVICE = 0x70005,
    FILE_AT = 0x500000,
    RESERVE = 0x40000,
    PAGE = 4096,
    CODE = 0x10000,
    HIGH = 0x20000,
    FILE_MAP = 0x80000
};

#define CALL(what, ...) kill_send(&(struct kill_request){ .method = VMD_KILL_##what, __VA_ARGS__ })
#define MAP(at, pages, protection, how) CALL(VM_MAP, .label = PARENT, .word = { at, (pages) * PAGE, protection, how })
#define FAULT(label_, at, error) CALL(PAGER_FAULT, .label = label_, .word = { at, error, 0 })

static void prepare(void)
{
    CALL(VM_MAKE, .word = { PARENT, TASK });
    MAP(CODE, 8, VM_RW, VM_FIXED);
    FAULT(PARENT, CODE, PAGER_WRITE);
    FAULT(PARENT, CODE + PAGE, PAGER_WRITE);
    FAULT(PARENT, CODE + 3 * PAGE, PAGER_READ);
    MAP(HIGH, 2, VM_RW, VM_FIXED | VM_SHARED);
    FAULT(PARENT, HIGH, PAGER_WRITE);
    CALL(VM_MAKE_OBJECT, .label = SERVICE, .word = { 77, FILE_AT, RESERVE, 3 * PAGE - 5 });
}

/* 10 pages are there, 8 of them data. */
static void limited(void) { CALL(VM_LIMIT, .word = { PARENT, 18 * PAGE, 9 * PAGE }); }
static void forked(void) { CALL(VM_FORK, .word = { PARENT, CHILD, CHILD_TASK, 0, false, 0 }); }
static void shared(void) { CALL(VM_FORK, .word = { PARENT, CHILD, CHILD_TASK, 0, true, 0 }); }
static void threaded(void) { CALL(VM_MAKE_THREAD, .word = { PARENT, 2 }); }
static void arguments(void)
{
    MAP(VM_RUNTIME_PROGRAM, 2, VM_RW, VM_FIXED);
    FAULT(PARENT, VM_RUNTIME_PROGRAM, PAGER_WRITE);
}
static void file_mapped(void)
{
    CALL(VM_MAP_OBJECT, .words = 9, .word = { PARENT, 3, 0, FILE_MAP, 3 * PAGE, VM_RW, VM_FIXED, VM_RW, 5 });
    FAULT(PARENT, FILE_MAP, PAGER_WRITE);
    FAULT(PARENT, FILE_MAP + 2 * PAGE, PAGER_WRITE);
}

/* Five pages of the object of three, of which nothing was touched. */
static void object_mapped(u32 how)
{
    CALL(VM_MAP_OBJECT, .words = 9, .word = { PARENT, 3, 0, FILE_MAP, 5 * PAGE, VM_RW, VM_FIXED | how, VM_RW, 5 });
}
static void object_private(void) { object_mapped(0); }
static void object_shared(void) { object_mapped(VM_SHARED); }
static void object_read(void)
{
    object_mapped(0);
    FAULT(PARENT, FILE_MAP + PAGE, PAGER_READ);
}

enum { WRITE_AGAIN = PAGER_WRITE | PAGER_PRESENT };
static void one_before(void) { FAULT(PARENT, CODE + 4 * PAGE, PAGER_WRITE); }
static void copied_before(void)
{
    for (u32 i = 4; i < 8; i++) {
        FAULT(PARENT, CODE + i * PAGE, PAGER_WRITE);
    }
    forked();
    FAULT(PARENT, CODE + 4 * PAGE, WRITE_AGAIN);
}

/* ---- what is left when vm died in the middle of a fork ---- */
static const struct process *process_of(u64 label) { return process_at(vmd_state()->process_of[(u16)label]); }

/* All was copied and stays, but the child is not yet said to be there. */
static bool child_has_pages(void)
{
    const struct process *p = process_of(CHILD);
    return l4_undo_log()->top <= 1 && p && space_at(p->program)->chunks;
}
static void forked_half(void)
{
    kill_cut(&(struct kill_request){ .method = VMD_KILL_VM_FORK, .word = { PARENT, CHILD, CHILD_TASK, 0, false, 0 }, .words = 6 },
        child_has_pages);
}
/* The parent's other threads went on: there is a region below those that the child has, … */
static void forked_half_and_mapped(void)
{
    forked_half();
    MAP(CODE + 10 * PAGE, 1, VM_R, VM_FIXED);
}
/* … there is a page beside one that it has, and one that it has was given back. */
static void forked_half_and_written(void)
{
    forked_half();
    FAULT(PARENT, CODE + 5 * PAGE, PAGER_WRITE);
    CALL(VM_DISCARD, .label = PARENT, .word = { CODE + PAGE, PAGE });
}
/* Somebody takes all memory but so many frames. */
static void crowd(u64 client, u64 left)
{
    enum { AT = 0x1000000 };
    CALL(VM_MAP, .label = client, .word = { AT, 128 * PAGE, VM_RW, VM_FIXED });
    for (u64 at = AT; frames_free() > left; at += PAGE) {
        FAULT(client, at, PAGER_WRITE);
    }
}
/* Nothing is left but what fork and exec may take. */
static void exhausted(void) { crowd(PARENT, 2); }
static void exhausted_and_forked(void)
{
    forked();
    crowd(PARENT, 2);
}
/* A child's own pages do not fit. */
static void crowded(void) { crowd(PARENT, 3); }

/* ---- exec, by a thread that is not the first ---- */
static void threads_made(void)
{
    for (u32 t = 1; t < VM_THREADS; t++) {
        CALL(VM_MAKE_THREAD, .word = { PARENT, t });
    }
    arguments();
}
static void first_gone(void)
{
    threads_made();
    CALL(VM_DROP_THREAD, .word = { PARENT, 0 });
}
static bool program_is_empty(void) { return l4_undo_log()->top <= 1 && !space_at(process_of(PARENT)->program)->regions; }
/* After the point of no return somebody else takes all memory. */
static void emptied_and_crowded(void)
{
    first_gone();
    CALL(VM_MAKE, .word = { OTHER, OTHER_TASK });
    kill_cut(&(struct kill_request){ .method = VMD_KILL_VM_EXEC, .word = { PARENT } }, program_is_empty);
    crowd(OTHER, 2);
}
/* Before it: nothing has changed when this is refused. */
static void first_gone_and_crowded(void)
{
    first_gone();
    crowd(PARENT, 2);
}

/* ---- what the state means, whatever the numbers of its records ---- */
static u64 mixed(u64 hash, u64 value) { return (hash ^ value) * 0x9e3779b97f4a7c15ul ^ hash >> 29; }

static u64 page_meaning(u64 hash, u32 frame)
{
    return frame ? mixed(mixed(hash, *(const u64 *)frame_content(frame)), frame_refs(frame)) : mixed(hash, 0);
}

static u64 space_meaning(u64 hash, const struct space *space)
{
    hash = mixed(hash, (u64)space->users << 32 | space->regions);
    for (const struct region *r = region_at(space->first); r; r = region_next(r)) {
        hash = mixed(mixed(mixed(hash, r->address), r->bytes), r->offset);
        hash = mixed(mixed(hash, (u64)r->protection << 32 | r->how), r->object ? object_at(r->object)->uses : 0);
        for (u64 i = 0; !region_is_shared(r) && i < r->bytes >> L4_PAGE_SHIFT; i++) {
            hash = page_meaning(hash, page_frame(space_ref(space), r->index + i));
        }
    }
    return mixed(hash, pages_owned(space_ref(space)));
}

static u64 meaning(void)
{
    u64 hash = mixed(frames_free(), vmd_state()->region_table.live);
    for (u32 i = VM_PROCESS_FIRST; i < VM_PROCESS_END; i++) {
        const struct process *p = process_at(vmd_state()->process_of[i]);
        if (p) {
            hash = mixed(mixed(hash, p->label), (u64)p->task << 32 | p->blocks << 8 | p->step);
            hash = space_meaning(space_meaning(hash, space_at(p->program)), space_at(p->own));
        }
    }
    return hash;
}

#define OF_PARENT .label = PARENT
/* Another thread's fault that waits for memory. */
static const struct kill_request starved = { .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { CODE + 5 * PAGE, PAGER_WRITE, 0 } };

#define FORKS(slot, share) .word = { PARENT, CHILD, CHILD_TASK, slot, share, 0 }, .words = 6, .steps = true, .meaning = meaning
static const struct kill_request requests[] = {
    { .method = VMD_KILL_VM_MAP, OF_PARENT, .word = { 0, 5 * PAGE, VM_RW, 0 } },
    { .name = "shared", .method = VMD_KILL_VM_MAP, OF_PARENT, .word = { 0, 5 * PAGE, VM_RW, VM_SHARED } },
    { .name = "over others",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { CODE + PAGE, PAGE, VM_R, VM_FIXED },
        .steps = true },
    { .name = "heap",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { CODE + 8 * PAGE, PAGE, VM_RW, VM_FIXED | VM_HEAP } },
    { .name = "locked", .method = VMD_KILL_VM_MAP, OF_PARENT, .word = { 0, 3 * PAGE, VM_RW, VM_LOCKED } },
    { .name = "exactly",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { CODE, PAGE, VM_RW, VM_EXACTLY },
        .expect = VM_EXIST },
    { .name = "nothing", .method = VMD_KILL_VM_MAP, OF_PARENT, .word = { 0, 0, VM_RW, 0 }, .expect = VM_INVAL },
    { .name = "no process",
        .method = VMD_KILL_VM_MAP,
        .label = OTHER,
        .word = { 0, PAGE, VM_RW, 0 },
        .expect = VM_PERM },
    { .method = VMD_KILL_VM_UNMAP, OF_PARENT, .word = { CODE, 8 * PAGE }, .steps = true },
    { .name = "the middle", .method = VMD_KILL_VM_UNMAP, OF_PARENT, .word = { CODE + PAGE, PAGE }, .steps = true },
    { .name = "shared", .method = VMD_KILL_VM_UNMAP, OF_PARENT, .word = { HIGH, 2 * PAGE }, .steps = true },
    { .name = "after fork",
        .method = VMD_KILL_VM_UNMAP,
        OF_PARENT,
        .word = { CODE, 2 * PAGE },
        .steps = true,
        .prepare = forked },
    { .method = VMD_KILL_VM_PROTECT, OF_PARENT, .word = { CODE + PAGE, 2 * PAGE, VM_R }, .steps = true },
    { .name = "into a hole",
        .method = VMD_KILL_VM_PROTECT,
        OF_PARENT,
        .word = { CODE + PAGE, 20 * PAGE, VM_R },
        .steps = true,
        .expect = VM_NOMEM },
    { .method = VMD_KILL_VM_RESIZE, OF_PARENT, .words = 5, .word = { CODE, 8 * PAGE, 9 * PAGE, 0, 0 } },
    { .name = "shrinks",
        .method = VMD_KILL_VM_RESIZE,
        OF_PARENT,
        .words = 5,
        .word = { CODE, 8 * PAGE, PAGE, 0, 0 },
        .steps = true },
    { .name = "moves",
        .method = VMD_KILL_VM_RESIZE,
        OF_PARENT,
        .words = 5,
        .word = { CODE, 8 * PAGE, 40 * PAGE, 1, 0 } },
    { .name = "moves onto",
        .method = VMD_KILL_VM_RESIZE,
        OF_PARENT,
        .words = 5,
        .word = { CODE, 2 * PAGE, PAGE, 2, CODE + 4 * PAGE },
        .steps = true },
    { .name = "no region",
        .method = VMD_KILL_VM_RESIZE,
        OF_PARENT,
        .words = 5,
        .word = { 0x40000, PAGE, 2 * PAGE, 1, 0 },
        .expect = VM_FAULT },
    { .method = VMD_KILL_VM_DISCARD, OF_PARENT, .word = { CODE, 4 * PAGE }, .steps = true },
    { .method = VMD_KILL_VM_LOOK, OF_PARENT, .word = { 0, CODE } },
    { .method = VMD_KILL_VM_EXPLAIN, OF_PARENT, .word = { CODE, 1 } },
    { .method = VMD_KILL_VM_TOTAL, OF_PARENT },
    { .method = VMD_KILL_VM_USE, OF_PARENT },
    { .method = VMD_KILL_VM_PEEK, .word = { PARENT & 0xffff, CODE } },
    { .name = "a hole", .method = VMD_KILL_VM_PEEK, .word = { PARENT & 0xffff, 0x40000 } },
    { .name = "by a process", .method = VMD_KILL_VM_PEEK, OF_PARENT, .word = { PARENT & 0xffff, CODE }, .expect = VM_PERM },
    { .name = "not there", .method = VMD_KILL_VM_MODULE, .words = 5, .word = { 4, [4] = 0x656e6f6e } },
    { .method = VMD_KILL_VM_MAKE, .word = { OTHER, OTHER_TASK } },
    { .name = "again", .method = VMD_KILL_VM_MAKE, .word = { PARENT, TASK }, .expect = VM_EXIST },
    { .method = VMD_KILL_VM_FORK, FORKS(0, false) },
    { .name = "share", .method = VMD_KILL_VM_FORK, FORKS(0, true) },
    { .name = "of a thread", .method = VMD_KILL_VM_FORK, FORKS(2, false), .prepare = threaded },
    { .name = "begun, and the parent has mapped", .method = VMD_KILL_VM_FORK, FORKS(0, false), .prepare = forked_half_and_mapped },
    { .name = "begun, and the parent has written", .method = VMD_KILL_VM_FORK, FORKS(0, false), .prepare = forked_half_and_written },
    { .name = "no room for all of it", .method = VMD_KILL_VM_FORK, FORKS(0, false), .prepare = crowded, .expect = VM_NOMEM },
    { .method = VMD_KILL_VM_EXEC, .word = { PARENT }, .steps = true, .prepare = arguments },
    { .name = "of many threads", .method = VMD_KILL_VM_EXEC, .word = { PARENT }, .steps = true, .prepare = threads_made },
    { .name = "without the first thread", .method = VMD_KILL_VM_EXEC, .word = { PARENT }, .steps = true, .meaning = meaning, .prepare = first_gone },
    { .name = "emptied before memory ran out",
        .method = VMD_KILL_VM_EXEC,
        .word = { PARENT },
        .steps = true,
        .meaning = meaning,
        .prepare = emptied_and_crowded },
    { .name = "no room for the first thread",
        .method = VMD_KILL_VM_EXEC,
        .word = { PARENT },
        .steps = true,
        .prepare = first_gone_and_crowded,
        .expect = VM_NOMEM },
    { .name = "after vfork",
        .method = VMD_KILL_VM_EXEC,
        .word = { CHILD },
        .steps = true,
        .prepare = shared },
    { .method = VMD_KILL_VM_DROP, .word = { PARENT }, .steps = true, .prepare = file_mapped },
    { .name = "after vfork", .method = VMD_KILL_VM_DROP, .word = { PARENT }, .steps = true, .prepare = shared },
    { .name = "after fork", .method = VMD_KILL_VM_DROP, .word = { CHILD }, .steps = true, .prepare = forked },
    { .name = "of a fork that was begun", .method = VMD_KILL_VM_DROP, .word = { CHILD }, .steps = true, .prepare = forked_half },
    { .method = VMD_KILL_VM_MAKE_THREAD, .word = { PARENT, 1 } },
    { .method = VMD_KILL_VM_DROP_THREAD, .word = { PARENT, 2 }, .steps = true, .prepare = threaded },
    { .name = "nobody waits", .method = VMD_KILL_VM_LARGEST },
    { .method = VMD_KILL_VM_LIMIT, .word = { PARENT, 20 * PAGE, ~0ul } },
    { .name = "too much space",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { 0, 10 * PAGE, VM_R, 0 },
        .prepare = limited,
        .expect = VM_NOMEM },
    { .name = "too much data",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { 0, 2 * PAGE, VM_RW, 0 },
        .prepare = limited,
        .expect = VM_NOMEM },
    { .name = "in place of data",
        .method = VMD_KILL_VM_MAP,
        OF_PARENT,
        .word = { CODE, 2 * PAGE, VM_RW, VM_FIXED },
        .steps = true,
        .prepare = limited },
    { .name = "beyond the limit",
        .method = VMD_KILL_VM_RESIZE,
        OF_PARENT,
        .words = 5,
        .word = { CODE, 8 * PAGE, 10 * PAGE, 1, 0 },
        .prepare = limited,
        .expect = VM_NOMEM },
    { .method = VMD_KILL_VM_MAKE_OBJECT,
        .label = SERVICE,
        .word = { 78, FILE_AT + RESERVE, RESERVE, 2 * PAGE },
        .steps = true },
    { .name = "again",
        .method = VMD_KILL_VM_MAKE_OBJECT,
        .label = SERVICE,
        .word = { 77, FILE_AT, RESERVE, 3 * PAGE } },
    { .method = VMD_KILL_VM_ADOPT_OBJECT,
        .label = SERVICE,
        .words = 5,
        .word = { 79, FILE_AT + RESERVE, RESERVE, 5 * PAGE, 3 * PAGE + 1 },
        .steps = true },
    { .name = "of another",
        .method = VMD_KILL_VM_ADOPT_OBJECT,
        .label = SERVICE,
        .words = 5,
        .word = { 79, FILE_AT + RESERVE, RESERVE, PAGE, PAGE },
        .expect = VM_INVAL },
    { .method = VMD_KILL_VM_RESIZE_OBJECT, .label = SERVICE, .word = { 3, 6 * PAGE }, .steps = true },
    { .name = "shrinks",
        .method = VMD_KILL_VM_RESIZE_OBJECT,
        .label = SERVICE,
        .word = { 3, PAGE + 9 },
        .steps = true,
        .prepare = file_mapped },
    { .method = VMD_KILL_VM_MOVE_OBJECT, .label = SERVICE, .word = { 3, FILE_AT + RESERVE, 2 * RESERVE } },
    { .method = VMD_KILL_VM_DROP_OBJECT, .label = SERVICE, .word = { 3 }, .steps = true },
    { .name = "mapped", .method = VMD_KILL_VM_DROP_OBJECT, .label = SERVICE, .word = { 3 }, .prepare = file_mapped },
    { .method = VMD_KILL_VM_RETIRE_OBJECT, .label = SERVICE, .word = { 3 }, .steps = true },
    { .name = "mapped",
        .method = VMD_KILL_VM_RETIRE_OBJECT,
        .label = SERVICE,
        .word = { 3 },
        .prepare = file_mapped,
        .expect = VM_AGAIN },
    { .method = VMD_KILL_VM_MAP_OBJECT,
        .words = 9,
        .word = { PARENT, 3, PAGE, FILE_MAP, 2 * PAGE, VM_R, VM_SHARED | VM_FIXED, VM_R, 5 } },
    { .name = "not open for that",
        .method = VMD_KILL_VM_MAP_OBJECT,
        .words = 9,
        .word = { PARENT, 3, PAGE, FILE_MAP, 2 * PAGE, VM_RW, VM_SHARED | VM_FIXED, VM_R, 5 },
        .expect = VM_ACCESS },
    { .name = "fresh", .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { CODE + 5 * PAGE, PAGER_WRITE, 0 } },
    { .name = "read before", .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { CODE + 3 * PAGE, WRITE_AGAIN, 0 } },
    { .name = "copy", .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { CODE, WRITE_AGAIN, 0 }, .prepare = forked },
    { .name = "page after page",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { CODE + 5 * PAGE, PAGER_WRITE, 0 },
        .prepare = one_before },
    { .name = "copy after copy",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { CODE + 5 * PAGE, WRITE_AGAIN, 0 },
        .prepare = copied_before },
    { .name = "of an object", .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { FILE_MAP, PAGER_READ, 0 }, .prepare = object_private },
    { .name = "copy of an object",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { FILE_MAP + PAGE, PAGER_WRITE, 0 },
        .prepare = object_private },
    { .name = "copy of an object that was read",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { FILE_MAP + PAGE, WRITE_AGAIN, 0 },
        .prepare = object_read },
    { .name = "of a shared object",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { FILE_MAP + PAGE, PAGER_WRITE, 0 },
        .prepare = object_shared },
    { .name = "past the end of an object",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { FILE_MAP + 3 * PAGE, PAGER_READ, 0 },
        .prepare = object_private,
        .expect = VM_BUS },
    { .name = "shared and fresh", .method = VMD_KILL_PAGER_FAULT, OF_PARENT, .word = { HIGH + PAGE, PAGER_WRITE, 0 } },
    { .name = "no memory",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { CODE + 5 * PAGE, PAGER_WRITE, 0 },
        .prepare = exhausted,
        .expect = L4_PENDING },
    { .name = "no memory for a copy",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { CODE, WRITE_AGAIN, 0 },
        .prepare = exhausted_and_forked,
        .expect = L4_PENDING },
    { .name = "no memory for shared pages",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { HIGH + PAGE, PAGER_WRITE, 0 },
        .prepare = exhausted,
        .expect = L4_PENDING },
    { .name = "of memory that somebody waits for",
        .method = VMD_KILL_VM_UNMAP,
        OF_PARENT,
        .word = { CODE, 4 * PAGE },
        .steps = true,
        .meaning = meaning,
        .prepare = exhausted,
        .peer = &starved },
    { .name = "of a process whose memory somebody waits for",
        .method = VMD_KILL_VM_DROP,
        .word = { CHILD },
        .steps = true,
        .meaning = meaning,
        .prepare = exhausted_and_forked,
        .peer = &starved },
    { .name = "exhausted", .method = VMD_KILL_VM_LARGEST, .prepare = exhausted },
    { .name = "no region",
        .method = VMD_KILL_PAGER_FAULT,
        OF_PARENT,
        .word = { 0x40000, PAGER_WRITE, 0 },
        .expect = VM_FAULT },
    { 0 },
};

/* At any time. */
static const char *page_tables_check(bool is_asked) { return machine_check(); }

int main(int count, char **words)
{
    static struct kill_server server;
    server = vmd_kill;
    server.world.state_bytes = machine_bytes();
    kill_machine_check = page_tables_check;
    return kill_main(count, words, &server, requests, NULL, prepare);
}
