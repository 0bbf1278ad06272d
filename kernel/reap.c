/* SPDX-License-Identifier: BSD-2-Clause */
/* reap.c: see reap.h. */
#include "reap.h"
#include "cap.h"

static struct list dying = { &dying, &dying };
static struct list here = { &here, &here };     /* keeps the place of the object that a step works on */

void reap_insert(struct object *object)
{
    if (object->dying)
        list_remove(&object->in_dying);
    object->dying = 1;
    list_insert(dying.next, &object->in_dying);
}

/* What this finds on the way is before it in the list then. */
static l4_err_t destroy(struct list *first, u32 *budget)
{
    struct object *object = container_of(first, struct object, in_dying);
    struct cap *tomb = object->tomb;
    list_insert(first, &here);
    list_remove(first);
    l4_err_t err = object_destroy_step(object, budget);
    if (err == RESTART)
        list_insert(&here, first);
    else if (tomb)
        tomb->object = NULL;
    list_remove(&here);
    return err;
}

u32 reap_step(void)
{
    u32 budget = TREE_STEP;
    struct list *wanted = list_first(&dying), *first = wanted;
    while (first && budget && (destroy(first, &budget) == RESTART || first != wanted))
        first = list_first(&dying);
    return wanted ? TREE_STEP - budget : 0;
}
