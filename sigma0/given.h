/* SPDX-License-Identifier: BSD-2-Clause */
/* given.h: naturally aligned ranges that were given away, each to one client. One list a kind: device memory, ports. */
#pragma once
#include <abi/types.h>

enum { GIVEN_MAX = 128 };

struct given {
    u32 count;
    struct {
        u64 base, label;
        u32 order;
    } range[GIVEN_MAX];
};

/* Give [base, base + 2^order) to `label`. The same again succeeds; false if a part of it was given otherwise, or the
 * list is full. */
bool given_to(struct given *list, u64 label, u64 base, u32 order);
