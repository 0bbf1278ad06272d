/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: clients of a server: who has which slots, and the methods that every server has (240 to 255). */
#include <abi/object.h>
#include <irq.h>
#include <l4/log.h>
#include <l4/server.h>
#include <l4/string.h>

struct l4_client *l4_client_at(const struct l4_server *server, u32 client)
{
    return (struct l4_client *)(L4_STATE_ADDRESS + server->client_at) + client;
}

struct l4_slot *l4_slot_at(const struct l4_server *server, u32 client, u32 slot)
{
    u64 i = (u64)client * server->slots + slot;
    return (struct l4_slot *)(L4_STATE_ADDRESS + server->slot_at + i * server->slot_bytes);
}

/* Take everything from the client at this index, in small transactions. `label` becomes the new one, in the last of
 * them: cut short anywhere, it is done again. */
static void client_replace(const struct l4_server *server, const void *ops, u32 client, u64 label)
{
    struct l4_client *c = l4_client_at(server, client);
    if (c->label) {
        while (server->forget(ops, c->label)) {
        }
        l4_park_drop(server, c->label, 0);
    }
    for (u32 i = 0; i < server->slots; i++) {
        struct l4_slot *slot = l4_slot_at(server, client, i);
        if (slot->number || slot->op) {
            l4_begin(NULL, 0);
            l4_keep(slot, server->slot_bytes / 8);
            memset(slot, 0, server->slot_bytes);
            l4_hook();
            l4_commit(NULL, 0);
        }
    }
    l4_begin(NULL, 0);
    l4_keep(c, sizeof *c / 8);
    c->label = label;
    c->events = 0;
    l4_hook();
    l4_commit(NULL, 0);
    l4_volatile.event[client] = 0;
    l4_server_settle(server, ops);
}

/* The slot of a numbered request whose label is not at its place: a newer generation takes the place over. NULL:
 * unknown. */
struct l4_slot *l4_server_take(const struct l4_server *server, const void *ops, const struct l4_message *m)
{
    u32 client = (u16)m->label, slot = (u16)m->number;
    if (client >= server->clients || slot >= server->slots) {
        return NULL;
    }
    u64 label = l4_client_at(server, client)->label;
    if (label != m->label) {
        if (label && m->label >> 16 <= label >> 16) {
            return NULL;
        }
        client_replace(server, ops, client, m->label);
    }
    return l4_slot_at(server, client, slot);
}

/* ---- events ---- */
void l4_event_raise(const struct l4_server *server, u64 label, u64 events)
{
    u32 client = (u16)label;
    if (client >= server->clients || !server->fields) {
        return;
    }
    const struct l4_client *c = l4_client_at(server, client);
    events &= c->events | L4_EVENT_ASK;
    if (c->label != label || !events) {
        return;
    }
    l4_volatile.event[client] |= events;
    if (l4_volatile.clients_slot) {
        irq_ring(l4_volatile.clients_slot + client);
    }
}

/* A new incarnation does not know what it had raised. */
void l4_event_raise_all(const struct l4_server *server)
{
    for (u32 i = 0; server->fields && i < server->clients; i++) {
        const struct l4_client *c = l4_client_at(server, i);
        if (c->label) {
            l4_event_raise(server, c->label, c->events | L4_EVENT_ASK);
        }
    }
}

/* ---- methods of every server ---- */
static l4_err_t answer(struct l4_message *m, u32 words, u64 w0, u64 w1)
{
    l4_fail(m, L4_OK);
    m->tag = (u64)words << L4_TAG_WORDS_SHIFT;
    m->word[0] = w0;
    m->word[1] = w1;
    return L4_OK;
}

static l4_err_t subscribe(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    u32 client = (u16)m->label;
    struct l4_message first_slot = { .label = m->label };
    if (!server->fields || !l4_server_take(server, ops, &first_slot)) {
        return l4_fail(m, L4_BAD_CLIENT);
    }
    struct l4_client *c = l4_client_at(server, client);
    if (c->events != m->word[0]) {
        l4_begin(NULL, 0);
        l4_keep(c, sizeof *c / 8);
        c->events = m->word[0];
        l4_hook();
        l4_commit(NULL, 0);
    }
    u64 raised = l4_volatile.event[client];
    l4_volatile.event[client] = 0;
    return answer(m, 1, raised, 0);
}

/* The request with this number gets no further: its answer, if it has one, or else KICKED is its answer from now on. */
static l4_err_t cancel(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    struct l4_slot *slot = server->fields ? l4_server_take(server, ops, m) : NULL;
    if (!slot || m->number >> 16 == 0) {
        return l4_fail(m, L4_BAD_CLIENT);
    }
    if (slot->number == m->number) {
        return l4_resent(m, slot);
    }
    l4_begin(slot, m->number);
    slot->tag = (u32)L4_KICKED;
    slot->op = 0;
    l4_hook();
    l4_commit(slot, m->number);
    l4_park_drop(server, m->label, m->number);
    return l4_fail(m, L4_KICKED);
}

static l4_err_t forget(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    u32 client = (u16)m->word[0];
    if (!server->fields || client >= server->clients) {
        return l4_fail(m, L4_BAD_CLIENT);
    }
    if (l4_client_at(server, client)->label == m->word[0]) {
        client_replace(server, ops, client, 0);
    }
    return answer(m, 0, 0, 0);
}

static l4_err_t irq(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    u64 label = m->label;
    if (label == L4_IRQ_HEARTBEAT) {
        irq_ring(l4_slot("heartbeat"));
    } else if (label & L4_IRQ_PEER) {
        memset(l4_volatile.asked, 0, sizeof l4_volatile.asked);
        l4_volatile.late = l4_volatile.retry = 0;
        l4_volatile.busy = l4_volatile.ops_due = true;
        server->event(ops, (u32)label);
    } else {
        server->irq(ops, label);
    }
    return answer(m, 0, 0, 0);
}

/* Whatever is no method of the interface file: irqs, the end of the receive's deadline, methods of every server. */
l4_err_t l4_server_other(const struct l4_server *server, const void *ops, struct l4_message *m)
{
    u32 what = (u32)m->tag;
    if (l4_is_kernels(m)) {
        if (what == L4_IRQ << 8) {
            return irq(server, ops, m);
        }
        if (l4_tag_status(m->tag) == L4_TIMED_OUT) {
            l4_volatile.deadline = 0;
            server->timeout(ops);
        }
        return answer(m, 0, 0, 0);
    }
    for (u32 i = 0; i < server->serves; i++) {
        const struct l4_served *served = &server->served[i];
        if (what >> 8 != served->protocol) {
            continue;
        }
        u32 words = l4_tag_words(m->tag);
        switch ((u8)what) {
        case L4_METHOD_DESCRIBE:
            return words == 0 ? answer(m, 2, served->version, served->hash) : l4_fail(m, L4_BAD_MESSAGE);
        case L4_METHOD_SUBSCRIBE:
            return words == 1 ? subscribe(server, ops, m) : l4_fail(m, L4_BAD_MESSAGE);
        case L4_METHOD_CANCEL:
            return cancel(server, ops, m);
        case L4_METHOD_FORGET:
            if (!(l4_tag_rights(m->tag) & L4_O)) {
                return l4_fail(m, L4_NO_RIGHT);
            }
            return words == 1 ? forget(server, ops, m) : l4_fail(m, L4_BAD_MESSAGE);
        }
    }
    return l4_fail(m, L4_NO_METHOD);
}
