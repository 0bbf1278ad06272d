/* SPDX-License-Identifier: BSD-2-Clause */
/* threads.c: who waits for whom, who is ready, whose deadline comes first; see check.h. */
#include "check.h"
#include "gate.h"
#include "irq.h"
#include "reply.h"
#include "sched.h"
#include "watch.h"

/* How often `node` is in `head`'s list, each link of which is looked at. */
static u32 times_in(const struct list *head, const struct list *node)
{
    u32 times = 0;
    INVARIANT("linked", head->next->prev == head && head->prev->next == head, head);
    list_for_each(at, (struct list *)head) {
        INVARIANT("linked", at->next->prev == at && at->prev->next == at, at);
        times += at == node;
    }
    return times;
}

/* ---- one thread ---- */
static void check_sender(const struct thread *t)
{
    u32 times = 0;
    INVARIANT("senders", (thread_state(t) == THREAD_SENDING) == (t->at_gate != NULL), t->object.id);
    for (u32 i = 0; t->at_gate && i < GATE_BANDS; i++)
        times += times_in(&t->at_gate->band[i], &t->queue);
    INVARIANT("senders", times == (t->at_gate != NULL), t->object.id);
    INVARIANT("held", !(t->hot & THREAD_HELD) || (thread_waits(t) && thread_state(t) != THREAD_RECEIVING), t->object.id);
}

static void check_reply(const struct thread *t)
{
    bool awaits = thread_state(t) == THREAD_AWAITING;
    INVARIANT("reply", awaits || !t->kept_in, t->object.id);
    if (t->kept_in)
        INVARIANT("reply", t->kept_in->kind == L4_REPLY && t->kept_in->object == &t->object, t->object.id);
    if (awaits)
        INVARIANT("reply", (t->partner->caller == t) == !t->kept_in, t->object.id);
    if (t->caller != &thread_nobody)
        INVARIANT("reply", thread_state(t->caller) == THREAD_AWAITING && t->caller->partner == t, t->object.id);
    times_in(&t->kept, NULL);
    list_for_each(node, (struct list *)&t->kept) {
        struct cap *kept = container_of(node, struct cap, in_thread);
        const struct thread *caller = reply_caller(kept);
        INVARIANT("reply", kept->kind == L4_REPLY && (caller == &thread_nobody || caller->kept_in == kept), t->object.id);
    }
}

static void check_bound(const struct thread *t)
{
    bool is_owed = !list_is_empty(&t->pending_irqs);
    times_in(&t->gates, NULL);
    list_for_each(node, (struct list *)&t->gates) {
        const struct gate *gate = container_of(node, struct gate, in_server);
        INVARIANT("bound", gate->server == t, t->object.id);
        is_owed |= gate->waiting > 0 || gate->monitor;
    }
    INVARIANT("pending", !is_owed || t->hot & THREAD_PENDING, t->object.id);
    times_in(&t->pending_irqs, NULL);
    list_for_each(node, (struct list *)&t->pending_irqs) {
        const struct irq *irq = container_of(node, struct irq, in_pending);
        INVARIANT("pending", irq->pending && irq->receiver == t, t->object.id);
    }
}

/* It has spent its budget, and its timeout is the begin of the next period. */
static bool is_spent(const struct thread *t) { return thread_state(t) == THREAD_READY && t->timeout.rank; }

static void check_ready(const struct thread *t)
{
    const struct cpu *cpu = cpu_this();
    u32 places = (t == cpu->current) + (t == cpu->handoff) + is_spent(t);
    for (u32 p = 0; p < PRIORITIES; p++)
        places += times_in(&cpu->ready[p], &t->queue);
    INVARIANT("ready", places == (thread_state(t) == THREAD_READY), t->object.id);
    INVARIANT("ready", t == cpu->current || thread_state(t) != THREAD_READY || t->task, t->object.id);
}

static u32 rank_of(const struct timeout *t) { return t ? t->rank : 0; }

static void check_below(const struct timeout *t, const struct timeout *child)
{
    if (child)
        INVARIANT("heap", child->parent == t && child->deadline_ns >= t->deadline_ns, t);
}

static void check_timeout(const struct thread *t)
{
    const struct timeout *timeout = &t->timeout;
    INVARIANT("heap", !timeout->rank == !(t->hot & THREAD_TIMED || is_spent(t)), t->object.id);
    INVARIANT("ready", !is_spent(t) || (t->hot & THREAD_BUDGET && !t->budget.left_ns), t->object.id);
    if (!timeout->rank)
        return;
    INVARIANT("heap", rank_of(timeout->left) >= rank_of(timeout->right), t->object.id);
    INVARIANT("heap", timeout->rank == rank_of(timeout->right) + 1, t->object.id);
    check_below(timeout, timeout->left);
    check_below(timeout, timeout->right);
    INVARIANT("heap", timeout_next() <= timeout->deadline_ns, t->object.id);
}

static void check_thread(const struct thread *t)
{
    check_sender(t);
    check_reply(t);
    check_bound(t);
    check_ready(t);
    check_timeout(t);
}

/* ---- gates and irqs ---- */
static void check_gate(const struct gate *gate)
{
    u32 waiting = 0;
    if (gate->server == &thread_nobody)
        INVARIANT("bound", list_is_empty(&gate->in_server), gate->object.id);
    else
        INVARIANT("bound", times_in(&gate->server->gates, &gate->in_server) == 1, gate->object.id);
    for (u32 i = 0; i < GATE_BANDS; i++) {
        list_for_each(node, (struct list *)&gate->band[i]) {
            const struct thread *t = container_of(node, struct thread, queue);
            INVARIANT("senders", t->at_gate == gate && thread_state(t) == THREAD_SENDING, gate->object.id);
            waiting++;
        }
    }
    INVARIANT("senders", waiting == gate->waiting, gate->object.id);
    if (gate->monitor)
        INVARIANT("monitor", gate->monitor->monitored == gate && !gate->monitored, gate->object.id);
    if (gate->monitored)
        INVARIANT("monitor", gate->monitored->monitor == gate && !gate->monitor, gate->object.id);
}

static void check_irq(const struct irq *irq)
{
    bool is_owed = irq->receiver && irq->pending;
    if (irq->receiver)
        INVARIANT("pending", times_in(&irq->receiver->irqs, &irq->in_receiver) == 1, irq->object.id);
    INVARIANT("pending", list_is_empty(&irq->in_pending) == !is_owed, irq->object.id);
    if (is_owed)
        INVARIANT("pending", times_in(&irq->receiver->pending_irqs, &irq->in_pending) == 1, irq->object.id);
}

/* ---- all ---- */
static void check_queues(const struct cpu *cpu)
{
    for (u32 p = 0; p < PRIORITIES; p++) {
        INVARIANT("ready", list_is_empty(&cpu->ready[p]) == !(cpu->ready_mask >> p & 1), p);
        list_for_each(node, (struct list *)&cpu->ready[p]) {
            const struct thread *t = container_of(node, struct thread, queue);
            INVARIANT("ready", thread_state(t) == THREAD_READY && t->priority == p, t->object.id);
        }
    }
}

static void check_objects(const struct factory *factory)
{
    list_for_each(node, (struct list *)&factory->objects) {
        struct object *object = container_of(node, struct object, in_factory);
        switch (object->kind) {
        case L4_FACTORY: check_objects(factory_of(object)); break;
        case L4_THREAD: check_thread(thread_of(object)); break;
        case L4_GATE: check_gate(gate_of(object)); break;
        case L4_IRQ: check_irq(irq_of(object)); break;
        }
    }
}

void threads_check(const struct factory *root)
{
    times_in(&root->objects, NULL);
    INVARIANT("traced", (invoke_how == kernel_invoke) == !trace_home, trace_home);
    check_queues(cpu_this());
    check_objects(root);
}
