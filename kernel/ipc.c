/* SPDX-License-Identifier: BSD-2-Clause */
/* ipc.c: rendezvous. A sender blocks until its receiver waits; the receiver then owes it an answer.
 * Everything here runs to its end or says RESTART before anything but typed items has changed. */
#include "ipc.h"
#include "fault.h"
#include "irq.h"
#include "reply.h"
#include "transfer.h"
#include "watch.h"

static struct message *outgoing(struct thread *t) { return t->hot & THREAD_CALLED_FOR ? &t->fault : &t->frame.message; }

static void block(struct thread *t, enum thread_state state) { t->hot = (t->hot & ~(u32)THREAD_STATE) | state; }

/* Arm what the tag announces. */
static void arm_timeout(struct thread *t, u64 tag)
{
    if (!(tag & L4_TAG_TIMEOUT) || t->hot & THREAD_CALLED_FOR)
        return;
    timeout_arm(&t->timeout, t->utcb->deadline);
    t->hot |= THREAD_TIMED;
}

/* Words and registers of `from`'s message into `to`; the label and rights are those of the door that it came
 * through. */
static void deliver(const struct thread *from, struct thread *to, const struct message *m, u64 label, u64 rights)
{
    struct message *into = &to->frame.message;
    u64 tag = m->tag;
    *into = *m;
    into->label = label;
    into->tag = (tag & L4_TAG_DELIVERED) | rights << L4_TAG_RIGHTS_SHIFT;
    transfer_words(from, to, l4_tag_words(tag));
}

/* A typed item could not be delivered: both sides learn it, and the receiver's wait is over without a message. */
static void map_failed(struct thread *t, u32 index)
{
    thread_return(t, L4_MAP_FAILED);
    t->frame.message.word[0] = index;
}

/* `from` is received by `server`, which waits or has just come to receive. L4_MAP_FAILED: both ends were told, `from`
 * is to be woken. */
static l4_err_t rendezvous(struct thread *from, struct thread *server)
{
    bool is_plain = !(from->hot & (THREAD_CALLED_FOR | THREAD_HELD));   /* else it has no items, or none for a monitor */
    const struct message *m = is_plain ? &from->frame.message : outgoing(from);
    l4_err_t err = transfer_items(from, server, is_plain ? m->tag : 0);
    if (err == L4_MAP_FAILED) {
        transfer_forget(from);
        map_failed(from, from->items_done);
        map_failed(server, from->items_done);
    }
    if (err != L4_OK)
        return err;
    deliver(from, server, m, from->send_label, from->send_rights);
    if (from->hot & THREAD_EXCEPTION)
        transfer_exception(from, server->utcb);
    server->caller = from;
    from->partner = server;
    block(from, THREAD_AWAITING);
    return L4_OK;
}

/* Send a message through the door to its gate's server, or to that of the gate's monitor if it does not come from there; or
 * queue it. */
static l4_err_t send(struct thread *from, const struct cap *door, u64 tag)
{
    struct gate *gate = gate_of(door->object);
    from->send_label = door->label;
    from->send_rights = door->rights;
    if (gate->monitor && thread_state(from) != THREAD_AWAITING) {
        outgoing(from)->label = gate->object.id;
        from->hot |= THREAD_HELD;
        gate = gate->monitor;
    }
    struct thread *server = gate->server;
    if (thread_state(server) == THREAD_RECEIVING) {
        l4_err_t err = rendezvous(from, server);
        if (err == RESTART)
            return RESTART;
        thread_wake(server);
        if (err != L4_OK)
            return L4_OK;
    } else if (tag & L4_TAG_NO_WAIT) {
        from->hot &= ~(u32)THREAD_HELD;
        thread_return(from, L4_WOULD_BLOCK);
        return L4_OK;
    } else {
        block(from, THREAD_SENDING);
        gate_enqueue(gate, from);
    }
    arm_timeout(from, tag);
    return L4_OK;
}

l4_err_t ipc_pass(struct thread *caller, struct gate *gate)
{
    struct thread *monitor = caller->partner;
    if (!(caller->hot & THREAD_HELD) || outgoing(caller)->label != gate->object.id)
        return L4_BAD_STATE;
    const struct cap door = { .object = &gate->object, .label = caller->send_label, .rights = caller->send_rights };
    caller->hot &= ~(u32)THREAD_HELD;
    if (send(caller, &door, outgoing(caller)->tag) == RESTART) {
        caller->hot |= THREAD_HELD;
        return RESTART;
    }
    monitor->caller = &thread_nobody;
    if (thread_state(caller) == THREAD_AWAITING && caller->partner == monitor)
        thread_wake(caller);        /* nobody has it: an item failed, or it would not wait */
    return L4_OK;
}

/* A kick that came after the runtime's last look ends one wait before it begins, and only one: who does not look would
 * spin. */
static bool is_kicked(struct thread *t)
{
    if (!(t->hot & THREAD_KICKED) || !t->utcb->kicked || t->utcb->kick_mask & 1)
        return false;
    t->hot &= ~(u32)THREAD_KICKED;
    return true;
}

l4_err_t ipc_call(struct thread *self, const struct cap *door)
{
    if (is_kicked(self))
        return thread_return(self, L4_KICKED);
    return send(self, door, self->frame.message.tag);
}

void ipc_call_for(struct thread *self, const struct cap *door, u32 why)
{
    if (direct_call_for(self, door, why))
        return;
    if (self->hot & THREAD_TRACED)
        watch_record(self, DEBUG_FAULT, self->frame.vector, door, &self->fault);
    self->hot = (self->hot & ~(u32)(THREAD_CALLED_FOR | THREAD_HELD | THREAD_STATE)) | THREAD_READY | why;
    send(self, door, 0);        /* carries no items: never RESTART */
}

l4_err_t ipc_answer(struct thread *self, struct thread *caller)
{
    const struct message *m = &self->frame.message;
    l4_err_t err = transfer_items(self, caller, m->tag);
    if (err == RESTART)
        return RESTART;
    transfer_forget(self);
    if (caller->hot & THREAD_CALLED_FOR) {
        reply_forget(caller);
        fault_answered(caller, err ? (u64)(u32)err : m->tag, m->word[0], self->utcb);
        return L4_OK;
    }
    if (err == L4_MAP_FAILED)
        map_failed(caller, self->items_done);
    else
        deliver(self, caller, m, 0, 0);
    reply_forget(caller);
    thread_wake(caller);
    if (err == L4_MAP_FAILED)
        map_failed(self, self->items_done);
    return err;
}

/* The most urgent sender of the server's gates, or NULL; after that nothing is pending, unless a gate has a monitor. */
static struct thread *first_sender(struct thread *server)
{
    struct thread *best = NULL;
    server->hot &= ~(u32)THREAD_PENDING;
    list_for_each(node, &server->gates) {
        struct gate *gate = container_of(node, struct gate, in_server);
        struct thread *sender = gate->waiting ? gate_first(gate) : NULL;
        server->hot |= sender || gate->monitor ? THREAD_PENDING : 0;
        if (sender && (!best || sender->priority > best->priority))
            best = sender;
    }
    return best;
}

/* Let `server`, which is about to receive or does, have what is pending: irqs first. L4_OK: it has a message;
 * L4_WOULD_BLOCK: nothing is. */
static l4_err_t take_pending(struct thread *server)
{
    if (!(server->hot & THREAD_PENDING))
        return L4_WOULD_BLOCK;
    if (irq_take(server))
        return L4_OK;
    struct thread *sender = first_sender(server);
    if (!sender)
        return L4_WOULD_BLOCK;
    l4_err_t err = rendezvous(sender, server);
    if (err == RESTART)
        return RESTART;
    gate_dequeue(sender);
    if (err != L4_OK)
        thread_wake(sender);
    return L4_OK;
}

l4_err_t ipc_receive(struct thread *self)
{
    u64 tag = self->frame.message.tag;
    if (self->caller != &thread_nobody)
        ipc_abort(self->caller, L4_PEER_RESTARTED);
    l4_err_t err = take_pending(self);
    if (err != L4_WOULD_BLOCK)
        return err;
    bool no_wait = tag & L4_TAG_NO_WAIT;
    if (no_wait || is_kicked(self))
        return thread_return(self, no_wait ? L4_WOULD_BLOCK : L4_KICKED);
    block(self, THREAD_RECEIVING);
    arm_timeout(self, tag);
    return L4_OK;
}

l4_err_t ipc_serve_next(struct thread *server)
{
    server->hot |= THREAD_PENDING;
    if (thread_state(server) != THREAD_RECEIVING)
        return L4_OK;
    l4_err_t err = take_pending(server);
    if (err == RESTART)
        return RESTART;
    if (err == L4_OK)
        thread_wake(server);
    return L4_OK;
}

void ipc_abort(struct thread *t, l4_err_t status)
{
    if (thread_state(t) == THREAD_SENDING)
        gate_dequeue(t);
    if (thread_state(t) == THREAD_AWAITING)
        reply_forget(t);
    transfer_forget(t);
    if (t->hot & THREAD_CALLED_FOR) {
        fault_ended(t);
        return;
    }
    thread_return(t, status);
    thread_wake(t);
}
