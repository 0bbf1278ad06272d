/* SPDX-License-Identifier: BSD-2-Clause */
/* factory.c: see factory.h. A child factory's whole quota counts as used in its parent, so charging touches one factory
 * only. */
#include "factory.h"
#include "cap.h"
#include "memory.h"
#include "print.h"
#include "reap.h"

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
static void destroy_first(struct factory *factory)
{
    u64 changed = 0;
    struct object *object = container_of(list_first(&factory->objects), struct object, in_factory);
    if (object->root)
        cap_bury_step(object->root, false, &changed);
    else
        reap_insert(object);
}

l4_err_t factory_destroy_step(struct object *object)
{
    struct factory *factory = factory_of(object);
    if (!list_is_empty(&factory->objects)) {
        destroy_first(factory);
        return RESTART;
    }
    if (object->factory == factory)
        return L4_OK;
    ASSERT_EQUAL(factory->used, 0);     /* INVARIANT quota */
    factory_credit(object->factory, factory->limit);
    return L4_OK;
}
