/* SPDX-License-Identifier: BSD-2-Clause */
/* factory.h: a quota of kernel memory and the objects made from it.
 * INVARIANT quota: used <= limit; used == what its objects, their parts and its child factories' limits take. */
#pragma once
#include "object.h"

struct factory {
    struct object object;
    struct list objects;        /* object.in_factory of everything it made, child factories included */
    u64 limit, used;            /* bytes */
};

/* Charge or give back; charging fails when the limit would be passed. */
bool factory_charge(struct factory *factory, u64 bytes);
void factory_credit(struct factory *factory, u64 bytes);
static inline struct factory *factory_of(struct object *object) { return container_of(object, struct factory, object); }
l4_err_t factory_init(struct object *object);
/* The first factory, which nobody made; lives in the kernel image. */
void factory_init_root(struct factory *factory, u64 limit);
/* A factory with `bytes` out of `parent`'s quota. */
l4_err_t factory_create(struct factory *parent, u64 bytes, struct factory **factory);
l4_err_t factory_destroy_step(struct object *object, u32 *budget);
