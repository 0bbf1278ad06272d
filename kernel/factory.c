/* SPDX-License-Identifier: BSD-2-Clause */
/* factory.c: see factory.h; the methods of factory.idl: objects into slots of the caller's.
 * A child factory's whole quota counts as used in its parent, so charging touches one factory only. */
#include "factory.h"
#include "factory_kernel.h"
#include "irq.h"
#include "print.h"
#include "reap.h"
#include "task.h"

bool factory_charge(struct factory *factory, u64 bytes)
{
    if (bytes > factory->limit - factory->used)
        return false;
    factory->used += bytes;
    return true;
}

void factory_credit(struct factory *factory, u64 bytes) { factory->used -= bytes; }

l4_err_t factory_init(struct object *object)
{
    list_init(&factory_of(object)->objects);
    return L4_OK;
}

void factory_init_root(struct factory *factory, u64 limit)
{
    *factory = (struct factory){ .limit = limit };
    factory_init(&factory->object);
    object_init(&factory->object, L4_FACTORY, factory);
    list_remove(&factory->object.in_factory);
}

l4_err_t factory_create(struct factory *parent, u64 bytes, struct factory **made)
{
    if (!factory_charge(parent, bytes))
        return L4_NO_MEMORY;
    struct object *object = object_create(parent, L4_FACTORY);
    if (!object) {
        factory_credit(parent, bytes);
        return L4_NO_MEMORY;
    }
    *made = factory_of(object);
    (*made)->limit = bytes;
    return L4_OK;
}

/* Whatever it made dies before it does, one after the other. */
static void destroy_first(struct factory *factory, u32 *budget)
{
    u64 changed = 0;
    struct object *object = container_of(list_first(&factory->objects), struct object, in_factory);
    if (object->root)
        cap_revoke(object->root, false, budget, &changed);
    else
        reap_insert(object);
}

l4_err_t factory_destroy_step(struct object *object, u32 *budget)
{
    struct factory *factory = factory_of(object);
    if (!list_is_empty(&factory->objects)) {
        if (*budget)
            destroy_first(factory, budget);
        return RESTART;
    }
    if (object->factory == factory)
        return L4_OK;
    if (factory->used)
        panic("INVARIANT quota: factory %lu is empty, and %lx bytes are used", object->id, factory->used);
    factory_credit(object->factory, factory->limit);
    return L4_OK;
}

/* ---- factory.idl ---- */

/* Reserve the slot for a new object. L4_EXISTS if it already holds a root of that kind from this factory. */
static l4_err_t reserve(struct factory *self, struct invocation *inv, u32 slot, enum l4_kind kind, struct cap **empty)
{
    const struct cap *there = cap_find(&inv->caller->task->caps, slot);
    if (there->kind == kind && there->object->root == there && there->object->factory == self)
        return L4_EXISTS;
    return cap_reserve(&inv->caller->task->caps, slot, empty);
}

/* What make_task, make_thread, make_gate and make_irq do. */
l4_err_t factory_make(struct factory *self, struct invocation *inv, enum l4_kind kind, u32 slot)
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

l4_err_t factory_make_line(struct factory *self, struct invocation *inv, u32 slot, u32 line, bool level)
{
    u64 changed = 0;
    l4_err_t err = factory_make(self, inv, L4_IRQ, slot);
    if (err != L4_OK)
        return err;
    struct cap *cap = cap_find(&inv->caller->task->caps, slot);
    err = irq_attach_line(irq_of(cap->object), line, level);
    if (err == L4_OK)
        return L4_OK;
    cap_revoke(cap, false, &(u32){ TREE_STEP }, &changed);
    reap_step();
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
        cap_make_root(empty, &child->object, inv->used->rights);
    return err;
}

l4_err_t factory_quota(struct factory *self, struct invocation *inv, u64 *limit, u64 *used)
{
    *limit = self->limit;
    *used = self->used;
    return L4_OK;
}
