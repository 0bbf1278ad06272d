/* SPDX-License-Identifier: BSD-2-Clause */
/* model_call.c: the methods of kernel objects as the interface files in idl/interfaces describe them: who may, what comes in, what it
 * does, what comes out. */
#include <string.h>
#include "machine.h"
#include "model.h"

enum { PRIORITIES = 64, RECORD_BYTES = 128 };

/* One invocation. */
struct call {
    u64 self;                   /* the invoking thread */
    struct seen_cap cap;        /* what it used; kind L4_REPLY and slot 0: its implicit reply */
    u64 word[4];                /* in, then out */
    u32 words;                  /* out */
    bool is_done;               /* the result is in the caller's registers already, or there is no caller any more */
    u64 object[2];              /* what its capability parameters name */
};

static struct seen_thread *caller_of(const struct call *c) { return thread_find(c->self); }
static struct seen_object *target(const struct call *c) { return object_find(c->cap.object); }
static u64 in(const struct call *c, u32 i) { return i < 4 ? c->word[i] : caller_of(c)->utcb.mr[i]; }

static l4_err_t answer(struct call *c, u32 words, u64 a, u64 b, u64 d, u64 e)
{
    c->words = words;
    memcpy(c->word, (u64[]){ a, b, d, e }, sizeof c->word);
    return L4_OK;
}

static bool is_stopped(const struct seen_thread *t) { return t->state == SEEN_STOPPED || t->state == SEEN_HALTED; }

/* ---- factory ---- */
static l4_err_t room_for(struct call *c, u64 kind)
{
    u64 task = caller_of(c)->task;
    const struct seen_cap *there = cap_lookup(task, in(c, 0));
    if (there && there->kind == kind && !there->parent_task && object_find(there->object)->factory == c->cap.object)
        return L4_EXISTS;
    return cap_make_room(task, in(c, 0));
}

static struct seen_object *create(struct call *c, u64 kind, u64 rights)
{
    struct seen_object *o = object_add(kind, c->cap.object);
    cap_add((struct seen_cap){ .task = caller_of(c)->task, .slot = in(c, 0), .object = o->id, .kind = kind,
                               .rights = rights });
    return o;
}

static l4_err_t make(struct call *c, u64 kind, u64 bytes)
{
    l4_err_t err = room_for(c, kind);
    if (err != L4_OK)
        return err;
    return quota_charge(c->cap.object, model_costs.object[kind] + bytes) ? L4_OK : L4_NO_MEMORY;
}

static l4_err_t make_task(struct call *c)
{
    l4_err_t err = make(c, L4_TASK, model_costs.top + model_costs.cap_directory);
    if (err != L4_OK)
        return err;
    struct seen_object *task = create(c, L4_TASK, 127);
    task->native_end = ~0ul;
    return L4_OK;
}

static l4_err_t make_thread(struct call *c)
{
    l4_err_t err = make(c, L4_THREAD, 0);
    if (err == L4_OK) {
        struct seen_thread *t = &create(c, L4_THREAD, 127)->thread;
        t->registers.rflags = 0x202;
        t->budget_ns = t->budget_period_ns = 1;
    }
    return err;
}

static l4_err_t make_gate(struct call *c)
{
    l4_err_t err = make(c, L4_GATE, 0);
    if (err == L4_OK)
        create(c, L4_GATE, 127);
    return err;
}

static l4_err_t make_irq(struct call *c)
{
    l4_err_t err = make(c, L4_IRQ, 0);
    if (err == L4_OK)
        create(c, L4_IRQ, 127);
    return err;
}

static l4_err_t make_line(struct call *c)
{
    u64 line = in(c, 1);
    l4_err_t err = make(c, L4_IRQ, 0);
    if (err != L4_OK)
        return err;
    for (u64 i = 0; i < model.objects; i++)
        if (model.object[i].kind == L4_IRQ && model.object[i].line == line + 1)
            err = L4_SLOT_BUSY;
    err = line >= MACHINE_LINES ? L4_BAD_ARGUMENT : err;
    if (err != L4_OK) {
        quota_credit(c->cap.object, model_costs.object[L4_IRQ]);
        return err;
    }
    struct seen_object *irq = create(c, L4_IRQ, 127);
    irq->line = line + 1;
    irq->level = in(c, 2);
    return L4_OK;
}

static l4_err_t make_factory(struct call *c)
{
    l4_err_t err = room_for(c, L4_FACTORY);
    if (err != L4_OK)
        return err;
    u64 cost = model_costs.object[L4_FACTORY], bytes = in(c, 1);
    if (bytes + cost < bytes || !quota_charge(c->cap.object, bytes + cost))
        return L4_NO_MEMORY;
    create(c, L4_FACTORY, c->cap.rights)->limit = bytes;
    return L4_OK;
}

static l4_err_t quota(struct call *c) { return answer(c, 2, target(c)->limit, target(c)->used, 0, 0); }

/* ---- task ---- */
static l4_err_t map_how(struct call *c, enum model_how how)
{
    u64 mapped;
    l4_err_t err = map_flexpage(c->cap.object, c->object[0], in(c, 1), in(c, 2), (u32)in(c, 3), how, &mapped);
    return err == L4_OK ? answer(c, 1, mapped, 0, 0, 0) : err;
}

static l4_err_t task_map(struct call *c) { return map_how(c, MODEL_MAP); }

static l4_err_t task_copy(struct call *c)
{
    return l4_fpage_type(in(c, 1)) == L4_FPAGE_MEMORY ? map_how(c, MODEL_COPY) : L4_BAD_ARGUMENT;
}

static l4_err_t task_unmap(struct call *c)
{
    u64 changed;
    l4_err_t err = unmap_flexpage(c->cap.object, in(c, 0), (u32)in(c, 1), in(c, 2), &changed);
    return err == L4_OK ? answer(c, 1, changed, 0, 0, 0) : err;
}

static l4_err_t task_set_native(struct call *c)
{
    struct seen_object *task = target(c);
    task->native = in(c, 0);
    task->native_end = in(c, 1);
    task->leave = in(c, 2);
    task->leave_end = in(c, 3);
    return L4_OK;
}

static l4_err_t look_page(struct call *c, u64 at, u32 unit_bits)
{
    const struct seen_page *page = page_lookup(c->cap.object, at);
    if (page)
        return answer(c, 3, page->rights, page->order - 12 + unit_bits, 0, 0);
    bool is_utcb = at < L4_USER_END && utcb_page_users(c->cap.object, at);
    return is_utcb ? answer(c, 3, L4_R | L4_W, unit_bits, 0, 0) : L4_NOT_MAPPED;
}

static l4_err_t task_look(struct call *c)
{
    u64 fpage = in(c, 0), unit = l4_fpage_base(fpage);
    switch ((u32)l4_fpage_type(fpage)) {
    case L4_FPAGE_MEMORY: return unit >> 35 ? L4_NOT_MAPPED : look_page(c, unit << 12, 12);
    case L4_FPAGE_IO: return unit >> 16 ? L4_NOT_MAPPED : look_page(c, model_costs.ports_at + (unit << 12), 0);
    case L4_FPAGE_CAP: break;
    default: return L4_NOT_MAPPED;
    }
    const struct seen_cap *cap = cap_lookup(c->cap.object, unit);
    return cap ? answer(c, 3, cap->rights, 0, cap->object, 0) : L4_NOT_MAPPED;
}

/* ---- thread ---- */
static l4_err_t thread_bind(struct call *c)
{
    u64 id = c->cap.object, task = c->object[0], at = in(c, 1);
    struct seen_thread *t = thread_find(id);
    if (t->task == task && t->utcb_at == at)
        return L4_OK;
    if (t->state != SEEN_STOPPED)
        return L4_BAD_STATE;
    if (at % L4_UTCB_SIZE || at >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    for (u64 i = 0; i < model.objects; i++) {
        const struct seen_object *o = &model.object[i];
        if (o->kind == L4_THREAD && o->thread.task == task && o->thread.utcb_at == at)
            return L4_SLOT_BUSY;
    }
    if (page_lookup(task, at))
        return L4_SLOT_BUSY;
    u64 factory = object_find(task)->factory;
    if (!utcb_page_users(task, at) && !quota_charge(factory, L4_PAGE_SIZE + table_bytes(task, at, 12)))
        return L4_NO_MEMORY;
    struct seen_thread before = *t;
    if (before.task)
        thread_unwatch(t);
    t->task = task;             /* the new UTCB is there before the old one goes */
    t->utcb_at = at;
    memset(&t->utcb, 0, sizeof t->utcb);
    if (before.task && !utcb_page_users(before.task, before.utcb_at))
        quota_credit(object_find(before.task)->factory,
                     L4_PAGE_SIZE + table_bytes(before.task, before.utcb_at, L4_PAGE_SHIFT));
    t->utcb.thread_id = id;
    return L4_OK;
}

static l4_err_t thread_resume(struct call *c)
{
    struct seen_thread *t = &target(c)->thread;
    if (!t->task)
        return L4_BAD_STATE;
    if (is_stopped(t))
        wake(c->cap.object);
    return L4_OK;
}

static l4_err_t thread_start(struct call *c)
{
    struct seen_thread *t = &target(c)->thread;
    if (t->state != SEEN_STOPPED || !t->task)
        return L4_BAD_STATE;
    if (in(c, 0) >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    t->registers = (struct l4_registers){
        .rip = in(c, 0), .rsp = in(c, 1), .rdi = in(c, 2), .rflags = 0x202, .fs_base = t->registers.fs_base,
        .gs_base = t->registers.gs_base,
    };
    return thread_resume(c);
}

static l4_err_t thread_stop(struct call *c)
{
    if (target(c)->thread.state != SEEN_STOPPED)
        thread_stop_it(c->cap.object);
    return L4_OK;
}

static l4_err_t thread_set_handlers(struct call *c)
{
    target(c)->thread.pager = in(c, 0);
    target(c)->thread.exception = in(c, 1);
    return L4_OK;
}

static l4_err_t thread_set_upcall(struct call *c)
{
    struct seen_thread *t = &target(c)->thread;
    if (in(c, 0) >= L4_USER_END || in(c, 1) >= L4_USER_END || in(c, 2) >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    t->upcall_system_call = in(c, 0);
    t->upcall_kick = in(c, 1);
    t->upcall_exception = in(c, 2);
    t->upcall_stack = in(c, 3);
    return L4_OK;
}

static l4_err_t thread_set_base(struct call *c)
{
    if (in(c, 0) >= L4_USER_END || in(c, 1) >= L4_USER_END)
        return L4_BAD_ARGUMENT;
    target(c)->thread.registers.fs_base = in(c, 0);
    target(c)->thread.registers.gs_base = in(c, 1);
    return L4_OK;
}

enum { REGISTERS = sizeof(struct l4_registers) / sizeof(u64) };

static l4_err_t thread_get_registers(struct call *c)
{
    const struct seen_thread *t = &target(c)->thread;
    u64 word[REGISTERS];
    if (!is_stopped(t))
        return L4_BAD_STATE;
    memcpy(word, &t->registers, sizeof word);
    for (u32 i = 4; i < REGISTERS; i++)
        caller_of(c)->utcb.mr[i] = word[i];
    return answer(c, REGISTERS, word[0], word[1], word[2], word[3]);
}

static l4_err_t thread_set_registers(struct call *c)
{
    struct seen_thread *t = &target(c)->thread;
    u64 word[REGISTERS];
    if (!is_stopped(t))
        return L4_BAD_STATE;
    for (u32 i = 0; i < REGISTERS; i++)
        word[i] = in(c, i);
    memcpy(&t->registers, word, sizeof word);
    sanitize(&t->registers);
    return L4_OK;
}

static l4_err_t thread_kick(struct call *c)
{
    if (!target(c)->thread.task)
        return L4_BAD_STATE;
    kick(c->cap.object);
    return L4_OK;
}

static l4_err_t thread_switch_to(struct call *c)
{
    set_status(caller_of(c), L4_OK);
    c->is_done = true;
    yield_to(c->cap.object);
    return L4_OK;
}

static l4_err_t thread_use_fpu(struct call *c)
{
    struct seen_object *o = target(c);
    if (o->thread.state != SEEN_STOPPED)
        return L4_BAD_STATE;
    if (!in(c, 0))
        fpu_drop(o);
    if (!in(c, 0) || o->thread.fpu)
        return L4_OK;
    if (!quota_charge(o->factory, model_costs.fpu))
        return L4_NO_MEMORY;
    o->thread.fpu = 1;
    return L4_OK;
}

static l4_err_t thread_look(struct call *c)
{
    const struct seen_thread *t = &target(c)->thread;
    u64 waits_for = t->state == SEEN_AWAITING && t->partner ? t->partner : t->gate;
    return answer(c, 4, t->state, waits_for, c->cap.object, 0);
}

/* ---- gate ---- */
static l4_err_t gate_bind(struct call *c)
{
    struct seen_object *gate = target(c);
    gate_leave(gate);
    gate->server = c->object[0];
    ids_add(&thread_find(gate->server)->gates, gate->id);
    serve_next(gate->server);
    return L4_OK;
}

static l4_err_t gate_unbind(struct call *c)
{
    gate_leave(target(c));
    return L4_OK;
}

static const struct seen_cap *root_of(u64 object)
{
    for (u64 i = 0; i < model.caps; i++)
        if (model.cap[i].object == object && model.cap[i].kind != L4_REPLY && !model.cap[i].parent_task)
            return &model.cap[i];
    return NULL;
}

static l4_err_t gate_mint(struct call *c)
{
    u64 task = caller_of(c)->task, slot = in(c, 0), label = in(c, 1), rights = in(c, 2) & 31;
    const struct seen_cap *there = cap_lookup(task, slot), *root = root_of(c->cap.object);
    if (there && there->kind == L4_DOOR && there->object == c->cap.object && there->label == label && there->rights == rights)
        return L4_OK;
    l4_err_t err = cap_make_room(task, slot);
    if (err == L4_OK)
        cap_add((struct seen_cap){ task, slot, c->cap.object, label, root->task, root->slot, 0, (u32)c->self, L4_DOOR, rights });
    return err;
}

static l4_err_t gate_revoke(struct call *c)
{
    u64 removed = 0, incarnation = (u32)in(c, 0), gate = c->cap.object;
    for (u64 i = 0; i < model.caps; ) {
        const struct seen_cap *cap = &model.cap[i], *root = root_of(gate);
        bool is_minted = cap->object == gate && cap->kind == L4_DOOR && cap->parent_task == root->task
            && cap->parent_slot == root->slot && cap->incarnation == incarnation;
        if (is_minted)
            removed += cap_remove(cap->task, cap->slot, false);
        i = is_minted ? 0 : i + 1;
    }
    return answer(c, 1, removed, 0, 0, 0);
}

static l4_err_t gate_look(struct call *c)
{
    const struct seen_object *gate = target(c);
    u64 waiting = gate->band[0].count + gate->band[1].count + gate->band[2].count + gate->band[3].count;
    return answer(c, 2, gate->server != 0, waiting, 0, 0);
}

static l4_err_t gate_monitor(struct call *c)
{
    struct seen_object *gate = target(c), *monitor = object_find(c->object[0]);
    bool is_there = gate->monitor == monitor->id;
    if (gate != monitor && !is_there && (monitor->monitored || monitor->monitor || gate->monitored))
        return L4_BAD_STATE;
    monitor_leave(gate);
    if (gate == monitor)
        return L4_OK;
    gate->monitor = monitor->id;
    monitor->monitored = gate->id;
    return L4_OK;
}

static l4_err_t gate_pass(struct call *c)
{
    u64 caller = caller_of(c)->caller;
    if (!caller)
        return L4_NO_REPLY;
    if (thread_find(caller)->held != c->cap.object)
        return L4_BAD_STATE;
    pass_on(c->self, caller);
    return L4_OK;
}

/* ---- irq, reply, the rest ---- */
static l4_err_t irq_bind(struct call *c)
{
    struct seen_object *irq = target(c);
    irq_leave(irq);
    irq->receiver = c->object[0];
    irq->irq_label = in(c, 1);
    ids_add(&thread_find(irq->receiver)->irqs, irq->id);
    irq_rings(irq);
    return L4_OK;
}

static l4_err_t irq_unbind(struct call *c)
{
    irq_leave(target(c));
    target(c)->masked = 0;
    return L4_OK;
}

static l4_err_t irq_ring(struct call *c)
{
    irq_rings(target(c));
    return L4_OK;
}

static l4_err_t irq_ack(struct call *c)
{
    target(c)->masked = 0;
    return L4_OK;
}

static l4_err_t reply_keep(struct call *c)
{
    struct seen_thread *t = caller_of(c);
    if (c->cap.slot)
        return L4_BAD_STATE;
    if (!t->caller)
        return L4_NO_REPLY;
    l4_err_t err = cap_make_room(t->task, in(c, 0));
    if (err != L4_OK)
        return err;
    cap_add((struct seen_cap){ .task = t->task, .slot = in(c, 0), .object = t->caller, .kind = L4_REPLY, .keeper = c->self });
    thread_find(t->caller)->kept_task = t->task;
    thread_find(t->caller)->kept_slot = in(c, 0);
    t->caller = 0;
    return L4_OK;
}

static l4_err_t reply_probe(struct call *c)
{
    return answer(c, 1, c->cap.slot ? c->cap.object != 0 : caller_of(c)->caller != 0, 0, 0, 0);
}

static l4_err_t sched_set(struct call *c)
{
    struct seen_thread *t = thread_find(c->object[0]);
    if (in(c, 1) >= PRIORITIES || in(c, 2) > 1ul << 34)
        return L4_BAD_ARGUMENT;
    if (in(c, 1) > (u8)c->cap.label || t->budget_ns * 1000 > t->budget_period_ns * (c->cap.label >> 8))
        return L4_NO_RIGHT;
    set_schedule(c->object[0], in(c, 1));
    t->slice_ns = in(c, 2);
    return L4_OK;
}

static l4_err_t sched_look(struct call *c)
{
    return answer(c, 2, (u8)c->cap.label, c->cap.label >> 8, 0, 0);
}

/* The share of the CPU that a budget is, in thousandths, is at most the capability's. */
static l4_err_t sched_set_budget(struct call *c)
{
    u64 budget = in(c, 1), period = in(c, 2), share = c->cap.label >> 8;
    if (period < 100000 || period > 1ul << 34 || budget < 1 || budget > period)
        return L4_BAD_ARGUMENT;
    if (budget * 1000 > period * share)
        return L4_NO_RIGHT;
    struct seen_thread *t = thread_find(c->object[0]);
    t->budget_ns = budget;
    t->budget_period_ns = period;
    t->budget_left_ns = t->budget_left_ns < budget ? t->budget_left_ns : budget;
    set_schedule(c->object[0], t->priority);
    return L4_OK;
}

static l4_err_t sched_weaken(struct call *c)
{
    u64 task = caller_of(c)->task, slot = in(c, 0), highest = in(c, 1), share = in(c, 2), label = highest | share << 8;
    if (highest >= PRIORITIES || share > 1000)
        return L4_BAD_ARGUMENT;
    if (highest > (u8)c->cap.label || share > c->cap.label >> 8)
        return L4_NO_RIGHT;
    const struct seen_cap *there = cap_lookup(task, slot);
    bool is_below = there && there->parent_task == c->cap.task && there->parent_slot == c->cap.slot;
    if (is_below && there->kind == L4_SCHED && there->label == label && there->rights == c->cap.rights)
        return L4_OK;
    l4_err_t err = cap_make_room(task, slot);
    if (err == L4_OK)
        cap_add((struct seen_cap){ task, slot, c->cap.object, label, c->cap.task, c->cap.slot, 0, 0, L4_SCHED, c->cap.rights });
    return err;
}

/* What is recorded is the test's business that reads the ring; here only that it harms nobody. */
static l4_err_t debug_trace(struct call *c)
{
    u64 at = in(c, 0), records = in(c, 1);
    if (at % RECORD_BYTES || at >= 1ul << 46 || records >> 32)
        return L4_BAD_ARGUMENT;
    bool goes_on = in(c, 2) && model.trace_home == caller_of(c)->task;
    model.trace_home = records ? caller_of(c)->task : 0;
    for (u64 i = 0; i < model.objects; i++) {
        struct seen_thread *t = &model.object[i].thread;
        if (model.object[i].kind == L4_THREAD && t->task)
            t->traced = records && ((goes_on && t->traced) || (in(c, 2) ? in(c, 2) == model.object[i].id : t->task != model.trace_home));
    }
    return L4_OK;
}

static l4_err_t debug_run(struct call *c)
{
    struct seen_thread *t = thread_find(c->object[0]);
    t->counted = 1;
    t->instructions = in(c, 1);
    return L4_OK;
}

static l4_err_t log_write(struct call *c) { return L4_OK; }

static l4_err_t debug_usage(struct call *c)
{
    return answer(c, 2, object_find(model_costs.root_factory)->used, model.count, 0, 0);
}

static l4_err_t debug_name(struct call *c)
{
    const struct seen_thread *t = caller_of(c);
    const struct seen_cap *cap = cap_lookup(t->task, in(c, 0));
    u64 length = in(c, 1) < 16 ? in(c, 1) : 15;
    struct seen_object *o = cap ? object_find(cap->object) : NULL;
    if (!o)
        return L4_NO_CAPABILITY;
    memset(o->name, 0, sizeof o->name);
    memcpy(o->name, &t->utcb.mr[4], length);
    return L4_OK;
}

/* What it finds is compared otherwise; here only that it answers. */
static l4_err_t debug_snapshot(struct call *c)
{
    for (u64 i = 0; i < model_oracle->objects; i++) {
        const struct seen_thread *t = &model_oracle->object[i].thread;
        if (model_oracle->object[i].id != c->self)
            continue;
        memcpy(&caller_of(c)->utcb.mr[4], &t->utcb.mr[4], 5 * sizeof(u64));
        return answer(c, 9, t->registers.rsi, t->registers.rdx, t->registers.r8, t->registers.r9);
    }
    return L4_OK;
}

/* ---- the interfaces ---- */
enum { SHORT = 1, BOOL = 2, TASK_O = 4, TASK_I = 8, THREAD_C = 16, THREAD_W = 32, GATE_C = 64 };     /* kinds of a parameter */

static const struct method {
    u32 number, words, needs;
    u8 parameter[4];            /* what is not any u64 */
    l4_err_t (*run)(struct call *);
    u32 tail;                   /* bytes at most of a text behind word 3; the word `words` - 1 is its length */
} methods[] = {
    { 0x101, 1, L4_W, { SHORT }, make_task, 0 },
    { 0x102, 1, L4_W, { SHORT }, make_thread, 0 },
    { 0x103, 1, L4_W, { SHORT }, make_gate, 0 },
    { 0x104, 1, L4_W, { SHORT }, make_irq, 0 },
    { 0x105, 3, L4_W | L4_X, { SHORT, SHORT, BOOL }, make_line, 0 },
    { 0x106, 2, L4_W, { SHORT }, make_factory, 0 },
    { 0x107, 0, L4_R, { 0 }, quota, 0 },
    { 0x201, 4, L4_I, { TASK_O, 0, 0, SHORT }, task_map, 0 },
    { 0x202, 4, L4_I, { TASK_O, 0, 0, SHORT }, task_copy, 0 },
    { 0x203, 3, L4_I, { 0, SHORT, BOOL }, task_unmap, 0 },
    { 0x204, 4, L4_C, { 0 }, task_set_native, 0 },
    { 0x205, 1, L4_R, { 0 }, task_look, 0 },
    { 0x301, 2, L4_C, { TASK_I }, thread_bind, 0 },
    { 0x302, 3, L4_C, { 0 }, thread_start, 0 },
    { 0x303, 0, L4_C, { 0 }, thread_stop, 0 },
    { 0x304, 0, L4_C, { 0 }, thread_resume, 0 },
    { 0x305, 2, L4_C, { SHORT, SHORT }, thread_set_handlers, 0 },
    { 0x306, 4, L4_W, { 0 }, thread_set_upcall, 0 },
    { 0x307, 2, L4_W, { 0 }, thread_set_base, 0 },
    { 0x308, 0, L4_R, { 0 }, thread_get_registers, 0 },
    { 0x309, REGISTERS, L4_C, { 0 }, thread_set_registers, 0 },
    { 0x30a, 0, L4_W, { 0 }, thread_kick, 0 },
    { 0x30b, 0, L4_W, { 0 }, thread_switch_to, 0 },
    { 0x30c, 1, L4_C, { BOOL }, thread_use_fpu, 0 },
    { 0x30d, 0, L4_R, { 0 }, thread_look, 0 },
    { 0x401, 1, L4_C, { THREAD_C }, gate_bind, 0 },
    { 0x402, 0, L4_C, { 0 }, gate_unbind, 0 },
    { 0x403, 3, L4_M, { SHORT, 0, SHORT }, gate_mint, 0 },
    { 0x404, 1, L4_M, { 0 }, gate_revoke, 0 },
    { 0x405, 0, L4_R, { 0 }, gate_look, 0 },
    { 0x406, 1, L4_C, { GATE_C }, gate_monitor, 0 },
    { 0x407, 0, L4_W, { 0 }, gate_pass, 0 },
    { 0x501, 2, L4_C, { THREAD_W }, irq_bind, 0 },
    { 0x502, 0, L4_C, { 0 }, irq_unbind, 0 },
    { 0x503, 0, L4_W, { 0 }, irq_ring, 0 },
    { 0x504, 0, L4_R, { 0 }, irq_ack, 0 },
    { 0x601, 1, 0, { SHORT }, reply_keep, 0 },
    { 0x602, 0, 0, { 0 }, reply_probe, 0 },
    { 0x701, 3, L4_W, { THREAD_C, SHORT }, sched_set, 0 },
    { 0x702, 0, L4_R, { 0 }, sched_look, 0 },
    { 0x703, 3, L4_W, { THREAD_C }, sched_set_budget, 0 },
    { 0x704, 3, L4_R, { SHORT, SHORT, SHORT }, sched_weaken, 0 },
    { 0x802, 1, L4_R, { 0 }, debug_snapshot, 0 },
    { 0x803, 0, L4_R, { 0 }, debug_usage, 0 },
    { 0x804, 2, L4_W, { SHORT }, debug_name, 16 },
    { 0x805, 3, L4_C, { 0 }, debug_trace, 0 },
    { 0x806, 2, L4_C, { THREAD_C }, debug_run, 0 },
    { 0x901, 1, L4_W, { 0 }, log_write, 256 },
};

static const struct method *method_of(u64 kind, u32 number)
{
    for (u32 i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].number == number && number >> 8 == kind)
            return &methods[i];
    return NULL;
}

static l4_err_t refuse(struct call *c, l4_err_t err, u64 held, u64 needed)
{
    answer(c, 2, held, needed, c->word[2], c->word[3]);
    return err;
}

static l4_err_t look_up(struct call *c, u64 slot, u64 kind, u64 rights, u64 *object)
{
    const struct seen_cap *cap = cap_lookup(caller_of(c)->task, slot);
    if (!cap)
        return L4_NO_CAPABILITY;
    if (cap->kind != kind)
        return L4_WRONG_KIND;
    if ((cap->rights & rights) != rights)
        return refuse(c, L4_NO_RIGHT, cap->rights, rights);
    *object = cap->object;
    return L4_OK;
}

static l4_err_t look_up_parameters(struct call *c, const struct method *m)
{
    for (u32 i = 0, found = 0; i < 4; i++) {
        u8 what = m->parameter[i];
        bool is_task = what & (TASK_O | TASK_I);
        u64 rights = what == TASK_O ? L4_O : what == TASK_I ? L4_I : what == THREAD_W ? L4_W : L4_C;
        if (what <= BOOL)
            continue;
        l4_err_t err = look_up(c, in(c, i), is_task ? L4_TASK : what == GATE_C ? L4_GATE : L4_THREAD, rights, &c->object[found++]);
        if (err != L4_OK)
            return err;
    }
    return L4_OK;
}

static bool has_right_size(struct call *c, const struct method *m, u64 tag)
{
    u64 length = m->tail ? c->word[m->words - 1] : 0, words = l4_tag_words(tag);
    if (l4_tag_items(tag))
        return false;
    return m->tail ? length <= m->tail && words == 4 + (length + 7) / 8 : words == m->words;
}

static l4_err_t run(struct call *c, u64 tag)
{
    const struct method *m = method_of(c->cap.kind, (u32)tag);
    if (!m)
        return L4_NO_METHOD;
    if ((c->cap.rights & m->needs) != m->needs)
        return refuse(c, L4_NO_RIGHT, c->cap.rights, m->needs);
    if (!has_right_size(c, m, tag)) {
        bool bad_text = m->tail && !l4_tag_items(tag);     /* only its decoder looks there */
        return bad_text ? L4_BAD_MESSAGE : refuse(c, L4_BAD_MESSAGE, c->cap.rights, m->needs);
    }
    for (u32 i = 0; i < 4; i++)
        if ((m->parameter[i] == SHORT && in(c, i) >> 32) || (m->parameter[i] == BOOL && in(c, i) > 1))
            return L4_BAD_MESSAGE;
    l4_err_t err = look_up_parameters(c, m);
    return err == L4_OK ? m->run(c) : err;
}

/* Results reach the caller if it still runs. */
void invoke_kernel_object(u64 self, const struct seen_cap *cap)
{
    struct seen_thread *t = thread_find(self);
    struct model_message m = registers_message(t);
    struct call c = { .self = self, .cap = *cap, .word = { m.word[0], m.word[1], m.word[2], m.word[3] } };
    l4_err_t err = run(&c, m.tag);
    t = thread_find(self);
    if (c.is_done || !t || model.current != self || !t->task)
        return;
    m = (struct model_message){ .tag = (u32)err | (u64)c.words << 32 };
    for (u32 i = 0; i < c.words && i < 4; i++)
        m.word[i] = c.word[i];
    set_message(t, m);
}
