/* SPDX-License-Identifier: BSD-2-Clause */
/* text.h: putting a line together in a bounded buffer; what does not fit is cut. */
#pragma once
#include <abi/types.h>

struct text { char *at; u32 room, length; };

static inline void text_char(struct text *x, char c)
{
    if (x->length < x->room)
        x->at[x->length++] = c;
}
static inline void text_add(struct text *x, const char *from)
{
    while (*from)
        text_char(x, *from++);
}
static inline void text_number(struct text *x, u64 value, u32 base)
{
    char digits[24];
    u32 count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        text_char(x, digits[--count]);
}
static inline void text_signed(struct text *x, i64 value)
{
    if (value < 0)
        text_char(x, '-');
    text_number(x, value < 0 ? -(u64)value : (u64)value, 10);
}
