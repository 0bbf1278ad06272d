/* SPDX-License-Identifier: BSD-2-Clause */
/* panic.c: the ways out of a program, as exceptions that keeper understands. */
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>

static void leave(u64 magic, u64 first, u64 second) __attribute__((noreturn));
static void leave(u64 magic, u64 first, u64 second)
{
    for (;;)
        __asm__ volatile("ud2" : : "a"(magic), "D"(first), "S"(second) : "memory");
}

void l4_panic(const char *format, ...)
{
    char text[L4_LOG_LINE];
    va_list list;
    va_start(list, format);
    size_t length = l4_format_list(text, sizeof text, format, list);
    va_end(list);
    l4_log("panic: %s", text);
    leave(L4_PANIC_MAGIC, (u64)text, length < sizeof text ? length : sizeof text - 1);
}

void l4_exit(u64 status) { leave(L4_EXIT_MAGIC, status, 0); }
