/* SPDX-License-Identifier: BSD-2-Clause */
/* ipc.h: rendezvous between threads: call, answer, open receive. Nothing is buffered, nothing allocated: what is
 * queued is threads. One path serves calls, page faults and exceptions. */
#pragma once
#include "gate.h"

/* The running thread invokes a door. Blocks it until the answer, or ends with a status in its registers. RESTART: run
 * again. */
l4_err_t ipc_call(struct thread *self, const struct cap *door);
/* The kernel calls `why` (THREAD_FAULT, THREAD_EXCEPTION) the door of a pager or exception handler for `self`, with the
 * words in self->fault. */
void ipc_call_for(struct thread *self, const struct cap *door, u32 why);
/* The same if the handler waits, and is to run now (direct.c): false, and nothing has been done, if that is not so. */
bool direct_call_for(struct thread *self, const struct cap *door, u32 why);
/* The running thread, a monitor, owes `caller` an answer: its message goes to the server behind `gate` instead, which then does.
 * bad_state: it did not come to that through `gate`. RESTART while typed items take long. */
RARE l4_err_t ipc_pass(struct thread *caller, struct gate *gate);
/* Answer `caller` with the message in self's registers. RESTART while typed items take long. */
l4_err_t ipc_answer(struct thread *self, struct thread *caller);
/* Open receive: take what is pending or wait. RESTART while typed items take long. */
l4_err_t ipc_receive(struct thread *self);
/* A gate or irq was bound to `server`: if it waits, let it have what is pending. RESTART while typed items take
 * long. */
l4_err_t ipc_serve_next(struct thread *server);
/* End `t`'s wait (sending, awaiting, receiving) with `status`; a fault or exception is simply tried again. */
void ipc_abort(struct thread *t, l4_err_t status);
