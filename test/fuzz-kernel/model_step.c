/* SPDX-License-Identifier: BSD-2-Clause */
/* model_step.c: the ways into the kernel; see model.h. */
#include "machine.h"
#include "model.h"

enum { FIRST_METHOD = 0x100 };

/* Answer whom slot 0 or a kept reply names; then receive, if the tag says so. */
static void answer(u64 self, struct seen_cap reply)
{
    u64 tag = thread_find(self)->registers.rdi;
    if (l4_tag_status(tag) >= FIRST_METHOD) {
        invoke_kernel_object(self, &reply);
        return;
    }
    u64 caller = reply.slot ? reply.object : thread_find(self)->caller;
    l4_err_t err = caller ? send_answer(self, caller) : L4_NO_REPLY;
    if (err != L4_OK && err != L4_NO_REPLY)
        return;
    if (!(tag & L4_TAG_WAIT))
        set_status(thread_find(self), err);
    if (reply.slot)
        reply_drop(cap_lookup(reply.task, reply.slot));
    if (tag & L4_TAG_WAIT)
        receive(self);
}

static void invoke(u64 self)
{
    const struct seen_thread *t = thread_find(self);
    u64 slot = t->registers.r10;
    const struct seen_cap *cap = slot ? cap_lookup(t->task, slot) : NULL;
    struct seen_thread *directed = cap && cap->kind == L4_THREAD ? thread_find(cap->object) : NULL;
    if (directed && t->traced && directed->task != model.trace_home)
        directed->traced = 1;
    if (!slot)
        answer(self, (struct seen_cap){ .kind = L4_REPLY });
    else if (!cap)
        set_status(thread_find(self), L4_NO_CAPABILITY);
    else if (cap->kind == L4_REPLY)
        answer(self, *cap);
    else if (cap->kind == L4_DOOR)
        send_call(self, cap);
    else
        invoke_kernel_object(self, &(struct seen_cap){ cap->task, cap->slot, cap->object, cap->label, 0, 0, 0, 0,
                                                       cap->kind, cap->rights });
}

/* An empty slot and an upcall are the machine's business: who runs is not asked. */
void model_system_call(void)
{
    const struct seen_thread *t = thread_find(model.current);
    bool native = is_native(t), is_machines = native ? t->registers.r10 && !cap_lookup(t->task, t->registers.r10) : t->upcall_system_call != 0;
    if (native)
        invoke(model.current);
    else
        reflect_call(model.current);
    if (!is_machines)
        run_next(machine_now());
}

void model_exception(u64 vector, u64 error, u64 address, bool ports_are_new)
{
    fault_enter_model(model.current, vector, error, address, ports_are_new);
    run_next(machine_now());
}

/* Who lost the CPU to somebody else is told, if it asked for that. */
static void interrupted(u64 self)
{
    run_next(machine_now());
    if (self && model.current != self)
        tell_lost(self);
}

void model_timer(void)
{
    u64 self = model.current;
    tick(machine_now());
    interrupted(self);
}

void model_line(u32 line)
{
    u64 self = model.current;
    for (u64 i = 0; i < model.objects; i++) {
        struct seen_object *o = &model.object[i];
        if (o->kind != L4_IRQ || o->line != line + 1)
            continue;
        o->masked |= o->level;
        irq_rings(o);
    }
    interrupted(self);
}

void model_spurious(void) { interrupted(model.current); }
