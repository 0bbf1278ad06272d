/* SPDX-License-Identifier: BSD-2-Clause */
/* hooks.c: the points at which stores of the protocol call, and clocks that are the same in each run. */
#include <l4/clock.h>
#include <l4/hook.h>
#include "world.h"

void l4_hook(void)
{
    if (!world_stepping && world_point) {       /* while stepping, every instruction is a point */
        world_point();
    }
}

u64 l4_clock(void) { return world.clock += 1000; }
/* It begins where no server has anything to do at once: pm takes the load each 5 s. */
u64 l4_now(void) { return 4ul * L4_SECOND + world.passed; }
