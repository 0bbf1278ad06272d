/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.h: fixed priorities, round robin inside one, and the rest of a time slice passed on by calls.
 * A budget is charged by the TSC while its thread has the CPU; who has spent it waits for the next period.
 * INVARIANT ready: a READY thread is running, or the handoff, or in the ready queue of its priority, or has spent its
 * budget and is in no queue and its timeout is armed: exactly one of them. */
#pragma once
#include "percpu.h"
#include "thread.h"

enum { SLICE_NS = 10 * 1000 * 1000 };
enum { SHARE_ALL = 1000, SCHED_SHARE_SHIFT = 8 };      /* of a sched capability's label: thousandths of the CPU */

void sched_init(void);
void sched_ready(struct thread *t);             /* t has become READY */
void sched_remove(struct thread *t);            /* a READY thread that is not running stops being ready */
void sched_forget(struct thread *t);            /* t leaves its task, or its FPU area comes or goes: see arch_forget */
/* A budget of a whole period is none. */
void sched_change(struct thread *t, u32 priority, struct budget budget);
void sched_yield_to(struct thread *t);          /* current goes behind its equals, t runs next */
void sched_tick(void);                          /* the timer rang */
void sched_come_back(u64 ns);                   /* ring the timer then at the latest: there is something to do */
struct thread *sched_next(void);                /* choose who runs: it is current; NULL: nobody is ready */
/* The current thread `self` is still the one to run, nothing is rare about it, and nobody is ready who would want the
 * timer set. */
static inline bool sched_goes_on(const struct thread *self)
{
    return self->hot == THREAD_READY && !cpu_this()->handoff && !(cpu_this()->ready_mask >> self->priority);
}
