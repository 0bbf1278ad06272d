/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c: a text is made from its start each time; only the part that was asked for is kept. */
#include "procfs.h"

void text_bytes(struct text *t, const void *from, u32 length)
{
    const u8 *at = from;
    u32 skipped = t->skip < length ? (u32)t->skip : length;
    t->skip -= skipped;
    length -= skipped;
    u32 n = length < t->room - t->done ? length : t->room - t->done;
    memcpy(t->to + t->done, at + skipped, n);
    t->done += n;
}

void text_put(struct text *t, const char *format, ...)
{
    char line[512];
    va_list list;
    va_start(list, format);
    size_t length = l4_format_list(line, sizeof line, format, list);
    va_end(list);
    text_bytes(t, line, (u32)(length < sizeof line ? length : sizeof line - 1));
}
