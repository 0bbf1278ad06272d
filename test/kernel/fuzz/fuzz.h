/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h: what the fuzzing task holds, and what it counts. */
#pragma once
#include <l4/types.h>

/* Slots of the fuzzing task. Those above 20000 are known to it alone: random slot numbers do not hit them, so it
 * survives itself. */
enum fuzz_slot {
    FUZZ_FACTORY = 3,
    FUZZ_DEBUG = 5,
    FUZZ_SINK = 6,   /* a server that takes typed items */
    FUZZ_IDLE = 7,   /* a gate that nobody serves */
    FUZZ_DOOR = 100, /* in its callers: the door to it */
    FUZZ_FIRST = 64,
    FUZZ_LAST = 127, /* the slots it makes and destroys in */
    FUZZ_OWN_TASK = 20011,
    FUZZ_OWN_THREAD,
    FUZZ_STOCK,
    FUZZ_HOME,
    FUZZ_SCHED,
};

enum { FUZZ_METHODS = 64 };

struct fuzz_tally {
    u64 seed, wanted, done, successes, garbage, garbage_succeeded, finished;
    u32 methods;
    u64 tried[FUZZ_METHODS], succeeded[FUZZ_METHODS];
};
extern struct fuzz_tally fuzz_tally;

/* The fuzzing task's thread: makes fuzz_tally.wanted invocations. */
void fuzz_drive(u64 unused);
const char *fuzz_name(u32 method);
u32 fuzz_first_way(u32 way);
