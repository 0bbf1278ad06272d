/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: moving and comparing bytes, by `rep` instructions. */
#include <l4/string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    void *at = to;
    size_t words = bytes >> 3, rest = bytes & 7;
    __asm__ volatile("rep movsq\n\tmov %[rest], %%rcx\n\trep movsb"
                     : "+D"(at), "+S"(from), "+c"(words)
                     : [rest] "r"(rest)
                     : "memory");
    return to;
}

static void copy_down(u8 *to, const u8 *from, size_t bytes)
{
    to += bytes - 1;
    from += bytes - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory", "cc");
}

void *memmove(void *to, const void *from, size_t bytes)
{
    if ((u64)to - (u64)from >= bytes)
        return memcpy(to, from, bytes);
    copy_down(to, from, bytes);
    return to;
}

void *memset(void *at, int value, size_t bytes)
{
    void *to = at;
    u64 pattern = (u8)value * 0x0101010101010101ul;
    size_t words = bytes >> 3, rest = bytes & 7;
    __asm__ volatile("rep stosq\n\tmov %[rest], %%rcx\n\trep stosb"
                     : "+D"(to), "+c"(words)
                     : "a"(pattern), [rest] "r"(rest)
                     : "memory");
    return at;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const u8 *x = a, *y = b;
    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

void *memchr(const void *at, int value, size_t bytes)
{
    union {
        const u8 *in;
        u8 *out;
    } p = { .in = at };
    for (; bytes; bytes--, p.in++) {
        if (*p.in == (u8)value)
            return p.out;
    }
    return NULL;
}
