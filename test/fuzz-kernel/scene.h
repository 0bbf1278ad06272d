/* SPDX-License-Identifier: BSD-2-Clause */
/* scene.h: the state that every run starts from: four tasks of two threads each, servers that wait, a pager, an
 * exception handler, interrupts, factories with little left, and capabilities for all of it in everybody's slots. */
#pragma once
#include <abi/types.h>

enum scene {
    SCENE_FACTORIES = 16,       /* A B C D */
    SCENE_TASKS = 20, SCENE_THREADS = 24, SCENE_GATES = 32, SCENE_IRQS = 38, SCENE_DOORS = 42, SCENE_SCHED = 48,
    SCENE_LOG, SCENE_DEBUG, SCENE_SLOTS = 64,
    TASKS = 4, THREADS = 8, GATES = 6, KEEPERS_LINE = 3, LEVEL_LINE = 5,
};

/* Where user code is, and what lies where in each task. */
#define CODE_AT     0x401000ul      /* native code: the next system call */
#define PROGRAM_AT  0x8000000ul     /* outside of the native range of task 0 */
#define UPCALL_AT   0x402000ul
#define MEMORY_AT   0x20000000ul    /* 8 MB: two large pages, then small ones */
#define UTCBS_AT    0x20600000ul
#define STACK_AT    0x20700000ul

/* Boots and makes it, by invocations alone. */
void scene_make(void);
