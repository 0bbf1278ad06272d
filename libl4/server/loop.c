/* SPDX-License-Identifier: BSD-2-Clause */
/* loop.c: the loop of every server, off its hot path: the start, and what follows a commit. */
#include <abi/fpage.h>
#include <gate.h>
#include <l4/clock.h>
#include <l4/convert.h>
#include <l4/invoke.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/server.h>
#include <l4/string.h>

struct l4_volatile l4_volatile L4_VOLATILE_ZERO;

static const struct l4_crash *crash_page(void)
{
    const struct l4_startup *startup = l4_startup();
    return startup && startup->crash_page ? (const struct l4_crash *)startup->crash_page : NULL;
}

/* ---- after a commit ---- */
static void effects_do(const struct l4_server *server, const void *ops)
{
    struct l4_volatile *v = &l4_volatile;
    for (u32 i = 0; i < v->afters; i++) {
        const struct l4_after *after = &v->after[i];
        l4_hook();
        if (after->what) {
            server->effect(ops, after);
        } else {
            l4_event_raise(server, after->word[0], after->word[1]);
        }
    }
    v->afters = 0;
}

void l4_after_full(void)
{
    struct l4_volatile *v = &l4_volatile;
    if (v->serving) {
        v->afters_lost = true;
        v->afters--;
    } else {
        effects_do(v->server, v->ops);
    }
}

void l4_server_settle(const struct l4_server *server, const void *ops)
{
    struct l4_volatile *v = &l4_volatile;
    while (v->afters || v->ops_due) {
        effects_do(server, ops);
        if (v->afters_lost) {
            v->afters_lost = v->serving = false;
            server->start(ops);
            effects_do(server, ops);
            v->serving = true;
        }
        if (v->ops_due) {
            v->ops_due = false;
            server->send(ops);
        }
    }
    l4_park_wake(server);
}

/* Answer `m` to the reply that it came with. */
static void answer_send(const struct l4_server *server, struct l4_message *m)
{
    u64 tag = m->tag & ~L4_TAG_FLAGS, w0 = m->word[0], w1 = m->word[1], w2 = m->word[2], w3 = m->word[3];
    l4_invoke(m->reply ? L4_SLOT_PARK + m->reply - 1 : 0, &tag, 0, &w0, &w1, &w2, &w3);
    if (m->reply) {
        l4_park_free(server, m->reply);
    }
}

/* The same, and the next request into `m`, at once: nobody was woken. BLOCKS. */
static void answer_and_receive(const struct l4_server *server, struct l4_message *m)
{
    cap_t reply = m->reply ? L4_SLOT_PARK + m->reply - 1 : 0;
    if (m->reply) {
        l4_park_free(server, m->reply);
    }
    l4_answer_wait(reply, m);
}

/* `m` waits for an op that the last commit began: often it has come to its end when its messages are sent. */
static l4_err_t op_wait(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    struct l4_volatile *v = &l4_volatile;
    u32 on = v->wait_on, ref = v->wait_ref;
    l4_server_settle(server, ops);
    v->wait_on = on;
    v->wait_ref = ref;
    const struct l4_slot *slot = l4_slot_at(server, (u16)m->label, (u16)m->number);
    bool ended = l4_client_at(server, (u16)m->label)->label == m->label && slot->number == m->number && !slot->op;
    return ended ? l4_resent(m, slot) : L4_LATER;
}

/* Messages that came to nothing are sent again. */
static void ops_retry(void)
{
    struct l4_volatile *v = &l4_volatile;
    memset(v->asked, 0, sizeof v->asked);
    v->late = v->retry = 0;
    v->busy = v->ops_due = true;
}

/* The next request into `m`; false: none, but it was time to send messages again. */
static bool request_receive(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    struct l4_volatile *v = &l4_volatile;
    u64 own = v->deadline;
    bool retry_first = v->retry && (!own || v->retry < own);
    *m = (struct l4_message){ 0 };
    if (retry_first) {
        v->deadline = v->retry;
    }
    l4_reply_wait(m);
    v->deadline = own;
    if (!v->retry) {
        return true;
    }
    bool retry_only = retry_first && l4_is_kernels(m) && l4_tag_status(m->tag) == L4_TIMED_OUT;
    v->busy = true;
    if (retry_only || l4_now() >= v->retry) {
        ops_retry();
    }
    if (retry_only) {
        l4_server_settle(server, ops);
    }
    return !retry_only;
}

/* `m` was run and said `err`: effects, then its answer, then the next request into `m`. BLOCKS when nobody was
 * woken. */
void l4_server_next(const struct l4_server *server, const void *ops, struct l4_message *m, l4_err_t err)
{
    struct l4_volatile *v = &l4_volatile;
    if (err == L4_LATER && !m->reply) {
        err = op_wait(server, ops, m);
    }
    bool waits = err == L4_PENDING || err == L4_LATER;
    bool answered = !waits || l4_park_keep(server, m, err);
    u64 mr[L4_WORDS_MAX];
    u32 words = answered ? l4_tag_words(m->tag) : 0;
    words = words < L4_REGISTER_WORDS ? 0 : words - L4_REGISTER_WORDS;
    memcpy(mr, &l4_utcb()->mr[L4_REGISTER_WORDS], 8ul * words);
    v->copied = 0;
    v->busy = false;
    l4_server_settle(server, ops);
    if (answered) {
        memcpy(&l4_utcb()->mr[L4_REGISTER_WORDS], mr, 8ul * words);
    }
    if (answered && !v->waits[L4_DUE - 1].first && !v->retry) {
        answer_and_receive(server, m);
        return;
    }
    if (answered) {
        answer_send(server, m);
    }
    do {
        if (l4_park_take(server, m)) {
            return;
        }
    } while (!request_receive(server, ops, m));
}

/* ---- poison ---- */
static i32 poison_error(const struct l4_server *server, u64 tag)
{
    for (u32 i = 0; i < server->serves; i++) {
        if ((u32)tag >> 8 == server->served[i].protocol) {
            return server->served[i].poison;
        }
    }
    return L4_POISONED;
}

static void poison_note(const struct l4_server *server)
{
    const struct l4_crash *crash = crash_page();
    if (!crash || crash->count < 2) {
        return;
    }
    struct l4_volatile *v = &l4_volatile;
    v->poison.label = crash->request.label;
    v->poison.number = crash->request.number;
    v->poison.tag = crash->request.tag;
    v->poison.error = poison_error(server, crash->request.tag);
    v->rare = true;
    l4_log("request %x of label %lx killed %u times: answered with poison", (u32)crash->request.tag,
           crash->request.label, crash->count);
}

/* What came through the gate that this server monitors: whatever its tag says, it is no request to this server. */
static bool is_for_monitored(const struct l4_message *m)
{
    return l4_volatile.monitored_slot && !(m->label & L4_LABEL_OWN) && !l4_is_kernels(m);
}

/* Whether `m` is the request that killed twice: it is answered then, or dropped if it is an event. */
static bool is_poisoned(const struct l4_server *server, struct l4_message *m)
{
    struct l4_volatile *v = &l4_volatile;
    if (!v->poison.error || m->label != v->poison.label || m->number != v->poison.number || m->tag != v->poison.tag) {
        return false;
    }
    i32 error = v->poison.error;
    v->poison.error = 0;
    v->rare = v->monitored_slot;
    struct l4_slot *slot = m->number && server->fields && !is_for_monitored(m) ? l4_server_take(server, v->ops, m) : NULL;
    if (slot) {
        l4_begin(slot, m->number);
        slot->tag = (u32)error;
        slot->op = 0;
        l4_hook();
        l4_commit(slot, m->number);
    }
    l4_fail(m, l4_is_kernels(m) ? L4_OK : error);
    return true;
}

/* ---- monitors ---- */
/* Once it is passed on, nobody is left to answer. If it cannot be, the caller is gone, or is to send again. */
static void judge(const struct l4_server *server, struct l4_message *m)
{
    u64 why = 0;
    l4_err_t verdict = server->judge(l4_volatile.ops, m, &why);
    if (verdict == L4_OK && gate_pass(l4_volatile.monitored_slot) != L4_OK) {
        verdict = L4_PEER_RESTARTED;
    }
    l4_fail(m, verdict);
    if (why) {
        m->tag |= 1ul << L4_TAG_WORDS_SHIFT;
        m->word[0] = why;
    }
}

/* What comes before the dispatcher. True: `m` is answered. */
bool l4_server_first(const struct l4_server *server, struct l4_message *m)
{
    if (is_poisoned(server, m)) {
        return true;
    }
    bool is_foreign = is_for_monitored(m);
    if (is_foreign) {
        judge(server, m);
    }
    return is_foreign;
}

/* ---- the start ---- */
static void state_format(const struct l4_server *server, struct l4_state *state)
{
    state->bytes = server->bytes;
    state->schema = server->schema_at;
    state->shape = server->shape;
    memcpy((u8 *)state + server->schema_at, server->schema, server->fields * sizeof *server->schema);
    state->fields = server->fields;
    l4_hook();
}

/* Make the state this version's, recovered. The version is written last: until then the state is made again from the
 * start. */
static void state_open(const struct l4_server *server)
{
    struct l4_state *state = l4_state();
    const struct l4_crash *crash = crash_page();
    struct l4_refusal why;
    if (state->version == 0) {
        bool update = crash && crash->old_state_version;
        struct l4_state *old = (struct l4_state *)L4_OLD_STATE_ADDRESS;
        if (update) {
            l4_recover(old);
            memset(state, 0, server->bytes);    /* a conversion that was cut short */
        }
        state_format(server, state);
        if (update && !l4_state_convert(old, state, &why)) {
            l4_panic("update refused: %s = %lu has no place in version %u", why.path, why.value, server->version);
        }
        if (update && !server->upgrade(old, state)) {
            l4_panic("update refused by the server");
        }
        L4_BARRIER();
        *(volatile u32 *)&state->version = server->version;
        l4_hook();
    } else {
        l4_recover(state);
    }
    if (state->shape != server->shape) {
        l4_panic("the state is version %u of another shape", state->version);
    }
    if (!server->check()) {
        l4_panic("the state breaks an invariant");
    }
}

static void doors_find(const struct l4_server *server)
{
    for (u32 i = 0; i < server->doors; i++) {
        const struct l4_use *use = &server->uses[i];
        cap_t slot = l4_slot(use->name);
        for (u32 k = 0; k < use->count && use->first + k < L4_DOORS; k++) {
            l4_volatile.door[use->first + k] = slot + k;
        }
    }
    l4_volatile.clients_slot = l4_slot("clients");
    l4_volatile.monitored_slot = l4_slot("monitored");
    if (l4_volatile.monitored_slot && !server->judges(l4_volatile.ops)) {
        l4_panic("the manifest has this server monitor another, but it judges nobody: give it a hook `judge`");
    }
    l4_volatile.rare = l4_volatile.monitored_slot;
}

void l4_server_start(const struct l4_server *server, const void *ops, void *parks, u64 *events)
{
    struct l4_volatile *v = &l4_volatile;
    struct l4_now *now = (struct l4_now *)L4_STATE_ADDRESS;
    now->request = (struct l4_request){ L4_NOW_START, 0, 0 };
    v->event = events;
    v->server = server;
    v->ops = ops;
    l4_park_init(server, parks);
    doors_find(server);
    l4_utcb()->window_caps = l4_fpage_caps(L4_SLOT_RECEIVE, 4);
    const char *missing = server->missing(ops);
    if (missing) {
        l4_log("no handler for %s", missing);
    }
    if (server->fields) {
        state_open(server);
    }
    poison_note(server);
    server->start(ops);
    v->ops_due = true;
    l4_server_settle(server, ops);
    v->serving = true;
    l4_event_raise_all(server);
}
