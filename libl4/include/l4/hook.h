/* SPDX-License-Identifier: BSD-2-Clause */
/* hook.h: what a host test replaces by a header of the same name (test/unit/hooks/l4/hook.h).
 * Rule: nothing else in libl4 or in generated code differs between a server on the machine and one under test. */
#pragma once
#include <abi/types.h>

/* A point at which a test may kill the server. Compiled away. */
static inline void l4_hook(void) { }

/* Grows all the time, over restarts too: where numbers begin. */
static inline u64 l4_clock(void) { return __builtin_ia32_rdtsc(); }
