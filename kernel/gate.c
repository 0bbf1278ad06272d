/* SPDX-License-Identifier: BSD-2-Clause */
/* gate.c: the queue of callers and the server that takes from it; the methods of gate.idl. */
#include "gate.h"
#include "gate_kernel.h"
#include "ipc.h"
#include "lock.h"
#include "task.h"

l4_err_t gate_init(struct object *object)
{
    struct gate *gate = gate_of(object);
    gate->server = &thread_nobody;
    list_init(&gate->in_server);
    for (u32 i = 0; i < GATE_BANDS; i++)
        list_init(&gate->band[i]);
    return L4_OK;
}

void gate_enqueue(struct gate *gate, struct thread *sender)
{
    lock_needs_all();
    list_insert(&gate->band[sender->priority * GATE_BANDS / 64], &sender->queue);
    sender->at_gate = gate;
    gate->waiting++;
    gate->server->hot |= THREAD_PENDING;
}

void gate_dequeue(struct thread *sender)
{
    lock_needs_all();
    list_remove(&sender->queue);
    sender->at_gate->waiting--;
    sender->at_gate = NULL;
}

struct thread *gate_first(const struct gate *gate)
{
    for (u32 i = GATE_BANDS; i-- > 0; )
        if (!list_is_empty(&gate->band[i]))
            return container_of(gate->band[i].next, struct thread, queue);
    return NULL;
}

l4_err_t gate_unbind(struct gate *self, struct invocation *inv)
{
    list_remove(&self->in_server);
    self->server = &thread_nobody;
    return L4_OK;
}

static void forget_monitor(struct gate *gate)
{
    if (gate->monitor)
        gate->monitor->monitored = NULL;
    gate->monitor = NULL;
}

/* Who was on the way to a monitor is to send again: its gate is still there, but open to nobody. */
l4_err_t gate_destroy_step(struct object *object, u32 *budget)
{
    struct gate *gate = gate_of(object), *monitored = gate->monitored;
    struct thread *sender = gate_first(gate);
    if (monitored) {
        gate_unbind(monitored, NULL);
        forget_monitor(monitored);
    }
    forget_monitor(gate);
    if (sender) {
        ipc_abort(sender, sender->hot & THREAD_HELD ? L4_PEER_RESTARTED : L4_GATE_DESTROYED);
        return RESTART;
    }
    gate_unbind(gate, NULL);
    return L4_OK;
}

l4_err_t gate_bind(struct gate *self, struct invocation *inv, struct thread *server)
{
    gate_unbind(self, inv);
    self->server = server;
    list_insert(&server->gates, &self->in_server);
    return ipc_serve_next(server);
}

/* The same door again in the same slot succeeds. It hangs under the gate's root, not under the minter. */
l4_err_t gate_mint(struct gate *self, struct invocation *inv, u32 slot, u64 label, u32 rights)
{
    struct cap_table *table = &inv->caller->task->caps;
    struct cap *there = cap_find(table, slot), *empty;
    u32 allowed = rights & (L4_R | L4_W | L4_X | L4_O | L4_I);
    if (there->kind == L4_DOOR && there->object == &self->object && there->label == label && there->rights == allowed)
        return L4_OK;
    l4_err_t err = tree_settle(&self->object.tree);
    if (err == L4_OK)
        err = cap_reserve(table, slot, &empty);
    if (err != L4_OK)
        return err;
    cap_derive(empty, self->object.root, L4_DOOR, allowed, label);
    empty->incarnation = (u32)inv->caller->object.id;
    return L4_OK;
}

l4_err_t gate_revoke(struct gate *self, struct invocation *inv, u64 incarnation, u64 *removed)
{
    u64 *progress = &inv->caller->progress;
    l4_err_t err = tree_revoke_minted(self->object.root, (u32)incarnation, &(u32){ TREE_STEP }, progress);
    *removed = *progress;
    return err;
}

l4_err_t gate_look(struct gate *self, struct invocation *inv, bool *bound, u32 *waiting)
{
    *bound = self->server != &thread_nobody;
    *waiting = self->waiting;
    return L4_OK;
}

l4_err_t gate_monitor(struct gate *self, struct invocation *inv, struct gate *monitor)
{
    if (monitor != self && monitor->monitored != self && (monitor->monitored || monitor->monitor || self->monitored))
        return L4_BAD_STATE;
    forget_monitor(self);
    if (monitor == self)
        return L4_OK;
    self->monitor = monitor;
    monitor->monitored = self;
    self->server->hot |= THREAD_PENDING;
    return L4_OK;
}

l4_err_t gate_pass(struct gate *self, struct invocation *inv)
{
    struct thread *caller = inv->caller->caller;
    return caller == &thread_nobody ? L4_NO_REPLY : ipc_pass(caller, self);
}
