/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c: the kernel's log: COM2, polled, as the loader has set it up (115200 8N1). A machine without it loses the
 * log and nothing else. */
#include "cpu.h"

enum { COM2 = 0x2f8, STATUS = COM2 + 5, IS_EMPTY = 0x20, SPINS = 100000 };

static void serial_put(char c)
{
    for (u32 i = 0; i < SPINS && !(inb(STATUS) & IS_EMPTY); i++)
        continue;
    outb(COM2, (u8)c);
}

void arch_log(char c)
{
    if (c == '\n')
        serial_put('\r');
    serial_put(c);
}
