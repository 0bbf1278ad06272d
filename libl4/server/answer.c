/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.c: what generated dispatchers do off the hot path: refusals, remembered answers, handlers that do not
 * answer. */
#include <gate.h>
#include <l4/panic.h>
#include <l4/server.h>
#include <l4/string.h>
#include <l4/task.h>
#include <l4/utcb.h>

void l4_broken(void)
{
    const struct l4_request *now = &((const struct l4_now *)L4_STATE_ADDRESS)->request;
    l4_panic("request %x of label %lx broke an invariant", (u32)now->tag, now->label);
}

/* PENDING and LATER leave `m` as it came, since it will be run again. */
l4_err_t l4_fail(struct l4_message *m, l4_err_t err)
{
    if (err == L4_PENDING || err == L4_LATER) {
        l4_volatile.busy = true;
        return err;
    }
    m->tag = (u32)err;
    memset(m->word, 0, sizeof m->word);
    return err;
}

/* The tag's size, items or rights are not what the method wants. */
l4_err_t l4_refuse(struct l4_message *m, u64 wanted)
{
    u32 rights = l4_tag_rights(wanted);
    return l4_fail(m, (l4_tag_rights(m->tag) & rights) != rights ? L4_NO_RIGHT : L4_BAD_MESSAGE);
}

/* The number was seen before: the answer again, or the wait for the op that gives it. */
l4_err_t l4_resent(struct l4_message *m, const struct l4_slot *slot)
{
    if (m->number >> 16 == 0) {
        return l4_fail(m, L4_BAD_MESSAGE);      /* not numbered at all */
    }
    if (slot->op) {
        l4_volatile.busy = true;
        l4_volatile.wait_on = L4_ON_OP;
        l4_volatile.wait_ref = l4_slot_ref(m);
        return L4_LATER;
    }
    u32 words = l4_tag_words(slot->tag);
    m->tag = slot->tag;
    for (u32 i = 0; i < L4_REGISTER_WORDS; i++) {
        m->word[i] = i < words ? slot->word[i] : 0;
    }
    if (words > L4_REGISTER_WORDS) {
        memcpy(&l4_utcb()->mr[L4_REGISTER_WORDS], &slot->word[L4_REGISTER_WORDS], 8ul * (words - L4_REGISTER_WORDS));
    }
    return l4_tag_status(m->tag);
}

/* The handler of a numbered request said something else than OK. */
l4_err_t l4_unanswered(struct l4_message *m, struct l4_slot *slot, l4_err_t err)
{
    struct l4_volatile *v = &l4_volatile;
    if (err == L4_LATER) {
        slot->tag = 0;
        slot->op = v->later;
        l4_hook();
        l4_commit(slot, m->number);
        v->busy = true;
        v->wait_on = L4_ON_OP;
        v->wait_ref = l4_slot_ref(m);
        return err;
    }
    l4_undo();
    v->wakes = v->afters = 0;
    v->wake_all = v->afters_lost = v->ops_due = false;
    if (err == L4_PENDING) {
        l4_undo_log()->slot = NULL;
        L4_BARRIER();
        l4_commit(NULL, 0);
        v->busy = true;
        return err;
    }
    v->busy = false;
    slot->tag = (u32)err;
    slot->op = 0;
    l4_hook();
    l4_commit(slot, m->number);
    return l4_fail(m, err);
}

/* Put a fresh door into typed item `item` of the answer. */
l4_err_t l4_mint(u32 item, const u64 *mint)
{
    struct l4_mint door;
    memcpy(&door, mint, sizeof door);
    l4_unmap_cap(L4_SLOT_TASK, L4_SLOT_MINT + item);
    l4_err_t err = gate_mint(door.gate, L4_SLOT_MINT + item, door.label, (u32)door.rights);
    l4_utcb()->item[item] = (struct l4_item){ l4_fpage_caps(L4_SLOT_MINT + item, 0), door.rights };
    return err;
}

/* The handler has taken what it wanted of the capabilities that came: make room for the next. */
void l4_items_drop(const struct l4_message *m)
{
    for (u32 i = 0; i < l4_tag_items(m->tag); i++) {
        l4_unmap_cap(L4_SLOT_TASK, L4_SLOT_RECEIVE + i);
    }
}

/* Move the request's words from 4 on out of the UTCB, which calls made by the handler would overwrite. */
u64 *l4_words_copy(u32 words)
{
    struct l4_volatile *v = &l4_volatile;
    v->copied = words;
    memcpy(&v->mr[L4_REGISTER_WORDS], &l4_utcb()->mr[L4_REGISTER_WORDS], 8ul * (words - L4_REGISTER_WORDS));
    return v->mr;
}

/* Clear what follows the contents of a tail in its place of `words` words: nothing old is sent. */
void l4_tail_end(void *from, u64 bytes, u32 words)
{
    memset((u8 *)from + bytes, 0, 8ul * words - bytes);
}
