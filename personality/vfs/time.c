/* SPDX-License-Identifier: BSD-2-Clause */
/* time.c: the wall clock. */
#include "vfsd.h"
#include <l4/clock.h>

u64 time_now(void) { return l4_kip()->boot_seconds * (u64)L4_SECOND + l4_now(); }
