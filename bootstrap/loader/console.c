/* SPDX-License-Identifier: BSD-2-Clause */
/* console.c: the loader's voice: COM1, COM2 and the VGA text screen, without interrupts. */
#include <stdarg.h>
#include "loader.h"

enum { COM1 = 0x3f8, COM2 = 0x2f8, COLUMNS = 80, ROWS = 25, SPINS = 100000 };

static u32 screen_at;           /* next cell */

static void serial_init(u16 port)
{
    outb(port + 1, 0);          /* no interrupts */
    outb(port + 3, 0x80);
    outb(port, 1);              /* 115200 baud */
    outb(port + 1, 0);
    outb(port + 3, 3);          /* 8N1 */
    outb(port + 2, 7);          /* clear the FIFOs */
}

void console_init(void)
{
    serial_init(COM1);
    serial_init(COM2);
}

static void serial_put(u16 port, char c)
{
    for (u32 i = 0; i < SPINS && !(inb(port + 5) & 0x20); i++)
        continue;
    outb(port, (u8)c);
}

static void screen_put(char c)
{
    volatile u16 *cell = (volatile u16 *)0xb8000;
    if (!screen_at) {
        for (u32 i = 0; i < COLUMNS * ROWS; i++)
            cell[i] = 0x0720;
    }
    if (c == '\n')
        screen_at += COLUMNS - screen_at % COLUMNS;
    else
        cell[screen_at++] = (u16)(0x0700 | (u8)c);
    screen_at %= COLUMNS * ROWS;
}

void say(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            serial_put(COM1, '\r');
            serial_put(COM2, '\r');
        }
        serial_put(COM1, *text);
        serial_put(COM2, *text);
        screen_put(*text);
    }
}

void log_text(const char *part, ...)
{
    va_list parts;
    va_start(parts, part);
    for (; part; part = va_arg(parts, const char *)) {
        for (const char *at = part; *at; at++) {
            if (*at == '\n')
                serial_put(COM2, '\r');
            serial_put(COM2, *at);
        }
    }
    va_end(parts);
}

void log_number(u64 number, u32 base)
{
    char text[21], *at = &text[20];
    *at = 0;
    do
        *--at = "0123456789abcdef"[number % base];
    while (number /= base);
    log_text(at, NULL);
}

void fail(const char *part, ...)
{
    va_list parts;
    va_start(parts, part);
    say("loader: ");
    for (; part; part = va_arg(parts, const char *))
        say(part);
    va_end(parts);
    say("\n");
    outl(0xf4, 3);              /* QEMU's isa-debug-exit: status 7 */
    for (;;)
        __asm__ volatile("cli; hlt");
}
