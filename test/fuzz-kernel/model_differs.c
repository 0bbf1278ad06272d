/* SPDX-License-Identifier: BSD-2-Clause */
/* model_differs.c: holds the model against the kernel, field by field, and says what differs. */
#include <stdio.h>
#include <string.h>
#include "model.h"

static bool differs;

#define SAME(what, who, field) do { \
        if (model_is->field != kernel_is->field) \
            tell(what, who, #field, (u64)model_is->field, (u64)kernel_is->field); \
    } while (0)

static void tell(const char *what, u64 who, const char *field, u64 should, u64 is)
{
    fprintf(stderr, "fuzz-kernel: %s %lu: %s is %lx in the kernel, %lx in the model\n", what, who, field, is, should);
    differs = true;
}

static void same_ids(const char *what, u64 who, const char *field, const struct seen_ids *should, const struct seen_ids *is)
{
    for (u64 i = 0; i < should->count || i < is->count; i++) {
        u64 a = i < should->count ? should->id[i] : 0, b = i < is->count ? is->id[i] : 0;
        if (a != b)
            tell(what, who, field, a, b);
    }
}

static void same_words(const char *what, u64 who, const char *field, const void *should, const void *is, u64 bytes)
{
    for (u64 i = 0; i < bytes / sizeof(u64); i++) {
        u64 a = ((const u64 *)should)[i], b = ((const u64 *)is)[i];
        char name[96];
        if (a == b)
            continue;
        snprintf(name, sizeof name, "%s[%lu]", field, i);
        tell(what, who, name, a, b);
    }
}

/* Who waits for a message or an answer has no words: it gets them with that. */
static struct l4_registers without_words(const struct seen_thread *t)
{
    struct l4_registers r = t->registers;
    if (t->origin == SEEN_CALL && (t->state == SEEN_AWAITING || t->state == SEEN_RECEIVING))
        r.rax = r.rdi = r.rsi = r.rdx = r.r8 = r.r9 = r.r10 = 0;
    return r;
}

static void same_thread(u64 id, const struct seen_thread *model_is, const struct seen_thread *kernel_is)
{
    SAME("thread", id, state);
    SAME("thread", id, priority);
    SAME("thread", id, fpu);
    SAME("thread", id, kicked);
    SAME("thread", id, task);
    SAME("thread", id, utcb_at);
    SAME("thread", id, gate);
    SAME("thread", id, send_label);
    SAME("thread", id, send_rights);
    SAME("thread", id, held);
    SAME("thread", id, kept_task);
    SAME("thread", id, kept_slot);
    SAME("thread", id, caller);
    SAME("thread", id, timed);
    SAME("thread", id, deadline);
    SAME("thread", id, slice_ns);
    SAME("thread", id, budget_ns);
    SAME("thread", id, budget_period_ns);
    SAME("thread", id, budget_left_ns);
    SAME("thread", id, budget_end_ns);
    SAME("thread", id, rests);
    SAME("thread", id, traced);
    SAME("thread", id, counted);
    SAME("thread", id, instructions);
    SAME("thread", id, pager);
    SAME("thread", id, exception);
    SAME("thread", id, upcall_system_call);
    SAME("thread", id, upcall_kick);
    SAME("thread", id, upcall_exception);
    SAME("thread", id, upcall_stack);
    if (model_is->state == SEEN_AWAITING)
        SAME("thread", id, partner);
    if (model_is->state == SEEN_READY && id != model.current)
        SAME("thread", id, slice_end_ns);
    if (model_is->state >= SEEN_SENDING && model_is->state <= SEEN_RECEIVING) {
        SAME("thread", id, origin);
        if (model_is->origin)
            same_words("thread", id, "fault", model_is->fault, kernel_is->fault, sizeof model_is->fault);
    }
    same_ids("thread", id, "gates", &model_is->gates, &kernel_is->gates);
    same_ids("thread", id, "irqs", &model_is->irqs, &kernel_is->irqs);
    same_ids("thread", id, "pending", &model_is->pending, &kernel_is->pending);
    const struct l4_registers should = without_words(model_is), is = without_words(kernel_is);
    same_words("thread", id, "registers", &should, &is, sizeof should);
    if (model_is->task)
        same_words("thread", id, "utcb", &model_is->utcb, &kernel_is->utcb, sizeof model_is->utcb);
}

static void same_object(const struct seen_object *model_is, const struct seen_object *kernel_is)
{
    u64 id = model_is->id;
    SAME("object", id, id);
    SAME("object", id, kind);
    SAME("object", id, factory);
    same_words("object", id, "name", model_is->name, kernel_is->name, sizeof model_is->name);
    if (model_is->kind != kernel_is->kind)
        return;
    switch (model_is->kind) {
    case L4_FACTORY:
        SAME("factory", id, limit);
        SAME("factory", id, used);
        break;
    case L4_TASK:
        SAME("task", id, native);
        SAME("task", id, native_end);
        SAME("task", id, leave);
        SAME("task", id, leave_end);
        same_words("task", id, "cap_pages", model_is->cap_pages, kernel_is->cap_pages, sizeof model_is->cap_pages);
        break;
    case L4_THREAD: same_thread(id, &model_is->thread, &kernel_is->thread); break;
    case L4_GATE:
        SAME("gate", id, server);
        SAME("gate", id, monitor);
        SAME("gate", id, monitored);
        for (u32 i = 0; i < 4; i++)
            same_ids("gate", id, "band", &model_is->band[i], &kernel_is->band[i]);
        break;
    case L4_IRQ:
        SAME("irq", id, receiver);
        SAME("irq", id, irq_label);
        SAME("irq", id, irq_pending);
        SAME("irq", id, level);
        SAME("irq", id, masked);
        SAME("irq", id, line);
        break;
    }
}

static void same_caps(const struct seen *kernel)
{
    for (u64 i = 0; i < model.caps && i < kernel->caps; i++) {
        const struct seen_cap *model_is = &model.cap[i], *kernel_is = &kernel->cap[i];
        if (!memcmp(model_is, kernel_is, sizeof *model_is))
            continue;
        fprintf(stderr, "fuzz-kernel: capability of task %lu, slot %lu:\n", model_is->task, model_is->slot);
        same_words("capability", i, "task slot object label parent_task parent_slot keeper incarnation kind rights",
                   model_is, kernel_is, sizeof *model_is);
        return;
    }
    if (model.caps != kernel->caps)
        tell("capabilities", 0, "their number", model.caps, kernel->caps);
}

static void same_pages(const struct seen *kernel)
{
    for (u64 i = 0; i < model.pages && i < kernel->pages; i++) {
        const struct seen_page *model_is = &model.page[i], *kernel_is = &kernel->page[i];
        if (!memcmp(model_is, kernel_is, sizeof *model_is))
            continue;
        fprintf(stderr, "fuzz-kernel: page of task %lu at %lx:\n", model_is->task, model_is->at);
        same_words("page", i, "task at frame parent_task parent_at order rights uncached", model_is, kernel_is,
                   sizeof *model_is);
        return;
    }
    if (model.pages != kernel->pages)
        tell("pages", 0, "their number", model.pages, kernel->pages);
}

/* The same threads are ready, and none of them is more urgent than the one that runs: that is all that is promised when
 * several become ready by one death or at one tick. */
static void take_over_order(const struct seen *kernel)
{
    bool same = true;
    u64 all = kernel->ready.count + !!kernel->current, ours = model.ready.count + !!model.current;
    for (u64 i = 0; i <= kernel->ready.count; i++) {
        u64 id = i < kernel->ready.count ? kernel->ready.id[i] : kernel->current;
        const struct seen_thread *t = thread_find(id), *running = thread_find(kernel->current);
        same &= !id || id == model.current || ids_have(&model.ready, id);
        same &= !id || (t && running && t->priority <= running->priority);
    }
    if (!same || all != ours)
        return;
    u64 was_to_run = model.current;
    model.ready = kernel->ready;
    model.current = kernel->current;
    model.slice_end_ns = kernel->slice_end_ns;
    for (u64 i = 0; i < kernel->objects; i++) {
        struct seen_thread *t = thread_find(kernel->object[i].id);
        const struct seen_thread *theirs = &kernel->object[i].thread;
        if (!t || kernel->object[i].kind != L4_THREAD)
            continue;
        t->slice_end_ns = theirs->slice_end_ns;
        t->budget_left_ns = theirs->budget_left_ns;
        t->budget_end_ns = theirs->budget_end_ns;
        t->rests = theirs->rests;
        t->deadline = theirs->rests ? theirs->deadline : t->deadline;
        if (t->counted && kernel->object[i].id == was_to_run && was_to_run != model.current)     /* it has its trap flag when it runs */
            t->registers.rflags = (t->registers.rflags & ~(u64)TRAP_FLAG) | (theirs->registers.rflags & TRAP_FLAG);
    }
    see_off(model.current);
    model.metered = kernel->metered;
    model.metered_ns = kernel->metered_ns;
}

bool model_differs(const struct seen *kernel)
{
    const struct seen *model_is = &model, *kernel_is = kernel;
    differs = false;
    if (model_any_order)
        take_over_order(kernel);
    SAME("machine", 0, objects);
    SAME("machine", 0, count);
    SAME("machine", 0, current);
    SAME("machine", 0, slice_end_ns);
    SAME("machine", 0, trace_home);
    SAME("machine", 0, metered);
    SAME("machine", 0, metered_ns);
    same_ids("machine", 0, "ready", &model.ready, &kernel->ready);
    for (u64 i = 0; i < model.objects && i < kernel->objects; i++)
        same_object(&model.object[i], &kernel->object[i]);
    same_caps(kernel);
    same_pages(kernel);
    return differs;
}
