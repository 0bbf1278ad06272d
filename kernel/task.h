/* SPDX-License-Identifier: BSD-2-Clause */
/* task.h: a protection domain. */
#pragma once
#include "space.h"

struct code_range { u64 start, bytes; };

struct task {
    struct object object;
    struct space space;
    struct cap_table caps;
    struct list in_all;         /* task_all */
    struct list threads;        /* thread.in_task of the threads bound to it */
    struct code_range native;        /* `syscall` from outside is reflected; 0, ~0 at first */
    u64 emptied[2];             /* while it is destroyed: how far its memory and its ports are unmapped */
    struct code_range leave;         /* a kick in here starts the way out again (reflect.c) */
};

extern struct list task_all;            /* every task, by id */

static inline struct task *task_of(struct object *object) { return container_of(object, struct task, object); }
l4_err_t task_init(struct object *object);
l4_err_t task_destroy_step(struct object *object, u32 *budget);

/* A UTCB of this task at `at` (1 KB aligned); the page appears with its first UTCB and goes with its last. */
l4_err_t task_utcb_take(struct task *task, vaddr_t at, struct l4_utcb **utcb);
void task_utcb_give(struct task *task, vaddr_t at);
