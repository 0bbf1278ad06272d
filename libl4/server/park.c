/* SPDX-License-Identifier: BSD-2-Clause */
/* park.c: requests that wait. Each entry keeps the request and, unless its caller was told PENDING, the right to
 * answer it.
 * INVARIANT list: v->first ... v->last, by `next`, are in order of arrival; the others are in v->free or above
 * v->high. */
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

void l4_park_init(const struct l4_server *server, void *parks)
{
    struct l4_volatile *v = &l4_volatile;
    v->parks = parks;
    v->first = v->last = v->free = v->high = 0;
}

static u32 entry_new(const struct l4_server *server)
{
    struct l4_volatile *v = &l4_volatile;
    u32 i = v->free;
    if (i) {
        v->free = parked_at(server, i)->next;
    } else if (v->high < server->parks) {
        i = ++v->high;
    } else {
        return 0;
    }
    struct l4_parked *p = parked_at(server, i);
    memset(p, 0, sizeof *p);
    if (v->last) {
        parked_at(server, v->last)->next = i;
    } else {
        v->first = i;
    }
    v->last = i;
    return i;
}

void l4_park_free(const struct l4_server *server, u64 reply)
{
    struct l4_volatile *v = &l4_volatile;
    u32 i = (u32)reply, before = 0;
    for (u32 j = v->first; j && j != i; j = parked_at(server, j)->next) {
        before = j;
    }
    struct l4_parked *p = parked_at(server, i);
    if (before) {
        parked_at(server, before)->next = p->next;
    } else {
        v->first = p->next;
    }
    if (v->last == i) {
        v->last = before;
    }
    p->next = v->free;
    v->free = i;
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
    for (u32 i = l4_volatile.first, next; i; i = next) {
        struct l4_parked *p = parked_at(server, i);
        next = p->next;
        if (p->message.label == label && (number == 0 || p->message.number == number)) {
            entry_drop(server, i);
        }
    }
}

static void drop_dead(const struct l4_server *server)
{
    for (u32 i = l4_volatile.first, next; i; i = next) {
        next = parked_at(server, i)->next;
        if (!entry_waits(server, i)) {
            entry_drop(server, i);
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
        i = entry_new(server);
        if (!i) {
            drop_dead(server);
            i = entry_new(server);
        }
        if (!i) {
            l4_fail(m, L4_NO_MEMORY);
            return true;
        }
    }
    struct l4_parked *p = parked_at(server, i);
    p->on = v->wait_on;
    p->ref = v->wait_ref;
    p->due = false;
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

/* Mark those whom the last commit woke; raise the events of those who were told PENDING. */
void l4_park_wake(const struct l4_server *server)
{
    struct l4_volatile *v = &l4_volatile;
    for (u32 i = v->first, next; i && (v->wakes || v->wake_all); i = next) {
        struct l4_parked *p = parked_at(server, i);
        bool hit = v->wake_all;
        next = p->next;
        for (u32 k = 0; k < v->wakes; k++) {
            hit |= v->wake[k].on == p->on && v->wake[k].ref == p->ref;
        }
        if (hit && p->event_only) {
            u64 label = p->message.label;
            l4_park_free(server, i);
            l4_event_raise(server, label, L4_EVENT_ASK);
        } else if (hit) {
            p->due = true;
        }
    }
    v->wakes = 0;
    v->wake_all = false;
}

/* Make the first request that is due, and whose caller still waits, the current one. */
bool l4_park_take(const struct l4_server *server, struct l4_message *m)
{
    for (u32 i = l4_volatile.first, next; i; i = next) {
        struct l4_parked *p = parked_at(server, i);
        next = p->next;
        if (!p->due) {
            continue;
        }
        p->due = false;
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
