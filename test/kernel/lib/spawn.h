/* SPDX-License-Identifier: BSD-2-Clause */
/* spawn.h: second tasks and threads, made from a function of this program.
 * Everything of a place comes out of the program's own memory: a task gets the program's image at the same addresses,
 * so globals in
 * L4_VOLATILE memory are shared by all. */
#pragma once
#include <l4/types.h>

enum { SPAWN_PLACES = 12 };

/* A place: stack block number `place` (0 to SPAWN_PLACES - 1), and slots of the root task for its objects. */
struct spawned {
    cap_t task, thread; /* in the root task; task 0: runs in the root task itself */
    vaddr_t block;      /* its stack block: UTCB at the start */
    u32 place;
};

/* A thread of the root task itself, made but not started. */
struct spawned spawn_thread(u32 place);
/* A task with the image, the info page and a stack, and its thread, not started. Slots 1, 2 and 4 of it hold task,
 * thread and log. */
struct spawned spawn_task(u32 place);
/* Run entry(argument) on its stack. */
void spawn_start(const struct spawned *s, void (*entry)(u64), u64 argument);
/* spawn, set priority and start in one. */
struct spawned spawn_thread_run(u32 place, u32 priority, void (*entry)(u64), u64 argument);
struct spawned spawn_task_run(u32 place, u32 priority, void (*entry)(u64), u64 argument);
/* Destroy thread and task and take the stack back. */
void spawn_end(const struct spawned *s);
/* What entry calls at its end: waits for ever. */
void spawn_rest(void) __attribute__((noreturn));
/* Let everybody of lower priority than the root thread run for `ms` milliseconds. */
void spawn_let_run(u32 ms);

/* Give a capability of the root task to a spawned task, at slot `to`. */
void spawn_give(const struct spawned *s, cap_t from, cap_t to, u32 rights);
