/* SPDX-License-Identifier: BSD-2-Clause */
/* uart_host.h: a 16550 for tests on the host. */
#pragma once
#include <abi/types.h>

void uart_host_reset(void);
/* Bytes arrive. */
void uart_host_type(const u8 *at, u32 bytes);
/* The transmitter is never empty. */
void uart_host_block(bool on);
