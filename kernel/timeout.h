/* SPDX-License-Identifier: BSD-2-Clause */
/* timeout.h: deadlines of waiting threads, earliest first: a leftist heap, so arming and cancelling take O(log n).
 * INVARIANT heap: a node's deadline is not later than its children's; rank of left child >= rank of right child. */
#pragma once
#include <abi/types.h>

struct timeout {
    struct timeout *parent, *left, *right;
    u64 deadline_ns;            /* absolute, since boot */
    u32 rank;                   /* distance to the nearest missing child, 0 while not armed */
};

void timeout_arm(struct timeout *timeout, u64 deadline_ns);
/* Harmless if it is not armed. */
void timeout_cancel(struct timeout *timeout);
/* The deadline that passes first, ~0 if none. */
u64 timeout_next(void);
/* Take out and return one whose deadline is `now` or earlier; NULL if none. */
struct timeout *timeout_expired(u64 now_ns);
