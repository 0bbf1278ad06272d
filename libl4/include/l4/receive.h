/* SPDX-License-Identifier: BSD-2-Clause */
/* receive.h: answer and receive, inlined into server loops. A host test replaces this header and invoke.h by its fake
 * kernel. BLOCKS until a request, an irq or the loop's deadline comes. */
#pragma once
#include <l4/park.h>
#include <l4/utcb.h>

/* Send the answer in `m` to a kept reply, or (0) the implicit one (nobody to answer is no error), then receive the next request into
 * `m`. */
static inline __attribute__((always_inline)) void l4_answer_wait(cap_t reply, struct l4_message *m)
{
    u64 tag = (m->tag & ~L4_TAG_FLAGS) | L4_TAG_WAIT;
    if (__builtin_expect(l4_volatile.deadline != 0, 0)) {
        l4_utcb()->deadline = l4_volatile.deadline;
        tag |= L4_TAG_TIMEOUT;
    }
    u64 number = 0;
    register u64 r10 __asm__("r10") = reply;
    register u64 r8 __asm__("r8") = m->word[2];
    register u64 r9 __asm__("r9") = m->word[3];
    __asm__ volatile("syscall"
                     : "+D"(tag), "+S"(m->word[0]), "+d"(m->word[1]), "+r"(r8), "+r"(r9), "+r"(r10), "+a"(number)
                     :: "rcx", "r11", "memory", "cc");
    m->word[2] = r8;
    m->word[3] = r9;
    m->tag = tag;
    m->label = r10;
    m->number = number;
    m->reply = 0;
}

static inline __attribute__((always_inline)) void l4_reply_wait(struct l4_message *m) { l4_answer_wait(0, m); }
