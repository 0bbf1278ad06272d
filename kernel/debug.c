/* SPDX-License-Identifier: BSD-2-Clause */
/* debug.c: debug.idl: every capability and mapping, memory in use, names; and threads that are watched: traced or counted.
 * The ring of a trace is memory of the task that reads it: a record goes to what is mapped there at that moment, if the task itself
 * could write it. So nothing is to be pinned. */
#include "debug_kernel.h"
#include "factory.h"
#include "flexpage.h"
#include "invoke.h"
#include "percpu.h"
#include "reply.h"
#include "string.h"
#include "thread.h"

extern struct factory root_factory;
struct task *trace_home;        /* whose memory the ring is: NULL, or a task that is not gone */
static u64 ring_at, ring_records, events;       /* events: of traced threads since boot, recorded or not */

l4_err_t debug_usage(struct debug *self, struct invocation *inv, u64 *bytes, u64 *objects)
{
    *bytes = root_factory.used;
    *objects = object_count;
    return L4_OK;
}

l4_err_t debug_name(struct debug *self, struct invocation *inv, u32 slot, const u8 *name, u32 length)
{
    const struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    if (!cap->object)
        return L4_NO_CAPABILITY;
    memset(cap->object->name, 0, sizeof cap->object->name);
    memcpy(cap->object->name, name, length < sizeof cap->object->name ? length : sizeof cap->object->name - 1);
    return L4_OK;
}

/* ---- snapshot. A cursor is where the next entry is looked for: task id, what, page or port or slot. ---- */
enum { POSITION_BITS = 36, WHAT_BITS = 3, ID_SHIFT = POSITION_BITS + WHAT_BITS };

static void describe(const struct found *found, struct debug_entry *entry)
{
    const struct cap *cap = found->cap;
    const bool is_memory = entry->node == DEBUG_MEMORY, is_page = cap->kind == KIND_PAGE;
    entry->at = is_memory ? found->unit << L4_PAGE_SHIFT : found->unit;
    entry->order = is_page || !cap->object ? found->order : (u32)cap->object->factory->object.id;
    entry->rights = cap->rights;
    entry->lineage = space_name(cap);
    entry->parent = cap->kind == L4_REPLY ? 0 : space_name(cap->parent);
    entry->object = is_memory ? paging_frame(*found->place.entry) : is_page || !cap->object ? 0 : cap->object->id;
    entry->kind = is_page ? 0 : cap->kind;
    entry->label = is_page ? 0 : cap->label;
}

static bool next_entry(struct task *task, u32 what, u64 *position, struct debug_entry *entry)
{
    *entry = (struct debug_entry){ .task = task->object.id, .node = what };
    if (what == DEBUG_TASK) {
        entry->object = task->object.id;
        return !(*position)++;
    }
    enum l4_fpage_type type = (enum l4_fpage_type)(what - DEBUG_MEMORY);
    while (*position < flexpage_units(type)) {
        struct found found = flexpage_find(task, type, *position);
        *position = found.end;
        if (found.cap && !cap_is_tomb(found.cap)) {
            describe(&found, entry);
            return true;
        }
    }
    return false;
}

l4_err_t debug_snapshot(struct debug *self, struct invocation *inv, u64 cursor, u64 *next, struct debug_entry *found)
{
    u64 id = cursor >> ID_SHIFT, position = cursor & ((1ul << POSITION_BITS) - 1);
    u64 what = cursor >> POSITION_BITS & ((1 << WHAT_BITS) - 1);
    list_for_each(node, &task_all) {
        struct task *task = container_of(node, struct task, in_all);
        if (task->object.id < id)
            continue;
        if (task->object.id > id || !what) {
            what = DEBUG_TASK;
            position = 0;
        }
        for (; what <= DEBUG_CAPABILITY; what++, position = 0) {
            if (next_entry(task, (u32)what, &position, found)) {
                *next = task->object.id << ID_SHIFT | what << POSITION_BITS | position;
                return L4_OK;
            }
        }
    }
    *next = cursor;
    *found = (struct debug_entry){ .node = DEBUG_END, .at = events, .object = object_last_id, .lineage = cap_last_lineage };
    return L4_OK;
}

/* ---- trace ---- */

void watch_record(const struct thread *t, u32 event, u64 status, const struct cap *cap, const struct message *m)
{
    const u64 needed = ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITE, looked_at = needed | ENTRY_UNCACHED | ENTRY_KERNEL;
    u64 n = events++;
    if (!trace_home)
        return;
    vaddr_t at = ring_at + n % ring_records * sizeof(struct debug_record);
    struct place place = paging_find(&trace_home->space, at);
    if ((*place.entry & looked_at) == needed)
        *(struct debug_record *)arch_pointer(paging_frame(*place.entry) + (at & ((1ul << place.order) - 1))) = (struct debug_record){
            n + 1, arch_now_ns(), t->object.id, t->task->object.id, cap->object ? cap->object->id : 0, cap->lineage, cap->label,
            (u32)status, (u8)event, cap->kind, (u8)thread_state(t), !!(t->hot & THREAD_RESTARTED), t->progress,
            m->label, m->tag, m->number, { m->word[0], m->word[1], m->word[2], m->word[3] } };
}

/* Whom a traced thread directs is traced, too, but for those who trace. */
static struct frame *invoke_traced(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current;
    const struct message m = { cap == &reply_implicit ? 0 : self->frame.message.label, tag, self->frame.message.number, { w0, w1, w2, w3 } };
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

void debug_forget(const struct task *task)
{
    if (trace_home == task)
        trace_home = NULL;
}

RARE l4_err_t debug_trace(struct debug *self, struct invocation *inv, u64 at, u64 records, u64 thread)
{
    if (at % sizeof(struct debug_record) || at >> 46 || records >> 32)      /* else it ends below L4_USER_END */
        return L4_BAD_ARGUMENT;
    trace_home = records ? inv->caller->task : NULL, ring_at = at, ring_records = records;
    invoke_how = records ? invoke_traced : kernel_invoke;
    list_for_each(home, &task_all)
        list_for_each(node, &container_of(home, struct task, in_all)->threads) {
            struct thread *t = container_of(node, struct thread, in_task);
            bool is_meant = thread ? thread == t->object.id : t->task != trace_home;
            t->hot = !records ? t->hot & ~(u32)THREAD_TRACED : is_meant ? t->hot | THREAD_TRACED : t->hot;
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
    if (t->hot & THREAD_TRACED)
        watch_record(t, DEBUG_RUN, t->frame.vector, &from, &t->frame.message);
    if (t->hot & THREAD_COUNTED && t->hot & THREAD_RESTARTED)
        t->frame.vector = 0;            /* by IRET: after SYSRET the trap comes before the next instruction */
    return t;
}
