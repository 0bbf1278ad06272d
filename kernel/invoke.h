/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h: one invocation of a kernel object, as the generated decoders see it. */
#pragma once
#include "cap.h"

struct thread;
struct frame;

enum { FIRST_METHOD = 0x100 };      /* answers have smaller statuses: from here on a method of the reply object is meant */

/* The running thread invokes `cap` of its task, or (NULL) its implicit reply, with what its frame says. */
__attribute__((noinline)) struct frame *invoke(struct cap *cap);

struct invocation {
    struct thread *caller;
    const struct cap *used;     /* the capability used: a sched's label says what it may give */
    u64 tag;                    /* what the caller said */
    u32 rights;                 /* of the capability used */
    const u64 *in;              /* parameters 0-3, in the caller's frame: they stay there for a RESTART */
    u64 word[4];                /* results 0-3 */
    u64 *mr;                    /* the caller's UTCB words: parameters and results from 4 on */
    u32 words;                  /* results */
    l4_err_t refusal;           /* why invocation_object found nothing */
    u64 *progress;              /* zero at first; survives RESTART, so that long work can go on where it was */
};

/* The object behind the caller's `slot`, if it is of `kind` and the slot has all of `rights`; else NULL, and
 * inv->refusal. */
void *invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights);
/* Refuse: the results are the rights held and the rights `needed`. Returns `err`. */
l4_err_t invocation_refuse(struct invocation *inv, l4_err_t err, u32 needed);
/* After something was destroyed: the caller runs on, and has the capability that it used. */
bool invocation_stands(const struct invocation *inv, const void *object);
