/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c: birth, and the way to each kind's death. */
#include "object.h"
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "memory.h"
#include "task.h"
#include "thread.h"

u64 object_count;
static u64 last_id;

void object_init(struct object *object, enum l4_kind kind, struct factory *factory)
{
    object->kind = kind;
    object->factory = factory;
    object->id = ++last_id;
    list_insert(&factory->objects, &object->in_factory);
    object_count++;
}

void *object_create(struct factory *factory, enum l4_kind kind, u32 bytes, u32 offset)
{
    void *memory = memory_take(factory, bytes);
    if (memory)
        object_init((struct object *)((u8 *)memory + offset), kind, factory);
    return memory;
}

void object_free(struct object *object, void *memory, u32 bytes)
{
    struct factory *factory = object->factory;
    list_remove(&object->in_factory);
    object_count--;
    memory_give(factory, memory, bytes);
}

/* sched, debug and log are authority without a thing behind it: they live in the kernel image and are never destroyed. */
static l4_err_t authority_destroy_step(struct object *object)
{
    object->root = NULL;
    return L4_OK;
}

l4_err_t object_destroy_step(struct object *object)
{
    static l4_err_t (*const destroy[L4_KINDS])(struct object *) = {
        [L4_FACTORY] = factory_destroy_step, [L4_TASK] = task_destroy_step, [L4_THREAD] = thread_destroy_step,
        [L4_GATE] = gate_destroy_step, [L4_IRQ] = irq_destroy_step,
        [L4_SCHED] = authority_destroy_step, [L4_DEBUG] = authority_destroy_step, [L4_LOG] = authority_destroy_step,
    };
    object->dying = 1;
    return destroy[object->kind](object);
}
