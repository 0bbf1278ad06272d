/* SPDX-License-Identifier: BSD-2-Clause */
/* model_ipc.c: messages: call, answer, open receive; what a message carries; how waits end. See abi/ipc.h. */
#include "model.h"
#include <string.h>

#define DELIVERED (((1ul << 41) - 1) | L4_TAG_NO_PARK)

struct model_message registers_message(const struct seen_thread *t)
{
    const struct l4_registers *r = &t->registers;
    return (struct model_message){ r->r10, r->rdi, r->rax, { r->rsi, r->rdx, r->r8, r->r9 } };
}

void set_message(struct seen_thread *t, struct model_message m)
{
    struct l4_registers *r = &t->registers;
    r->r10 = m.label;
    r->rdi = m.tag;
    r->rax = m.number;
    r->rsi = m.word[0];
    r->rdx = m.word[1];
    r->r8 = m.word[2];
    r->r9 = m.word[3];
}

void set_status(struct seen_thread *t, l4_err_t status) { set_message(t, (struct model_message){ .tag = (u32)status }); }

static struct model_message outgoing(const struct seen_thread *t)
{
    if (t->origin == SEEN_CALL)
        return registers_message(t);
    return (struct model_message){ .tag = t->fault[0], .word = { t->fault[1], t->fault[2], t->fault[3] } };
}

/* ---- items ---- */

/* A pager's answer may map memory anywhere, and nothing else; other messages into the windows of the receiver. */
static u64 window_of(const struct seen_thread *to, u32 type)
{
    if (to->origin != SEEN_CALL && to->state == SEEN_AWAITING)
        return type == L4_FPAGE_MEMORY ? L4_FPAGE_EVERYTHING : 0;
    switch (type) {
    case L4_FPAGE_MEMORY: return to->utcb.window_memory;
    case L4_FPAGE_CAP: return to->utcb.window_caps;
    default: return to->utcb.window_io;
    }
}

static l4_err_t item(const struct seen_thread *from, const struct seen_thread *to, struct l4_item what)
{
    u32 type = (u32)l4_fpage_type(what.fpage), bits = type == L4_FPAGE_MEMORY ? 12 : 0;
    u64 window = window_of(to, type), mapped;
    i64 window_order = (i64)l4_fpage_order(window) - bits, order = (i64)l4_fpage_order(what.fpage) - bits;
    if (!window || (u32)l4_fpage_type(window) != type || window_order < 0 || window_order > 47 || order < 0
        || order > window_order)
        return L4_BAD_ARGUMENT;
    u64 size = 1ul << window_order, at = l4_fpage_base(window) / size * size + (what.hot >> 12) % size;
    at = at >> order << order;
    u32 rights = type == L4_FPAGE_CAP ? what.hot & 127 : l4_fpage_rights(what.fpage);
    enum model_how how = what.hot & L4_ITEM_GRANT ? MODEL_GRANT : MODEL_MAP;
    return map_flexpage(to->task, from->task, what.fpage, at << bits, rights, how, &mapped);
}

/* The number of the item that failed, or -1. */
static i64 items(const struct seen_thread *from, const struct seen_thread *to, u64 tag)
{
    for (u32 i = 0; i < l4_tag_items(tag); i++)
        if (item(from, to, from->utcb.item[i]) != L4_OK)
            return i;
    return -1;
}

static void map_failed(struct seen_thread *t, i64 index)
{
    set_message(t, (struct model_message){ .tag = (u32)L4_MAP_FAILED, .word = { (u64)index } });
}

static void deliver(const struct seen_thread *from, struct seen_thread *to, struct model_message m, u64 label,
                    u64 rights)
{
    u32 words = l4_tag_words(m.tag);
    m.label = label;
    m.tag = (m.tag & DELIVERED) | rights << 48;
    set_message(to, m);
    for (u32 i = 4; i < words; i++)
        to->utcb.mr[i] = from->utcb.mr[i];
}

/* ---- waits ---- */
static void wait_until(struct seen_thread *t, u64 tag)
{
    t->timed = (tag & L4_TAG_TIMEOUT) && t->origin == SEEN_CALL;
    t->deadline = t->timed ? t->utcb.deadline : 0;
}

static struct seen_ids *band_of(u64 gate, u64 thread)
{
    struct seen_object *o = object_find(gate);
    for (u32 i = 0; i < 4; i++)
        if (ids_have(&o->band[i], thread))
            return &o->band[i];
    return NULL;
}

static void leave_gate(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    ids_remove(band_of(t->gate, thread), thread);
    t->gate = 0;
    if (!t->held)
        t->send_label = t->send_rights = 0;
}

void reply_over(u64 caller)
{
    struct seen_thread *t = thread_find(caller), *partner = thread_find(t->partner);
    struct seen_cap *kept = t->kept_task ? cap_lookup(t->kept_task, t->kept_slot) : NULL;
    if (kept)
        kept->object = 0;
    else if (partner && partner->caller == caller)
        partner->caller = 0;
    t->kept_task = t->kept_slot = t->partner = 0;
}

void reply_drop(struct seen_cap *kept)
{
    u64 caller = kept->object, task = kept->task, slot = kept->slot;
    if (caller)
        abort_wait(caller, L4_PEER_RESTARTED);
    cap_drop(task, slot);
}

void abort_wait(u64 thread, l4_err_t status)
{
    struct seen_thread *t = thread_find(thread);
    if (t->state == SEEN_SENDING)
        leave_gate(thread);
    if (t->state == SEEN_AWAITING)
        reply_over(thread);
    if (t->origin != SEEN_CALL) {
        fault_over(thread);
        return;
    }
    set_status(t, status);
    wake(thread);
}

/* ---- messages ---- */

/* `server`, who waits or comes to wait, gets from's message. False: an item failed, and both know. */
static bool meet(u64 from_id, u64 server_id, u64 label, u64 rights)
{
    struct seen_thread *from = thread_find(from_id), *server = thread_find(server_id);
    struct model_message m = outgoing(from);
    i64 failed = from->held ? -1 : items(from, server, m.tag);      /* a monitor gets none */
    if (failed >= 0) {
        map_failed(from, failed);
        map_failed(server, failed);
        return false;
    }
    deliver(from, server, m, label, rights);
    if (from->origin == SEEN_EXCEPTION)
        server->utcb.exception = (struct l4_exception){ from->fault[1], from->fault[2], from->fault[3], from->registers };
    server->caller = from_id;
    from->partner = server_id;
    from->state = SEEN_AWAITING;
    return true;
}

/* To this gate, whatever monitor it has. False: nobody has it, and the status is set. */
static bool send_to(u64 self, struct seen_object *gate, u64 label, u64 rights, u64 tag)
{
    struct seen_thread *t = thread_find(self);
    u64 server = gate->server;
    t->send_label = t->held ? label : 0;
    t->send_rights = t->held ? rights : 0;
    if (server && thread_find(server)->state == SEEN_RECEIVING) {
        bool met = meet(self, server, label, rights);
        wake(server);
        return met;
    }
    if (tag & L4_TAG_NO_WAIT) {
        set_status(t, L4_WOULD_BLOCK);
        t->held = t->send_label = t->send_rights = 0;
        return false;
    }
    t->state = SEEN_SENDING;
    t->gate = gate->id;
    t->send_label = label;
    t->send_rights = rights;
    ids_add(&gate->band[t->priority / 16], self);
    return true;
}

static void send(u64 self, const struct seen_cap *door, u64 tag)
{
    struct seen_thread *t = thread_find(self);
    struct seen_object *gate = object_find(door->object);
    t->held = gate->monitor ? gate->id : 0;
    if (t->held && t->origin == SEEN_CALL)
        t->registers.r10 = gate->id;
    if (send_to(self, t->held ? object_find(gate->monitor) : gate, door->label, door->rights, tag))
        wait_until(t, tag);
}

void pass_on(u64 monitor, u64 caller)
{
    struct seen_thread *t = thread_find(caller);
    struct seen_object *gate = object_find(t->held);
    u64 tag = outgoing(t).tag;
    t->held = t->partner = thread_find(monitor)->caller = 0;
    if (send_to(caller, gate, t->send_label, t->send_rights, tag))
        wait_until(t, tag);
    else
        wake(caller);
}

l4_err_t send_call(u64 self, const struct seen_cap *door)
{
    struct seen_thread *t = thread_find(self);
    if (takes_kick(t)) {
        set_status(t, L4_KICKED);
        return L4_KICKED;
    }
    t->origin = SEEN_CALL;
    send(self, door, t->registers.rdi);
    return L4_OK;
}

void send_for(u64 self, u64 origin, const struct seen_cap *door)
{
    thread_find(self)->origin = origin;
    send(self, door, 0);
}

l4_err_t send_answer(u64 self, u64 caller)
{
    struct seen_thread *t = thread_find(self), *to = thread_find(caller);
    struct model_message m = registers_message(t);
    i64 failed = items(t, to, m.tag);
    if (to->origin != SEEN_CALL) {
        reply_over(caller);
        fault_answer(caller, failed >= 0 ? (u64)(u32)L4_MAP_FAILED : m.tag, m.word[0], &t->utcb);
        return L4_OK;
    }
    if (failed >= 0)
        map_failed(to, failed);
    else
        deliver(t, to, m, 0, 0);
    reply_over(caller);
    wake(caller);
    if (failed >= 0)
        map_failed(t, failed);
    return failed >= 0 ? L4_MAP_FAILED : L4_OK;
}

/* The first pending irq. */
static bool take_irq(u64 server)
{
    struct seen_thread *t = thread_find(server);
    if (!t->pending.count)
        return false;
    struct seen_object *irq = object_find(t->pending.id[0]);
    ids_remove(&t->pending, irq->id);
    irq->irq_pending = 0;
    set_message(t, (struct model_message){ .label = irq->irq_label, .tag = l4_tag(L4_IRQ << 8, 0, 0) });
    return true;
}

/* The most urgent of those who are first in the most urgent band of a gate. */
static u64 first_sender(const struct seen_thread *server)
{
    u64 best = 0;
    for (u64 i = 0; i < server->gates.count; i++) {
        const struct seen_object *gate = object_find(server->gates.id[i]);
        for (u32 band = 4; band-- > 0; ) {
            u64 sender = gate->band[band].count ? gate->band[band].id[0] : 0;
            if (sender && (!best || thread_find(sender)->priority > thread_find(best)->priority))
                best = sender;
            if (sender)
                break;
        }
    }
    return best;
}

/* An irq, else a sender. */
static bool take_pending(u64 server)
{
    if (take_irq(server))
        return true;
    u64 sender = first_sender(thread_find(server));
    if (!sender)
        return false;
    struct seen_thread *from = thread_find(sender);
    bool met = meet(sender, server, from->send_label, from->send_rights);
    leave_gate(sender);
    if (!met)
        wake(sender);
    return true;
}

l4_err_t receive(u64 self)
{
    struct seen_thread *t = thread_find(self);
    u64 tag = t->registers.rdi;
    if (t->caller)
        abort_wait(t->caller, L4_PEER_RESTARTED);
    if (take_pending(self))
        return L4_OK;
    l4_err_t err = tag & L4_TAG_NO_WAIT ? L4_WOULD_BLOCK : takes_kick(t) ? L4_KICKED : L4_OK;
    if (err != L4_OK) {
        set_status(t, err);
        return err;
    }
    t->origin = SEEN_CALL;
    t->state = SEEN_RECEIVING;
    wait_until(t, tag);
    return L4_OK;
}

void serve_next(u64 server)
{
    if (thread_find(server)->state == SEEN_RECEIVING && take_pending(server))
        wake(server);
}

void irq_rings(struct seen_object *irq)
{
    irq->irq_pending = 1;
    struct seen_thread *receiver = thread_find(irq->receiver);
    if (!receiver)
        return;
    if (!ids_have(&receiver->pending, irq->id))
        ids_add(&receiver->pending, irq->id);
    u64 id = irq->receiver;
    if (receiver->state == SEEN_RECEIVING && take_irq(id))
        wake(id);
}
