/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h: on the host time stands still unless a test moves it, so that two runs leave the same state. */
#pragma once
#include <abi/kip.h>

enum { L4_MICROSECOND = 1000, L4_MILLISECOND = 1000000, L4_SECOND = 1000000000 };
extern u64 l4_now(void);
static inline u64 l4_wall(void) { return 1000000000ul * L4_SECOND + l4_now(); }
static inline const struct l4_kip *l4_kip(void)
{
    static const struct l4_kip kip = { .cpus = 1, .version = "0", .cpu = "host" };
    return &kip;
}
