/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h: threads that somebody watches: traced or counted. Who is not watched runs no instruction more for it.
 * INVARIANT traced: there is a trace_home <=> invocations are looked at first: invoke_how != kernel_invoke. */
#pragma once
#include "debug_kernel.h"
#include "thread.h"

extern struct task *trace_home;         /* whose memory the ring is: NULL, or a task that is not gone */
extern u64 watch_events;        /* of traced threads since boot, recorded or not */

/* An event (enum debug_event) of a traced thread; `cap`: what it invokes, or an empty capability. */
RARE void watch_record(const struct thread *t, u32 event, u64 status, const struct cap *cap, const struct message *m);
/* A thread is to go on, which may be watched. Returns it. */
RARE struct thread *watch_run(struct thread *t);
/* After exception VECTOR_DEBUG: true if that only counts an instruction of the running thread's. */
RARE bool watch_count(struct thread *self);
