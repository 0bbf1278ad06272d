/* SPDX-License-Identifier: BSD-2-Clause */
/* call.h: a call to a server that survives the server's death.
 * Before `syscall` the UTCB gets all that is needed to send again: capability, tag, number, words 0-3 (words from 4 on and items lie
 * there anyway, and an answer that says PEER_RESTARTED touches none of them). When the server died holding the request, l4_resend
 * (arch/x86_64/resend.S), out of line and out of the way, reloads and sends until a server has answered. It changes no register
 * that the system call does not change, so the compiler keeps nothing alive for its sake.
 * Deadlines are absolute, so a call that is sent again is not given more time. */
#pragma once
#include <l4/invoke.h>

/* Leave in the UTCB what was sent. Only the first `words` words are read again. */
static inline __attribute__((always_inline)) void l4_stash(struct l4_utcb *utcb, cap_t cap, u64 tag, u32 words,
                                                           u64 w0, u64 w1, u64 w2, u64 w3)
{
    utcb->sent_cap = cap;
    utcb->sent_tag = tag;
    if (words > 0)
        utcb->mr[0] = w0;
    if (words > 1)
        utcb->mr[1] = w1;
    if (words > 2)
        utcb->mr[2] = w2;
    if (words > 3)
        utcb->mr[3] = w3;
}

/* Call without a number: doing it again is harmless. `words` is a constant: how many of w0-w3 are sent. */
static inline __attribute__((always_inline)) void l4_call(cap_t cap, u64 *tag, u32 words, u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    u64 number = 0;
    l4_stash(l4_utcb(), cap, *tag, words, *w0, *w1, *w2, *w3);
    register u64 r10 __asm__("r10") = cap;
    register u64 r8 __asm__("r8") = *w2;
    register u64 r9 __asm__("r9") = *w3;
    __asm__ volatile("syscall\n\t"
                     "cmp %[restarted], %%edi\n\t"
                     "je 1f\n"
                     "2:\n\t"
                     ".pushsection .text.unlikely, \"ax\"\n"
                     "1:\tlea -128(%%rsp), %%rsp\n\t"           /* not into the red zone */
                     "call l4_resend\n\t"
                     "lea 128(%%rsp), %%rsp\n\t"
                     "jmp 2b\n\t"
                     ".popsection"
                     : "+D"(*tag), "+S"(*w0), "+d"(*w1), "+r"(r8), "+r"(r9), "+r"(r10), "+a"(number)
                     : [restarted] "i"(L4_PEER_RESTARTED) : "rcx", "r11", "memory", "cc");
    *w2 = r8;
    *w3 = r9;
}

/* Call with a session's number: executed exactly once, however often it is sent. */
static inline __attribute__((always_inline)) void l4_call_numbered(cap_t cap, u64 *tag, u64 number, u32 words,
                                                                   u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    struct l4_utcb *utcb = l4_utcb();
    utcb->sent_number = number;
    l4_stash(utcb, cap, *tag, words, *w0, *w1, *w2, *w3);
    register u64 r10 __asm__("r10") = cap;
    register u64 r8 __asm__("r8") = *w2;
    register u64 r9 __asm__("r9") = *w3;
    __asm__ volatile("syscall\n\t"
                     "cmp %[restarted], %%edi\n\t"
                     "je 1f\n"
                     "2:\n\t"
                     ".pushsection .text.unlikely, \"ax\"\n"
                     "1:\tlea -128(%%rsp), %%rsp\n\t"
                     "call l4_resend_numbered\n\t"
                     "lea 128(%%rsp), %%rsp\n\t"
                     "jmp 2b\n\t"
                     ".popsection"
                     : "+D"(*tag), "+S"(*w0), "+d"(*w1), "+r"(r8), "+r"(r9), "+r"(r10), "+a"(number)
                     : [restarted] "i"(L4_PEER_RESTARTED) : "rcx", "r11", "memory", "cc");
    *w2 = r8;
    *w3 = r9;
}
