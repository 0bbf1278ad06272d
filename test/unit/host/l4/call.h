/* SPDX-License-Identifier: BSD-2-Clause */
/* call.h: libl4's header of this name, for host tests: calls go to world.c, where servers below do not restart. */
#pragma once
#include <l4/invoke.h>

static inline void l4_call(cap_t cap, u64 *tag, u32 words, u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    l4_invoke(cap, tag, 0, w0, w1, w2, w3);
}

static inline void l4_call_numbered(cap_t cap, u64 *tag, u64 number, u32 words, u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    l4_invoke(cap, tag, number, w0, w1, w2, w3);
}
