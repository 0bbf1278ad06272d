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

bool reap_step(void)
{
    struct list *first = list_first(&dying);
    if (!first)
        return false;
    struct object *object = container_of(first, struct object, in_dying);
    struct cap *tomb = object->tomb;
    list_insert(first, &here);
    list_remove(first);
    if (object_destroy_step(object) == RESTART)
        list_insert(&here, first);
    else if (tomb)
        tomb->object = NULL;
    list_remove(&here);
    return true;
}
