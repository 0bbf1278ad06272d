/* SPDX-License-Identifier: BSD-2-Clause */
/* parse.c: values from text. */
#include <l4/format.h>

static i32 digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

static u64 factor_of(char c) { return c == 'K' ? 1ul << 10 : c == 'M' ? 1ul << 20 : c == 'G' ? 1ul << 30 : 0; }

bool l4_parse_number(const char *text, size_t bytes, u64 *number)
{
    u64 factor = 1, value = 0;
    i32 base = 10;
    if (bytes > 2 && text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
        bytes -= 2;
    } else if (bytes > 1 && factor_of(text[bytes - 1])) {
        factor = factor_of(text[--bytes]);
    }
    for (size_t i = 0; i < bytes; i++) {
        i32 digit = digit_of(text[i]);
        if (digit >= base || __builtin_mul_overflow(value, (u64)base, &value) ||
            __builtin_add_overflow(value, (u64)digit, &value))
            return false;
    }
    *number = value * factor;
    return bytes > 0 && (value == 0 || *number / value == factor);
}
