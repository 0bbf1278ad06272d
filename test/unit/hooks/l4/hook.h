/* SPDX-License-Identifier: BSD-2-Clause */
/* hook.h: libl4's header of this name, for host tests: each hook is a point where kill.c may take an image of the state. */
#pragma once
#include <abi/types.h>

extern void l4_hook(void);
extern u64 l4_clock(void);
