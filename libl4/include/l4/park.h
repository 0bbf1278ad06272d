/* SPDX-License-Identifier: BSD-2-Clause */
/* park.h: what a server holds in volatile memory: parked requests, and what waits for the next commit.
 * All of it may be lost in a crash: parked callers ask again, effects are derived again by the start hook.
 *
 * INVARIANT idle: outside of a transaction and of what follows its commit, wakes == afters == 0 and !ops_due.
 * INVARIANT parked: an entry in use holds a kept reply in slot L4_SLOT_PARK + its index, unless it only asks for an event.
 * INVARIANT lists: an entry in use is in the list of its client, and, unless it is the request that is being run, in that of what it waits
 * for or in `due`. */
#pragma once
#include <abi/error.h>
#include <abi/ipc.h>
#include <l4/hook.h>

/* A request, then its answer. Words from 4 on are in the UTCB. */
struct l4_message {
    u64 tag, label, number, word[4];
    u64 reply;                      /* 0: the implicit one, else 1 + the parked entry that it was taken from */
};

/* A place in a list, and a list: 1 + indices, 0: none. */
struct l4_link { u32 next, prev; };
struct l4_list { u32 first, last; };

struct l4_parked {
    struct l4_message message;
    u32 on, ref;                    /* a wait of the interface file; L4_ON_OP: the answer of an op */
    struct l4_link of_wait, of_client;
    u32 in;                         /* 1 + the index of the wait's list that it is in, L4_DUE, or 0: it is being run */
    bool event_only;                /* its caller was told PENDING: raise its event instead of running it */
    u64 more[];                     /* words from 4 on */
};
enum { L4_ON_OP = 0xffffffff };

enum { L4_WAIT_LISTS = 64, L4_CLIENT_LISTS = 64, L4_DUE = L4_WAIT_LISTS + 1 };
enum { L4_WAKES = 32, L4_AFTERS = 16, L4_AFTER_WORDS = 7, L4_ASKED_WORDS = 32, L4_DOORS = 64 };

struct l4_after {
    u64 what;                       /* 1 + index in the interface file; 0: raise event word[1] of client word[0] */
    u64 word[L4_AFTER_WORDS];
};

struct l4_volatile {
    bool busy;                      /* the loop's hot path has to leave it: any of the following */
    bool rare;                      /* not every message is for the dispatcher: one is poisoned, or this server is a monitor */
    bool wake_all;                  /* more than L4_WAKES: spurious wakes are harmless */
    bool afters_lost;               /* more than L4_AFTERS: the start hook derives them again */
    bool ops_due;                   /* an op has a message to send */
    bool serving;                   /* the loop runs: the start hook has ended */
    u32 wakes, afters;
    u32 wait_on, wait_ref;          /* of the request that has just answered PENDING */
    u64 later;                      /* the op that answers the request which has just answered LATER */
    u64 deadline;                   /* of the next receive, ns since boot; 0: none */
    u64 retry;                      /* when the messages of `late` are sent again, ns since boot; 0: there are none */
    u64 late;                       /* a bit a door: who is behind it let the patience run out */
    u32 parked;                     /* entries in use */
    u32 free, high;                 /* entries that were used, by of_wait.next; those above were not yet */
    struct l4_list waits[L4_WAIT_LISTS + 1];    /* parked, by what they wait for, in order of arrival; the last: woken, to be run */
    struct l4_list of_clients[L4_CLIENT_LISTS]; /* parked, by the client's index */
    u64 monitored_slot;             /* of the gate that this server monitors, W; 0: it is no monitor */
    u64 clients_slot;               /* of the irq object of client 0; 0: nobody is told of events */
    u64 door[L4_DOORS];             /* slots of the doors of `uses` */
    u64 mr[L4_WORDS_MAX];           /* the request's words from 4 on, where handlers may make calls */
    u32 copied;                     /* how many words of the request `mr` covers; 0: they are still in the UTCB */
    u64 *event;                     /* a word a client: raised, not yet collected */
    u8 *parks;
    u64 asked[L4_ASKED_WORDS];      /* a bit an op: its callee said PENDING, its event comes */
    struct { u64 label, number, tag; i32 error; } poison;
    struct { u32 on, ref; } wake[L4_WAKES];
    struct l4_after after[L4_AFTERS];
    const struct l4_server *server; /* of the start hook, which may do more effects than the queue holds */
    const void *ops;
};
extern struct l4_volatile l4_volatile;

static inline l4_err_t l4_wait(u32 on, u32 ref)
{
    l4_volatile.busy = true;
    l4_volatile.wait_on = on;
    l4_volatile.wait_ref = ref;
    return L4_PENDING;
}

static inline u32 l4_wait_list(u32 on, u32 ref) { return (on * 7 + ref) % L4_WAIT_LISTS; }

static inline void l4_wake(u32 on, u32 ref)
{
    struct l4_volatile *v = &l4_volatile;
    if (!v->waits[l4_wait_list(on, ref)].first) {
        return;                     /* nobody waits for that, and nobody will before the commit */
    }
    v->busy = true;
    if (v->wakes == L4_WAKES) {
        v->wake_all = true;
        return;
    }
    v->wake[v->wakes].on = on;
    v->wake[v->wakes++].ref = ref;
}

/* In the start hook, whose effects derive from committed state, do those that wait. Else note that some are lost. */
extern void l4_after_full(void);

/* What an op's answer wakes: its caller's slot, as a number. */
static inline u32 l4_slot_ref(const struct l4_message *m) { return 1 + ((u32)(u16)m->label << 16 | (u16)m->number); }

/* Room for an effect to be done after the commit. */
static inline struct l4_after *l4_after(u32 what)
{
    struct l4_volatile *v = &l4_volatile;
    v->busy = true;
    if (__builtin_expect(v->afters == L4_AFTERS, 0)) {
        l4_after_full();
    }
    v->after[v->afters].what = what;
    return &v->after[v->afters++];
}

/* Raise events of a client: done after the commit, a hint, so it may come too often but never too rarely. */
static inline void l4_raise(u64 label, u64 events)
{
    struct l4_after *after = l4_after(0);
    after->word[0] = label;
    after->word[1] = events;
}
