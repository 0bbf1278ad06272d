/* SPDX-License-Identifier: BSD-2-Clause */
/* print.c: formatted text to the log line, through a ring: the line is slow, and nobody waits for it with interrupts
 * off but the kernel's last words. */
#include "print.h"
#include <stdarg.h>
#include "arch.h"

enum { LOG_BYTES = 1024 };      /* the longest text of log.write, and what the kernel says at a time */

static char text[LOG_BYTES];
static u32 first, end;          /* of what waits in `text`; they only grow */

bool log_step(void)
{
    while (first != end && arch_log(text[first % LOG_BYTES]))
        first++;
    return first == end;
}

void log_put(char c)
{
    if (c == '\n')
        log_put('\r');
    while (end - first == LOG_BYTES)
        log_step();
    text[end++ % LOG_BYTES] = c;
}

static void print_number(u64 value, u32 base)
{
    if (value >= base)
        print_number(value / base, base);
    log_put("0123456789abcdef"[value % base]);
}

/* One conversion after its `%`; returns the last character it used. */
static const char *print_conversion(const char *f, va_list *args)
{
    bool is_long = *f == 'l';
    f += is_long;
    if (*f == 's')
        for (const char *s = va_arg(*args, const char *); *s; s++)
            log_put(*s);
    else
        print_number(is_long ? va_arg(*args, u64) : va_arg(*args, u32), *f == 'u' ? 10 : 16);
    return f;
}

static void print_list(const char *format, va_list *args)
{
    for (const char *f = format; *f; f++)
        if (*f == '%')
            f = print_conversion(f + 1, args);
        else
            log_put(*f);
}

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_list(format, &args);
    va_end(args);
}

void print_last(void)
{
    while (!log_step())
        ;
    arch_halt();
}

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print("\nkernel: panic: ");
    print_list(format, &args);
    print("\n");
    va_end(args);
    print_last();
}
