/* SPDX-License-Identifier: BSD-2-Clause */
/* peek.c: the kernel's structures as a struct seen; see seen.h. Nothing else here knows them (arch.c, the machine, knows
 * threads' frames). Not instrumented: it runs after every step. */
#include <string.h>
#include "arch.h"
#include "check/check.h"
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "lock.h"
#include "machine.h"
#include "memory.h"
#include "paging.h"
#include "reap.h"
#include "sched.h"
#include "seen.h"
#include "task.h"
#include "watch.h"

extern struct factory root_factory;

static struct object *objects[SEEN_OBJECTS];
static u32 object_total;
static bool fits;

static u64 id_of(const struct object *object) { return object ? object->id : 0; }
static u64 thread_id(const struct thread *t) { return t && t != &thread_nobody ? t->object.id : 0; }
static u64 task_id(const struct task *task) { return task ? task->object.id : 0; }
static struct task *task_of_space(struct space *space) { return container_of(space, struct task, space); }

static void add(struct seen_ids *ids, u64 id)
{
    if (ids->count < SEEN_IDS)
        ids->id[ids->count++] = id;
    else
        fits = false;
}

/* ---- objects ---- */
static void collect(struct factory *factory)
{
    list_for_each(node, &factory->objects) {
        struct object *object = container_of(node, struct object, in_factory);
        u32 i = object_total;
        if (i == SEEN_OBJECTS) {
            fits = false;
            return;
        }
        for (; i && objects[i - 1]->id > object->id; i--)
            objects[i] = objects[i - 1];
        objects[i] = object;
        object_total++;
        if (object->kind == L4_FACTORY)
            collect(factory_of(object));
    }
}

/* Where a capability lies is not written in it: each task's table is looked through once, and then it is known. */
struct known {
    const struct cap *cap;
    u64 task, slot;
};
enum { KNOWN = 16384 };
static struct known known[KNOWN];
static u32 known_used[SEEN_CAPS], known_count;

static struct known *known_place(const struct cap *cap)
{
    u32 i = (u32)((u64)cap / sizeof *cap * 2654435761u) % KNOWN;
    while (known[i].cap && known[i].cap != cap)
        i = (i + 1) % KNOWN;
    return &known[i];
}

static void forget_known(void)
{
    while (known_count)
        known[known_used[--known_count]].cap = NULL;
}

static void remember(const struct cap *cap, u64 task, u64 slot)
{
    struct known *k = known_place(cap);
    if (known_count == SEEN_CAPS) {
        fits = false;
        return;
    }
    *k = (struct known){ cap, task, slot };
    known_used[known_count++] = (u32)(k - known);
}

static u64 irq_line_of(const struct irq *irq) { return irq->line < 0 ? 0 : (u64)irq->line + 1; }

static void see_thread(struct thread *t, struct seen_thread *to)
{
    u32 state = thread_state(t);
    bool waits = thread_waits(t);
    to->state = state;
    to->priority = t->priority;
    to->fpu = t->fpu != NULL;
    to->kicked = !!(t->hot & THREAD_KICKED);
    to->task = task_id(t->task);
    to->utcb_at = t->utcb_at;
    to->origin = !waits ? 0 : t->hot & THREAD_FAULT ? SEEN_FAULT : t->hot & THREAD_EXCEPTION ? SEEN_EXCEPTION : SEEN_CALL;
    to->gate = t->at_gate ? id_of(&t->at_gate->object) : 0;
    to->held = !(t->hot & THREAD_HELD) ? 0 : to->origin == SEEN_CALL ? t->frame.message.label : t->fault.label;
    to->send_label = state == THREAD_SENDING || to->held ? t->send_label : 0;
    to->send_rights = state == THREAD_SENDING || to->held ? t->send_rights : 0;
    to->partner = state == THREAD_AWAITING ? thread_id(t->partner) : 0;
    to->kept_task = to->kept_slot = 0;
    if (t->kept_in) {
        to->kept_task = known_place(t->kept_in)->task;
        to->kept_slot = known_place(t->kept_in)->slot;
    }
    to->caller = thread_id(t->caller);
    to->timed = !!(t->hot & THREAD_TIMED);
    to->rests = state == THREAD_READY && t->timeout.rank;
    to->deadline = to->timed || to->rests ? t->timeout.deadline_ns : 0;
    to->budget_ns = t->budget.ns;
    to->budget_period_ns = t->budget.period_ns;
    to->budget_left_ns = t->budget.left_ns;
    to->budget_end_ns = t->budget.end_ns;
    memset(to->fault, 0, sizeof to->fault);
    if (to->origin) {
        to->fault[0] = t->fault.tag;
        memcpy(&to->fault[1], t->fault.word, 3 * sizeof(u64));
    }
    to->traced = trace_home && t->hot & THREAD_TRACED;      /* else it finds out when it goes on */
    to->counted = !!(t->hot & THREAD_COUNTED);
    to->instructions = t->instructions;
    to->slice_ns = t->slice_ns;
    to->slice_end_ns = t->slice_end_ns;
    to->pager = t->pager;
    to->exception = t->exception;
    to->upcall_system_call = t->upcall.system_call;
    to->upcall_kick = t->upcall.kick;
    to->upcall_exception = t->upcall.exception;
    to->upcall_stack = t->upcall.stack;
    to->gates.count = to->irqs.count = to->pending.count = 0;
    list_for_each(node, &t->gates)
        add(&to->gates, container_of(node, struct gate, in_server)->object.id);
    list_for_each(node, &t->irqs)
        add(&to->irqs, container_of(node, struct irq, in_receiver)->object.id);
    list_for_each(node, &t->pending_irqs)
        add(&to->pending, container_of(node, struct irq, in_pending)->object.id);
    arch_registers_get(t, &to->registers);
    if (t->utcb)
        to->utcb = *t->utcb;
    else
        memset(&to->utcb, 0, sizeof to->utcb);
}

static void see_task(const struct task *task, struct seen_object *to)
{
    to->native = task->native.start;
    to->native_end = task->native.start + task->native.bytes;
    to->leave = task->leave.start;
    to->leave_end = task->leave.start + task->leave.bytes;
    memset(to->cap_pages, 0, sizeof to->cap_pages);
    for (u32 i = 0; task->caps.pages && i < CAP_PAGES; i++)
        if (task->caps.pages[i])
            to->cap_pages[i / 64] |= 1ul << i % 64;
}

static void see_gate(const struct gate *gate, struct seen_object *to)
{
    to->server = thread_id(gate->server);
    to->monitor = gate->monitor ? id_of(&gate->monitor->object) : 0;
    to->monitored = gate->monitored ? id_of(&gate->monitored->object) : 0;
    for (u32 i = 0; i < GATE_BANDS; i++) {
        to->band[i].count = 0;
        list_for_each(node, &gate->band[i])
            add(&to->band[i], container_of(node, struct thread, queue)->object.id);
    }
}

static void see_irq(const struct irq *irq, struct seen_object *to)
{
    to->receiver = thread_id(irq->receiver);
    to->irq_label = irq->label;
    to->irq_pending = irq->pending;
    to->level = irq->level;
    to->masked = irq->masked;
    to->line = irq_line_of(irq);
}

static void see_object(struct object *object, struct seen_object *to)
{
    to->id = object->id;
    to->kind = object->kind;
    to->factory = object == &root_factory.object ? 0 : id_of(&object->factory->object);
    memcpy(to->name, object->name, sizeof to->name);
    switch (object->kind) {
    case L4_FACTORY:
        to->limit = factory_of(object)->limit;
        to->used = factory_of(object)->used;
        break;
    case L4_TASK: see_task(task_of(object), to); break;
    case L4_THREAD: see_thread(thread_of(object), &to->thread); break;
    case L4_GATE: see_gate(gate_of(object), to); break;
    case L4_IRQ: see_irq(irq_of(object), to); break;
    }
}

/* ---- capabilities ---- */
static void know_table(const struct task *task)
{
    for (u32 page = 0; task->caps.pages && page < CAP_PAGES; page++) {
        const struct cap *slots = cap_find(&task->caps, page * CAP_PAGE_SLOTS);
        for (u32 i = 0; task->caps.pages[page] && i < CAP_PAGE_SLOTS; i++)
            if (slots[i].kind != L4_NOTHING)
                remember(&slots[i], task->object.id, page * CAP_PAGE_SLOTS + i);
    }
}

static void see_cap(const struct known *k, struct seen_cap *to)
{
    const struct cap *cap = k->cap;
    *to = (struct seen_cap){ .task = k->task, .slot = k->slot, .object = id_of(cap->object), .kind = cap->kind };
    if (cap->kind == L4_REPLY)
        return;
    to->label = cap->label;
    to->rights = cap->rights;
    to->incarnation = cap->incarnation;
    if (cap->parent) {
        to->parent_task = known_place(cap->parent)->task;
        to->parent_slot = known_place(cap->parent)->slot;
    }
}

static struct seen_cap *seen_cap_at(struct seen *seen, const struct known *k)
{
    u64 low = 0, high = seen->caps;
    while (low < high) {
        u64 middle = (low + high) / 2;
        struct seen_cap *c = &seen->cap[middle];
        if (c->task < k->task || (c->task == k->task && c->slot < k->slot))
            low = middle + 1;
        else
            high = middle;
    }
    return &seen->cap[low];
}

static void see_keepers(struct seen *seen, const struct thread *t)
{
    list_for_each(node, &t->kept) {
        const struct known *k = known_place(container_of(node, struct cap, in_thread));
        if (k->cap)
            seen_cap_at(seen, k)->keeper = t->object.id;
        else
            machine_fail("a kept reply of thread %lu lies in no table", t->object.id);
    }
}

/* ---- pages ---- */
static bool tree_is_marked(const struct cap *cap) { return cap->tree && cap->tree->top; }

static void see_page(struct seen *seen, const struct cap *page, u64 entry)
{
    if (seen->pages == SEEN_PAGES) {
        fits = false;
        return;
    }
    struct seen_page *to = &seen->page[seen->pages++];
    seen->settled &= !tree_is_marked(page);
    u64 read_only = !(entry & ENTRY_WRITE), no_execute = !!(entry & ENTRY_NX);
    *to = (struct seen_page){
        task_id(task_of_space(page->space)), space_at(page), paging_frame(entry), 0, 0, page->order,
        L4_R | (read_only ? 0 : L4_W) | (no_execute ? 0 : L4_X), !!(entry & ENTRY_UNCACHED),
    };
    if (page->rights != to->rights)
        machine_fail("page %lx: rights %x, entry %lx", space_at(page), page->rights, entry);
    if (page->parent) {
        to->parent_task = task_id(task_of_space(page->parent->space));
        to->parent_at = space_at(page->parent);
    }
}

static void see_table(struct seen *seen, u64 *table, u32 order)
{
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        if (!(kpage_of(table)->mask >> i / 8 & 1)) {    /* INVARIANT counts, which peek_check checks */
            i |= 7;
            continue;
        }
        u64 entry = table[i];
        if (!entry || (order == 39 && i >= TABLE_ENTRIES / 2 && i != (PORTS_AT >> 39 & (TABLE_ENTRIES - 1))))
            continue;
        if (order > L4_PAGE_SHIFT && !(entry & ENTRY_LARGE))
            see_table(seen, arch_pointer(paging_frame(entry)), order - 9);
        else if (!(entry & ENTRY_KERNEL))
            see_page(seen, *paging_page(&table[i]), entry);
    }
}

/* ---- all ---- */
static void see_settled(struct seen *seen)
{
    seen->settled = true;
    for (u32 i = 0; i < object_total; i++) {
        seen->settled &= !objects[i]->dying && !objects[i]->tree.top;
        if (objects[i]->kind == L4_THREAD) {
            const struct thread *t = thread_of(objects[i]);
            seen->settled &= !t->progress && !t->items_to;
        }
    }
}

static void see_ready(struct seen *seen)
{
    const struct cpu *cpu = cpu_self();
    seen->current = thread_id(cpu->current);
    seen->slice_end_ns = cpu->slice_end_ns;
    seen->trace_home = trace_home ? trace_home->object.id : 0;
    seen->metered = thread_id(cpu->metered);
    seen->metered_ns = seen->metered ? cpu->metered_ns : 0;
    seen->ready.count = 0;
    for (u32 p = PRIORITIES; p-- > 0; ) {
        list_for_each(node, &cpu->ready[p])
            add(&seen->ready, container_of(node, struct thread, queue)->object.id);
        if (list_is_empty(&cpu->ready[p]) != !(cpu->ready_mask >> p & 1))
            machine_fail("the ready mask is wrong at priority %u", p);
    }
}

bool peek(struct seen *seen)
{
    fits = true;
    objects[0] = &root_factory.object;
    object_total = 1;
    collect(&root_factory);
    seen->objects = object_total;
    seen->caps = seen->pages = 0;
    seen->count = object_count;
    see_settled(seen);
    see_ready(seen);
    for (u32 i = 0; i < object_total && fits; i++)
        if (objects[i]->kind == L4_TASK)
            know_table(task_of(objects[i]));
    for (u32 i = 0; i < known_count && fits; i++)
        see_cap(&known[known_used[i]], &seen->cap[i]);
    seen->caps = known_count;
    for (u32 i = 0; i < object_total && fits; i++)
        see_object(objects[i], &seen->object[i]);
    for (u32 i = 0; i < object_total && fits; i++) {
        if (objects[i]->kind == L4_TASK && task_of(objects[i])->space.root)
            see_table(seen, arch_pointer(task_of(objects[i])->space.root), 39);
        if (objects[i]->kind == L4_THREAD)
            see_keepers(seen, thread_of(objects[i]));
    }
    forget_known();
    return fits;
}

void peek_costs(struct seen_costs *costs)
{
    *costs = (struct seen_costs){
        .object = {
            [L4_FACTORY] = memory_cost(sizeof(struct factory)), [L4_TASK] = memory_cost(sizeof(struct task)),
            [L4_THREAD] = memory_cost(sizeof(struct thread)), [L4_GATE] = memory_cost(sizeof(struct gate)),
            [L4_IRQ] = memory_cost(sizeof(struct irq)), [L4_SCHED] = memory_cost(sizeof(struct object)),
            [L4_DEBUG] = memory_cost(sizeof(struct object)), [L4_LOG] = memory_cost(sizeof(struct object)),
        },
        .node = memory_cost(sizeof(struct cap)),
        .root_node = memory_cost(sizeof(struct cap)) + memory_cost(sizeof(struct tree)),
        .fpu = memory_cost(arch_fpu_bytes), .top = L4_PAGE_SIZE,
        .table = { L4_PAGE_SIZE, 2 * L4_PAGE_SIZE, 2 * L4_PAGE_SIZE },
        .cap_directory = L4_PAGE_SIZE, .cap_page = L4_PAGE_SIZE, .ports_at = PORTS_AT,
        .root_factory = root_factory.object.id,
    };
}

static bool finish_trees(const struct space *space, u64 *table, u32 order)
{
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        u64 entry = table[i];
        if (!entry || (order == 39 && i >= TABLE_ENTRIES / 2 && i != (PORTS_AT >> 39 & (TABLE_ENTRIES - 1))))
            continue;
        bool is_table = order > L4_PAGE_SHIFT && !(entry & ENTRY_LARGE);
        if (is_table && finish_trees(space, arch_pointer(paging_frame(entry)), order - 9))
            return true;
        if (!is_table && !(entry & ENTRY_KERNEL) && tree_is_marked(*paging_page(&table[i]))) {
            tree_settle((*paging_page(&table[i]))->tree);
            return true;        /* the table may be gone */
        }
    }
    return false;
}

static bool finish_one(void)
{
    object_total = 0;
    collect(&root_factory);
    for (u32 i = 0; i < object_total; i++) {
        if (objects[i]->tree.top) {
            tree_settle(&objects[i]->tree);
            return true;
        }
        struct task *task = task_of(objects[i]);
        if (objects[i]->kind == L4_TASK && finish_trees(&task->space, arch_pointer(task->space.root), 39))
            return true;
    }
    return false;
}

void peek_settle(void)
{
    lock_all();
    do {
        while (reap_step())
            ;
    } while (finish_one());
}

void peek_check(void)
{
    factory_check(&root_factory);
    threads_check(&root_factory);
    memory_check();
}
