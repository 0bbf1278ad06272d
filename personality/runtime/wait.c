/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c: ending and sleeping in waits. */
#include <l4/call.h>
#include <l4/server.h>
#include <abi/object.h>
#include "rseq.h"
#include "wait.h"

bool wait_cancel(struct thread *t, struct l4_session *session, u32 protocol, u64 before)
{
    if (session->number == before)
        return false;
    u64 tag = l4_tag(protocol << 8 | L4_METHOD_CANCEL, 0, 0), w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    l4_call_numbered(session->gate, &tag, session->number, 0, &w0, &w1, &w2, &w3);
    session->number -= 1 << 16;
    return true;
}

i64 wait_for_kick(struct thread *t, u64 deadline)
{
    struct l4_utcb *utcb = thread_utcb(t);
    u64 tag = L4_TAG_WAIT | (deadline == ~0ul ? 0 : L4_TAG_TIMEOUT), w0 = 0, w1 = 0, w2 = 0, w3 = 0;
    if (utcb->kicked)
        return -EINTERRUPTED;
    utcb->deadline = deadline;
    utcb->kick_mask = 0;
    l4_invoke(0, &tag, 0, &w0, &w1, &w2, &w3);
    utcb->kick_mask = 1;
    rseq_waited(t);
    l4_err_t status = l4_tag_status(tag);
    return status == L4_TIMED_OUT ? -ETIMEDOUT : status == L4_KICKED ? -EINTERRUPTED : status == L4_PEER_RESTARTED ? -ESTOPPED : 0;
}

i64 wait_for_ring(struct thread *t, u64 deadline)
{
    for (;;) {
        i64 result = wait_for_kick(t, deadline);
        if (result != -ESTOPPED && (result != -EINTERRUPTED || signal_due(t)))
            return result;
    }
}

i64 wait_for_signal(struct thread *t, u64 deadline)
{
    i64 result;
    do {
        result = wait_for_ring(t, deadline);
    } while (result == 0);
    return result;
}
