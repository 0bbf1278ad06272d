/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h: the one system call, as it is: nothing is sent again. Stubs of kernel objects use it; a call to a server is call.h's.
 * Words from 4 on, typed items, windows and the deadline lie in the UTCB. */
#pragma once
#include <l4/types.h>
#include <l4/utcb.h>

/* Invoke `cap`: tag and words 0-3 in, tag and words 0-3 out. `number` is 0 for what is not numbered. */
static inline __attribute__((always_inline)) void l4_invoke(cap_t cap, u64 *tag, u64 number,
                                                            u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    register u64 r10 __asm__("r10") = cap;
    register u64 r8 __asm__("r8") = *w2;
    register u64 r9 __asm__("r9") = *w3;
    __asm__ volatile("syscall"
                     : "+D"(*tag), "+S"(*w0), "+d"(*w1), "+r"(r8), "+r"(r9), "+r"(r10), "+a"(number)
                     :: "rcx", "r11", "memory", "cc");
    *w2 = r8;
    *w3 = r9;
}
