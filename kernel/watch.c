/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.c: threads that are watched: what they do is written down, or they stop after so many instructions.
 * The ring of a trace is memory of the task that reads it: a record goes to what is mapped there at that moment, if the
 * task itself could write it. So nothing is to be pinned. Nobody is told when a trace ends: who was traced finds out when
 * it goes on. */
#include "watch.h"
#include "percpu.h"
#include "reply.h"
#include "task.h"

struct task *trace_home;
static u64 ring_at, ring_records;
u64 watch_events;

/* ---- trace ---- */

void watch_record(const struct thread *t, u32 event, u64 status, const struct cap *cap, const struct message *m)
{
    const u64 needed = ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITE, looked_at = needed | ENTRY_UNCACHED | ENTRY_KERNEL;
    if (!trace_home)
        return;
    vaddr_t at = ring_at + watch_events++ % ring_records * sizeof(struct debug_record);
    struct place place = paging_find(&trace_home->space, at);
    if ((*place.entry & looked_at) == needed)
        *(struct debug_record *)arch_pointer(paging_frame(*place.entry) + (at & ((1ul << place.order) - 1))) =
            (struct debug_record){
            watch_events, arch_now_ns(), t->object.id, t->task->object.id, cap->object ? cap->object->id : 0, cap->lineage,
            cap->label, (u32)status, (u8)event, cap->kind, (u8)thread_state(t), !!(t->hot & THREAD_RESTARTED), t->progress,
            m->label, m->tag, m->number, { m->word[0], m->word[1], m->word[2], m->word[3] } };
}

/* Whom a traced thread directs is traced, too, but for those who trace. */
static struct frame *invoke_traced(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current;
    const struct message *was = &self->frame.message;
    const struct message m = { cap == &reply_implicit ? 0 : was->label, tag, was->number, { w0, w1, w2, w3 } };
    const struct l4_item *item = self->utcb->item;
    if (!(self->hot & THREAD_TRACED))
        return kernel_invoke(tag, w0, w1, cap, w2, w3);
    watch_record(self, DEBUG_INVOKE, 0, cap, &m);
    for (u32 more = l4_tag_items(tag); more--; item++)
        watch_record(self, DEBUG_ITEM, more, &cap_zero_page.slot[0], &(struct message){ .word = { item->fpage, item->hot } });
    if (cap->kind == L4_THREAD && thread_of(cap->object)->task != trace_home)
        thread_of(cap->object)->hot |= THREAD_TRACED;
    return kernel_invoke(tag, w0, w1, cap, w2, w3);
}

/* A new home's trace begins with nobody but those that it means. */
RARE l4_err_t debug_trace(struct debug *self, struct invocation *inv, u64 at, u64 records, u64 thread)
{
    if (at % sizeof(struct debug_record) || at >> 46 || records >> 32)      /* else it ends below L4_USER_END */
        return L4_BAD_ARGUMENT;
    bool goes_on = thread && trace_home == inv->caller->task;
    trace_home = records ? inv->caller->task : NULL;
    invoke_how = records ? invoke_traced : kernel_invoke;
    ring_at = at;
    ring_records = records;
    list_for_each(home, &task_all)
        list_for_each(node, &container_of(home, struct task, in_all)->threads) {
            struct thread *t = container_of(node, struct thread, in_task);
            bool is_meant = records && (thread ? thread == t->object.id : t->task != trace_home);
            t->hot = is_meant ? t->hot | THREAD_TRACED : goes_on ? t->hot : t->hot & ~(u32)THREAD_TRACED;
        }
    return L4_OK;
}

/* ---- run-N ---- */

RARE l4_err_t debug_run(struct debug *self, struct invocation *inv, struct thread *subject, u64 instructions)
{
    subject->instructions = instructions;
    subject->hot |= THREAD_COUNTED;
    subject->runtime_flags = ~0u;       /* the trap flag is the kernel's now */
    return L4_OK;
}

bool watch_count(struct thread *self)
{
    if (!(self->hot & THREAD_COUNTED))
        return false;
    self->frame.rflags &= ~(u64)FLAG_TRAP;
    if (self->instructions && !--self->instructions)
        thread_halt(self);
    return true;
}

struct thread *watch_run(struct thread *t)
{
    const struct cap from = { .object = &t->caller->object, .lineage = t->utcb->window_caps, .label = t->utcb->window_memory };
    if (t->hot & THREAD_COUNTED)
        t->frame.rflags |= t->instructions ? FLAG_TRAP : 0;
    if (!trace_home)
        t->hot &= ~(u32)THREAD_TRACED;
    if (t->hot & THREAD_TRACED)
        watch_record(t, DEBUG_RUN, t->frame.vector, &from, &t->frame.message);
    if (t->hot & THREAD_COUNTED && t->hot & THREAD_RESTARTED)
        t->frame.vector = 0;            /* by IRET: after SYSRET the trap comes before the next instruction */
    return t;
}
