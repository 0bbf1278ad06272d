/* SPDX-License-Identifier: BSD-2-Clause */
/* flexpage.h: windows of what a task has: memory, I/O ports or capabilities, in units of pages, ports or slots.
 * Long work goes in bounded steps: RESTART until it is done, with *progress kept (units that are done, entries that
 * were mapped or changed). */
#pragma once
#include <abi/fpage.h>
#include "task.h"

/* What lies at one unit. */
struct found {
    struct cap *cap;            /* NULL: nothing, or a UTCB page */
    u64 unit, end;              /* what lies behind it begins at `end` or later */
    u32 order;                  /* of a flexpage of its size */
    struct place place;         /* of pages and ports */
};

/* Map a window to `to_base` (address, port or slot): see task.idl map and copy. */
l4_err_t flexpage_map(struct task *to, struct task *from, u64 fpage, u64 to_base, u32 rights, enum how how,
                      u64 *progress, u64 *mapped);
/* Take rights away: see task.idl unmap. REAP: a tomb is in the way: do a step of destroying (which may end the caller
 * and the task), then RESTART. */
l4_err_t flexpage_unmap(struct task *task, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed);
enum { REAP = RESTART + 1 };

/* What lies at a page, port or slot. */
struct found flexpage_find(struct task *task, enum l4_fpage_type type, u64 unit);
/* How many units a task has of a type. */
u64 flexpage_units(enum l4_fpage_type type);
