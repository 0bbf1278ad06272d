/* SPDX-License-Identifier: BSD-2-Clause */
/* lock.h: a lock between threads of one process, for a few instructions. The holder may be preempted: waiters yield. */
#pragma once
#include <l4/invoke.h>
#include "runtime.h"
#include "wait.h"
#include "time.h"

static inline void lock_take(struct thread *t, u32 *lock)
{
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
        struct l4_utcb *utcb = thread_utcb(t);
        u64 tag = L4_TAG_WAIT | L4_TAG_TIMEOUT, w0 = 0, w1 = 0, w2 = 0, w3 = 0;
        utcb->deadline = time_ns();
        l4_invoke(0, &tag, 0, &w0, &w1, &w2, &w3);
        utcb->lost |= utcb->tell_lost != 0;     /* rseq.c */
    }
}
static inline void lock_give(u32 *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }
