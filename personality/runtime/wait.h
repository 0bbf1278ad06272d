/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.h: calling servers. An answer's error becomes an errno; a call that parks may be ended by a signal.
 *
 * ASK(stub)                  does not park: kicks are masked meanwhile, the latch shows on the way out.
 * WAIT(t, session, protocol, stub)     parks: a kick ends it. Then the call is cancelled by its number, which answers it either as it would
 *      have been or with "kicked", and the stub, sent again with the number, brings that answer. Only then pm is asked for a signal: asking
 *      may use the same answer slot. Without one the call is made anew. */
#pragma once
#include "runtime.h"

/* The errno of a stub's answer: 0 or negative. */
static inline i64 errno_of(l4_err_t err)
{
    if (err >= 0)
        return -(i64)err;
    return err == L4_KICKED ? -EINTERRUPTED : err == L4_NO_MEMORY ? -ENOMEM : -EIO;
}

#define ASK(stub) errno_of(stub)

#define WAIT(t, session, protocol, stub) ({                                             \
        l4_err_t wait_err;                                                              \
        do {                                                                            \
            u64 wait_before = (session)->number;                                        \
            thread_utcb(t)->kick_mask = 0;                                              \
            wait_err = thread_utcb(t)->kicked ? L4_KICKED : (stub);                     \
            thread_utcb(t)->kick_mask = 1;                                              \
            if (wait_err == L4_KICKED && wait_cancel(t, session, protocol, wait_before)) \
                wait_err = (stub);                                                      \
        } while (wait_err == L4_KICKED && !signal_due(t));                              \
        errno_of(wait_err); })

/* Make `kicked` the answer to the session's last call, or learn that it has one; then the stub is to be sent with the same number.
 * False: the call was never sent, the session's number is still `before`. */
bool wait_cancel(struct thread *, struct l4_session *, u32 protocol, u64 before);

/* Sleep until `deadline`, a ring, a kick, whatever it is for, or a stop: 0, -ETIMEDOUT, -EINTERRUPTED, -ESTOPPED. */
i64 wait_for_kick(struct thread *, u64 deadline);
/* Sleep until `deadline` (~0: for ever), a ring of the thread's irq object, or a signal. 0 rung, -ETIMEDOUT, -EINTERRUPTED.
 * A ring may be an old one, of a waker who came after another reason to go on; a new thread has one from the beginning. */
i64 wait_for_ring(struct thread *, u64 deadline);
/* Sleep until `deadline` or a signal, whoever rings: -ETIMEDOUT, -EINTERRUPTED. */
i64 wait_for_signal(struct thread *, u64 deadline);
