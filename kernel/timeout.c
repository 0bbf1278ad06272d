/* SPDX-License-Identifier: BSD-2-Clause */
/* timeout.c: see timeout.h. One heap for the boot CPU. */
#include "timeout.h"

static struct timeout *earliest;

static u32 rank_of(const struct timeout *t) { return t ? t->rank : 0; }

/* Restore ranks and the leftist order from `t` upwards, until nothing changes. */
static void mend_upwards(struct timeout *t)
{
    for (; t; t = t->parent) {
        if (rank_of(t->left) < rank_of(t->right)) {
            struct timeout *swap = t->left;
            t->left = t->right;
            t->right = swap;
        }
        u32 rank = rank_of(t->right) + 1;
        if (t->rank == rank)
            return;
        t->rank = rank;
    }
}

/* Merge two heaps along their right spines; the ranks of the spine are mended afterwards. */
static struct timeout *merge(struct timeout *a, struct timeout *b)
{
    struct timeout *top = NULL, *last = NULL, **hole = &top;
    while (a && b) {
        if (b->deadline_ns < a->deadline_ns) {
            struct timeout *swap = a;
            a = b;
            b = swap;
        }
        *hole = a;
        a->parent = last;
        last = a;
        hole = &a->right;
        a = a->right;
        last->rank = 0;
    }
    struct timeout *rest = a ? a : b;
    *hole = rest;
    if (rest)
        rest->parent = last;
    mend_upwards(last);
    return top;
}

void timeout_arm(struct timeout *timeout, u64 deadline_ns)
{
    timeout_cancel(timeout);
    *timeout = (struct timeout){ .deadline_ns = deadline_ns, .rank = 1 };
    earliest = merge(earliest, timeout);
}

void timeout_cancel(struct timeout *timeout)
{
    if (!timeout->rank)
        return;
    struct timeout *parent = timeout->parent, *rest;
    if (timeout->left)
        timeout->left->parent = NULL;
    if (timeout->right)
        timeout->right->parent = NULL;
    rest = merge(timeout->left, timeout->right);
    if (rest)
        rest->parent = parent;
    if (!parent)
        earliest = rest;
    else if (parent->left == timeout)
        parent->left = rest;
    else
        parent->right = rest;
    mend_upwards(parent);
    *timeout = (struct timeout){ 0 };
}

u64 timeout_next(void) { return earliest ? earliest->deadline_ns : ~0ul; }

struct timeout *timeout_expired(u64 now_ns)
{
    struct timeout *first = earliest;
    if (!first || first->deadline_ns > now_ns)
        return NULL;
    timeout_cancel(first);
    return first;
}
