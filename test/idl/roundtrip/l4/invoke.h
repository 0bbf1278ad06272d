/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h, for the test: the system call ends in the decoder of the same process. */
#pragma once
#include <l4/types.h>
#include <abi/ipc.h>

extern struct l4_utcb test_utcb;
static inline struct l4_utcb *l4_utcb(void) { return &test_utcb; }
static inline u32 l4_words(u64 bytes) { return (u32)((bytes + 7) / 8); }
static inline void l4_put_bytes(u64 *words, const void *from, u64 bytes)
{
    if (!bytes)
        return;
    words[(bytes - 1) / 8] = 0;
    __builtin_memcpy(words, from, bytes);
}

void l4_invoke(cap_t cap, u64 *tag, u64 number, u64 *w0, u64 *w1, u64 *w2, u64 *w3);
