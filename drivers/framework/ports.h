/* SPDX-License-Identifier: BSD-2-Clause */
/* ports.h: plain register I/O: reads and writes that may be done again. What consumes or emits is in sequence.h. */
#pragma once
#include <abi/types.h>

static inline u8 port_in(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void port_out(u16 port, u8 value) { __asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port) : "memory"); }
