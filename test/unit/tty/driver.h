/* SPDX-License-Identifier: BSD-2-Clause */
/* driver.h: the serial driver below tty, and vfs's windows, for tests on the host. It finds each byte by the number of the call, so it has
 * no state that a kill of tty would have to undo. */
#pragma once
#include "world.h"

enum { DRIVER_BYTES = 1 << 20 };

extern const struct world_rule driver_rules[];
/* What tty handed over, byte n at n; `driver_heard_bytes` is the highest n so far. */
extern u8 driver_heard[DRIVER_BYTES];
extern u64 driver_heard_bytes;
/* The machine was left. */
extern u32 driver_departed;

void driver_reset(void);
/* The person types; tty is not told yet. */
void driver_type(const void *at, u32 bytes);
/* tty is told that something happened. */
void driver_event(void);
/* It takes no bytes; it is never done with them. */
void driver_block(bool on);
u8 *driver_window(void);            /* of the client, as the methods know it: window 0 */
