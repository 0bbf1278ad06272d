/* SPDX-License-Identifier: BSD-2-Clause */
/* string.c: what gcc and the loader need of <string.h>. */
#include "loader.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const u8 *x = a, *y = b;
    for (; bytes && *x == *y; bytes--, x++, y++)
        continue;
    return bytes ? *x - *y : 0;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}
