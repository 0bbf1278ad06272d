/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.c: the system call, and the way into the kernel.
 * A handler may destroy the thread that invoked it: nothing here touches `self` after one without asking whether it still runs. */
#include "invoke.h"
#include "authority.h"
#include "debug_kernel.h"
#include "factory.h"
#include "factory_kernel.h"
#include "fault.h"
#include "gate_kernel.h"
#include "ipc.h"
#include "irq.h"
#include "irq_kernel.h"
#include "log_kernel.h"
#include "reap.h"
#include "reflect.h"
#include "reply.h"
#include "reply_kernel.h"
#include "sched.h"
#include "sched_kernel.h"
#include "task.h"
#include "task_kernel.h"
#include "thread_kernel.h"

enum { SYSCALL_BYTES = 2, FIRST_METHOD = 0x100 };

l4_err_t invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights, void **object)
{
    const struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    if (cap->kind == L4_NOTHING)
        return L4_NO_CAPABILITY;
    if (cap->kind != kind)
        return L4_WRONG_KIND;
    if ((cap->rights & rights) != rights)
        return invocation_refuse(inv, L4_NO_RIGHT, rights);
    *object = kind == L4_THREAD ? (void *)thread_of(cap->object) : cap->object;
    return L4_OK;
}

l4_err_t invocation_refuse(struct invocation *inv, l4_err_t err, u32 needed)
{
    inv->words = 2;             /* a refusal explains itself: rights held, rights needed */
    inv->word[0] = inv->rights;
    inv->word[1] = needed;
    return err;
}

static l4_err_t dispatch(const struct cap *cap, struct invocation *inv)
{
    struct object *o = cap->object;
    switch (cap->kind) {
    case L4_FACTORY: return factory_dispatch((struct factory *)o, inv);
    case L4_TASK:    return task_dispatch((struct task *)o, inv);
    case L4_THREAD:  return thread_dispatch(thread_of(o), inv);
    case L4_GATE:    return gate_dispatch((struct gate *)o, inv);
    case L4_IRQ:     return irq_dispatch((struct irq *)o, inv);
    case L4_SCHED:   return sched_dispatch((struct sched *)o, inv);
    case L4_DEBUG:   return debug_dispatch((struct debug *)o, inv);
    case L4_LOG:     return log_dispatch((struct log *)o, inv);
    case L4_REPLY:   return reply_dispatch((struct reply *)cap, inv);
    default:         return L4_NO_CAPABILITY;
    }
}

/* Run a method of a kernel object. `cap` NULL: of the implicit reply. */
static l4_err_t invoke_object(struct thread *self, const struct cap *cap)
{
    struct message *m = &self->frame.message;
    u32 rights = cap ? cap->rights : 0;
    struct invocation inv = {
        .tag = (m->tag & ~(0xfful << L4_TAG_RIGHTS_SHIFT)) | (u64)rights << L4_TAG_RIGHTS_SHIFT,
        .word = { m->word[0], m->word[1], m->word[2], m->word[3] },
        .mr = self->utcb->mr, .rights = rights, .label = cap ? cap->label : 0, .caller = self, .progress = &self->progress,
    };
    l4_err_t err = cap ? dispatch(cap, &inv) : reply_dispatch(NULL, &inv);
    if (err == RESTART || cpu_this()->current != self || !self->task)
        return err;
    *m = (struct message){ .tag = (u32)err | (u64)inv.words << L4_TAG_WORDS_SHIFT };
    for (u32 i = 0; i < inv.words && i < L4_REGISTER_WORDS; i++)
        m->word[i] = inv.word[i];
    return err;
}

/* Answer whoever `kept` (or, NULL, the implicit reply) names; then receive if the tag says so. */
static l4_err_t invoke_reply(struct thread *self, struct cap *kept)
{
    u64 tag = self->frame.message.tag;
    if (l4_tag_status(tag) >= FIRST_METHOD)
        return invoke_object(self, kept);
    struct thread *caller = kept ? reply_caller(kept) : self->caller;
    l4_err_t err = caller ? ipc_answer(self, caller) : L4_NO_REPLY;
    if (err != L4_OK && err != L4_NO_REPLY)
        return err;
    if (kept)
        reply_abort(kept);      /* used up, whether or not somebody still waited */
    if (tag & L4_TAG_WAIT)
        return ipc_receive(self);
    thread_return(self, err);
    return err;
}

static l4_err_t invoke(struct thread *self)
{
    u64 slot = self->frame.message.label;
    if (!slot)
        return invoke_reply(self, NULL);
    struct cap *cap = cap_find(&self->task->caps, slot);
    if (cap->kind == L4_DOOR)
        return ipc_call(self, cap);
    if (cap->kind == L4_REPLY)
        return invoke_reply(self, cap);
    if (cap->kind == L4_NOTHING) {
        thread_return(self, L4_NO_CAPABILITY);
        return L4_NO_CAPABILITY;
    }
    return invoke_object(self, cap);
}

static void system_call(struct thread *self)
{
    if (!reflect_is_native(self)) {
        reflect_system_call(self);
        return;
    }
    l4_err_t err = invoke(self);
    if (cpu_this()->current != self || !self->task)
        return;
    if (err == RESTART)
        self->frame.rip -= SYSCALL_BYTES;
    else
        self->progress = 0;
}

/* Who runs next. An idle CPU finishes what a destroyer left that did not live to see the end, a step at a time. */
static struct frame *next_or_reap(void)
{
    struct frame *next = sched_next();
    if (!cpu_this()->current && reap_step())
        sched_come_back();
    return next;
}

struct frame *kernel_entry(struct frame *frame)
{
    struct thread *self = cpu_this()->current;
    u64 vector = frame->vector;
    if (vector == VECTOR_SYSCALL)
        system_call(self);
    else if (vector < VECTOR_EXCEPTIONS || vector == VECTOR_FOREIGN)
        fault_enter(self);
    else if (vector == VECTOR_TIMER)
        sched_tick();
    else if (vector >= VECTOR_LINES && vector < VECTOR_TIMER)
        irq_line((u32)vector - VECTOR_LINES);
    if (vector >= VECTOR_EXCEPTIONS && vector < VECTOR_SPURIOUS)
        arch_interrupt_done();
    return next_or_reap();
}
