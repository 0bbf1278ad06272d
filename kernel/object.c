/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c: birth and death of objects; what is special to a kind is in its file. */
#include "object.h"
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "task.h"

/* What sched, debug and log are: authority without a thing behind it. */
static l4_err_t nothing_to_init(struct object *object) { return L4_OK; }
static l4_err_t nothing_to_destroy(struct object *object, u32 *budget) { return L4_OK; }

enum { DESTROY_COST = 4 };      /* in units of tree.h */

static const struct kind {
    u32 bytes;
    l4_err_t (*init)(struct object *);              /* L4_NO_MEMORY: nothing of it is left */
    l4_err_t (*destroy_step)(struct object *, u32 *budget);     /* all but the memory of the object itself */
} kinds[L4_KINDS] = {
    [L4_FACTORY] = { sizeof(struct factory), factory_init, factory_destroy_step },
    [L4_TASK] = { sizeof(struct task), task_init, task_destroy_step },
    [L4_THREAD] = { sizeof(struct thread), thread_init, thread_destroy_step },
    [L4_GATE] = { sizeof(struct gate), gate_init, gate_destroy_step },
    [L4_IRQ] = { sizeof(struct irq), irq_init, irq_destroy_step },
    [L4_SCHED ... L4_LOG] = { sizeof(struct object), nothing_to_init, nothing_to_destroy },
};

u64 object_count;
u64 object_last_id;

void object_init(struct object *object, enum l4_kind kind, struct factory *factory)
{
    object->kind = kind;
    object->factory = factory;
    object->id = ++object_last_id;
    list_insert(&factory->objects, &object->in_factory);
    object_count++;
}

static void object_free(struct object *object)
{
    list_remove(&object->in_factory);
    object_count--;
    memory_give(object->factory, object, kinds[object->kind].bytes);
}

struct object *object_create(struct factory *factory, enum l4_kind kind)
{
    struct object *object = memory_take(factory, kinds[kind].bytes);
    if (!object)
        return NULL;
    object_init(object, kind, factory);
    if (kinds[kind].init(object) == L4_OK)
        return object;
    object_free(object);
    return NULL;
}

l4_err_t object_destroy_step(struct object *object, u32 *budget)
{
    *budget -= *budget < DESTROY_COST ? *budget : DESTROY_COST;
    if (kinds[object->kind].destroy_step(object, budget) == RESTART)
        return RESTART;
    if (object != &object->factory->object)     /* the root factory, which nobody made */
        object_free(object);
    return L4_OK;
}
