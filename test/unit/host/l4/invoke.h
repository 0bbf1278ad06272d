/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h: libl4's header of this name, for host tests: the kernel is world.c. */
#pragma once
#include <l4/types.h>
#include <l4/utcb.h>

extern void l4_invoke(cap_t cap, u64 *tag, u64 number, u64 *w0, u64 *w1, u64 *w2, u64 *w3);
