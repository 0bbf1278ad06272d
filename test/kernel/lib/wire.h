/* SPDX-License-Identifier: BSD-2-Clause */
/* wire.h: invocations marshalled by hand, with every register in and out, for tests of the system call itself. */
#pragma once
#include <abi/ipc.h>
#include <l4/park.h>
#include <l4/utcb.h>

/* Invoke `cap` with what is in `m`; what comes back is there afterwards. Nothing is sent again. */
static inline void wire_invoke(cap_t cap, struct l4_message *m)
{
    register u64 r10 __asm__("r10") = cap;
    register u64 r8 __asm__("r8") = m->word[2];
    register u64 r9 __asm__("r9") = m->word[3];
    __asm__ volatile("syscall"
                     : "+D"(m->tag), "+S"(m->word[0]), "+d"(m->word[1]), "+r"(r8), "+r"(r9), "+r"(r10),
                     "+a"(m->number)::"rcx", "r11", "memory", "cc");
    m->word[2] = r8;
    m->word[3] = r9;
    m->label = r10;
}

/* Invoke with a method and up to two words; the status. */
static inline l4_err_t wire_call(cap_t cap, u64 tag, u64 w0, u64 w1)
{
    struct l4_message m = { .tag = tag, .word = { w0, w1 } };
    wire_invoke(cap, &m);
    return l4_tag_status(m.tag);
}

/* Answer with `m` (tag: status, words, items) and receive the next into it. */
static inline void wire_reply_wait(struct l4_message *m, u64 flags)
{
    m->tag |= L4_TAG_WAIT | flags;
    wire_invoke(0, m);
}

/* Receive without an answer. */
static inline void wire_wait(struct l4_message *m, u64 flags)
{
    *m = (struct l4_message){ 0 };
    wire_reply_wait(m, flags);
}
