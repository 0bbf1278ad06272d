/* SPDX-License-Identifier: BSD-2-Clause */
/* log.c: lines to the kernel's log. */
#include <l4/log.h>
#include <l4/start.h>
#include <l4/string.h>
#include "log.h"

static cap_t log_slot(void) { return l4_startup() ? (cap_t)L4_SLOT_LOG : (cap_t)L4_BOOT_LOG; }

void l4_print_bytes(const char *at, size_t bytes)
{
    while (bytes) {
        u32 part = bytes < L4_LOG_LINE ? (u32)bytes : L4_LOG_LINE;
        if (log_write(log_slot(), l4_bytes(at, part)) != L4_OK)
            return;
        at += part;
        bytes -= part;
    }
}

static void print_list(char *line, size_t start, const char *format, va_list list)
{
    size_t length = start + l4_format_list(line + start, L4_LOG_LINE - start, format, list);
    l4_print_bytes(line, length < L4_LOG_LINE ? length : L4_LOG_LINE - 1);
}

void l4_print(const char *format, ...)
{
    char line[L4_LOG_LINE];
    va_list list;
    va_start(list, format);
    print_list(line, 0, format, list);
    va_end(list);
}

void l4_log(const char *format, ...)
{
    char line[L4_LOG_LINE];
    va_list list;
    va_start(list, format);
    size_t start = l4_format(line, 64, "%s: ", l4_name());
    size_t length = start + l4_format_list(line + start, sizeof line - start - 1, format, list);
    va_end(list);
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length] = '\n';
    l4_print_bytes(line, length + 1);
}
