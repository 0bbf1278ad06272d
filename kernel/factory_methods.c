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

static l4_err_t make(struct factory *self, struct invocation *inv, u32 slot, enum l4_kind kind)
{
    struct cap *empty;
    l4_err_t err = reserve(self, inv, slot, kind, &empty);
    if (err != L4_OK)
        return err;
    struct object *object = object_create(self, kind);
    if (!object)
        return L4_NO_MEMORY;
    cap_make_root(empty, object, L4_RIGHTS_ALL);
    return L4_OK;
}

l4_err_t factory_make_task(struct factory *self, struct invocation *inv, u32 slot)
{
    return make(self, inv, slot, L4_TASK);
}

l4_err_t factory_make_thread(struct factory *self, struct invocation *inv, u32 slot)
{
    return make(self, inv, slot, L4_THREAD);
}

l4_err_t factory_make_gate(struct factory *self, struct invocation *inv, u32 slot)
{
    return make(self, inv, slot, L4_GATE);
}

l4_err_t factory_make_irq(struct factory *self, struct invocation *inv, u32 slot)
{
    return make(self, inv, slot, L4_IRQ);
}

l4_err_t factory_make_line(struct factory *self, struct invocation *inv, u32 slot, u32 line, bool level)
{
    u64 changed = 0;
    l4_err_t err = make(self, inv, slot, L4_IRQ);
    if (err != L4_OK)
        return err;
    struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    err = irq_attach_line(irq_of(cap->object), line, level);
    if (err != L4_OK)
        cap_remove_step(cap, false, &changed);
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
        cap_make_root(empty, &child->object, l4_tag_rights(inv->tag));
    return err;
}

l4_err_t factory_quota(struct factory *self, struct invocation *inv, u64 *limit, u64 *used)
{
    *limit = self->limit;
    *used = self->used;
    return L4_OK;
}
