/* SPDX-License-Identifier: BSD-2-Clause */
/* ports.h: the part of space.h that is about I/O ports. */
#pragma once
#include "mapdb.h"
#include "space.h"

l4_err_t ports_map(struct space *to, struct space *from, u64 fpage, u64 to_base, bool grant, u64 *progress,
                   u64 *mapped);
l4_err_t ports_unmap(struct space *space, u64 fpage, bool derived_only, u32 *budget, u64 *changed);
void ports_drop(struct node *node);
void ports_fini(struct space *space);
/* The range with the lowest port from `port` on, or NULL. */
struct node *ports_next(const struct space *space, u64 port);
