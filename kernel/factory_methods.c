/* SPDX-License-Identifier: BSD-2-Clause */
/* factory_methods.c: factory.idl: objects into slots of the caller's. */
#include "factory.h"
#include "factory_kernel.h"
#include "gate.h"
#include "invoke.h"
#include "irq.h"
#include "task.h"

/* Reserve the slot for a new object. L4_EXISTS if it already holds a root of that kind from this factory. */
static l4_err_t reserve(struct factory *self, struct invocation *inv, u32 slot, enum l4_kind kind, struct cap **empty)
{
    const struct cap *there = cap_find(&inv->caller->task->caps, slot);
    if (self->object.dying)
        return L4_BAD_STATE;
    if (there->kind == kind && there->is_root && there->object->factory == self)
        return L4_EXISTS;
    return cap_reserve(&inv->caller->task->caps, slot, empty);
}

l4_err_t factory_make_task(struct factory *self, struct invocation *inv, u32 slot)
{
    struct cap *empty;
    struct task *task;
    l4_err_t err = reserve(self, inv, slot, L4_TASK, &empty);
    if (err == L4_OK)
        err = task_create(self, &task);
    if (err == L4_OK)
        cap_make_root(empty, &task->object, L4_RIGHTS_ALL);
    return err;
}

l4_err_t factory_make_thread(struct factory *self, struct invocation *inv, u32 slot)
{
    struct cap *empty;
    struct thread *thread;
    l4_err_t err = reserve(self, inv, slot, L4_THREAD, &empty);
    if (err == L4_OK)
        err = thread_create(self, &thread);
    if (err == L4_OK)
        cap_make_root(empty, &thread->object, L4_RIGHTS_ALL);
    return err;
}

l4_err_t factory_make_gate(struct factory *self, struct invocation *inv, u32 slot)
{
    struct cap *empty;
    struct gate *gate;
    l4_err_t err = reserve(self, inv, slot, L4_GATE, &empty);
    if (err == L4_OK)
        err = gate_create(self, &gate);
    if (err == L4_OK)
        cap_make_root(empty, &gate->object, L4_RIGHTS_ALL);
    return err;
}

static l4_err_t make_irq(struct factory *self, struct invocation *inv, u32 slot, struct irq **irq)
{
    struct cap *empty;
    l4_err_t err = reserve(self, inv, slot, L4_IRQ, &empty);
    if (err == L4_OK)
        err = irq_create(self, irq);
    if (err == L4_OK)
        cap_make_root(empty, &(*irq)->object, L4_RIGHTS_ALL);
    return err;
}

l4_err_t factory_make_irq(struct factory *self, struct invocation *inv, u32 slot)
{
    struct irq *irq;
    return make_irq(self, inv, slot, &irq);
}

l4_err_t factory_make_line(struct factory *self, struct invocation *inv, u32 slot, u32 line, bool level)
{
    struct irq *irq;
    u64 changed = 0;
    l4_err_t err = make_irq(self, inv, slot, &irq);
    if (err != L4_OK)
        return err;
    err = irq_attach_line(irq, line, level);
    if (err != L4_OK)
        cap_remove_step(irq->object.root, false, &changed);
    return err;
}

l4_err_t factory_make_factory(struct factory *self, struct invocation *inv, u32 slot, u64 bytes)
{
    struct cap *empty;
    struct factory *child;
    l4_err_t err = reserve(self, inv, slot, L4_FACTORY, &empty);
    if (err == L4_OK)
        err = factory_create(self, bytes, &child);
    if (err == L4_OK)
        cap_make_root(empty, &child->object, inv->rights);
    return err;
}

l4_err_t factory_quota(struct factory *self, struct invocation *inv, u64 *limit, u64 *used)
{
    (void)inv;
    *limit = self->limit;
    *used = self->used;
    return L4_OK;
}
