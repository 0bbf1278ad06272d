/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.c: see sched.h. The slice belongs to the CPU: a call passes it on by not touching it. */
#include "sched.h"
#include "ipc.h"
#include "watch.h"

enum { WAKES_AT_ONCE = 48 };

void sched_init(void)
{
    struct cpu *cpu = cpu_self();
    cpu->timer_ns = ~0ul;
    for (u32 p = 0; p < PRIORITIES; p++)
        list_init(&cpu->ready[p]);
}

/* Queue `t` behind its equals, or before them to go on with a slice that ends then. */
static void enqueue(struct cpu *cpu, struct thread *t, u64 slice_end_ns)
{
    struct list *queue = &cpu->ready[t->priority];
    list_insert(slice_end_ns ? queue->next : queue, &t->queue);
    cpu->ready_mask |= 1ul << t->priority;
    t->slice_end_ns = slice_end_ns;
}

/* Somebody more urgent has come: `t` goes on with its slice afterwards, or its equals would never have their turn. */
static void preempt(struct cpu *cpu, struct thread *t) { enqueue(cpu, t, cpu->slice_end_ns); }

static void dequeue(struct cpu *cpu, struct thread *t)
{
    list_remove(&t->queue);
    if (list_is_empty(&cpu->ready[t->priority]))
        cpu->ready_mask &= ~(1ul << t->priority);
}

static struct thread *most_urgent(const struct cpu *cpu)
{
    if (!cpu->ready_mask)
        return NULL;
    return container_of(cpu->ready[63 - __builtin_clzl(cpu->ready_mask)].next, struct thread, queue);
}

void sched_ready(struct thread *t)
{
    struct cpu *cpu = cpu_self();
    if (t == cpu->current)
        return;
    if (cpu->handoff)
        enqueue(cpu, t, 0);
    else
        cpu->handoff = t;
}

void sched_remove(struct thread *t)
{
    struct cpu *cpu = cpu_self();
    if (cpu->handoff == t)
        cpu->handoff = NULL;
    else if (t != cpu->current)
        dequeue(cpu, t);
    timeout_cancel(&t->timeout);
}

void sched_forget(struct thread *t)
{
    struct cpu *cpu = cpu_self();
    if (cpu->current == t)
        cpu->current = NULL;
    if (cpu->metered == t)
        cpu->metered = NULL;
    arch_forget(t);
}

void sched_change(struct thread *t, u32 priority, struct budget budget)
{
    struct cpu *cpu = cpu_self();
    bool queued = thread_state(t) == THREAD_READY && t != cpu->current;
    if (queued)
        sched_remove(t);
    t->priority = (u8)priority;
    t->budget = budget;
    t->hot = budget.ns < budget.period_ns ? t->hot | THREAD_BUDGET : t->hot & ~(u32)THREAD_BUDGET;
    if (queued)
        enqueue(cpu, t, 0);
}

void sched_yield_to(struct thread *t)
{
    struct cpu *cpu = cpu_self();
    struct thread *self = cpu->current;
    if (t == self || thread_state(t) != THREAD_READY)
        return;
    sched_remove(t);
    if (cpu->handoff)
        enqueue(cpu, cpu->handoff, 0);
    cpu->handoff = t;
    cpu->current = NULL;
    enqueue(cpu, self, 0);
}

void sched_tick(void)
{
    struct cpu *cpu = cpu_self();
    u64 now = arch_now_ns();
    cpu->timer_ns = ~0ul;
    struct timeout *first;
    for (u32 n = 0; n < WAKES_AT_ONCE && (first = timeout_expired(now)); n++) {      /* for the rest it rings again */
        struct thread *t = container_of(first, struct thread, timeout);
        if (thread_state(t) == THREAD_READY)
            enqueue(cpu, t, 0);         /* its next period begins */
        else
            ipc_abort(t, L4_TIMED_OUT);
    }
    if (cpu->current && now >= cpu->slice_end_ns && thread_state(cpu->current) == THREAD_READY) {
        enqueue(cpu, cpu->current, 0);
        cpu->current = NULL;
    }
}

static void ring_at(struct cpu *cpu, u64 ns)
{
    if (ns >= cpu->timer_ns)
        return;
    cpu->timer_ns = ns;
    arch_timer_at(ns);
}

/* Who is metered pays for its time on the CPU. */
static void charge(struct cpu *cpu)
{
    u64 used = arch_now_ns() - cpu->metered_ns, *left = &cpu->metered->budget.left_ns;
    *left -= used < *left ? used : *left;
    cpu->metered = NULL;
}

/* Whether `t` may run, metered from now; else it waits for its next period. */
static bool afford(struct cpu *cpu, struct thread *t)
{
    struct budget *budget = &t->budget;
    u64 now = arch_now_ns();
    if (now >= budget->end_ns) {
        budget->left_ns = budget->ns;
        budget->end_ns = now + budget->period_ns;
    }
    if (!budget->left_ns) {
        cpu->current = NULL;
        timeout_arm(&t->timeout, budget->end_ns);
        return false;
    }
    cpu->metered = t;
    cpu->metered_ns = now;
    ring_at(cpu, now + budget->left_ns);
    return true;
}

/* The most urgent of the queues: it begins a slice, or goes on with the one that it was preempted in. NULL: nobody is
 * ready. */
static struct thread *take_top(struct cpu *cpu)
{
    struct thread *top = most_urgent(cpu);
    if (!top)
        return NULL;
    dequeue(cpu, top);
    cpu->slice_end_ns = top->slice_end_ns ? top->slice_end_ns : arch_now_ns() + (top->slice_ns ? top->slice_ns : (u64)SLICE_NS);
    return top;
}

/* The current thread if it may go on, unless the handoff is more urgent. */
static struct thread *current_or_handoff(struct cpu *cpu)
{
    struct thread *t = cpu->current, *handoff = cpu->handoff;
    if (!t || thread_state(t) != THREAD_READY)
        t = NULL;
    if (!handoff)
        return t;
    cpu->handoff = NULL;
    if (!t)
        return handoff;
    if (handoff->priority <= t->priority) {
        enqueue(cpu, handoff, 0);
        return t;
    }
    preempt(cpu, t);
    return handoff;
}

void sched_come_back(u64 ns) { ring_at(cpu_self(), ns); }

/* Rings at the next deadline, or at the end of the slice while somebody equal waits for it. Early is harmless: the tick
 * asks again. */
static struct thread *choose(struct cpu *cpu)
{
    struct thread *next = current_or_handoff(cpu);
    u64 rivals = next ? cpu->ready_mask >> next->priority : ~0ul;       /* bit 0: equals; above: more urgent ones */
    if (rivals > 1) {
        if (next)
            preempt(cpu, next);
        next = take_top(cpu);
        rivals = next ? cpu->ready_mask >> next->priority : 0;
    }
    cpu->current = next;
    u64 deadline = timeout_next();
    ring_at(cpu, rivals & 1 && cpu->slice_end_ns < deadline ? cpu->slice_end_ns : deadline);
    return next;
}

static RARE struct thread *see_off(struct cpu *cpu, struct thread *t)
{
    return t->hot & THREAD_BUDGET && !afford(cpu, t) ? sched_next() : watch_run(t);
}

struct thread *sched_next(void)
{
    struct cpu *cpu = cpu_self();
    if (cpu->metered)
        charge(cpu);
    struct thread *next = choose(cpu);
    return next && next->hot & THREAD_SEEN_OFF ? see_off(cpu, next) : next;
}
