/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c: life of a thread, and the methods of thread.idl. */
#include "thread.h"
#include "gate_kernel.h"
#include "ipc.h"
#include "irq.h"
#include "irq_kernel.h"
#include "reflect.h"
#include "reply.h"
#include "sched.h"
#include "task.h"
#include "thread_kernel.h"
#include "transfer.h"

struct thread thread_nobody;

l4_err_t thread_init(struct object *object)
{
    struct thread *t = thread_of(object);
    arch_frame_init(&t->frame);
    list_init(&t->queue);
    list_init(&t->kept);
    list_init(&t->gates);
    list_init(&t->irqs);
    list_init(&t->pending_irqs);
    list_init(&t->in_task);
    t->caller = &thread_nobody;
    t->budget.ns = t->budget.period_ns = 1;
    return L4_OK;
}

void thread_wake(struct thread *t)
{
    if (t->hot & THREAD_TIMED)
        timeout_cancel(&t->timeout);
    t->hot = (t->hot & THREAD_LASTING) | THREAD_READY;
    sched_ready(t);
}

l4_err_t thread_return(struct thread *t, l4_err_t status)
{
    t->frame.message = message_of(0, (u32)status);
    t->items_to = 0;
    return status;
}

/* A call that has no answer yet is to be sent again, for nobody knows how far it came, and a receive is to begin again: not a kick. */
void thread_halt(struct thread *t)
{
    if (thread_waits(t))
        ipc_abort(t, L4_PEER_RESTARTED);
    if (thread_state(t) == THREAD_READY)
        sched_remove(t);
    t->hot = (t->hot & THREAD_LASTING) | THREAD_STOPPED;
    transfer_forget(t);
}

l4_err_t thread_unbind_step(struct thread *t, u32 *budget)
{
    thread_halt(t);
    if (reply_abort_step(t, budget) == RESTART)
        return RESTART;
    sched_forget(t);
    if (t->utcb)
        task_utcb_give(t->task, t->utcb_at);
    list_remove(&t->in_task);
    t->task = NULL;
    t->utcb = NULL;
    if (t->hot & (THREAD_TRACED | THREAD_COUNTED)) {        /* only this life of it was watched */
        u32 kernels = t->hot & THREAD_COUNTED ? FLAG_TRAP : 0;
        t->frame.rflags &= ~(u64)kernels;
        t->runtime_flags &= ~kernels;
        t->hot &= ~(u32)(THREAD_TRACED | THREAD_COUNTED);
    }
    return L4_OK;
}

static void free_fpu(struct thread *t)
{
    if (t->fpu)
        memory_give(t->object.factory, t->fpu, arch_fpu_bytes);
    t->fpu = NULL;
}

l4_err_t thread_destroy_step(struct object *object, u32 *budget)
{
    struct thread *t = thread_of(object);
    struct list *node;
    for (; *budget && (node = list_first(&t->gates)); --*budget)
        gate_unbind(container_of(node, struct gate, in_server), NULL);
    for (; *budget && (node = list_first(&t->irqs)); --*budget)
        irq_unbind(container_of(node, struct irq, in_receiver), NULL);
    if (!*budget || thread_unbind_step(t, budget) == RESTART)
        return RESTART;
    free_fpu(t);
    return L4_OK;
}

l4_err_t thread_bind(struct thread *self, struct invocation *inv, struct task *home, u64 utcb)
{
    struct l4_utcb *taken;
    u32 budget = TREE_STEP;
    if (self->task == home && self->utcb_at == utcb)
        return L4_OK;
    if (thread_state(self) != THREAD_STOPPED)
        return L4_BAD_STATE;
    if (reply_abort_step(self, &budget) == RESTART)     /* whoever stops it is not done */
        return RESTART;
    l4_err_t err = task_utcb_take(home, utcb, &taken);
    if (err != L4_OK)
        return err;
    if (self->task)
        thread_unbind_step(self, &budget);
    self->task = home;
    self->root = home->space.root;
    self->utcb = taken;
    self->utcb_at = utcb;
    taken->thread_id = self->object.id;
    list_insert(&home->threads, &self->in_task);
    return L4_OK;
}

l4_err_t thread_resume(struct thread *self, struct invocation *inv)
{
    if (!self->task)
        return L4_BAD_STATE;
    if (thread_is_stopped(self))
        thread_wake(self);
    return L4_OK;
}

l4_err_t thread_start(struct thread *self, struct invocation *inv, u64 ip, u64 sp, u64 argument)
{
    if (thread_state(self) != THREAD_STOPPED || !self->task)
        return L4_BAD_STATE;
    if (!arch_is_user_address(ip))
        return L4_BAD_ARGUMENT;
    self->frame = (struct frame){ .rip = ip, .rsp = sp, .message.tag = argument };
    arch_frame_init(&self->frame);
    return thread_resume(self, inv);
}

l4_err_t thread_stop(struct thread *self, struct invocation *inv)
{
    u32 budget = TREE_STEP;
    if (self != inv->caller)
        thread_halt(self);
    l4_err_t err = reply_abort_step(self, &budget);
    if (err == L4_OK && self == inv->caller)
        thread_halt(self);
    return err;
}

l4_err_t thread_set_handlers(struct thread *self, struct invocation *inv, u32 pager, u32 exception)
{
    self->pager = pager;
    self->exception = exception;
    return L4_OK;
}

l4_err_t thread_set_upcall(struct thread *self, struct invocation *inv, u64 system_call, u64 kick, u64 exception,
                           u64 stack)
{
    if (!arch_is_user_address(system_call) || !arch_is_user_address(kick) || !arch_is_user_address(exception))
        return L4_BAD_ARGUMENT;
    self->upcall = (struct thread_upcall){ system_call, stack, kick, exception };
    self->runtime_flags |= ~(u32)FLAG_TRAP;     /* a program's single steps are not its runtime's */
    return L4_OK;
}

l4_err_t thread_set_base(struct thread *self, struct invocation *inv, u64 fs, u64 gs)
{
    if (!arch_is_user_address(fs) || !arch_is_user_address(gs))
        return L4_BAD_ARGUMENT;
    self->fs_base = fs;
    self->gs_base = gs;
    arch_bases_changed(self);
    return L4_OK;
}

l4_err_t thread_get_registers(struct thread *self, struct invocation *inv, struct thread_registers *now)
{
    if (!thread_is_stopped(self))
        return L4_BAD_STATE;
    arch_registers_get(self, (struct l4_registers *)now);
    return L4_OK;
}

l4_err_t thread_set_registers(struct thread *self, struct invocation *inv, const struct thread_registers *new)
{
    if (!thread_is_stopped(self))
        return L4_BAD_STATE;
    arch_registers_set(self, (const struct l4_registers *)new);
    return L4_OK;
}

l4_err_t thread_kick(struct thread *self, struct invocation *inv)
{
    if (!self->task)
        return L4_BAD_STATE;
    reflect_kick(self);
    return L4_OK;
}

l4_err_t thread_switch_to(struct thread *self, struct invocation *inv)
{
    thread_return(inv->caller, L4_OK);
    sched_yield_to(self);
    return L4_OK;
}

l4_err_t thread_use_fpu(struct thread *self, struct invocation *inv, bool on)
{
    if (thread_state(self) != THREAD_STOPPED)
        return L4_BAD_STATE;
    sched_forget(self);
    if (!on)
        free_fpu(self);
    if (!on || self->fpu)
        return L4_OK;
    self->fpu = memory_take(self->object.factory, arch_fpu_bytes);
    if (!self->fpu)
        return L4_NO_MEMORY;
    arch_fpu_init(self->fpu);
    return L4_OK;
}

l4_err_t thread_look(struct thread *self, struct invocation *inv, u32 *state, u64 *waits, u64 *id, u64 *progress)
{
    *state = thread_state(self);
    *waits = thread_state(self) == THREAD_AWAITING ? self->partner->object.id : self->at_gate ? self->at_gate->object.id : 0;
    *id = self->object.id;
    *progress = self->progress;
    return L4_OK;
}
