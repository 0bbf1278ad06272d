/* SPDX-License-Identifier: BSD-2-Clause */
/* model_sched.c: who runs: the most urgent, equals in turn for a slice each. A thread that a step makes ready goes
 * before the one that runs only if it is more urgent; who gives way to somebody more urgent goes on with his slice
 * afterwards, if it has not ended by then; a call passes the slice on. Who has a budget runs for so long in each period
 * and rests until the next one. */
#include "model.h"
#include <string.h>

enum { SLICE_NS = 10 * 1000 * 1000 };

static u64 chosen;              /* made ready in this step, the first: runs next if the running one stopped */

static u64 priority_of(u64 thread) { return thread_find(thread)->priority; }

/* Behind its equals; or before them, to go on with a slice that ends then. */
static void enqueue(u64 thread, u64 slice_end_ns)
{
    u64 i = 0, p = priority_of(thread);
    while (i < model.ready.count
        && (priority_of(model.ready.id[i]) > p || (!slice_end_ns && priority_of(model.ready.id[i]) == p)))
        i++;
    ids_add(&model.ready, 0);
    memmove(&model.ready.id[i + 1], &model.ready.id[i], (model.ready.count - 1 - i) * sizeof(u64));
    model.ready.id[i] = thread;
    thread_find(thread)->slice_end_ns = slice_end_ns;
}

void wake(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    t->state = SEEN_READY;
    t->timed = t->deadline = 0;
    t->held = t->send_label = t->send_rights = 0;
    if (thread == model.current)
        return;
    if (chosen)
        enqueue(thread, 0);
    else
        chosen = thread;
}

void ready_remove(u64 thread)
{
    if (chosen == thread)
        chosen = 0;
    else if (thread != model.current)
        ids_remove(&model.ready, thread);
    thread_find(thread)->rests = thread_find(thread)->deadline = 0;
}

void set_schedule(u64 thread, u64 priority)
{
    struct seen_thread *t = thread_find(thread);
    bool queued = t->state == SEEN_READY && thread != model.current;
    if (queued)
        ready_remove(thread);
    t->priority = priority;
    if (queued)
        enqueue(thread, 0);
}

void yield_to(u64 thread)
{
    u64 self = model.current;
    if (thread == self || thread_find(thread)->state != SEEN_READY)
        return;
    ready_remove(thread);
    if (chosen)
        enqueue(chosen, 0);
    chosen = thread;
    model.current = 0;
    enqueue(self, 0);
}

void forget_running(u64 thread)
{
    if (model.current == thread)
        model.current = 0;
    if (model.metered == thread)
        model.metered = model.metered_ns = 0;
}

void tick(u64 now_ns)
{
    u32 woken = 0;
    for (;;) {
        struct seen_object *first = NULL;
        for (u64 i = 0; i < model.objects; i++) {
            struct seen_object *o = &model.object[i];
            bool is_due = o->kind == L4_THREAD && (o->thread.timed || o->thread.rests) && o->thread.deadline <= now_ns;
            if (is_due && (!first || o->thread.deadline < first->thread.deadline))
                first = o;
        }
        if (!first)
            break;
        if (first->thread.rests) {
            first->thread.rests = first->thread.deadline = 0;
            enqueue(first->id, 0);
        } else {
            abort_wait(first->id, L4_TIMED_OUT);
        }
        model_any_order |= ++woken > 1;
    }
    struct seen_thread *t = thread_find(model.current);
    if (t && now_ns >= model.slice_end_ns && t->state == SEEN_READY) {
        enqueue(model.current, 0);
        model.current = 0;
    }
}

/* The running thread if it may go on, unless the chosen one is more urgent. */
static u64 stays_or_chosen(void)
{
    u64 running = model.current, other = chosen;
    chosen = 0;
    if (running && thread_find(running)->state != SEEN_READY)
        running = 0;
    if (!other || !running)
        return other ? other : running;
    if (priority_of(other) <= priority_of(running)) {
        enqueue(other, 0);
        return running;
    }
    enqueue(running, model.slice_end_ns);
    return other;
}

/* Who had a budget and ran until now pays for it. */
static void charge(u64 now_ns)
{
    struct seen_thread *t = model.metered ? thread_find(model.metered) : NULL;
    u64 used = now_ns - model.metered_ns;
    if (t)
        t->budget_left_ns = used < t->budget_left_ns ? t->budget_left_ns - used : 0;
    model.metered = model.metered_ns = 0;
}

/* Whether it may run; if not, it rests. */
static bool may_run(u64 thread, u64 now_ns)
{
    struct seen_thread *t = thread_find(thread);
    if (t->budget_ns >= t->budget_period_ns)
        return true;
    if (now_ns >= t->budget_end_ns) {
        t->budget_left_ns = t->budget_ns;
        t->budget_end_ns = now_ns + t->budget_period_ns;
    }
    t->rests = !t->budget_left_ns;
    t->deadline = t->rests ? t->budget_end_ns : 0;
    model.metered = t->rests ? 0 : thread;
    model.metered_ns = t->rests ? 0 : now_ns;
    return !t->rests;
}

static void choose(u64 now_ns)
{
    u64 next = stays_or_chosen(), top = model.ready.count ? model.ready.id[0] : 0;
    if (top && (!next || priority_of(top) > priority_of(next))) {
        if (next)
            enqueue(next, model.slice_end_ns);
        ids_remove(&model.ready, top);
        const struct seen_thread *t = thread_find(top);
        model.slice_end_ns = t->slice_end_ns ? t->slice_end_ns : now_ns + (t->slice_ns ? t->slice_ns : SLICE_NS);
        next = top;
    }
    model.current = next;
}

void see_off(u64 thread)
{
    struct seen_thread *t = thread ? thread_find(thread) : NULL;
    if (t && t->counted && t->instructions)
        t->registers.rflags |= TRAP_FLAG;
}

void run_next(u64 now_ns)
{
    charge(now_ns);
    for (choose(now_ns); model.current && !may_run(model.current, now_ns); choose(now_ns))
        model.current = 0;
    see_off(model.current);
}
