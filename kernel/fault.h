/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h: page faults and exceptions become calls to gates, or upcalls into the thread's own runtime. */
#pragma once
#include "thread.h"

/* The running thread was stopped by exception frame.vector. */
void fault_enter(struct thread *self);
/* The wait of `t` for its pager or handler is over, by answer or abort: it goes on where it stood, or in its upcall. */
void fault_ended(struct thread *t);
/* What the wait was for is done: `word` and the handler's UTCB may hold new registers. */
void fault_resolved(struct thread *t, u64 word, const struct l4_utcb *handler);
/* Pager or handler answered `t`, which still counts as awaiting, with `tag` and `word`; its UTCB may hold new
 * registers. */
void fault_answered(struct thread *t, u64 tag, u64 word, const struct l4_utcb *handler);
