/* SPDX-License-Identifier: BSD-2-Clause */
/* model_die.c: what ends with an object: everything that was made from a factory, lies in a task, waits at a gate or
 * for a thread; and every byte of it goes back. */
#include <string.h>
#include "model.h"

void fpu_drop(struct seen_object *thread)
{
    if (thread->thread.fpu)
        quota_credit(thread->factory, model_costs.fpu);
    thread->thread.fpu = 0;
}

void gate_leave(struct seen_object *gate)
{
    struct seen_thread *server = thread_find(gate->server);
    if (server)
        ids_remove(&server->gates, gate->id);
    gate->server = 0;
}

void irq_leave(struct seen_object *irq)
{
    struct seen_thread *receiver = thread_find(irq->receiver);
    if (receiver) {
        ids_remove(&receiver->irqs, irq->id);
        ids_remove(&receiver->pending, irq->id);
    }
    irq->receiver = 0;
}

/* Whom the thread owes an answer: they do not get one. */
static void owes_no_more(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    if (t->caller)
        abort_wait(t->caller, L4_PEER_RESTARTED);
    for (u64 i = 0; i < model.caps; )
        if (model.cap[i].kind == L4_REPLY && model.cap[i].keeper == thread)
            reply_drop(&model.cap[i]);
        else
            i++;
}

/* It waits for nobody; who waits for it waits on. */
void thread_pause(u64 thread)
{
    ready_remove(thread);
    thread_find(thread)->state = SEEN_STOPPED;
}

void thread_stop_it(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    if (t->state >= SEEN_SENDING && t->state <= SEEN_RECEIVING)
        abort_wait(thread, L4_PEER_RESTARTED);
    if (t->state == SEEN_READY)
        ready_remove(thread);
    t->state = SEEN_STOPPED;
    owes_no_more(thread);
}

/* Its next task does not inherit who watches it. */
void thread_unwatch(struct seen_thread *t)
{
    if (t->counted)
        t->registers.rflags &= ~(u64)TRAP_FLAG;
    t->counted = t->traced = 0;
}

static void trace_ends(void)
{
    model.trace_home = 0;
    for (u64 i = 0; i < model.objects; i++)
        if (model.object[i].kind == L4_THREAD)
            model.object[i].thread.traced = 0;
}

void thread_leave(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    u64 task = t->task, at = t->utcb_at;
    thread_stop_it(thread);
    forget_running(thread);
    thread_unwatch(t);
    t->task = t->utcb_at = 0;
    memset(&t->utcb, 0, sizeof t->utcb);
    if (task && !utcb_page_users(task, at))
        quota_credit(object_find(task)->factory, L4_PAGE_SIZE + table_bytes(task, at, L4_PAGE_SHIFT));
}

static void thread_die(u64 id)
{
    struct seen_object *o = object_find(id);
    struct seen_thread *t = &o->thread;
    while (t->gates.count)
        gate_leave(object_find(t->gates.id[0]));
    while (t->irqs.count) {
        struct seen_object *irq = object_find(t->irqs.id[0]);
        irq_leave(irq);
        irq->masked = 0;
    }
    thread_leave(id);
    fpu_drop(o);
}

static void task_die(u64 id)
{
    for (u64 i = 0; i < model.objects; i++)
        if (model.object[i].kind == L4_THREAD && model.object[i].thread.task == id)
            thread_leave(model.object[i].id);
    for (u64 i = 0; i < model.caps; )
        if (model.cap[i].task == id) {
            cap_remove(id, model.cap[i].slot, false);
            i = 0;              /* an object died with it, perhaps */
        } else {
            i++;
        }
    if (!object_find(id))
        return;
    pages_remove_all(id);
    if (model.trace_home == id)
        trace_ends();
    struct seen_object *task = object_find(id);
    u64 bytes = model_costs.top + model_costs.cap_directory;
    for (u32 i = 0; i < SEEN_CAP_PAGES; i++)
        bytes += task->cap_pages[i / 64] >> i % 64 & 1 ? model_costs.cap_page : 0;
    quota_credit(task->factory, bytes);
}

static void factory_die(u64 id)
{
    for (u64 i = 0; i < model.objects; )
        if (model.object[i].factory == id) {
            u64 child = model.object[i].id;
            for (u64 j = 0; j < model.caps; j++)
                if (model.cap[j].object == child && model.cap[j].kind != L4_REPLY && !model.cap[j].parent_task) {
                    cap_remove(model.cap[j].task, model.cap[j].slot, false);
                    break;
                }
            if (object_find(child))
                object_die(child);
            i = 0;
        } else {
            i++;
        }
    struct seen_object *factory = object_find(id);
    quota_credit(factory->factory, factory->limit);
}

void monitor_leave(struct seen_object *gate)
{
    struct seen_object *monitor = object_find(gate->monitor);
    if (monitor)
        monitor->monitored = 0;
    gate->monitor = 0;
}

static void gate_die(u64 id)
{
    struct seen_object *gate = object_find(id), *monitored = object_find(gate->monitored);
    if (monitored) {
        gate_leave(monitored);
        monitor_leave(monitored);
    }
    monitor_leave(gate);
    for (u32 band = 4; band-- > 0; )
        while (gate->band[band].count)
            abort_wait(gate->band[band].id[0], thread_find(gate->band[band].id[0])->held ? L4_PEER_RESTARTED : L4_GATE_DESTROYED);
    gate_leave(gate);
}

/* Objects that are dying already: what they hold may hold them. */
static struct seen_ids dying;

void object_die(u64 id)
{
    struct seen_object *o = object_find(id);
    if (!o || ids_have(&dying, id))
        return;
    ids_add(&dying, id);
    model_any_order = true;
    switch (o->kind) {
    case L4_FACTORY: factory_die(id); break;
    case L4_TASK: task_die(id); break;
    case L4_THREAD: thread_die(id); break;
    case L4_GATE: gate_die(id); break;
    case L4_IRQ: irq_leave(o); break;
    }
    ids_remove(&dying, id);
    o = object_find(id);
    quota_credit(o->factory, model_costs.object[o->kind]);
    object_drop(id);
}
