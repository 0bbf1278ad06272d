/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c: the kernel's log: COM2, polled, as the loader has set it up (115200 8N1). A machine without it, or one that
 * nobody listens to, loses the log and nothing else. */
#include "arch.h"
#include "cpu.h"

static const u64 PATIENCE_NS = 5ul * 1000 * 1000 * 1000;
enum { COM2 = 0x2f8, STATUS = COM2 + 5, IS_EMPTY = 0x20 };

/* A line that is busy for as long as PATIENCE_NS has no listener: until it is ready again it loses what it gets. */
bool arch_log(char c)
{
    static u64 busy_since;      /* 0: it was ready */
    bool is_ready = inb(STATUS) & IS_EMPTY;
    if (is_ready || !busy_since)
        busy_since = is_ready ? 0 : arch_now_ns();
    if (!is_ready && arch_now_ns() - busy_since < PATIENCE_NS)
        return false;
    outb(COM2, (u8)c);
    return true;
}
