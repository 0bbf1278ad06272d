/* SPDX-License-Identifier: BSD-2-Clause */
/* utcb.h: where a thread finds its UTCB, and how bytes get into its message words. */
#pragma once
#include <abi/ipc.h>

#define L4_STACK_BLOCK 0x10000ul    /* stack blocks are so large and so aligned; the UTCB is at their bottom */

#ifdef L4_UTCB_HOST                 /* host tests give every thread one of these instead */
extern __thread struct l4_utcb l4_utcb_host;
static inline struct l4_utcb *l4_utcb(void) { return &l4_utcb_host; }
#else
static inline __attribute__((always_inline)) struct l4_utcb *l4_utcb(void)
{
    u64 at;
    __asm__("mov %%rsp, %0" : "=r"(at));
    return (struct l4_utcb *)(at & ~(L4_STACK_BLOCK - 1));
}
#endif

/* Words that `bytes` bytes fill. */
static inline u32 l4_words(u64 bytes) { return (u32)((bytes + 7) / 8); }

/* Copy bytes to message words; the rest of the last word is cleared, so that nothing old is sent. */
static inline void l4_put_bytes(u64 *words, const void *from, u64 bytes)
{
    if (!bytes)
        return;
    words[(bytes - 1) / 8] = 0;
    __builtin_memcpy(words, from, bytes);
}

/* The same for a place with more behind it: all `reserved` words are sent. */
static inline void l4_put_reserved(u64 *words, u32 reserved, const void *from, u64 bytes)
{
    __builtin_memset(words, 0, 8ul * reserved);
    __builtin_memcpy(words, from, bytes);
}
