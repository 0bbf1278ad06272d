/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.c: see reply.h. A kept reply capability points to its caller through cap.object; NULL once nobody waits. */
#include "reply.h"
#include "ipc.h"
#include "reply_kernel.h"
#include "string.h"
#include "task.h"

struct cap reply_implicit = { .kind = L4_REPLY };

void reply_forget(struct thread *caller)
{
    if (caller->kept_in)
        caller->kept_in->object = NULL;
    else if (caller->partner->caller == caller)
        caller->partner->caller = &thread_nobody;
    caller->kept_in = NULL;
}

void reply_abort(struct cap *kept)
{
    struct thread *caller = reply_caller(kept);
    if (caller != &thread_nobody)
        ipc_abort(caller, L4_PEER_RESTARTED);
    list_remove(&kept->in_thread);
    memset(kept, 0, sizeof *kept);
}

l4_err_t reply_abort_step(struct thread *server, u32 *budget)
{
    if (server->caller != &thread_nobody)
        ipc_abort(server->caller, L4_PEER_RESTARTED);
    for (struct list *node; (node = list_first(&server->kept)); --*budget) {
        if (!*budget)
            return RESTART;
        reply_abort(container_of(node, struct cap, in_thread));
    }
    return L4_OK;
}

/* The implicit right moves into `slot`; one that is kept already stays where it is. */
l4_err_t reply_keep(struct reply *self, struct invocation *inv, u32 slot)
{
    struct thread *server = inv->caller, *caller = server->caller;
    struct cap *empty;
    if (inv->used != &reply_implicit)
        return L4_BAD_STATE;
    if (caller == &thread_nobody)
        return L4_NO_REPLY;
    l4_err_t err = cap_reserve(&server->task->caps, slot, &empty);
    if (err != L4_OK)
        return err;
    empty->kind = L4_REPLY;
    empty->object = &caller->object;
    list_insert(&server->kept, &empty->in_thread);
    caller->kept_in = empty;
    server->caller = &thread_nobody;
    return L4_OK;
}

l4_err_t reply_probe(struct reply *self, struct invocation *inv, bool *waits)
{
    *waits = (inv->used == &reply_implicit ? inv->caller->caller : reply_caller(inv->used)) != &thread_nobody;
    return L4_OK;
}
