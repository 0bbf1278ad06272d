/* SPDX-License-Identifier: BSD-2-Clause */
/* invoke.h: one invocation of a kernel object, as the generated decoders see it. */
#pragma once
#include "cap.h"

struct thread;
struct frame;

enum { FIRST_METHOD = 0x100 };      /* answers have smaller statuses: from here on a method of the reply object is meant */

/* The running thread invokes `cap` of its task, or (NULL) its implicit reply, with what its frame says. */
struct frame *invoke(struct cap *cap);

struct invocation {
    u64 tag;                    /* rights of the capability used are in bits 48-55 */
    u64 word[4];                /* in: parameters 0-3; out: results */
    u64 *mr;                    /* the caller's UTCB words: parameters and results from 4 on */
    u32 words;                  /* out: result words */
    u64 label;                  /* of the capability used: a sched capability's highest priority */
    struct thread *caller;
    u64 *progress;              /* zero at first; survives RESTART, so that long work can go on where it was */
};

/* The object behind the caller's `slot`, if it is of `kind` and the slot has all of `rights`. */
l4_err_t invocation_object(struct invocation *inv, u64 slot, enum l4_kind kind, u32 rights, void **object);
/* Refuse: record for a debug build's log what was invoked and which right (`needed`) was missing. Returns `err`. */
l4_err_t invocation_refuse(struct invocation *inv, l4_err_t err, u32 needed);
