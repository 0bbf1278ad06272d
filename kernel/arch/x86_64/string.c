/* SPDX-License-Identifier: BSD-2-Clause */
/* string.c: what gcc needs of <string.h>: few instructions, whatever the length. */
#include <abi/types.h>
#include "string.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
    void *at = to;
    size_t words = bytes / 8;
    bytes %= 8;
    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
    if (!__builtin_constant_p(bytes) || bytes)      /* often known where this is compiled into its caller */
        __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    void *at = to;
    size_t words = bytes / 8;
    bytes %= 8;
    __asm__ volatile("rep stosq; mov %3, %1; rep stosb" : "+D"(at), "+c"(words)
        : "a"((u8)byte * 0x0101010101010101ul), "r"(bytes) : "memory");
    return to;
}
