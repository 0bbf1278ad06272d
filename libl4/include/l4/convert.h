/* SPDX-License-Identifier: BSD-2-Clause */
/* convert.h: from one version of a state to the next, field by field, by path. */
#pragma once
#include <l4/state.h>

/* What stood in the way; all zero if nothing did. */
struct l4_refusal {
    char path[L4_PATH_MAX];
    u64 value;                  /* the first that would lose bits or has no place any more */
};

/* Fill the zeroed state `new`, whose schema is complete, from `old`. Both are recovered. Fields are widened, follow
 * `was`, and are zero where they are new. False: refused, nothing of `new` counts. A plain field that is gone is
 * dropped; one with a `~` in its path (slots, ops, lists) must be zero then. */
extern bool l4_state_convert(const struct l4_state *old, struct l4_state *new, struct l4_refusal *why);
