/* SPDX-License-Identifier: BSD-2-Clause */
/* world.h: everything around a server under test: a fake kernel, clients, and the servers below it.
 * The server runs as a coroutine on its own stack: it is resumed with a request and comes back when it waits for the
 * next. An incarnation ends by being abandoned; its volatile memory is zeroed, the world and the state object stay. */
#pragma once
#include <l4/server.h>

enum { WORLD_ANSWERS = 16, WORLD_EFFECTS = 256, WORLD_CALLEES = 32, WORLD_PARKED = 256, WORLD_RULES = 64, WORLD_CALLEE_WORDS = 16 };
enum { WORLD_DOOR = 0x200, WORLD_CLIENTS = 0x1000 };    /* slots: doors of `uses`, irq objects of clients */
enum { WORLD_MONITORED = 0x1ff, WORLD_PASSED = 0x5055 };    /* slot: the gate that a monitor stands before; its server's answer to all that is passed on */

/* What a server below, or a kernel object, answers: `m` comes as the request and is left as the answer. */
struct world_rule {
    u32 tag;                        /* bits 0-31; the list ends with 0 */
    bool once;                      /* it remembers numbers */
    void (*answer)(struct l4_message *m);
};

struct world_answer {
    u64 label, number, tag, word[L4_WORDS_MAX];
};

struct world_callee {
    u64 door, index, number, tag, word[WORLD_CALLEE_WORDS];
};

/* Durable: a kill of the server leaves it as it is. */
struct world {
    u64 clock;                      /* of numbers; one more at each look */
    u64 passed;                     /* nanoseconds since the test began: l4_now moves when a test moves this */
    u64 changes;                    /* one more at each change */
    u32 answers, effects, callees;
    u32 executed[WORLD_RULES];      /* once methods below, each executed so often */
    struct world_answer answer[WORLD_ANSWERS];      /* a ring: answer i is at i % WORLD_ANSWERS */
    u64 effect[WORLD_EFFECTS];      /* distinct calls of what may be repeated, as hashes */
    struct world_callee callee[WORLD_CALLEES];
};
extern struct world world;
/* The door that a rule is answering at; words of requests and answers from 4 on are in the UTCB. */
extern cap_t world_called;

struct world_server {
    const struct l4_server *server;
    void (*main)(void);             /* never returns */
    const struct world_rule *rules; /* may be NULL */
    u64 state_bytes, window_at;     /* of the state object; windows follow at window_at */
};

/* What an object that is no door answers: false: nobody plays it; then the call is an effect, and succeeds. */
extern bool world_object(cap_t cap, struct l4_message *m);

/* Whether the manifest has a server monitor another though it judges nobody. */
extern bool world_monitors;
extern void world_init(const struct world_server *);
/* All zero: no state, no clients, no server. */
extern void world_reset(void);
/* A new incarnation, until it waits. False: it crashed, see world_crash(). */
extern bool world_start(void);
/* Deliver a request (words from 4 on in `more`, which may be NULL), until the server waits. False: it crashed. */
extern bool world_deliver(const struct l4_message *m, const u64 *more);
/* The last answer to this label and number, NULL if there is none. */
extern const struct world_answer *world_answer_to(u64 label, u64 number);
extern const char *world_crash(void);
extern u64 world_bytes(void);       /* of the state object and its windows */
extern u8 *world_window(u64 label, u32 slot);
/* Parked requests of this incarnation, and what is done with one whose caller has died. */
extern u32 world_parked(void);
extern void world_kill_callers(void);
extern struct l4_crash *world_crash_page(void);
/* Messages to `once` methods below, so far; and the one of them whose caller's patience runs out: 1 + its number, 0: none. `heard`: the
 * callee has executed it by then. */
extern u32 world_messages, world_late;
extern bool world_late_heard;
/* Called at every hook, invocation, and, while stepping, after every instruction of the server. */
extern void (*world_point)(void);
extern bool world_stepping;
/* A fault that world.c does not know: true if it was dealt with. */
extern bool (*world_fault)(void *address);
