/* SPDX-License-Identifier: BSD-2-Clause */
/* object.h: what every kernel object has; it is the first member of each.
 * An object lives as long as its *root* capability, the one in its creator's slot: removing the root revokes every
 * capability derived from it and destroys the object. There are no reference counts: whoever keeps a pointer to an
 * object unlinks it in the object's destroy step.
 * INVARIANT owned: object is on object->factory->objects. */
#pragma once
#include <abi/error.h>
#include <abi/object.h>
#include "list.h"
#include "tree.h"


struct object {
    struct tree tree;           /* of its capabilities */
    struct list in_factory;     /* factory->objects */
    struct factory *factory;    /* what its memory is charged to */
    struct cap *root;           /* the creator's capability; NULL while the object is being destroyed */
    u64 id;                     /* never reused; 0 is nobody */
    u32 kind;                   /* enum l4_kind */
    u32 dying;                  /* destroy has begun: nothing may be linked to it any more */
    char name[16];              /* for dumps; set by debug.name, zero padded */
    struct list in_dying;       /* while dying (reap.c) */
    struct cap *tomb;           /* while dying: the slot of the former root, or NULL */
};

/* Kernel-internal status: the work is not finished; run the same invocation again (its user registers are
 * unchanged). */
enum { RESTART = 1 << 16 };

/* A fresh object of that kind, charged to the factory; NULL: no memory. */
struct object *object_create(struct factory *factory, enum l4_kind kind);
/* Give zeroed memory an id and link it to the factory. */
void object_init(struct object *object, enum l4_kind kind, struct factory *factory);
/* Go on with destroying `object`, whose last capability is gone, while *budget lasts, of which there is some: RESTART
 * until it is freed, then L4_OK. */
l4_err_t object_destroy_step(struct object *object, u32 *budget);

extern u64 object_count, object_last_id;    /* alive; of the last that was made: for debug.idl */
