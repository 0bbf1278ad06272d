/* SPDX-License-Identifier: BSD-2-Clause */
/* direct.c: where a system call comes in, and the common message: the partner waits, nobody more urgent is ready, nothing
 * rare is asked for. Its words go from the sender's registers into the receiver's, which runs next. A fault is such a
 * message, from the kernel.
 * Rule: everything is looked at before anything is changed; what is not common goes to invoke.c as if nothing had been
 * tried. One compare of a thread's hot word tells that it is in the right state and has no rare flag, one of a tag's upper half that it has
 * no more words than fit into registers, no item and no flag. */
#include "fault.h"
#include "invoke.h"
#include "ipc.h"
#include "lock.h"
#include "reflect.h"
#include "reply.h"
#include "sched.h"
#include "transfer.h"

/* `next`, blocked in a system call until now, gets these words and is to run. */
static INLINE void give(struct thread *next, u64 label, u64 tag, u64 number, u64 w0, u64 w1, u64 w2, u64 w3)
{
    next->frame.message = (struct message){ label, tag, number, { w0, w1, w2, w3 } };
    next->hot = THREAD_READY;
    cpu_this()->current = next;
}

static INLINE bool may_call(const struct thread *self, const struct thread *server)
{
    return COMMON(self->hot == THREAD_READY && server->hot == THREAD_RECEIVING && server->priority >= self->priority);
}

static INLINE void call(struct thread *self, struct thread *server, u32 why, u64 label, u64 rights, u64 tag, u64 number,
    u64 w0, u64 w1, u64 w2, u64 w3)
{
    server->caller = self;
    self->partner = server;
    self->hot = THREAD_AWAITING | why;
    give(server, label, tag | rights << L4_TAG_RIGHTS_SHIFT, number, w0, w1, w2, w3);
}

static INLINE struct frame *answer(struct thread *self, u64 tag, u64 w0, u64 w1, u64 w2, u64 w3)
{
    struct thread *caller = self->caller;
    self->caller = &thread_nobody;
    self->hot = THREAD_RECEIVING;
    give(caller, 0, tag, self->frame.message.number, w0, w1, w2, w3);
    return arch_hand_over(self, caller);
}

bool direct_call_for(struct thread *self, const struct cap *door, u32 why)
{
    struct thread *server = gate_of(door->object)->server;
    const struct message *m = &self->fault;
    if (!may_call(self, server))
        return false;
    if (why == THREAD_EXCEPTION)
        transfer_exception(self, server->utcb);
    call(self, server, why, door->label, door->rights, m->tag, 0, m->word[0], m->word[1], m->word[2], 0);
    return true;
}

/* By items, or by what is rare. Items that fail or take long: invoke.c goes on with them. */
static COMMON_PATH OTHER_PATH struct frame *call_items(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *server = gate_of(door->object)->server;
    struct object *gate = door->object;
    u64 label = door->label, rights = door->rights;     /* an item may give the door away */
    if (tag & L4_TAG_TIMEOUT || (tag & L4_TAG_ITEMS && transfer_items(self, server, tag) != L4_OK)) {
        struct cap used = { .object = gate, .label = label, .rights = (u8)rights, .kind = L4_DOOR };
        return invoke_how(tag, w0, w1, &used, w2, w3);
    }
    transfer_words(self, server, l4_tag_words(tag));
    call(self, server, 0, label, rights, tag & L4_TAG_DELIVERED, self->frame.message.number, w0, w1, w2, w3);
    return arch_hand_over(self, server);
}

static COMMON_PATH OTHER_PATH struct frame *answer_items(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current;
    if ((tag & L4_TAG_FLAGS) != L4_TAG_WAIT || (tag & L4_TAG_ITEMS && transfer_items(self, self->caller, tag) != L4_OK))
        return invoke_how(tag, w0, w1, &reply_implicit, w2, w3);
    transfer_words(self, self->caller, l4_tag_words(tag));
    return answer(self, tag & L4_TAG_DELIVERED, w0, w1, w2, w3);
}

/* A pager's or handler's caller goes on where it stood; or the answer is not common. */
static OTHER_PATH struct frame *answer_rare(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *caller = self->caller;
    if (self->hot != THREAD_READY || !(caller->hot & THREAD_CALLED_FOR) || (caller->hot & ~THREAD_CALLED_FOR) != THREAD_AWAITING
            || cpu_this()->ready_mask >> caller->priority || (tag & (L4_TAG_FLAGS | ~0u)) != L4_TAG_WAIT
            || (tag & L4_TAG_ITEMS && transfer_items(self, caller, tag) != L4_OK))
        return invoke_how(tag, w0, w1, &reply_implicit, w2, w3);
    self->caller = &thread_nobody;
    self->hot = THREAD_RECEIVING;
    cpu_this()->current = caller;
    fault_resolved(caller, w0, self->utcb);
    caller->hot = THREAD_READY;
    reflect_lost(caller);
    return arch_switch(caller);
}

/* The tag is large: by words, which go from UTCB to UTCB, or by more. */
static COMMON_PATH OTHER_PATH struct frame *call_large(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current, *server = gate_of(door->object)->server;
    if (tag >> L4_TAG_WORDS_SHIFT > L4_WORDS_MAX)
        return call_items(tag, w0, w1, door, w2, w3);
    transfer_words(self, server, (u32)(tag >> L4_TAG_WORDS_SHIFT));
    call(self, server, 0, door->label, door->rights, tag, self->frame.message.number, w0, w1, w2, w3);
    return arch_hand_over(self, server);
}

/* `tag` is without L4_TAG_WAIT. */
static COMMON_PATH OTHER_PATH struct frame *answer_large(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    struct thread *self = cpu_this()->current;
    if (tag >> L4_TAG_WORDS_SHIFT > L4_WORDS_MAX)
        return answer_items(tag ^ L4_TAG_WAIT, w0, w1, unused, w2, w3);
    transfer_words(self, self->caller, (u32)(tag >> L4_TAG_WORDS_SHIFT));
    return answer(self, tag, w0, w1, w2, w3);
}

COMMON_PATH struct frame *kernel_call(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    lock_self();
    struct thread *self = cpu_this()->current, *server = gate_of(door->object)->server;
    if (!may_call(self, server))
        return invoke_how(tag, w0, w1, door, w2, w3);
    if (!COMMON(tag >> L4_TAG_WORDS_SHIFT <= L4_REGISTER_WORDS))
        return call_large(tag, w0, w1, door, w2, w3);
    call(self, server, 0, door->label, door->rights, tag, self->frame.message.number, w0, w1, w2, w3);
    return arch_hand_over(self, server);
}

COMMON_PATH struct frame *kernel_answer(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    lock_self();
    struct thread *self = cpu_this()->current, *caller = self->caller;
    if (!COMMON(self->hot == THREAD_READY && caller->hot == THREAD_AWAITING && !(cpu_this()->ready_mask >> caller->priority)
            && l4_tag_status(tag) < FIRST_METHOD))
        return answer_rare(tag, w0, w1, unused, w2, w3);
    tag ^= L4_TAG_WAIT;
    if (!COMMON(tag >> L4_TAG_WORDS_SHIFT <= L4_REGISTER_WORDS))
        return answer_large(tag, w0, w1, unused, w2, w3);
    return answer(self, tag, w0, w1, w2, w3);
}
