/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.c: every system call that is no common message (direct.c), and the other ways into the kernel: exceptions, the timer, lines.
 * A handler may destroy the thread that invoked it: nothing here touches `self` after one without asking whether it
 * still runs. */
#include "invoke.h"
#include "fault.h"
#include "ipc.h"
#include "irq.h"
#include "kernel_dispatch.h"
#include "lock.h"
#include "print.h"
#include "reap.h"
#include "reflect.h"
#include "reply.h"
#include "sched.h"
#include "task.h"

enum { SYSCALL_BYTES = 2, LOG_NS = 1000 * 1000 };

/* A refusal explains itself: rights held, rights needed. */
static RARE void *refuse(struct invocation *inv, const struct cap *cap, enum l4_kind kind, u32 needed)
{
    if (cap->kind == kind)
        invocation_answer(inv, L4_NO_RIGHT, 2, cap->rights, needed, 0, 0);
    else
        thread_return(inv->caller, cap->kind == L4_NOTHING ? L4_NO_CAPABILITY : L4_WRONG_KIND);
    return NULL;
}

INLINE void *invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights)
{
    const struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    if (!COMMON(cap->kind == kind && !(rights & ~cap->rights)))
        return refuse(inv, cap, kind, rights);
    return cap->object;
}

RARE l4_err_t invocation_refuse(struct invocation *inv, u32 needed)
{
    u32 held = inv->used->rights;
    return invocation_answer(inv, needed & ~held ? L4_NO_RIGHT : L4_BAD_MESSAGE, 2, held, needed, 0, 0);
}

bool invocation_stands(const struct invocation *inv, const void *object)
{
    return cpu_this()->current == inv->caller && inv->used->kind && inv->used->object == object;
}

/* Run a method of a kernel object. */
static INLINE l4_err_t invoke_object(struct thread *self, struct cap *cap)
{
    struct invocation inv = { self, cap };
    l4_err_t err = kernel_dispatch(cap->kind, cap->object, &inv);
    if (err != ANSWERED && COMMON(err != RESTART && cpu_this()->current == self))
        thread_return(self, err);
    return err;
}

/* Answer whoever `reply` names; then receive if the tag says so. */
static l4_err_t invoke_reply(struct thread *self, struct cap *reply)
{
    u64 tag = self->frame.message.tag;
    struct thread *caller = reply == &reply_implicit ? self->caller : reply_caller(reply);
    if (reply == &reply_implicit)
        self->frame.message.label = 0;
    l4_err_t err = caller != &thread_nobody ? ipc_answer(self, caller) : L4_NO_REPLY;
    if (err != L4_OK && err != L4_NO_REPLY)
        return err;
    self->items_to = 0;
    if (!(tag & L4_TAG_WAIT))
        thread_return(self, err);
    if (reply != &reply_implicit)
        reply_abort(reply);     /* used up, whether or not somebody still waited */
    if (!(tag & L4_TAG_WAIT))
        return L4_OK;
    err = ipc_receive(self);
    if (err == RESTART)
        self->frame.message.label = 0;      /* the answer is given: what is left is a receive */
    return err;
}

/* `next` runs. An idle CPU finishes what was begun by one that did not live to see the end, a step at a time. */
static struct frame *resume(struct thread *next)
{
    if (next)
        return arch_switch(next);
    if (reap_step() || tree_step())
        sched_come_back(0);
    return arch_idle_frame();
}

/* The only way for the CPU to be taken from a thread outside its runtime, but for a fault. What the kernel itself said goes on to
 * the line here. */
static struct frame *interrupted(struct thread *self)
{
    arch_interrupt_done();
    if (!log_step())
        sched_come_back(arch_now_ns() + LOG_NS);
    struct thread *next = sched_next();
    if (self && next != self)
        reflect_lost(self);
    return resume(next);
}

OTHER_PATH struct frame *kernel_invoke(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3)
{
    lock_all();
    struct thread *self = cpu_this()->current;
    struct message *m = &self->frame.message;
    *m = (struct message){ m->label, tag, m->number, { w0, w1, w2, w3 } };
    l4_err_t err = cap->kind == L4_DOOR ? ipc_call(self, cap) :
                   cap->kind == L4_REPLY && l4_tag_status(tag) < FIRST_METHOD ? invoke_reply(self, cap) :
                   invoke_object(self, cap);
    if (cpu_this()->current == self && !COMMON(err != RESTART)) {
        self->frame.rip -= SYSCALL_BYTES;
        self->hot |= THREAD_RESTARTED;
    } else if (cpu_this()->current == self) {
        self->progress = 0;
        if (sched_goes_on(self))
            return &self->frame;
        self->hot &= ~(u32)THREAD_RESTARTED;
    }
    return resume(sched_next());
}

struct frame *(*invoke_how)(u64, u64, u64, struct cap *, u64, u64) = kernel_invoke;

struct frame *kernel_entry(struct frame *frame)
{
    lock_all();
    struct thread *self = cpu_this()->current;
    u64 vector = frame->vector;
    if (vector < VECTOR_EXCEPTIONS || vector == VECTOR_FOREIGN) {
        fault_enter(self);
        return resume(cpu_this()->current != self ? cpu_this()->current : sched_next());
    }
    if (vector == VECTOR_TIMER)
        sched_tick();
    else if (vector >= VECTOR_LINES && vector < VECTOR_TIMER)
        irq_line((u32)vector - VECTOR_LINES);
    return interrupted(self);
}
