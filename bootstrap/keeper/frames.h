/* SPDX-License-Identifier: BSD-2-Clause */
/* frames.h: all RAM that keeper and services do not need, for vm: boot/frames.h says how vm sees it. */
#pragma once
#include <abi/types.h>

/* Of the boot, once the places of services are made: take the RAM and place it in the task `frames`. */
void frames_make(void);
/* Map all of it, the pool and the page that tells about them into vm's task, which is new. */
l4_err_t frames_give(cap_t task);
