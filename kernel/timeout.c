/* SPDX-License-Identifier: BSD-2-Clause */
/* timeout.c: see timeout.h. One heap a CPU. */
#include "arch.h"
#include "percpu.h"
#include "timeout.h"

static u32 rank_of(const struct timeout *t) { return t ? t->rank : 0; }

/* Restore the leftist order and the rank of `t`; true if its rank has changed. */
static bool mend(struct timeout *t)
{
    if (rank_of(t->left) < rank_of(t->right)) {
        struct timeout *swap = t->left;
        t->left = t->right;
        t->right = swap;
    }
    u32 before = t->rank;
    t->rank = rank_of(t->right) + 1;
    return t->rank != before;
}

/* Merge two heaps along their right spines, which are O(log n) long. The top's parent is the caller's business. */
static struct timeout *merge(struct timeout *a, struct timeout *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline_ns < a->deadline_ns)
        return merge(b, a);
    a->right = merge(a->right, b);
    a->right->parent = a;
    mend(a);
    return a;
}

void timeout_arm(struct timeout *timeout, u64 deadline_ns)
{
    timeout_cancel(timeout);
    *timeout = (struct timeout){ .deadline_ns = deadline_ns, .rank = 1 };
    cpu_this()->timeouts = merge(cpu_this()->timeouts, timeout);
}

OTHER_PATH void timeout_cancel(struct timeout *timeout)
{
    if (!timeout->rank)
        return;
    struct timeout *parent = timeout->parent, *rest = merge(timeout->left, timeout->right);
    if (rest)
        rest->parent = parent;
    if (!parent)
        cpu_this()->timeouts = rest;
    else if (parent->left == timeout)
        parent->left = rest;
    else
        parent->right = rest;
    while (parent && mend(parent))
        parent = parent->parent;
    *timeout = (struct timeout){ 0 };
}

u64 timeout_next(void) { return cpu_this()->timeouts ? cpu_this()->timeouts->deadline_ns : ~0ul; }

struct timeout *timeout_expired(u64 now_ns)
{
    struct timeout *first = cpu_this()->timeouts;
    if (!first || first->deadline_ns > now_ns)
        return NULL;
    timeout_cancel(first);
    return first;
}
