/* SPDX-License-Identifier: BSD-2-Clause */
/* print.c: formatted text to the log line. */
#include "print.h"
#include <stdarg.h>
#include "arch.h"

static void print_number(u64 value, u32 base)
{
    if (value >= base)
        print_number(value / base, base);
    arch_log("0123456789abcdef"[value % base]);
}

/* One conversion after its `%`; returns the last character it used. */
static const char *print_conversion(const char *f, va_list *args)
{
    bool is_long = *f == 'l';
    f += is_long;
    if (*f == 's')
        for (const char *s = va_arg(*args, const char *); *s; s++)
            arch_log(*s);
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
            arch_log(*f);
}

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_list(format, &args);
    va_end(args);
}

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print("\nkernel: panic: ");
    print_list(format, &args);
    print("\n");
    va_end(args);
    arch_halt();
}
