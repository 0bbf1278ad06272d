/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c: personality/vfs/time.c, where time stands still. */
#include "../../../personality/vfs/vfsd.h"

u64 time_now(void) { return 1000000007ul * 1000000000; }
