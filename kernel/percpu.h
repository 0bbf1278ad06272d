/* SPDX-License-Identifier: BSD-2-Clause */
/* percpu.h: what the generic kernel keeps for each CPU, inside what the machine keeps (arch.h: cpu_this, cpu_self).
 * Only the CPU whose it is touches it. Everything else that is no thread's is shared by all. */
#pragma once
#include "list.h"

enum { PRIORITIES = 64 };

struct cpu {
    struct thread *current;     /* NULL: idle */
    struct thread *handoff;     /* made ready by the current entry: runs next if nobody more urgent is ready */
    struct thread *metered;     /* who has a budget and has run since `metered_ns`, or NULL */
    u64 metered_ns;
    u64 slice_end_ns;           /* when current's slice ends */
    u64 timer_ns;               /* what the timer is set to, ~0: off */
    struct timeout *timeouts;   /* heap, the earliest first (timeout.c) */
    u64 ready_mask;             /* bit p: ready[p] is not empty */
    struct list ready[PRIORITIES];
};
