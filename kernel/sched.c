/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.c: see sched.h. The slice belongs to the CPU: a call passes it on by not touching it. */
#include "sched.h"
#include "ipc.h"

struct cpu boot_cpu;

void sched_init(void)
{
    struct cpu *cpu = cpu_this();
    cpu->timer_ns = ~0ul;
    for (u32 p = 0; p < PRIORITIES; p++)
        list_init(&cpu->ready[p]);
}

/* Queue `t` behind its equals, or before them to go on with its slice. */
static void enqueue(struct cpu *cpu, struct thread *t, bool at_front)
{
    struct list *queue = &cpu->ready[t->priority];
    list_insert(at_front ? queue->next : queue, &t->queue);
    cpu->ready_mask |= 1ul << t->priority;
    t->slice_left_ns = 0;
}

/* Somebody more urgent has come: `t` keeps what is left of its slice, or its equals would never have their turn. */
static void preempt(struct cpu *cpu, struct thread *t)
{
    u64 now = arch_now_ns();
    u64 left_ns = cpu->slice_end_ns > now ? cpu->slice_end_ns - now : 0;
    enqueue(cpu, t, left_ns);
    t->slice_left_ns = left_ns;
}

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
    struct cpu *cpu = cpu_this();
    if (t == cpu->current)
        return;
    if (cpu->handoff)
        enqueue(cpu, t, false);
    else
        cpu->handoff = t;
}

void sched_remove(struct thread *t)
{
    struct cpu *cpu = cpu_this();
    if (cpu->handoff == t)
        cpu->handoff = NULL;
    else if (t != cpu->current)
        dequeue(cpu, t);
}

void sched_forget(struct thread *t)
{
    struct cpu *cpu = cpu_this();
    if (cpu->current == t)
        cpu->current = NULL;
    arch_forget(t);
}

void sched_set_priority(struct thread *t, u32 priority)
{
    struct cpu *cpu = cpu_this();
    bool queued = thread_state(t) == THREAD_READY && t != cpu->current;
    if (queued)
        sched_remove(t);
    t->priority = (u8)priority;
    if (queued)
        enqueue(cpu, t, false);
}

void sched_yield_to(struct thread *t)
{
    struct cpu *cpu = cpu_this();
    struct thread *self = cpu->current;
    if (t == self || thread_state(t) != THREAD_READY)
        return;
    sched_remove(t);
    if (cpu->handoff)
        enqueue(cpu, cpu->handoff, false);
    cpu->handoff = t;
    cpu->current = NULL;
    enqueue(cpu, self, false);
}

void sched_tick(void)
{
    struct cpu *cpu = cpu_this();
    u64 now = arch_now_ns();
    cpu->timer_ns = ~0ul;
    for (struct timeout *first; (first = timeout_expired(now)); )
        ipc_abort(container_of(first, struct thread, timeout), L4_TIMED_OUT);
    if (cpu->current && now >= cpu->slice_end_ns && thread_state(cpu->current) == THREAD_READY) {
        enqueue(cpu, cpu->current, false);
        cpu->current = NULL;
    }
}

/* The current thread if it may go on, unless the handoff is more urgent. */
static struct thread *current_or_handoff(struct cpu *cpu)
{
    struct thread *t = cpu->current, *handoff = cpu->handoff;
    cpu->handoff = NULL;
    if (t && thread_state(t) != THREAD_READY)
        t = NULL;
    if (!handoff)
        return t;
    if (!t)
        return handoff;
    if (handoff->priority <= t->priority) {
        enqueue(cpu, handoff, false);
        return t;
    }
    preempt(cpu, t);
    return handoff;
}

/* Ring at the next deadline, or at the end of the slice while somebody equal waits for it. Early is harmless: the tick
 * asks again. */
static void set_timer(struct cpu *cpu, struct thread *next, bool fresh_slice)
{
    if (fresh_slice) {
        u64 whole = next->slice_ns ? next->slice_ns : (u64)SLICE_NS;
        cpu->slice_end_ns = arch_now_ns() + (next->slice_left_ns ? next->slice_left_ns : whole);
        next->slice_left_ns = 0;
    }
    u64 at = timeout_next();
    if (next && cpu->ready_mask >> next->priority && cpu->slice_end_ns < at)
        at = cpu->slice_end_ns;
    if (at < cpu->timer_ns) {
        cpu->timer_ns = at;
        arch_timer_at(at);
    }
}

void sched_come_back(void)
{
    cpu_this()->timer_ns = 0;
    arch_timer_at(0);
}

struct frame *sched_next(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *next = current_or_handoff(cpu), *top = most_urgent(cpu);
    bool fresh_slice = false;
    if (top && (!next || top->priority > next->priority)) {
        if (next)
            preempt(cpu, next);
        dequeue(cpu, top);
        fresh_slice = top != cpu->current;
        next = top;
    }
    cpu->current = next;
    set_timer(cpu, next, fresh_slice);
    if (!next)
        return arch_idle_frame();
    arch_switch(next);
    return &next->frame;
}
