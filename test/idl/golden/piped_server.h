/* SPDX-License-Identifier: BSD-2-Clause */
/* piped_server.h: state, access functions, ops table and dispatcher of piped.
 * Made by idlc from pipe.idl:22. Do not edit.
 * Lost in a crash: nothing; parked callers ask again.
 */
#pragma once
#include <abi/fpage.h>
#include <l4/server.h>
#include <l4/string.h>
#include <pipe.h>

/* Permission to edit: no bytes, no instructions. Only code inside a transaction is given one. */
struct piped_tx { };

/* ---- state ---- */
enum {
    PIPED_CLIENTS = 16, PIPED_SLOTS = 4,
    PIPED_WINDOW = 8192,
    PIPED_FIELDS = 27,
};
struct piped_slot {
    u64 number, tag, op;
    u64 word[2];
};

struct pipe {
    u32 readers;
    u32 writers;
    u32 head;
    u32 fill;
    u32 ends_first __attribute__((aligned(8))), ends_last;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct pipe) / 8 <= L4_ENTRY_WORDS_MAX, "pipe.idl:26: too long for one log entry");

struct end {
    u32 of;  /* ref pipe */
    enum pipe_side kind;
    u64 owner;
    u32 ends_next __attribute__((aligned(8))), ends_prev;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct end) / 8 <= L4_ENTRY_WORDS_MAX, "pipe.idl:27: too long for one log entry");

struct piped_state {
    struct l4_state head;
    struct l4_field schema[PIPED_FIELDS];
    struct l4_client client[PIPED_CLIENTS];
    struct piped_slot slot[PIPED_CLIENTS][PIPED_SLOTS];
    u64 moved;  /* bytes written since boot */
    struct l4_table pipe_table __attribute__((aligned(8)));
    u32 pipe_next[64] __attribute__((aligned(8)));
    struct pipe pipe[64];
    struct l4_table end_table __attribute__((aligned(8)));
    u32 end_next[256] __attribute__((aligned(8)));
    struct end end[256];
    u8 ring[64][4096] __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));
_Static_assert(sizeof(struct piped_state) <= 0x3fe00000, "state and windows must end below 2 GB");
enum { PIPED_WINDOW_ADDRESS
    = (L4_STATE_ADDRESS + sizeof(struct piped_state) + L4_LARGE_SIZE - 1) & ~(L4_LARGE_SIZE - 1ul) };

static inline const struct piped_state *piped_state(void) { return (const struct piped_state *)L4_STATE_ADDRESS; }
/* A client slot's window: outside undo, shared with its client, who may change it at any time. */
static inline u8 *piped_window(u32 client, u32 slot)
{
    return (u8 *)PIPED_WINDOW_ADDRESS + ((u64)client * PIPED_SLOTS + slot) * PIPED_WINDOW;
}
/* For the functions below alone. */
static inline struct piped_state *piped_writable(void) { return (struct piped_state *)L4_STATE_ADDRESS; }

/* The answer slot of (client, slot) as a number that survives a restart and an update; 0: none. */
static inline struct l4_slot *piped_slot(u64 id)
{
    return id ? (struct l4_slot *)&piped_writable()->slot[(id - 1) >> 16][(u16)(id - 1)] : NULL;
}
static inline u64 piped_slot_id(const struct l4_slot *slot)
{
    u64 i = (u64)((const struct piped_slot *)slot - &piped_state()->slot[0][0]);
    return slot ? 1 + (i / PIPED_SLOTS << 16 | i % PIPED_SLOTS) : 0;
}

static inline void piped_set_moved(struct piped_tx tx, u64 value)
{
    l4_keep((const u64 *)L4_STATE_ADDRESS + offsetof(struct piped_state, moved) / 8, 1);
    piped_writable()->moved = value;
    l4_hook();
}

/* ---- pipe: pipe.idl:26. A ref counts from 1; 0 is nobody. A free record is all zero. ---- */
static inline const struct pipe *pipe_at(u32 ref)
{
    const struct piped_state *s = piped_state();
    return ref - 1 < 64 && s->pipe_next[ref - 1] == L4_IN_USE ? &s->pipe[ref - 1] : NULL;
}

static inline u32 pipe_ref(const struct pipe *r) { return (u32)(r - piped_state()->pipe) + 1; }
static inline bool pipe_in_use(const struct pipe *r) { return piped_state()->pipe_next[pipe_ref(r) - 1] == L4_IN_USE; }

/* The next in use after `r`, by place; the first after NULL. */
static inline const struct pipe *pipe_following(const struct pipe *r)
{
    const struct piped_state *s = piped_state();
    for (u32 i = r ? pipe_ref(r) : 0; i < s->pipe_table.high; i++) {
        if (s->pipe_next[i] == L4_IN_USE) {
            return &s->pipe[i];
        }
    }
    return NULL;
}

/* Log all of it; then it may be written. */
static inline struct pipe *pipe_edit(struct piped_tx tx, const struct pipe *r)
{
    l4_keep_part(r, sizeof *r / 8, 1, 0);
    return (struct pipe *)(uintptr_t)r;
}

static inline void pipe_set_readers(struct piped_tx tx, const struct pipe *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct pipe, readers) / 8, 1, 1, offsetof(struct pipe, readers) / 8);
    ((struct pipe *)(uintptr_t)r)->readers = value;
    l4_hook();
}

static inline void pipe_set_writers(struct piped_tx tx, const struct pipe *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct pipe, writers) / 8, 1, 1, offsetof(struct pipe, writers) / 8);
    ((struct pipe *)(uintptr_t)r)->writers = value;
    l4_hook();
}

static inline void pipe_set_head(struct piped_tx tx, const struct pipe *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct pipe, head) / 8, 1, 1, offsetof(struct pipe, head) / 8);
    ((struct pipe *)(uintptr_t)r)->head = value;
    l4_hook();
}

static inline void pipe_set_fill(struct piped_tx tx, const struct pipe *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct pipe, fill) / 8, 1, 1, offsetof(struct pipe, fill) / 8);
    ((struct pipe *)(uintptr_t)r)->fill = value;
    l4_hook();
}

/* A zeroed record; NULL when all 64 are in use. */
static inline struct pipe *pipe_new(struct piped_tx tx)
{
    struct piped_state *s = piped_writable();
    u32 i = s->pipe_table.free;
    if (i == 0 && s->pipe_table.high == 64) {
        return NULL;
    }
    bool fresh = i == 0;
    i = fresh ? s->pipe_table.high : i - 1;
    l4_keep(&s->pipe_table, sizeof s->pipe_table / 8);
    l4_keep((const u64 *)s->pipe_next + i / 2, 1);
    l4_keep_new(&s->pipe[i], sizeof s->pipe[i] / 8, 1);
    if (fresh) {
        s->pipe_table.high++;
    } else {
        s->pipe_table.free = s->pipe_next[i];
    }
    s->pipe_table.live++;
    s->pipe_next[i] = L4_IN_USE;
    l4_hook();
    return &s->pipe[i];
}

static inline void pipe_free(struct piped_tx tx, const struct pipe *r)
{
    struct piped_state *s = piped_writable();
    u32 i = pipe_ref(r) - 1;
    l4_keep(r, sizeof *r / 8);
    l4_keep(&s->pipe_table, sizeof s->pipe_table / 8);
    l4_keep((const u64 *)s->pipe_next + i / 2, 1);
    memset(&s->pipe[i], 0, sizeof *r);
    l4_hook();
    s->pipe_next[i] = s->pipe_table.free;
    s->pipe_table.free = i + 1;
    s->pipe_table.live--;
    l4_hook();
}

/* ---- end: pipe.idl:27. A ref counts from 1; 0 is nobody. A free record is all zero. ---- */
static inline const struct end *end_at(u32 ref)
{
    const struct piped_state *s = piped_state();
    return ref - 1 < 256 && s->end_next[ref - 1] == L4_IN_USE ? &s->end[ref - 1] : NULL;
}

static inline u32 end_ref(const struct end *r) { return (u32)(r - piped_state()->end) + 1; }
static inline bool end_in_use(const struct end *r) { return piped_state()->end_next[end_ref(r) - 1] == L4_IN_USE; }

/* The next in use after `r`, by place; the first after NULL. */
static inline const struct end *end_following(const struct end *r)
{
    const struct piped_state *s = piped_state();
    for (u32 i = r ? end_ref(r) : 0; i < s->end_table.high; i++) {
        if (s->end_next[i] == L4_IN_USE) {
            return &s->end[i];
        }
    }
    return NULL;
}

/* Log all of it; then it may be written. */
static inline struct end *end_edit(struct piped_tx tx, const struct end *r)
{
    l4_keep_part(r, sizeof *r / 8, 0, 0);
    return (struct end *)(uintptr_t)r;
}

static inline void end_set_of(struct piped_tx tx, const struct end *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct end, of) / 8, 1, 0, offsetof(struct end, of) / 8);
    ((struct end *)(uintptr_t)r)->of = value;
    l4_hook();
}

static inline void end_set_kind(struct piped_tx tx, const struct end *r, enum pipe_side value)
{
    l4_keep_part((const u64 *)r + offsetof(struct end, kind) / 8, 1, 0, offsetof(struct end, kind) / 8);
    ((struct end *)(uintptr_t)r)->kind = value;
    l4_hook();
}

static inline void end_set_owner(struct piped_tx tx, const struct end *r, u64 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct end, owner) / 8, 1, 0, offsetof(struct end, owner) / 8);
    ((struct end *)(uintptr_t)r)->owner = value;
    l4_hook();
}

/* A zeroed record; NULL when all 256 are in use. */
static inline struct end *end_new(struct piped_tx tx)
{
    struct piped_state *s = piped_writable();
    u32 i = s->end_table.free;
    if (i == 0 && s->end_table.high == 256) {
        return NULL;
    }
    bool fresh = i == 0;
    i = fresh ? s->end_table.high : i - 1;
    l4_keep(&s->end_table, sizeof s->end_table / 8);
    l4_keep((const u64 *)s->end_next + i / 2, 1);
    l4_keep_new(&s->end[i], sizeof s->end[i] / 8, 0);
    if (fresh) {
        s->end_table.high++;
    } else {
        s->end_table.free = s->end_next[i];
    }
    s->end_table.live++;
    s->end_next[i] = L4_IN_USE;
    l4_hook();
    return &s->end[i];
}

static inline void end_free(struct piped_tx tx, const struct end *r)
{
    struct piped_state *s = piped_writable();
    u32 i = end_ref(r) - 1;
    l4_keep(r, sizeof *r / 8);
    l4_keep(&s->end_table, sizeof s->end_table / 8);
    l4_keep((const u64 *)s->end_next + i / 2, 1);
    memset(&s->end[i], 0, sizeof *r);
    l4_hook();
    s->end_next[i] = s->end_table.free;
    s->end_table.free = i + 1;
    s->end_table.live--;
    l4_hook();
}

/* ---- list ends of end, one in each pipe: pipe.idl:28 ---- */
static inline const struct end *ends_first(const struct pipe *of) { return end_at(of->ends_first); }
static inline const struct end *ends_last(const struct pipe *of) { return end_at(of->ends_last); }
static inline const struct end *ends_next(const struct end *r) { return end_at(r->ends_next); }
static inline const struct end *ends_prev(const struct end *r) { return end_at(r->ends_prev); }

/* At the end. */
static inline void ends_add(struct piped_tx tx, const struct pipe *of, const struct end *r)
{
    struct end *e = (struct end *)(uintptr_t)r, *last = (struct end *)(uintptr_t)ends_last(of);
    u32 i = end_ref(r);
    l4_keep(&of->ends_first, 1);
    l4_keep(&r->ends_next, 1);
    e->ends_prev = of->ends_last;
    ((struct pipe *)(uintptr_t)of)->ends_last = i;
    l4_hook();
    if (last) {
        l4_keep(&last->ends_next, 1);
        last->ends_next = i;
    } else {
        ((struct pipe *)(uintptr_t)of)->ends_first = i;
    }
    l4_hook();
}

static inline void ends_remove(struct piped_tx tx, const struct pipe *of, const struct end *r)
{
    struct end *e = (struct end *)(uintptr_t)r;
    struct end *next = (struct end *)(uintptr_t)ends_next(r), *prev = (struct end *)(uintptr_t)ends_prev(r);
    if (!next || !prev) {
        l4_keep(&of->ends_first, 1);
    }
    if (next) {
        l4_keep(&next->ends_next, 1);
        next->ends_prev = r->ends_prev;
    } else {
        ((struct pipe *)(uintptr_t)of)->ends_last = r->ends_prev;
    }
    l4_hook();
    if (prev) {
        l4_keep(&prev->ends_next, 1);
        prev->ends_next = r->ends_next;
    } else {
        ((struct pipe *)(uintptr_t)of)->ends_first = r->ends_next;
    }
    l4_hook();
    l4_keep(&r->ends_next, 1);
    e->ends_next = e->ends_prev = 0;
    l4_hook();
}

/* ---- bulk ring: pipe.idl:29. Outside undo: write only where nobody looks before the commit. ---- */
static inline u8 *ring(struct piped_tx tx, const struct pipe *r) { return piped_writable()->ring[pipe_ref(r) - 1]; }
static inline const u8 *ring_const(const struct pipe *r) { return piped_state()->ring[pipe_ref(r) - 1]; }

/* ---- waits, effects, events ---- */
/* filled: pipe.idl:35. `return filled_wait(ref)` undoes and parks; a wake runs the parked again after the commit. */
static inline l4_err_t filled_wait(u32 ref) { return l4_wait(1, ref); }
static inline void filled_wake(struct piped_tx tx, u32 ref) { l4_wake(1, ref); }
/* drained: pipe.idl:35. `return drained_wait(ref)` undoes and parks; a wake runs the parked again after the commit. */
static inline l4_err_t drained_wait(u32 ref) { return l4_wait(2, ref); }
static inline void drained_wake(struct piped_tx tx, u32 ref) { l4_wake(2, ref); }
static inline void piped_raise_readable(struct piped_tx tx, u64 label) { l4_raise(label, 1ul << 0); }

/* ---- invariants and audits ---- */
static inline bool pipe_check(const struct pipe *r)
{
    const struct piped_state *s = piped_state();
    (void)s;
    return (r->fill <= PIPE_CAPACITY && r->head < PIPE_CAPACITY) /* fits */
        && (r->readers + r->writers > 0) /* alive */;
}
static inline bool end_check(const struct end *r)
{
    const struct piped_state *s = piped_state();
    (void)s;
    return true;
}
extern bool piped_tally(const struct piped_state *);   /* pipe.idl:33, in C */

/* Before a commit: the invariants of the records that it logged, and those of the whole. */
static inline __attribute__((always_inline)) bool piped_check_log(void)
{
    const struct piped_state *s = piped_state();
    (void)s;
    for (u64 top = s->head.log.top; top > 1; ) {
        u64 entry = s->head.log.word[--top];
        top -= entry & L4_ENTRY_NEW ? 0 : l4_entry_words(entry);
        switch (l4_entry_kind(entry)) {
        case 1: {
            const struct pipe *r = l4_entry_record(entry);
            if (pipe_in_use(r) && !pipe_check(r)) {
                return false;
            }
            break;
        }
        }
    }
    return true;
}

/* Everything: at start, in tests and on demand. */
static inline bool piped_check_all(void)
{
    const struct piped_state *s = piped_state();
    (void)s;
    for (const struct pipe *r = pipe_following(NULL); r; r = pipe_following(r)) {
        if (!pipe_check(r)) {
            return false;
        }
    }
    for (const struct end *r = end_following(NULL); r; r = end_following(r)) {
        if (!end_check(r) || !(pipe_at(r->of)->readers + pipe_at(r->of)->writers > 0 /* tied */)) {
            return false;
        }
    }
    return piped_tally(s);
}

/* ---- what the server is made of ---- */

/* Each runs as a transaction of its own; all may be absent. */
struct piped_hooks {
    void (*start)(struct piped_tx tx);                  /* at each start,
        before the first request: derive effects again */
    void (*irq)(struct piped_tx tx, u64 label);
    void (*event)(struct piped_tx tx, u32 peer);
        /* the server behind door `peer` of `uses` raised an event: pull */
    void (*timeout)(struct piped_tx tx);                /* l4_volatile.deadline has passed; it is 0 again */
    bool (*forget)(struct piped_tx tx, u64 label);    /* a client is gone: free some of what is its own;
        true: call again */
    /* A message for the gate that this server monitors: L4_OK passes it on, another verdict is its answer, with word
     * 0 `why`. */
    l4_err_t (*judge)(struct piped_tx tx, u64 label, u32 method, const u64 word[L4_REGISTER_WORDS], u64 *why);
};

/* A missing method answers no_method, and the loop names it at start. */
struct piped_ops {
    struct piped_hooks hooks;
    /* Make a pipe; both ends belong to the caller.  pipe.idl:12 */
    l4_err_t (*make)(struct piped_tx tx, u64 label, u32 *reader, u32 *writer);
    /* Append bytes; waits while there is no room for one, then takes what fits.  pipe.idl:14 */
    l4_err_t (*write)(struct piped_tx tx, u64 label, u32 end, struct l4_bytes data, u32 *done);
    /* Take up to `most` bytes; waits while there are none; none and no writer left is the end.  pipe.idl:16 */
    l4_err_t (*read)(struct piped_tx tx, u64 label, u32 end, u32 most, u8 *data, u32 *data_length);
    l4_err_t (*close)(struct piped_tx tx, u64 label, u32 end);
    l4_err_t (*stat)(u64 label, u32 end, struct pipe_info *now);
};

/* The end of a hook's or a case's transaction. */
static inline void piped_end(void)
{
    if (!piped_check_log()) {
        l4_broken();
    }
    l4_commit(NULL, 0);
}

/* ---- what libl4's loop is told ---- */
static inline const char *piped_missing(const void *any)
{
    const struct piped_ops *ops = any;
    return !ops->make ? "make" : !ops->write ? "write" : !ops->read ? "read" : !ops->close ? "close"
        : !ops->stat ? "stat" : NULL;
}

/* Send what the ops wait to have answered, and carry on with the answers. */
static inline void piped_send(const void *any)
{
}

static inline void piped_effect(const void *any, const struct l4_after *after)
{
}

static inline void piped_start(const void *any)
{
    const struct piped_ops *ops = any;
    if (!ops->hooks.start) {
        return;
    }
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.start(tx);
    piped_end();
}

static inline void piped_irq(const void *any, u64 label)
{
    const struct piped_ops *ops = any;
    if (!ops->hooks.irq) {
        return;
    }
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.irq(tx, label);
    piped_end();
}

static inline void piped_event(const void *any, u32 peer)
{
    const struct piped_ops *ops = any;
    if (!ops->hooks.event) {
        return;
    }
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.event(tx, peer);
    piped_end();
}

static inline void piped_timeout(const void *any)
{
    const struct piped_ops *ops = any;
    if (!ops->hooks.timeout) {
        return;
    }
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.timeout(tx);
    piped_end();
}

static inline bool piped_forget(const void *any, u64 label)
{
    const struct piped_ops *ops = any;
    if (!ops->hooks.forget) {
        return false;
    }
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    bool more = ops->hooks.forget(tx, label);
    piped_end();
    return more;
}

static inline bool piped_judges(const void *any) { return ((const struct piped_ops *)any)->hooks.judge; }

static inline l4_err_t piped_judge(const void *any, const struct l4_message *m, u64 *why)
{
    const struct piped_ops *ops = any;
    struct piped_tx tx = { };
    l4_begin(NULL, 0);
    l4_err_t verdict = ops->hooks.judge(tx, m->label, (u32)m->tag, m->word, why);
    piped_end();
    return verdict;
}

static const struct l4_served piped_served[] = {
    { 0x1210, 2, 0x6702acb607819a95, PIPE_BROKEN },   /* pipe */
};
/* The schema travels in the state object: the next version converts by these paths. */
static const struct l4_field piped_schema[] = {
    { "moved", "", 0 + offsetof(struct piped_state, moved), 8, 0, 1, 1, 0 },
    { "pipe.readers", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, readers), 4,
        sizeof(struct pipe), 64, 1, 0 },
    { "pipe.writers", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, writers), 4,
        sizeof(struct pipe), 64, 1, 0 },
    { "pipe.head", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, head), 4, sizeof(struct pipe), 64,
        1, 0 },
    { "pipe.fill", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, fill), 4, sizeof(struct pipe), 64,
        1, 0 },
    { "pipe~ends_first", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, ends_first), 4,
        sizeof(struct pipe), 64, 1, 0 },
    { "pipe~ends_last", "", offsetof(struct piped_state, pipe) + offsetof(struct pipe, ends_last), 4,
        sizeof(struct pipe), 64, 1, 0 },
    { "pipe~next", "", offsetof(struct piped_state, pipe_next), 4, 4, 64, 1, 0 },
    { "pipe~free", "", offsetof(struct piped_state, pipe_table.free), 4, 0, 1, 1, 0 },
    { "pipe~high", "", offsetof(struct piped_state, pipe_table.high), 4, 0, 1, 1, 0 },
    { "pipe~live", "", offsetof(struct piped_state, pipe_table.live), 4, 0, 1, 1, 0 },
    { "end.of", "", offsetof(struct piped_state, end) + offsetof(struct end, of), 4, sizeof(struct end), 256, 1, 0 },
    { "end.kind", "", offsetof(struct piped_state, end) + offsetof(struct end, kind), 4, sizeof(struct end), 256, 1,
        0 },
    { "end.owner", "", offsetof(struct piped_state, end) + offsetof(struct end, owner), 8, sizeof(struct end), 256,
        1, 0 },
    { "end~ends_next", "", offsetof(struct piped_state, end) + offsetof(struct end, ends_next), 4,
        sizeof(struct end), 256, 1, 0 },
    { "end~ends_prev", "", offsetof(struct piped_state, end) + offsetof(struct end, ends_prev), 4,
        sizeof(struct end), 256, 1, 0 },
    { "end~next", "", offsetof(struct piped_state, end_next), 4, 4, 256, 1, 0 },
    { "end~free", "", offsetof(struct piped_state, end_table.free), 4, 0, 1, 1, 0 },
    { "end~high", "", offsetof(struct piped_state, end_table.high), 4, 0, 1, 1, 0 },
    { "end~live", "", offsetof(struct piped_state, end_table.live), 4, 0, 1, 1, 0 },
    { "ring", "", offsetof(struct piped_state, ring), 1, 4096, 64, 4096, 2 },
    { "~client.label", "", offsetof(struct piped_state, client) + offsetof(struct l4_client, label), 8,
        sizeof(struct l4_client), 16, 1, 0 },
    { "~client.events", "", offsetof(struct piped_state, client) + offsetof(struct l4_client, events), 8,
        sizeof(struct l4_client), 16, 1, 0 },
    { "~slot4.number", "", offsetof(struct piped_state, slot) + offsetof(struct piped_slot, number), 8,
        sizeof(struct piped_slot), 64, 1, 0 },
    { "~slot4.tag", "", offsetof(struct piped_state, slot) + offsetof(struct piped_slot, tag), 8,
        sizeof(struct piped_slot), 64, 1, 0 },
    { "~slot4.op", "", offsetof(struct piped_state, slot) + offsetof(struct piped_slot, op), 8,
        sizeof(struct piped_slot), 64, 1, 0 },
    { "~slot4.word", "", offsetof(struct piped_state, slot) + offsetof(struct piped_slot, word), 8,
        sizeof(struct piped_slot), 64, 2, 0 },
};
/* Converts by hand what the schema cannot: defined by the server if it sets PIPED_UPGRADE. */
extern bool piped_upgrade(const void *old, struct piped_state *state) __attribute__((weak));
static inline bool piped_upgrade_any(const void *old, void *state) { return !piped_upgrade || piped_upgrade(old,
    state); }
static const struct l4_server piped_server = {
    .name = "piped", .served = piped_served, .serves = 1,
    .schema = piped_schema, .fields = PIPED_FIELDS, .version = 1, .shape = 0xca931f975125be94,
    .bytes = sizeof(struct piped_state), .schema_at = offsetof(struct piped_state, schema),
    .client_at = offsetof(struct piped_state, client), .slot_at = offsetof(struct piped_state, slot),
    .slot_bytes = sizeof(struct piped_slot), .check = piped_check_all, .upgrade = piped_upgrade_any,
    .clients = PIPED_CLIENTS, .slots = PIPED_SLOTS, .window_bytes = PIPED_WINDOW,
    .parks = 64, .park_bytes = sizeof(struct l4_parked) + 8 * 0, .ops = 1,
    .missing = piped_missing, .send = piped_send, .effect = piped_effect, .start = piped_start, .irq = piped_irq,
    .event = piped_event, .timeout = piped_timeout, .forget = piped_forget,
    .judges = piped_judges, .judge = piped_judge,
};

/* The answer slot of a numbered request; NULL: its label or slot is not known (yet). */
static inline struct l4_slot *piped_slot_of(const struct l4_message *m)
{
    struct piped_state *s = piped_writable();
    u32 client = (u16)m->label, slot = (u16)m->number;
    bool known = client < PIPED_CLIENTS && slot < PIPED_SLOTS && s->client[client].label == m->label;
    return __builtin_expect(known, 1) ? (struct l4_slot *)&s->slot[client][slot] : NULL;
}

/* One request; its answer is left in `m`. PENDING and LATER: it waits, `m` is as it came. */
static inline __attribute__((always_inline)) l4_err_t piped_dispatch(const struct piped_ops *ops, struct l4_message *m)
{
    switch ((u32)m->tag) {
    case 0x121001: {  /* make: pipe.idl:12, once */
        if (__builtin_expect((m->tag >> 32 & 0x1ff) != 0x0, 0)) {
            return l4_refuse(m, 0x0ul << 32);
        }
        if (!ops->make) {
            return l4_fail(m, L4_NO_METHOD);
        }
        struct l4_slot *slot = piped_slot_of(m);
        if (__builtin_expect(!slot, 0)) {
            slot = l4_server_take(&piped_server, ops, m);
            if (!slot) {
                return l4_fail(m, L4_BAD_CLIENT);
            }
        }
        if (__builtin_expect(slot->number == m->number, 0)) {
            return l4_resent(m, slot);
        }
        u32 reader = 0;
        u32 writer = 0;
        struct piped_tx tx = { };
        l4_begin(slot, m->number);
        l4_err_t err = ops->make(tx, m->label, &reader, &writer);
        if (__builtin_expect(err != L4_OK, 0)) {
            if (err == L4_LATER && !piped_check_log()) {
                l4_broken();
            }
            return l4_unanswered(m, slot, err);
        }
        if (__builtin_expect(!piped_check_log(), 0)) {
            l4_broken();
        }
        u64 tag = 0x200000000;
        slot->tag = tag;
        slot->op = 0;
        slot->word[0] = reader;
        slot->word[1] = writer;
        l4_hook();
        l4_commit(slot, m->number);
        m->tag = tag;
        m->word[0] = reader;
        m->word[1] = writer;
        return L4_OK;
    }
    case 0x121002: {  /* write: pipe.idl:14, once */
        if (__builtin_expect((m->tag >> 32 & 0x201ff) != 0x20002, 0)) {
            return l4_refuse(m, 0x20002ul << 32);
        }
        if (!ops->write) {
            return l4_fail(m, L4_NO_METHOD);
        }
        struct l4_slot *slot = piped_slot_of(m);
        if (__builtin_expect(!slot, 0)) {
            slot = l4_server_take(&piped_server, ops, m);
            if (!slot) {
                return l4_fail(m, L4_BAD_CLIENT);
            }
        }
        if (__builtin_expect(slot->number == m->number, 0)) {
            return l4_resent(m, slot);
        }
        if (__builtin_expect(m->word[0] > 0xffffffff || m->word[1] > 4096, 0)) {
            return l4_fail(m, L4_BAD_MESSAGE);
        }
        if (__builtin_expect(!l4_window_is_there((u16)m->label * PIPED_SLOTS + (u16)m->number), 0)) {
            return l4_fail(m, L4_BAD_CLIENT);
        }
        u8 *window = piped_window((u16)m->label, (u16)m->number);
        u32 done = 0;
        struct piped_tx tx = { };
        l4_begin(slot, m->number);
        l4_err_t err = ops->write(tx, m->label, (u32)m->word[0], (struct l4_bytes){ window + 0, (u32)m->word[1] },
            &done);
        if (__builtin_expect(err != L4_OK, 0)) {
            if (err == L4_LATER && !piped_check_log()) {
                l4_broken();
            }
            return l4_unanswered(m, slot, err);
        }
        if (__builtin_expect(!piped_check_log(), 0)) {
            l4_broken();
        }
        u64 tag = 0x100000000;
        slot->tag = tag;
        slot->op = 0;
        slot->word[0] = done;
        l4_hook();
        l4_commit(slot, m->number);
        m->tag = tag;
        m->word[0] = done;
        return L4_OK;
    }
    case 0x121003: {  /* read: pipe.idl:16, once */
        if (__builtin_expect((m->tag >> 32 & 0x101ff) != 0x10002, 0)) {
            return l4_refuse(m, 0x10002ul << 32);
        }
        if (!ops->read) {
            return l4_fail(m, L4_NO_METHOD);
        }
        struct l4_slot *slot = piped_slot_of(m);
        if (__builtin_expect(!slot, 0)) {
            slot = l4_server_take(&piped_server, ops, m);
            if (!slot) {
                return l4_fail(m, L4_BAD_CLIENT);
            }
        }
        if (__builtin_expect(slot->number == m->number, 0)) {
            return l4_resent(m, slot);
        }
        if (__builtin_expect((m->word[0] | m->word[1]) > 0xffffffff, 0)) {
            return l4_fail(m, L4_BAD_MESSAGE);
        }
        if (__builtin_expect(!l4_window_is_there((u16)m->label * PIPED_SLOTS + (u16)m->number), 0)) {
            return l4_fail(m, L4_BAD_CLIENT);
        }
        u8 *window = piped_window((u16)m->label, (u16)m->number);
        u32 data_length = 0;
        struct piped_tx tx = { };
        l4_begin(slot, m->number);
        l4_err_t err = ops->read(tx, m->label, (u32)m->word[0], (u32)m->word[1], (u8 *)(window + 0), &data_length);
        if (__builtin_expect(err != L4_OK, 0)) {
            if (err == L4_LATER && !piped_check_log()) {
                l4_broken();
            }
            return l4_unanswered(m, slot, err);
        }
        if (__builtin_expect(data_length > 4096, 0)) {
            l4_broken();
        }
        if (__builtin_expect(!piped_check_log(), 0)) {
            l4_broken();
        }
        u64 tag = 0x100000000;
        slot->tag = tag;
        slot->op = 0;
        slot->word[0] = data_length;
        l4_hook();
        l4_commit(slot, m->number);
        m->tag = tag;
        m->word[0] = data_length;
        return L4_OK;
    }
    case 0x121004: {  /* close: pipe.idl:17, once */
        if (__builtin_expect((m->tag >> 32 & 0x1ff) != 0x1, 0)) {
            return l4_refuse(m, 0x1ul << 32);
        }
        if (!ops->close) {
            return l4_fail(m, L4_NO_METHOD);
        }
        struct l4_slot *slot = piped_slot_of(m);
        if (__builtin_expect(!slot, 0)) {
            slot = l4_server_take(&piped_server, ops, m);
            if (!slot) {
                return l4_fail(m, L4_BAD_CLIENT);
            }
        }
        if (__builtin_expect(slot->number == m->number, 0)) {
            return l4_resent(m, slot);
        }
        if (__builtin_expect(m->word[0] > 0xffffffff, 0)) {
            return l4_fail(m, L4_BAD_MESSAGE);
        }
        struct piped_tx tx = { };
        l4_begin(slot, m->number);
        l4_err_t err = ops->close(tx, m->label, (u32)m->word[0]);
        if (__builtin_expect(err != L4_OK, 0)) {
            if (err == L4_LATER && !piped_check_log()) {
                l4_broken();
            }
            return l4_unanswered(m, slot, err);
        }
        if (__builtin_expect(!piped_check_log(), 0)) {
            l4_broken();
        }
        u64 tag = 0x0;
        slot->tag = tag;
        slot->op = 0;
        l4_hook();
        l4_commit(slot, m->number);
        m->tag = tag;
        return L4_OK;
    }
    case 0x121005: {  /* stat: pipe.idl:18, retry */
        if (__builtin_expect((m->tag >> 32 & 0x1ff) != 0x1, 0)) {
            return l4_refuse(m, 0x1ul << 32);
        }
        if (!ops->stat) {
            return l4_fail(m, L4_NO_METHOD);
        }
        if (__builtin_expect(m->word[0] > 0xffffffff, 0)) {
            return l4_fail(m, L4_BAD_MESSAGE);
        }
        union { u64 word[2]; struct pipe_info value; } now = { { 0 } };
        l4_err_t err = ops->stat(m->label, (u32)m->word[0], &now.value);
        if (__builtin_expect(err != L4_OK, 0)) {
            return l4_fail(m, err);
        }
        u64 tag = 0x200000000;
        m->tag = tag;
        m->word[0] = now.word[0];
        m->word[1] = now.word[1];
        return L4_OK;
    }
    }
    return l4_server_other(&piped_server, ops, m);
}

/* The server: never returns. */
static inline _Noreturn void piped_serve(const struct piped_ops *ops)
{
    static u64 parks[64][(sizeof(struct l4_parked) + 8 * 0) / 8] L4_VOLATILE_ZERO;
    static u64 events[16] L4_VOLATILE_ZERO;
    static const struct l4_server_card card __attribute__((section(".note.axo"), used)) = {
        "piped", L4_STATE_ADDRESS, sizeof(struct piped_state), PIPED_WINDOW_ADDRESS, PIPED_WINDOW,
        PIPED_CLIENTS, PIPED_SLOTS, 64, 1,
    };
    struct l4_now *now = (struct l4_now *)L4_STATE_ADDRESS;
    struct l4_message m = { 0 };
    l4_server_start(&piped_server, ops, parks, events);
    l4_server_next(&piped_server, ops, &m, L4_OK);
    for (;;) {
        now->request.label = m.label;
        now->request.number = m.number;
        now->request.tag = m.tag;
        l4_err_t err;
        if (__builtin_expect(!l4_volatile.rare || !l4_server_first(&piped_server, &m), 1)) {
            err = piped_dispatch(ops, &m);
        } else {
            err = L4_OK;
        }
        now->completed++;
        if (__builtin_expect(l4_volatile.busy || m.reply, 0)) {
            l4_server_next(&piped_server, ops, &m, err);
        } else {
            l4_reply_wait(&m);
        }
    }
}
