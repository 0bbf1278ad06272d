/* SPDX-License-Identifier: BSD-2-Clause */
/* state.h: what every state object begins with. It outlives the server; keeper owns it and maps it at L4_STATE_ADDRESS.
 *
 *   L4_CRASH_ADDRESS    crash page, read-only
 *   L4_STATE_ADDRESS    struct NAME_state: this header, client slots, words, records, bulk; 2 MB pages where it is
 * that large
 *   next 2 MB boundary  windows: clients * slots * window bytes, 4 KB pages, each also mapped into its client
 *
 * A constant address below 2 GB is 5 to 10 % cheaper than one above. It is never an `extern const` object: gcc would
 * keep its loads over calls. Servers reach it through `const struct NAME_state *` only. */
#pragma once
#include <abi/types.h>
#include <l4/crash.h>

#define L4_STATE_ADDRESS 0x40000000ul
enum { L4_LOG_WORDS = 4093, L4_PATH_MAX = 48 };

/* What keeper reads of a server. The request in progress names the poisoned one. All zero between requests that change nothing
 * matters not: it is read only when the server stopped by a defect. */
struct l4_now {
    struct l4_request request;
    u64 completed;              /* requests since the state was made: whether one was completed between two crashes */
    u64 steps;                  /* l4_step: of work that is long, but comes to an end */
};
/* In l4_now.request.label: no client's request. Client labels never have these values. */
enum { L4_NOW_CLIENTS = 0xffff };
#define L4_NOW_OP    (~0ul)     /* the answer to an op's step; number is the op's */
#define L4_NOW_START (~0ul - 1) /* recovery, conversion, the start hook */

/* The answer to a client slot's last numbered request. */
struct l4_slot {
    u64 number;                 /* answered; 0: none */
    u64 tag;                    /* status, words, items */
    u64 op;                     /* the op that will answer it; 0: answered */
    u64 word[];
};

/* Undo log. Entries grow upwards from word[1]: the old words, then one word that tells where they belong. */
struct l4_undo_log {
    u64 top;                    /* 0: no transaction; else the first free word */
    struct l4_slot *slot;       /* whose answer commits with it; NULL: nobody's */
    u64 number;
    u64 word[L4_LOG_WORDS];
};

/* One field of the state, for conversion between versions and for dumps: `inner` values of `size` bytes at
 * offset + i * stride, i below `count`. */
struct l4_field {
    char path[L4_PATH_MAX];     /* "moved", "pipe.fill", "proc.start.word", "~slot.tag" */
    char was[L4_PATH_MAX];      /* its path in the version before, if another */
    u32 offset, size, stride, count, inner;
    u32 flags;                  /* enum l4_field_flag */
};

enum l4_field_flag { L4_FIELD_SIGNED = 1, L4_FIELD_BULK = 2 };    /* bulk: outside undo */

struct l4_state {
    struct l4_now now;
    u32 version;                /* 0: fresh, all zero; written last when the schema is complete */
    u32 fields;
    u64 shape;                  /* hash of the schema: equal shapes need no conversion */
    u64 schema, bytes;          /* offset of the schema; size of the whole */
    struct l4_undo_log log;
};

/* A client of the server. */
struct l4_client {
    u64 label;                  /* generation << 16 | index; 0: none yet */
    u64 events;                 /* mask that it subscribed to */
};

/* The free list of a table of records. */
struct l4_table {
    u32 free;                   /* 1 + index of the first free record below `high`; 0: none */
    u32 high;                   /* records below were used at least once */
    u32 live, spare;
};
enum { L4_IN_USE = 0xffffffff };    /* in the list of next free records: this one is in use */

static inline struct l4_state *l4_state(void) { return (struct l4_state *)L4_STATE_ADDRESS; }
static inline struct l4_undo_log *l4_undo_log(void) { return &l4_state()->log; }

/* A server that works for long in one request, or at its start, says now and then that it gets on, so that its silence is not taken for a
 * hang. Caller: what is done between two of these is bounded (a million instructions), and so is their number. */
static inline void l4_step(void) { ++*(volatile u64 *)&l4_state()->now.steps; }
