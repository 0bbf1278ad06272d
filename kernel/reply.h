/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h: the one-shot right to answer a caller. It is embedded in the caller; the receiver holds it implicitly
 * (thread.caller) or in a capability (thread.kept) that cannot be mapped. It dies with capability, thread or task, and
 * then its caller gets `peer_restarted`. */
#pragma once
#include "cap.h"
#include "thread.h"

/* What slot 0 is for everybody: the capability of the implicit right. */
extern struct cap reply_implicit;

/* Who a kept reply answers; thread_nobody when that caller is gone. */
static inline struct thread *reply_caller(const struct cap *kept)
{
    return kept->object ? thread_of(kept->object) : &thread_nobody;
}
/* The answer was given or the caller is gone: the caller's side of the right ends. An emptied capability still can be
 * probed. */
void reply_forget(struct thread *caller);
/* The capability goes: its caller, if there is one, gets `peer_restarted`; the slot is empty afterwards. */
void reply_abort(struct cap *kept);
/* The thread that must answer goes: so do all its replies, while *budget lasts. RESTART until none is left. */
l4_err_t reply_abort_step(struct thread *server, u32 *budget);
