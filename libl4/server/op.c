/* SPDX-License-Identifier: BSD-2-Clause */
/* op.c: one message of an op on its way down. Synchronous, but the callee answers or says PENDING within its
 * handler. One that does neither (it is held down, or hangs until its heartbeat is missed) is waited for only so long: its caller has
 * others to serve, and a heart to be heard. The same number is sent again, so nothing is done twice. */
#include <l4/clock.h>
#include <l4/invoke.h>
#include <l4/server.h>
#include <l4/string.h>

/* The first is less than half the shortest heartbeat; the second lets others be served in between. */
enum { PATIENCE = 40 * L4_MILLISECOND, RETRY = 10 * L4_MILLISECOND };

/* Send what `op` waits to have answered; false: nothing to go on with yet, an event will tell when to ask again.
 * BLOCKS. */
bool l4_op_send(const struct l4_op *op, struct l4_message *answer)
{
    struct l4_volatile *v = &l4_volatile;
    struct l4_now *now = (struct l4_now *)L4_STATE_ADDRESS;
    u32 index = (u16)op->number;
    *answer = (struct l4_message){ .number = op->number };
    if (v->asked[index / 64] >> index % 64 & 1 || v->late >> op->use & 1) {
        return false;
    }
    now->request = (struct l4_request){ L4_NOW_OP, op->number, op->step };
    if (v->poison.label == L4_NOW_OP && v->poison.number == op->number) {
        answer->tag = (u32)L4_POISONED;
        return true;
    }
    u64 tag, deadline = l4_now() + PATIENCE;
    do {
        u32 words = op->words < L4_REGISTER_WORDS ? 0 : op->words - L4_REGISTER_WORDS;
        tag = l4_tag((u32)op->tag, op->words, 0) | L4_TAG_NO_PARK | L4_TAG_TIMEOUT;
        l4_utcb()->deadline = deadline;
        memset(answer->word, 0, sizeof answer->word);
        memcpy(answer->word, op->word, 8ul * (op->words - words));
        memcpy(&l4_utcb()->mr[L4_REGISTER_WORDS], &op->word[L4_REGISTER_WORDS], 8ul * words);
        u64 *w = answer->word;
        l4_invoke(v->door[op->use], &tag, op->number, &w[0], &w[1], &w[2], &w[3]);
    } while (l4_tag_status(tag) == L4_PEER_RESTARTED || l4_tag_status(tag) == L4_KICKED);
    if (l4_tag_status(tag) == L4_TIMED_OUT) {
        v->late |= 1ul << op->use;
        v->retry = l4_now() + RETRY;
        return false;
    }
    answer->tag = tag;
    if (l4_tag_status(tag) == L4_PENDING || l4_tag_status(tag) == L4_LATER) {
        v->asked[index / 64] |= 1ul << index % 64;
        return false;
    }
    return true;
}
