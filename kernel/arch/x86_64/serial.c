/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c: the kernel's log: COM2, polled, as the loader has set it up (115200 8N1). A machine without it, or one that
 * nobody listens to, loses the log and nothing else. */
#include "cpu.h"

enum { COM2 = 0x2f8, STATUS = COM2 + 5, IS_EMPTY = 0x20, PATIENCE = 100000 };

/* A line that is busy for as long as PATIENCE has no listener: until it is ready again it loses what it gets. */
bool arch_log(char c)
{
    static u32 tries;
    tries = inb(STATUS) & IS_EMPTY ? 0 : tries + 1;
    if (tries && tries < PATIENCE)
        return false;
    outb(COM2, (u8)c);
    return true;
}
