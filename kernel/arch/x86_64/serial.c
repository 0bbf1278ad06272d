/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c: the kernel's log: COM2, 115200 8N1, polled. A machine without it loses the log and nothing else. */
#include "cpu.h"

enum { COM2 = 0x2f8, DATA = COM2, INTERRUPTS = COM2 + 1, FIFO = COM2 + 2, LINE = COM2 + 3, STATUS = COM2 + 5 };
enum { IS_EMPTY = 0x20, SPINS = 100000 };

void serial_init(void)
{
    outb(INTERRUPTS, 0);
    outb(LINE, 0x80);           /* the next two are the divisor */
    outb(DATA, 1);
    outb(INTERRUPTS, 0);
    outb(LINE, 3);
    outb(FIFO, 7);
}

static void serial_put(char c)
{
    for (u32 i = 0; i < SPINS && !(inb(STATUS) & IS_EMPTY); i++)
        continue;
    outb(DATA, (u8)c);
}

void arch_log(char c)
{
    if (c == '\n')
        serial_put('\r');
    serial_put(c);
}
