/* SPDX-License-Identifier: BSD-2-Clause */
/* direct.c: where a system call comes in, and the common message: the partner waits, nobody more urgent is ready, nothing
 * rare is asked for. Its words go from the sender's registers into the receiver's, which runs next.
 * Rule: everything is looked at before anything is changed; what is not common goes to invoke.c as if nothing had been
 * tried. One compare of a thread's hot word tells that it is in the right state and has no rare flag. */
#include "gate.h"
#include "invoke.h"
#include "sched.h"
#include "task.h"
#include "transfer.h"

/* A tag's upper half: more than four words, or any item or flag, make it larger. */
enum { TAG_UPPER = 32 };

#define COMMON(condition) __builtin_expect(!!(condition), 1)
#define COMMON_PATH __attribute__((flatten))

/* `next`, blocked in a system call until now, gets these words and runs. */
static inline __attribute__((always_inline)) struct frame *hand_over(struct thread *self, struct thread *next, u64 label,
    u64 tag, u64 w0, u64 w1, u64 w2, u64 w3)
{
    struct message *into = &next->frame.message;
    into->label = label;
    into->tag = tag;
    into->number = self->frame.message.number;
    into->word[0] = w0;
    into->word[1] = w1;
    into->word[2] = w2;
    into->word[3] = w3;
    next->hot = THREAD_READY;
    return sched_hand_over(self, next);
}

/* Not common: put the registers where everybody looks for them. */
__attribute__((noinline)) struct frame *kernel_invoke(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3)
{
    struct message *m = &cpu_this()->current->frame.message;
    if (!cap)
        m->label = 0;
    m->tag = tag;
    m->word[0] = w0;
    m->word[1] = w1;
    m->word[2] = w2;
    m->word[3] = w3;
    return invoke(cap);
}

static inline __attribute__((always_inline)) struct frame *call(struct thread *self, struct thread *server,
    const struct cap *door, u64 tag, u64 w0, u64 w1, u64 w2, u64 w3)
{
    server->caller = self;
    self->partner = server;
    self->hot = THREAD_AWAITING;
    return hand_over(self, server, door->label, tag | (u64)door->rights << L4_TAG_RIGHTS_SHIFT, w0, w1, w2, w3);
}

static inline __attribute__((always_inline)) struct frame *answer(struct thread *self, u64 tag, u64 w0, u64 w1, u64 w2, u64 w3)
{
    struct thread *caller = self->caller;
    self->caller = NULL;
    self->hot = THREAD_RECEIVING;
    return hand_over(self, caller, 0, tag, w0, w1, w2, w3);
}

/* The tag is large: by words, which go from UTCB to UTCB, or by what is rare. */
static COMMON_PATH __attribute__((noinline)) struct frame *call_large(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *server = gate_of(door->object)->server;
    if (tag & (L4_TAG_ITEMS | L4_TAG_TIMEOUT))
        return kernel_invoke(tag, w0, w1, door, w2, w3);
    transfer_words(self, server, l4_tag_words(tag));
    return call(self, server, door, tag & L4_TAG_DELIVERED, w0, w1, w2, w3);
}

static COMMON_PATH __attribute__((noinline)) struct frame *answer_large(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current;
    if ((tag & (L4_TAG_ITEMS | L4_TAG_FLAGS)) != L4_TAG_WAIT)
        return kernel_invoke(tag, w0, w1, NULL, w2, w3);
    transfer_words(self, self->caller, l4_tag_words(tag));
    return answer(self, tag & L4_TAG_DELIVERED, w0, w1, w2, w3);
}

static __attribute__((noinline)) struct frame *answer_by_frame(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    return kernel_invoke(tag, w0, w1, NULL, w2, w3);
}

COMMON_PATH struct frame *kernel_call(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *server = gate_of(door->object)->server;
    if (!COMMON(self->hot == THREAD_READY && server->hot == THREAD_RECEIVING && server->priority >= self->priority))
        return kernel_invoke(tag, w0, w1, door, w2, w3);
    if (!COMMON(tag >> TAG_UPPER <= L4_REGISTER_WORDS))
        return call_large(tag, w0, w1, door, w2, w3);
    return call(self, server, door, tag, w0, w1, w2, w3);
}

COMMON_PATH struct frame *kernel_answer(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *caller = self->caller;
    if (!COMMON(self->hot == THREAD_READY && caller && caller->hot == THREAD_AWAITING && !(cpu_this()->ready_mask >> caller->priority)
            && l4_tag_status(tag) < FIRST_METHOD))
        return answer_by_frame(tag, w0, w1, unused, w2, w3);
    tag ^= L4_TAG_WAIT;
    if (!COMMON(tag >> TAG_UPPER <= L4_REGISTER_WORDS))
        return answer_large(tag ^ L4_TAG_WAIT, w0, w1, unused, w2, w3);
    return answer(self, tag, w0, w1, w2, w3);
}
