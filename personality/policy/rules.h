/* SPDX-License-Identifier: BSD-2-Clause */
/* rules.h: a policy as compile.py writes it, from text, into a C file that is linked to policy.c.
 * INVARIANT last: the last rule fits every message. */
#pragma once
#include <abi/types.h>

struct policy_rule {
    u32 method, mask;               /* fits if (tag & mask) == method: a method, an interface or everything */
    u32 first, last;                /* indices of callers, as in their labels */
    i32 error;                      /* 0: pass on */
    u32 line;
    const char *text;
};

struct policy {
    u64 hash;                       /* of what it says, never 0 */
    const char *service;            /* whom it is for */
    u32 rules;
    const struct policy_rule *rule;
};

extern const struct policy policy;
