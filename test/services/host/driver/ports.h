/* SPDX-License-Identifier: BSD-2-Clause */
/* ports.h: on the host registers are played by uart_host.c. */
#pragma once
#include <abi/types.h>

u8 port_in(u16 port);
void port_out(u16 port, u8 value);
