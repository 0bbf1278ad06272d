/* SPDX-License-Identifier: BSD-2-Clause */
/* server.h: the loop of every server, and what generated code tells it.
 *
 *   l4_server_start    recover, convert, check, poison, start hook, open ops, effects, all events
 *   loop               open receive -> NAME_dispatch (inlined) -> after the commit: effects, ops, answer, woken
 * requests
 *
 * Order after a commit: afters and messages of ops first, since the answer tells that they are done; then the answer;
 * then the requests that were woken, each as if it had just arrived. Blocking points: the receive, and the calls of
 * ops downwards. */
#pragma once
#include <abi/ipc.h>
#include <abi/object.h>
#include <l4/park.h>
#include <l4/receive.h>
#include <l4/start.h>
#include <l4/transaction.h>

/* Volatile capability slots that the loop uses. Doors of `uses` are slots that the manifest names like the interface
 * (an array: as many in a row); `clients` names the first of a row of irq objects, one a client index, that tell
 * clients of events. */
enum l4_server_slot {
    L4_SLOT_RECEIVE = L4_SLOT_VOLATILE,         /* 16 slots: where capabilities of requests land */
    L4_SLOT_MINT = L4_SLOT_VOLATILE + 16,       /* 8 slots: doors on their way out */
    L4_SLOT_PARK = L4_SLOT_VOLATILE + 64,       /* kept replies */
};

/* Labels of the irqs that libl4 itself takes; others go to the irq hook. */
#define L4_IRQ_HEARTBEAT (1ul << 63 | 0xffffffff)
#define L4_IRQ_PEER      (1ul << 63)    /* + index in `uses`: a server below raised an event */

/* Whether the kernel itself says it: an irq, or the end of a wait. Bits 16-62 are 0 in labels of irqs but libl4's, and there is none at the end of a
 * wait; in the label of a door they are the generation, from 1. So no caller's message passes for one, whatever its tag. */
static inline bool l4_is_kernels(const struct l4_message *m)
{
    return (m->label >> 63 || m->label < 1 << 16) && ((u32)m->tag == L4_IRQ << 8 || l4_tag_status(m->tag) < 0);
}

/* Methods of every server, under each protocol that it serves. */
enum l4_server_method {
    L4_METHOD_DESCRIBE = 240,   /* retry () -> (u32 version, u64 hash) */
    L4_METHOD_SUBSCRIBE = 241,  /* retry (u64 events) -> (u64 raised): set the mask, collect what was raised */
    L4_METHOD_CANCEL = 242,     /* once, by the number of what it cancels: gives its answer, or KICKED becomes that */
    L4_METHOD_FORGET = 243,     /* retry (u64 label) -> (), needs O: this client is gone for ever */
};
#define L4_EVENT_ASK (1ul << 63)        /* ask again what was PENDING; raised whatever the mask */
/* Labels of a monitor's own clients have it. What comes without was sent to the gate that it monitors, with a label of that one's. */
#define L4_LABEL_OWN (1ul << 61)

/* Head of an op's record. The message's words follow it. The record is zeroed between uses. */
struct l4_op {
    u32 step;                   /* whose answer is awaited, from 1 */
    u32 words;
    u64 use;                    /* index of the door among `uses` */
    u64 number;                 /* clock << 16 | index among the server's ops: the callee sees each step once */
    u64 tag;                    /* bits 0-31 */
    u64 answers;                /* 1 + client << 16 | slot that waits for the end; 0: nobody */
    u64 token;                  /* stands in that slot's `op` until then */
    u64 word[];
};

/* Where an op goes on. */
struct l4_next { u32 step; u64 token; };

/* What a handler returns whose answer an op gives. */
static inline l4_err_t l4_later(struct l4_next next)
{
    l4_volatile.busy = true;
    l4_volatile.later = next.token;
    return L4_LATER;
}

/* An answer's capability: a door that keeper mints from a gate that it holds. */
struct l4_mint { u64 gate, label, rights; };

struct l4_served {
    u32 protocol, version;
    u64 hash;                   /* of the frozen names and types */
    i32 poison;                 /* the answer to a request that killed twice */
};

struct l4_use {
    const char *name;
    u32 first, count;           /* indices of its doors */
};

struct l4_server {
    const char *name;
    const struct l4_served *served;
    const struct l4_field *schema;
    const struct l4_use *uses;
    u32 serves, fields, doors;
    u32 version;                /* of the state */
    u32 clients, slots, slot_bytes, window_bytes;
    u32 parks, park_bytes, ops;
    u64 bytes, schema_at, client_at, slot_at, shape;
    bool (*check)(void);        /* every invariant and audit */
    bool (*upgrade)(const void *old, void *state);      /* by hand, after the conversion; NULL: nothing to do */
    const char *(*missing)(const void *ops);            /* the first method without a handler, or NULL */
    void (*send)(const void *ops);                      /* every op's message that is not yet answered */
    void (*effect)(const void *ops, const struct l4_after *);
    void (*start)(const void *ops);                     /* hooks: each runs as a transaction, does nothing if absent */
    void (*irq)(const void *ops, u64 label);
    void (*event)(const void *ops, u32 peer);
    void (*timeout)(const void *ops);
    bool (*forget)(const void *ops, u64 label);         /* a part of it; true: there is more */
    bool (*judges)(const void *ops);                    /* whether it is a monitor */
    l4_err_t (*judge)(const void *ops, const struct l4_message *, u64 *why);
};

/* What keeper must know before the first start; in the server's ELF, section .note.axo. */
struct l4_server_card {
    char name[32];
    u64 state_address, state_bytes;         /* the object: bytes to allocate, zeroed, at first start */
    u64 window_address, window_bytes;       /* window of (client, slot): the address + (client * slots + slot) * bytes */
    u32 clients, slots, parks, version;
};

extern void l4_server_start(const struct l4_server *, const void *ops, void *parks, u64 *events);
extern void l4_server_next(const struct l4_server *, const void *ops, struct l4_message *, l4_err_t);
extern l4_err_t l4_server_other(const struct l4_server *, const void *ops, struct l4_message *);
extern struct l4_slot *l4_server_take(const struct l4_server *, const void *ops, const struct l4_message *);
extern bool l4_server_first(const struct l4_server *, struct l4_message *);
extern l4_err_t l4_refuse(struct l4_message *, u64 wanted);
extern l4_err_t l4_fail(struct l4_message *, l4_err_t);
extern l4_err_t l4_resent(struct l4_message *, const struct l4_slot *);
extern l4_err_t l4_unanswered(struct l4_message *, struct l4_slot *, l4_err_t);
extern _Noreturn void l4_broken(void);
extern bool l4_op_send(const struct l4_op *, struct l4_message *answer);
extern l4_err_t l4_mint(u32 item, const u64 *mint);
extern void l4_items_drop(const struct l4_message *);
extern u64 *l4_words_copy(u32 words);
extern void l4_tail_end(void *from, u64 bytes, u32 words);
/* Between a commit and the answer: do the effects, send the ops' messages, mark who is woken. */
extern void l4_server_settle(const struct l4_server *, const void *ops);
/* park.c */
extern void l4_park_init(const struct l4_server *, void *parks);
extern void l4_park_wake(const struct l4_server *);
extern bool l4_park_keep(const struct l4_server *, struct l4_message *, l4_err_t);
extern bool l4_park_take(const struct l4_server *, struct l4_message *);
extern void l4_park_free(const struct l4_server *, u64 reply);
extern void l4_park_drop(const struct l4_server *, u64 label, u64 number);
/* client.c */
extern struct l4_client *l4_client_at(const struct l4_server *, u32 client);
extern struct l4_slot *l4_slot_at(const struct l4_server *, u32 client, u32 slot);
extern void l4_event_raise(const struct l4_server *, u64 label, u64 events);
extern void l4_event_raise_all(const struct l4_server *);
