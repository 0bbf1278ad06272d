/* SPDX-License-Identifier: BSD-2-Clause */
/* string.c: zero-terminated text. */
#include <l4/string.h>

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;
    while (length < most && text[length])
        length++;
    return length;
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        if (a[i] != b[i] || !a[i])
            return (u8)a[i] - (u8)b[i];
    }
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, ~0ul); }

char *strchr(const char *text, int c)
{
    union {
        const char *in;
        char *out;
    } p = { .in = text };
    for (;; p.in++) {
        if (*p.in == (char)c)
            return p.out;
        if (!*p.in)
            return NULL;
    }
}

char *strrchr(const char *text, int c)
{
    union {
        const char *in;
        char *out;
    } p = { .in = NULL };
    for (;; text++) {
        if (*text == (char)c)
            p.in = text;
        if (!*text)
            return p.out;
    }
}

bool l4_copy_name(char *to, size_t room, const char *from)
{
    size_t length = strlen(from), part = length < room ? length : room - 1;
    memcpy(to, from, part);
    memset(to + part, 0, room - part);
    return part == length;
}

bool l4_is_word(const char *text, size_t bytes, const char *word)
{
    return strlen(word) == bytes && memcmp(text, word, bytes) == 0;
}
