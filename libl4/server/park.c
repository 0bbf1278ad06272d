/* SPDX-License-Identifier: BSD-2-Clause */
/* park.c: requests that wait. Each entry keeps the request and, unless its caller was told PENDING, the right to
 * answer it. Lists by what is waited for and by client: nobody is looked at who is neither woken nor dropped. */
#include <abi/object.h>
#include <l4/invoke.h>
#include <l4/server.h>
#include <l4/string.h>
#include <reply.h>

static struct l4_parked *parked_at(const struct l4_server *server, u32 i)
{
    return (struct l4_parked *)(l4_volatile.parks + (u64)(i - 1) * server->park_bytes);
}

static cap_t reply_slot(u32 i)
{
    return L4_SLOT_PARK + i - 1;
}

/* ---- lists ---- */
enum list_kind { OF_WAIT, OF_CLIENT };

static struct l4_link *link_of(const struct l4_server *server, u32 i, enum list_kind kind)
{
    struct l4_parked *p = parked_at(server, i);
    return kind == OF_WAIT ? &p->of_wait : &p->of_client;
}

static inline void list_add(const struct l4_server *server, struct l4_list *list, u32 i, enum list_kind kind)
{
    *link_of(server, i, kind) = (struct l4_link){ 0, list->last };
    *(list->last ? &link_of(server, list->last, kind)->next : &list->first) = i;
    list->last = i;
}

static inline void list_remove(const struct l4_server *server, struct l4_list *list, u32 i, enum list_kind kind)
{
    struct l4_link l = *link_of(server, i, kind);
    *(l.prev ? &link_of(server, l.prev, kind)->next : &list->first) = l.next;
    *(l.next ? &link_of(server, l.next, kind)->prev : &list->last) = l.prev;
}

static struct l4_list *client_list(u64 label) { return &l4_volatile.of_clients[(u16)label % L4_CLIENT_LISTS]; }

/* Out of the list that it waits or is due in. */
static void entry_take(const struct l4_server *server, u32 i)
{
    struct l4_parked *p = parked_at(server, i);
    if (p->in) {
        list_remove(server, &l4_volatile.waits[p->in - 1], i, OF_WAIT);
    }
    p->in = 0;
}

static void entry_put(const struct l4_server *server, u32 i, u32 list)
{
    list_add(server, &l4_volatile.waits[list - 1], i, OF_WAIT);
    parked_at(server, i)->in = list;
}

/* ---- entries ---- */
void l4_park_init(const struct l4_server *server, void *parks)
{
    struct l4_volatile *v = &l4_volatile;
    v->parks = parks;
    v->free = v->high = v->parked = 0;
    memset(v->waits, 0, sizeof v->waits);
    memset(v->of_clients, 0, sizeof v->of_clients);
}

static u32 entry_new(const struct l4_server *server, u64 label)
{
    struct l4_volatile *v = &l4_volatile;
    u32 i = v->free;
    if (i) {
        v->free = parked_at(server, i)->of_wait.next;
    } else if (v->high < server->parks) {
        i = ++v->high;
    } else {
        return 0;
    }
    struct l4_parked *p = parked_at(server, i);
    v->parked++;
    p->in = 0;
    p->message.label = label;
    list_add(server, client_list(label), i, OF_CLIENT);
    return i;
}

void l4_park_free(const struct l4_server *server, u64 reply)
{
    struct l4_volatile *v = &l4_volatile;
    u32 i = (u32)reply;
    struct l4_parked *p = parked_at(server, i);
    entry_take(server, i);
    list_remove(server, client_list(p->message.label), i, OF_CLIENT);
    p->of_wait.next = v->free;
    v->free = i;
    v->parked--;
}

/* Let the caller go, whether it still waits or not, and forget the entry. */
static void entry_drop(const struct l4_server *server, u32 i)
{
    if (!parked_at(server, i)->event_only) {
        u64 tag = (u32)L4_KICKED, w0 = 0, w1 = 0, w2 = 0, w3 = 0;
        l4_invoke(reply_slot(i), &tag, 0, &w0, &w1, &w2, &w3);
    }
    l4_park_free(server, i);
}

/* Whether the caller of entry `i` still waits. */
static bool entry_waits(const struct l4_server *server, u32 i)
{
    bool waits = false;
    return parked_at(server, i)->event_only || (reply_probe(reply_slot(i), &waits) == L4_OK && waits);
}

void l4_park_drop(const struct l4_server *server, u64 label, u64 number)
{
    for (u32 i = client_list(label)->first, next; i; i = next) {
        struct l4_parked *p = parked_at(server, i);
        next = p->of_client.next;
        if (p->message.label == label && (number == 0 || p->message.number == number)) {
            entry_drop(server, i);
        }
    }
}

static void drop_dead(const struct l4_server *server)
{
    for (u32 k = 0; k < L4_CLIENT_LISTS; k++) {
        for (u32 i = l4_volatile.of_clients[k].first, next; i; i = next) {
            next = parked_at(server, i)->of_client.next;
            if (!entry_waits(server, i)) {
                entry_drop(server, i);
            }
        }
    }
}

/* Keep `m`, whose handler said PENDING or LATER, until what it waits for is woken. True: there is an answer to give
 * now (PENDING to a server, or an error because nothing more can be kept). */
bool l4_park_keep(const struct l4_server *server, struct l4_message *m, l4_err_t err)
{
    struct l4_volatile *v = &l4_volatile;
    u32 i = (u32)m->reply;
    bool is_new = i == 0;
    if (is_new) {
        if (m->number) {
            l4_park_drop(server, m->label, m->number);
        }
        i = entry_new(server, m->label);
        if (!i) {
            drop_dead(server);
            i = entry_new(server, m->label);
        }
        if (!i) {
            l4_fail(m, L4_NO_MEMORY);
            return true;
        }
    }
    struct l4_parked *p = parked_at(server, i);
    p->on = v->wait_on;
    p->ref = v->wait_ref;
    entry_put(server, i, 1 + l4_wait_list(p->on, p->ref));
    if (!is_new) {
        return false;
    }
    p->event_only = m->tag & L4_TAG_NO_PARK;
    p->message = *m;
    p->message.reply = i;
    u32 words = l4_tag_words(m->tag), room = (server->park_bytes - (u32)sizeof *p) / 8;
    words = words < L4_REGISTER_WORDS ? 0 : words - L4_REGISTER_WORDS;
    const u64 *more = v->copied ? v->mr : l4_utcb()->mr;
    memcpy(p->more, &more[L4_REGISTER_WORDS], 8ul * (words < room ? words : room));
    if (p->event_only) {
        l4_fail(m, L4_OK);
        m->tag = (u32)L4_PENDING;
        return true;
    }
    if (reply_keep(0, (u32)reply_slot(i)) != L4_OK) {   /* the implicit reply would go to the next event's answer */
        l4_park_free(server, i);
        l4_fail(m, L4_NO_MEMORY);
        return true;
    }
    return false;
}

static void entry_wake(const struct l4_server *server, u32 i)
{
    struct l4_parked *p = parked_at(server, i);
    if (p->event_only) {
        u64 label = p->message.label;
        l4_park_free(server, i);
        l4_event_raise(server, label, L4_EVENT_ASK);
    } else {
        entry_take(server, i);
        entry_put(server, i, L4_DUE);
    }
}

/* Those in one list that wait for this, or all of them. */
static void list_wake(const struct l4_server *server, u32 list, bool all, u32 on, u32 ref)
{
    for (u32 i = l4_volatile.waits[list].first, next; i; i = next) {
        struct l4_parked *p = parked_at(server, i);
        next = p->of_wait.next;
        if (all || (p->on == on && p->ref == ref)) {
            entry_wake(server, i);
        }
    }
}

/* Make those due whom the last commit woke; raise the events of those who were told PENDING. */
void l4_park_wake(const struct l4_server *server)
{
    struct l4_volatile *v = &l4_volatile;
    for (u32 k = 0; v->wake_all && k < L4_WAIT_LISTS; k++) {
        list_wake(server, k, true, 0, 0);
    }
    for (u32 k = 0; k < v->wakes; k++) {
        list_wake(server, l4_wait_list(v->wake[k].on, v->wake[k].ref), false, v->wake[k].on, v->wake[k].ref);
    }
    v->wakes = 0;
    v->wake_all = false;
}

/* Make the first request that is due, and whose caller still waits, the current one. */
bool l4_park_take(const struct l4_server *server, struct l4_message *m)
{
    u32 i;
    while ((i = l4_volatile.waits[L4_DUE - 1].first)) {
        struct l4_parked *p = parked_at(server, i);
        entry_take(server, i);
        if (!entry_waits(server, i)) {
            entry_drop(server, i);
            continue;
        }
        *m = p->message;
        memcpy(&l4_utcb()->mr[L4_REGISTER_WORDS], p->more, server->park_bytes - sizeof *p);
        return true;
    }
    return false;
}
