/* SPDX-License-Identifier: BSD-2-Clause */
/* debug.c: debug.idl: who waits for whom, every capability and mapping, memory in use. */
#include "debug_kernel.h"
#include "factory.h"
#include "gate.h"
#include "invoke.h"
#include "memory.h"
#include "print.h"
#include "string.h"
#include "task.h"
#include "thread.h"

extern struct factory root_factory;

/* Call `visit` for every object below `factory`, until it says true. */
static bool for_each_object(struct factory *factory, bool (*visit)(struct object *, void *), void *context)
{
    list_for_each(node, &factory->objects) {
        struct object *object = container_of(node, struct object, in_factory);
        if (visit(object, context))
            return true;
        if (object->kind == L4_FACTORY && for_each_object((struct factory *)object, visit, context))
            return true;
    }
    return false;
}

static bool dump_thread(struct object *object, void *context)
{
    static const char *const states[] = { "stopped", "ready", "sending to", "awaiting", "receiving", "halted" };
    if (object->kind != L4_THREAD)
        return false;
    const struct thread *t = thread_of(object);
    enum thread_state state = thread_state(t);
    const struct object *on = state == THREAD_SENDING ? &t->at_gate->object :
                              state == THREAD_AWAITING && t->partner ? &t->partner->object : NULL;
    print("thread %lu %s task %lu prio %u %s %lu %s rip %lx%s\n", object->id, object->name, t->task ? t->task->object.id : 0,
          t->priority, states[state], on ? on->id : 0, on ? on->name : "", t->frame.rip,
          t->origin == ORIGIN_FAULT ? " (page fault)" : t->origin == ORIGIN_EXCEPTION ? " (exception)" : "");
    return false;
}

l4_err_t debug_dump(struct debug *self, struct invocation *inv)
{
    for_each_object(&root_factory, dump_thread, NULL);
    return L4_OK;
}

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

/* ---- snapshot. A cursor is where the next entry is looked for: task id, phase, position in it. ---- */
enum phase { PHASE_TASK, PHASE_MEMORY, PHASE_PORTS, PHASE_CAPS, PHASES };
enum { POSITION_BITS = 38, PHASE_BITS = 2, PHASE_MASK = (1 << PHASE_BITS) - 1 };   /* a position is a page, a port or a slot */
static const u64 FIRST_PORT = 1ul << 47;        /* in space_next's cursor */

struct search { u64 least; struct task *found; };

/* Remember the task with the smallest id that is at least search->least. */
static bool search_task(struct object *object, void *context)
{
    struct search *search = context;
    if (object->kind == L4_TASK && object->id >= search->least && (!search->found || object->id < search->found->object.id))
        search->found = (struct task *)object;
    return false;
}

static bool next_mapping(const struct task *task, bool ports, u64 *position, struct debug_entry *entry)
{
    struct space_entry e;
    u64 at = ports ? FIRST_PORT + *position : *position << L4_PAGE_SHIFT;
    if (!space_next(&task->space, &at, &e) || e.is_port != ports)
        return false;
    *position = ports ? at - FIRST_PORT : at >> L4_PAGE_SHIFT;
    *entry = (struct debug_entry){ .task = task->object.id, .at = e.at, .order = e.order, .rights = e.rights, .lineage = e.lineage,
                                   .parent = e.parent, .object = e.frame, .node = e.is_port ? DEBUG_PORT : DEBUG_MEMORY };
    return true;
}

static bool next_capability(const struct task *task, u64 *position, struct debug_entry *entry)
{
    for (; *position < L4_CAP_SLOTS; ++*position) {
        const struct cap *c = cap_find(&task->caps, *position);
        if (c->kind == L4_NOTHING)
            continue;
        *entry = (struct debug_entry){ .task = task->object.id, .at = (*position)++, .node = DEBUG_CAPABILITY, .kind = c->kind,
                                       .rights = c->rights, .object = c->object ? c->object->id : 0, .label = c->label,
                                       .lineage = c->lineage,
                                       .parent = c->kind != L4_REPLY && c->parent ? c->parent->lineage : 0 };
        return true;
    }
    return false;
}

static bool next_in_phase(const struct task *task, u64 phase, u64 *position, struct debug_entry *entry)
{
    if (phase == PHASE_MEMORY || phase == PHASE_PORTS)
        return next_mapping(task, phase == PHASE_PORTS, position, entry);
    if (phase == PHASE_CAPS)
        return next_capability(task, position, entry);
    if (*position)
        return false;
    *position = 1;
    *entry = (struct debug_entry){ .task = task->object.id, .node = DEBUG_TASK, .object = task->object.id };
    return true;
}

l4_err_t debug_snapshot(struct debug *self, struct invocation *inv, u64 cursor, u64 *next, struct debug_entry *found)
{
    u64 id = cursor >> (POSITION_BITS + PHASE_BITS), phase = cursor >> POSITION_BITS & PHASE_MASK;
    u64 position = cursor & ((1ul << POSITION_BITS) - 1);
    for (;;) {
        struct search search = { id, NULL };
        for_each_object(&root_factory, search_task, &search);
        if (!search.found)
            break;
        if (search.found->object.id != id)
            phase = position = 0;
        id = search.found->object.id;
        for (; phase < PHASES; phase++, position = 0)
            if (next_in_phase(search.found, phase, &position, found)) {
                *next = id << (POSITION_BITS + PHASE_BITS) | phase << POSITION_BITS | position;
                return L4_OK;
            }
        id++;
        phase = position = 0;
    }
    *next = cursor;
    *found = (struct debug_entry){ .node = DEBUG_END };
    return L4_OK;
}
