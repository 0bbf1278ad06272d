/* SPDX-License-Identifier: BSD-2-Clause */
/* hooks.c: the points at which stores of the protocol call, and a clock for their order that is the same in each run. */
#include <l4/hook.h>
#include "world.h"

void l4_hook(void)
{
    if (!world_stepping && world_point) {       /* while stepping, every instruction is a point */
        world_point();
    }
}

u64 l4_clock(void) { return world.clock += 1000; }
