/* SPDX-License-Identifier: BSD-2-Clause */
/* types.h: the ABI's types and errors, and what generated stubs pass strings and bytes in. */
#pragma once
#include <abi/error.h>
#include <abi/object.h>
#include <abi/types.h>

/* A string or bytes that somebody else keeps; a string has no zero at its end. As a result of a stub it lies in the UTCB or in
 * the window and holds until the thread's next call. */
struct l4_bytes {
    const u8 *at;
    u32 length;
};

static inline struct l4_bytes l4_bytes(const void *at, u32 length)
{
    return (struct l4_bytes){ at, length };
}

/* The text of a zero-terminated string. */
static inline struct l4_bytes l4_text(const char *text)
{
    return (struct l4_bytes){ (const u8 *)text, (u32)__builtin_strlen(text) };
}
