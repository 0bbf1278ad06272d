/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h: one invocation of a kernel object, as the generated decoders see it. */
#pragma once
#include "cap.h"
#include "thread.h"

enum { FIRST_METHOD = 0x100 };      /* answers have smaller statuses: from here on a method of the reply object is meant */

/* What was said is in the caller's frame and UTCB, and stays there for a RESTART; caller->progress is zero at first and
 * survives it, so that long work can go on where it was. */
struct invocation {
    struct thread *caller;
    struct cap *used;           /* the capability used: a sched's label says what it may give */
};

/* Kernel-internal status: the answer is in the caller's frame already. */
enum { ANSWERED = RESTART + 2 };

/* The answer: a status and `words` words, 0-3 of them here, the others in the UTCB. */
static inline l4_err_t invocation_answer(struct invocation *inv, l4_err_t status, u32 words, u64 w0, u64 w1, u64 w2, u64 w3)
{
    inv->caller->frame.message = (struct message){ 0, l4_tag((u32)status, words, 0), 0, { w0, w1, w2, w3 } };
    return ANSWERED;
}
/* The object behind the caller's `slot`, if it is of `kind` and the slot has all of `rights`; else NULL, and why is
 * answered. */
void *invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights);
/* The capability used lacks some of the rights `needed`, which are in the answer with those held; or the message has
 * another size. */
l4_err_t invocation_refuse(struct invocation *inv, u32 needed);
/* After something was destroyed: the caller runs on, and has the capability that it used. */
bool invocation_stands(const struct invocation *inv, const void *object);
