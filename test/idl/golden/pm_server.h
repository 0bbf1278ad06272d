/* SPDX-License-Identifier: BSD-2-Clause */
/* pm_server.h: state, access functions, ops table and dispatcher of pm.
 * Made by idlc from pm.idl:16. Do not edit.
 */
#pragma once
#include <abi/fpage.h>
#include <l4/server.h>
#include <l4/string.h>
#include <pm.h>
#include <vm.h>
#include <keeper.h>
#include <vfs.h>

/* Permission to edit: no bytes, no instructions. Only code inside a transaction is given one. */
struct pm_tx { };

/* ---- state ---- */
enum {
    PM_CLIENTS = 64, PM_SLOTS = 4,
    PM_WINDOW = 0,
    PM_FIELDS = 35,
    PM_USES_VM = 0,     /* index of its door: l4_volatile.door[] */
    PM_USES_KEEPER = 1,     /* index of its door: l4_volatile.door[] */
    PM_USES_VFS = 2,     /* index of its door: l4_volatile.door[] */
};
struct pm_slot {
    u64 number, tag, op;
    u64 word[1];
};

struct proc {
    u32 pid;
    u32 parent;  /* ref proc */
    enum pm_life state;
    u32 busy;
    struct pm_registers start;
    u32 children_next __attribute__((aligned(8))), children_prev;
    u32 children_first __attribute__((aligned(8))), children_last;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct proc) / 8 <= L4_ENTRY_WORDS_MAX, "pm.idl:20: too long for one log entry");

struct fork_op {
    struct l4_op op;
    u64 message[3];
    u32 parent;  /* ref proc */
    u32 child;  /* ref proc */
    u32 done;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct fork_op) / 8 <= L4_ENTRY_WORDS_MAX, "pm.idl:25: too long for one log entry");

struct pm_state {
    struct l4_state head;
    struct l4_field schema[PM_FIELDS];
    struct l4_client client[PM_CLIENTS];
    struct pm_slot slot[PM_CLIENTS][PM_SLOTS];
    u32 last_pid;
    struct l4_table proc_table __attribute__((aligned(8)));
    u32 proc_next[64] __attribute__((aligned(8)));
    struct proc proc[64];
    struct l4_table fork_op_table __attribute__((aligned(8)));
    u32 fork_op_next[16] __attribute__((aligned(8)));
    struct fork_op fork_op[16];
} __attribute__((aligned(4096)));
_Static_assert(sizeof(struct pm_state) <= 0x3fe00000, "state and windows must end below 2 GB");
enum { PM_WINDOW_ADDRESS = (L4_STATE_ADDRESS + sizeof(struct pm_state) + L4_LARGE_SIZE - 1) & ~(L4_LARGE_SIZE - 1ul) };

static inline const struct pm_state *pm_state(void) { return (const struct pm_state *)L4_STATE_ADDRESS; }
/* For the functions below alone. */
static inline struct pm_state *pm_writable(void) { return (struct pm_state *)L4_STATE_ADDRESS; }

/* The answer slot of (client, slot) as a number that survives a restart and an update; 0: none. */
static inline struct l4_slot *pm_slot(u64 id)
{
    return id ? (struct l4_slot *)&pm_writable()->slot[(id - 1) >> 16][(u16)(id - 1)] : NULL;
}
static inline u64 pm_slot_id(const struct l4_slot *slot)
{
    u64 i = (u64)((const struct pm_slot *)slot - &pm_state()->slot[0][0]);
    return slot ? 1 + (i / PM_SLOTS << 16 | i % PM_SLOTS) : 0;
}

static inline void pm_set_last_pid(struct pm_tx tx, u32 value)
{
    l4_keep((const u64 *)L4_STATE_ADDRESS + offsetof(struct pm_state, last_pid) / 8, 1);
    pm_writable()->last_pid = value;
    l4_hook();
}

/* ---- proc: pm.idl:20. A ref counts from 1; 0 is nobody. A free record is all zero. ---- */
static inline const struct proc *proc_at(u32 ref)
{
    const struct pm_state *s = pm_state();
    return ref - 1 < 64 && s->proc_next[ref - 1] == L4_IN_USE ? &s->proc[ref - 1] : NULL;
}

static inline u32 proc_ref(const struct proc *r) { return (u32)(r - pm_state()->proc) + 1; }
static inline bool proc_in_use(const struct proc *r) { return pm_state()->proc_next[proc_ref(r) - 1] == L4_IN_USE; }

/* The next in use after `r`, by place; the first after NULL. */
static inline const struct proc *proc_following(const struct proc *r)
{
    const struct pm_state *s = pm_state();
    for (u32 i = r ? proc_ref(r) : 0; i < s->proc_table.high; i++) {
        if (s->proc_next[i] == L4_IN_USE) {
            return &s->proc[i];
        }
    }
    return NULL;
}

/* Log all of it; then it may be written. */
static inline struct proc *proc_edit(struct pm_tx tx, const struct proc *r)
{
    l4_keep_part(r, sizeof *r / 8, 1, 0);
    return (struct proc *)(uintptr_t)r;
}

static inline void proc_set_pid(struct pm_tx tx, const struct proc *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct proc, pid) / 8, 1, 1, offsetof(struct proc, pid) / 8);
    ((struct proc *)(uintptr_t)r)->pid = value;
    l4_hook();
}

static inline void proc_set_parent(struct pm_tx tx, const struct proc *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct proc, parent) / 8, 1, 1, offsetof(struct proc, parent) / 8);
    ((struct proc *)(uintptr_t)r)->parent = value;
    l4_hook();
}

static inline void proc_set_state(struct pm_tx tx, const struct proc *r, enum pm_life value)
{
    l4_keep_part((const u64 *)r + offsetof(struct proc, state) / 8, 1, 1, offsetof(struct proc, state) / 8);
    ((struct proc *)(uintptr_t)r)->state = value;
    l4_hook();
}

static inline void proc_set_busy(struct pm_tx tx, const struct proc *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct proc, busy) / 8, 1, 1, offsetof(struct proc, busy) / 8);
    ((struct proc *)(uintptr_t)r)->busy = value;
    l4_hook();
}

/* A zeroed record; NULL when all 64 are in use. */
static inline struct proc *proc_new(struct pm_tx tx)
{
    struct pm_state *s = pm_writable();
    u32 i = s->proc_table.free;
    if (i == 0 && s->proc_table.high == 64) {
        return NULL;
    }
    bool fresh = i == 0;
    i = fresh ? s->proc_table.high : i - 1;
    l4_keep(&s->proc_table, sizeof s->proc_table / 8);
    l4_keep((const u64 *)s->proc_next + i / 2, 1);
    l4_keep_new(&s->proc[i], sizeof s->proc[i] / 8, 1);
    if (fresh) {
        s->proc_table.high++;
    } else {
        s->proc_table.free = s->proc_next[i];
    }
    s->proc_table.live++;
    s->proc_next[i] = L4_IN_USE;
    l4_hook();
    return &s->proc[i];
}

static inline void proc_free(struct pm_tx tx, const struct proc *r)
{
    struct pm_state *s = pm_writable();
    u32 i = proc_ref(r) - 1;
    l4_keep(r, sizeof *r / 8);
    l4_keep(&s->proc_table, sizeof s->proc_table / 8);
    l4_keep((const u64 *)s->proc_next + i / 2, 1);
    memset(&s->proc[i], 0, sizeof *r);
    l4_hook();
    s->proc_next[i] = s->proc_table.free;
    s->proc_table.free = i + 1;
    s->proc_table.live--;
    l4_hook();
}

/* ---- fork_op: pm.idl:25. A ref counts from 1; 0 is nobody. A free record is all zero. ---- */
static inline const struct fork_op *fork_op_at(u32 ref)
{
    const struct pm_state *s = pm_state();
    return ref - 1 < 16 && s->fork_op_next[ref - 1] == L4_IN_USE ? &s->fork_op[ref - 1] : NULL;
}

static inline u32 fork_op_ref(const struct fork_op *r) { return (u32)(r - pm_state()->fork_op) + 1; }
static inline bool fork_op_in_use(const struct fork_op *r)
    { return pm_state()->fork_op_next[fork_op_ref(r) - 1] == L4_IN_USE; }

/* The next in use after `r`, by place; the first after NULL. */
static inline const struct fork_op *fork_op_following(const struct fork_op *r)
{
    const struct pm_state *s = pm_state();
    for (u32 i = r ? fork_op_ref(r) : 0; i < s->fork_op_table.high; i++) {
        if (s->fork_op_next[i] == L4_IN_USE) {
            return &s->fork_op[i];
        }
    }
    return NULL;
}

/* Log all of it; then it may be written. */
static inline struct fork_op *fork_op_edit(struct pm_tx tx, const struct fork_op *r)
{
    l4_keep_part(r, sizeof *r / 8, 0, 0);
    return (struct fork_op *)(uintptr_t)r;
}

static inline void fork_op_set_parent(struct pm_tx tx, const struct fork_op *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct fork_op, parent) / 8, 1, 0, offsetof(struct fork_op, parent) / 8);
    ((struct fork_op *)(uintptr_t)r)->parent = value;
    l4_hook();
}

static inline void fork_op_set_child(struct pm_tx tx, const struct fork_op *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct fork_op, child) / 8, 1, 0, offsetof(struct fork_op, child) / 8);
    ((struct fork_op *)(uintptr_t)r)->child = value;
    l4_hook();
}

static inline void fork_op_set_done(struct pm_tx tx, const struct fork_op *r, u32 value)
{
    l4_keep_part((const u64 *)r + offsetof(struct fork_op, done) / 8, 1, 0, offsetof(struct fork_op, done) / 8);
    ((struct fork_op *)(uintptr_t)r)->done = value;
    l4_hook();
}

/* A zeroed record; NULL when all 16 are in use. */
static inline struct fork_op *fork_op_new(struct pm_tx tx)
{
    struct pm_state *s = pm_writable();
    u32 i = s->fork_op_table.free;
    if (i == 0 && s->fork_op_table.high == 16) {
        return NULL;
    }
    bool fresh = i == 0;
    i = fresh ? s->fork_op_table.high : i - 1;
    l4_keep(&s->fork_op_table, sizeof s->fork_op_table / 8);
    l4_keep((const u64 *)s->fork_op_next + i / 2, 1);
    l4_keep_new(&s->fork_op[i], sizeof s->fork_op[i] / 8, 0);
    if (fresh) {
        s->fork_op_table.high++;
    } else {
        s->fork_op_table.free = s->fork_op_next[i];
    }
    s->fork_op_table.live++;
    s->fork_op_next[i] = L4_IN_USE;
    l4_hook();
    s->fork_op[i].op.number = s->fork_op[i].op.token = l4_clock() << 16 | (1 + i);
    s->fork_op[i].op.answers = pm_slot_id(l4_undo_log()->slot);
    l4_hook();
    return &s->fork_op[i];
}

static inline void fork_op_free(struct pm_tx tx, const struct fork_op *r)
{
    struct pm_state *s = pm_writable();
    u32 i = fork_op_ref(r) - 1;
    l4_keep(r, sizeof *r / 8);
    l4_keep(&s->fork_op_table, sizeof s->fork_op_table / 8);
    l4_keep((const u64 *)s->fork_op_next + i / 2, 1);
    memset(&s->fork_op[i], 0, sizeof *r);
    l4_hook();
    s->fork_op_next[i] = s->fork_op_table.free;
    s->fork_op_table.free = i + 1;
    s->fork_op_table.live--;
    l4_hook();
}

/* ---- list children of proc, one in each proc: pm.idl:21 ---- */
static inline const struct proc *children_first(const struct proc *of) { return proc_at(of->children_first); }
static inline const struct proc *children_last(const struct proc *of) { return proc_at(of->children_last); }
static inline const struct proc *children_next(const struct proc *r) { return proc_at(r->children_next); }
static inline const struct proc *children_prev(const struct proc *r) { return proc_at(r->children_prev); }

/* At the end. */
static inline void children_add(struct pm_tx tx, const struct proc *of, const struct proc *r)
{
    struct proc *e = (struct proc *)(uintptr_t)r, *last = (struct proc *)(uintptr_t)children_last(of);
    u32 i = proc_ref(r);
    l4_keep(&of->children_first, 1);
    l4_keep(&r->children_next, 1);
    e->children_prev = of->children_last;
    ((struct proc *)(uintptr_t)of)->children_last = i;
    l4_hook();
    if (last) {
        l4_keep(&last->children_next, 1);
        last->children_next = i;
    } else {
        ((struct proc *)(uintptr_t)of)->children_first = i;
    }
    l4_hook();
}

static inline void children_remove(struct pm_tx tx, const struct proc *of, const struct proc *r)
{
    struct proc *e = (struct proc *)(uintptr_t)r;
    struct proc *next = (struct proc *)(uintptr_t)children_next(r), *prev = (struct proc *)(uintptr_t)children_prev(r);
    if (!next || !prev) {
        l4_keep(&of->children_first, 1);
    }
    if (next) {
        l4_keep(&next->children_next, 1);
        next->children_prev = r->children_prev;
    } else {
        ((struct proc *)(uintptr_t)of)->children_last = r->children_prev;
    }
    l4_hook();
    if (prev) {
        l4_keep(&prev->children_next, 1);
        prev->children_next = r->children_next;
    } else {
        ((struct proc *)(uintptr_t)of)->children_first = r->children_next;
    }
    l4_hook();
    l4_keep(&r->children_next, 1);
    e->children_next = e->children_prev = 0;
    l4_hook();
}

/* ---- waits, effects, events ---- */
/* Done after the commit, forgotten by undo; the start hook asks for it again wherever the state needs it. */
static inline void pm_after_start(struct pm_tx tx, u32 child)
{
    struct l4_after *after = l4_after(1);
    after->word[0] = child;
}
static inline void pm_raise_signalled(struct pm_tx tx, u64 label) { l4_raise(label, 1ul << 0); }

/* ---- invariants and audits ---- */
static inline bool proc_check(const struct proc *r)
{
    const struct pm_state *s = pm_state();
    (void)s;
    return (r->pid > 0 && r->state != PM_FREE) /* born */;
}

/* Before a commit: the invariants of the records that it logged, and those of the whole. */
static inline __attribute__((always_inline)) bool pm_check_log(void)
{
    const struct pm_state *s = pm_state();
    (void)s;
    for (u64 top = s->head.log.top; top > 1; ) {
        u64 entry = s->head.log.word[--top];
        top -= entry & L4_ENTRY_NEW ? 0 : l4_entry_words(entry);
        switch (l4_entry_kind(entry)) {
        case 1: {
            const struct proc *r = l4_entry_record(entry);
            if (proc_in_use(r) && !proc_check(r)) {
                return false;
            }
            break;
        }
        }
    }
    return true;
}

/* Everything: at start, in tests and on demand. */
static inline bool pm_check_all(void)
{
    const struct pm_state *s = pm_state();
    (void)s;
    for (const struct proc *r = proc_following(NULL); r; r = proc_following(r)) {
        if (!proc_check(r)) {
            return false;
        }
    }
    return true;
}

/* ---- what the server is made of ---- */

/* Each runs as a transaction of its own; all may be absent. */
struct pm_hooks {
    void (*start)(struct pm_tx tx);                  /* at each start, before the first request: derive effects again */
    void (*irq)(struct pm_tx tx, u64 label);
    void (*event)(struct pm_tx tx, u32 peer);      /* the server behind door `peer` of `uses` raised an event: pull */
    void (*timeout)(struct pm_tx tx);                /* l4_volatile.deadline has passed; it is 0 again */
    bool (*forget)(struct pm_tx tx, u64 label);    /* a client is gone: free some of what is its own;
        true: call again */
    /* A message for the gate that this server monitors: L4_OK passes it on, another verdict is its answer, with word
     * 0 `why`. */
    l4_err_t (*judge)(struct pm_tx tx, u64 label, u32 method, const u64 word[L4_REGISTER_WORDS], u64 *why);
};

/* A missing method answers no_method, and the loop names it at start. */
struct pm_ops {
    struct pm_hooks hooks;
    /* Make a child that starts with `child` as its registers.  pm.idl:12 */
    l4_err_t (*fork)(struct pm_tx tx, u64 label, const struct pm_registers *child, u32 *pid);
    l4_err_t (*getppid)(u64 label, u32 *pid);
    /* The answer of vm.fork: goes on to space or task or drop. pm.idl:28 */
    struct l4_next (*fork_space)(struct pm_tx tx, const struct fork_op *op, l4_err_t err, u32 copied, bool more);
    /* The answer of keeper.make: goes on to files or drop. pm.idl:29 */
    struct l4_next (*fork_task)(struct pm_tx tx, const struct fork_op *op, l4_err_t err);
    /* The answer of vfs.fork: goes on to answer or drop. pm.idl:30 */
    struct l4_next (*fork_files)(struct pm_tx tx, const struct fork_op *op, l4_err_t err);
    /* The answer of vm.drop: goes on to answer. pm.idl:31 */
    struct l4_next (*fork_drop)(struct pm_tx tx, const struct fork_op *op, l4_err_t err);
    void (*start)(u32 child);
};

/* The end of a hook's or a case's transaction. */
static inline void pm_end(void)
{
    if (!pm_check_log()) {
        l4_broken();
    }
    l4_commit(NULL, 0);
}

/* ---- op fork: pm.idl:25 ---- */
enum {
    PM_FORK_SPACE = 1,
    PM_FORK_TASK = 2,
    PM_FORK_FILES = 3,
    PM_FORK_DROP = 4,
};
/* Send vm.fork after the commit, and again after a crash, until it is answered. */
static inline struct l4_next fork_op_send_space(struct pm_tx tx, const struct fork_op *op, u32 from, u32 to, u32 done)
{
    struct fork_op *e = (struct fork_op *)(uintptr_t)op;
    l4_keep(op, offsetof(struct fork_op, message) / 8 + 3);
    u32 words = 3;
    e->op.step = PM_FORK_SPACE;
    e->op.words = words;
    e->op.use = 0;
    e->op.number += 1 << 16;
    e->op.tag = 0x120101;
    l4_hook();
    e->message[0] = from;
    e->message[1] = to;
    e->message[2] = done;
    l4_hook();
    l4_volatile.busy = l4_volatile.ops_due = true;
    return (struct l4_next){ e->op.step, e->op.token };
}
/* Send keeper.make after the commit, and again after a crash, until it is answered. */
static inline struct l4_next fork_op_send_task(struct pm_tx tx, const struct fork_op *op, u32 slot, u64 label)
{
    struct fork_op *e = (struct fork_op *)(uintptr_t)op;
    l4_keep(op, offsetof(struct fork_op, message) / 8 + 2);
    u32 words = 2;
    e->op.step = PM_FORK_TASK;
    e->op.words = words;
    e->op.use = 1;
    e->op.number += 1 << 16;
    e->op.tag = 0x110001;
    l4_hook();
    e->message[0] = slot;
    e->message[1] = label;
    l4_hook();
    l4_volatile.busy = l4_volatile.ops_due = true;
    return (struct l4_next){ e->op.step, e->op.token };
}
/* Send vfs.fork after the commit, and again after a crash, until it is answered. */
static inline struct l4_next fork_op_send_files(struct pm_tx tx, const struct fork_op *op, u32 from, u32 to)
{
    struct fork_op *e = (struct fork_op *)(uintptr_t)op;
    l4_keep(op, offsetof(struct fork_op, message) / 8 + 2);
    u32 words = 2;
    e->op.step = PM_FORK_FILES;
    e->op.words = words;
    e->op.use = 2;
    e->op.number += 1 << 16;
    e->op.tag = 0x120201;
    l4_hook();
    e->message[0] = from;
    e->message[1] = to;
    l4_hook();
    l4_volatile.busy = l4_volatile.ops_due = true;
    return (struct l4_next){ e->op.step, e->op.token };
}
/* Send vm.drop after the commit, and again after a crash, until it is answered. */
static inline struct l4_next fork_op_send_drop(struct pm_tx tx, const struct fork_op *op, u32 space)
{
    struct fork_op *e = (struct fork_op *)(uintptr_t)op;
    l4_keep(op, offsetof(struct fork_op, message) / 8 + 1);
    u32 words = 1;
    e->op.step = PM_FORK_DROP;
    e->op.words = words;
    e->op.use = 0;
    e->op.number += 1 << 16;
    e->op.tag = 0x120102;
    l4_hook();
    e->message[0] = space;
    l4_hook();
    l4_volatile.busy = l4_volatile.ops_due = true;
    return (struct l4_next){ e->op.step, e->op.token };
}
/* The end: answer the caller of fork, if it still waits for this, and free the op. */
static inline struct l4_next fork_op_answer(struct pm_tx tx, const struct fork_op *op, l4_err_t err, u32 pid)
{
    struct l4_slot *slot = pm_slot(op->op.answers);
    if (slot && slot->op == op->op.token) {
        l4_keep(slot, sizeof(struct l4_slot) / 8 + 1);
        slot->op = 0;
        slot->tag = (u32)err;
        l4_hook();
        if (err == L4_OK) {
            slot->tag = 1ul << L4_TAG_WORDS_SHIFT;
            slot->word[0] = pid;
            l4_hook();
        }
        l4_wake(L4_ON_OP, (u32)op->op.answers);
    }
    fork_op_free(tx, op);
    return (struct l4_next){ 0 };
}

/* The answer `m` to op `ref`'s message: one local transaction. A stale answer is dropped. */
static inline void fork_op_resume(const struct pm_ops *ops, u32 ref, const struct l4_message *m)
{
    static const u32 ways[] = { 0, 0x16, 0x18, 0x11, 0x1 };   /* bit 0: the end; bit n: step n */
    const struct fork_op *op = fork_op_at(ref);
    if (!op || op->op.number != m->number) {
        return;
    }
    l4_err_t err = l4_tag_status(m->tag);
    u32 step = op->op.step;
    struct l4_next next = { 0 };
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    switch (step) {
    case PM_FORK_SPACE: {
        next = ops->fork_space(tx, op, err, (u32)m->word[0], (bool)m->word[1]);
        break;
    }
    case PM_FORK_TASK: {
        next = ops->fork_task(tx, op, err);
        break;
    }
    case PM_FORK_FILES: {
        next = ops->fork_files(tx, op, err);
        break;
    }
    case PM_FORK_DROP: {
        next = ops->fork_drop(tx, op, err);
        break;
    }
    }
    if (!(ways[step] >> next.step & 1)) {
        l4_broken();    /* the interface file does not lead there */
    }
    pm_end();
}

/* ---- what libl4's loop is told ---- */
static inline const char *pm_missing(const void *any)
{
    const struct pm_ops *ops = any;
    return !ops->fork ? "fork" : !ops->getppid ? "getppid" : !ops->fork_space ? "fork_space"
        : !ops->fork_task ? "fork_task" : !ops->fork_files ? "fork_files" : !ops->fork_drop ? "fork_drop"
        : !ops->start ? "start" : NULL;
}

/* Send what the ops wait to have answered, and carry on with the answers. */
static inline void pm_send(const void *any)
{
    const struct pm_ops *ops = any;
    struct l4_message answer;
    for (u32 i = 0; i < pm_state()->fork_op_table.high; i++) {
        const struct fork_op *op = fork_op_at(i + 1);
        if (op && l4_op_send(&op->op, &answer)) {
            fork_op_resume(ops, i + 1, &answer);
        }
    }
}

static inline void pm_effect(const void *any, const struct l4_after *after)
{
    const struct pm_ops *ops = any;
    switch (after->what) {
    case 1:
        ops->start((u32)after->word[0]);
        break;
    }
}

static inline void pm_start(const void *any)
{
    const struct pm_ops *ops = any;
    if (!ops->hooks.start) {
        return;
    }
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.start(tx);
    pm_end();
}

static inline void pm_irq(const void *any, u64 label)
{
    const struct pm_ops *ops = any;
    if (!ops->hooks.irq) {
        return;
    }
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.irq(tx, label);
    pm_end();
}

static inline void pm_event(const void *any, u32 peer)
{
    const struct pm_ops *ops = any;
    if (!ops->hooks.event) {
        return;
    }
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.event(tx, peer);
    pm_end();
}

static inline void pm_timeout(const void *any)
{
    const struct pm_ops *ops = any;
    if (!ops->hooks.timeout) {
        return;
    }
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    ops->hooks.timeout(tx);
    pm_end();
}

static inline bool pm_forget(const void *any, u64 label)
{
    const struct pm_ops *ops = any;
    if (!ops->hooks.forget) {
        return false;
    }
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    bool more = ops->hooks.forget(tx, label);
    pm_end();
    return more;
}

static inline bool pm_judges(const void *any) { return ((const struct pm_ops *)any)->hooks.judge; }

static inline l4_err_t pm_judge(const void *any, const struct l4_message *m, u64 *why)
{
    const struct pm_ops *ops = any;
    struct pm_tx tx = { };
    l4_begin(NULL, 0);
    l4_err_t verdict = ops->hooks.judge(tx, m->label, (u32)m->tag, m->word, why);
    pm_end();
    return verdict;
}

static const struct l4_served pm_served[] = {
    { 0x1200, 1, 0x31f2061c837eefeb, PM_NOMEM },   /* pm */
};
static const struct l4_use pm_uses[] = {
    { "vm", 0, 1 },
    { "keeper", 1, 1 },
    { "vfs", 2, 1 },
};
/* The schema travels in the state object: the next version converts by these paths. */
static const struct l4_field pm_schema[] = {
    { "last_pid", "", 0 + offsetof(struct pm_state, last_pid), 4, 0, 1, 1, 0 },
    { "proc.pid", "", offsetof(struct pm_state, proc) + offsetof(struct proc, pid), 4, sizeof(struct proc), 64, 1, 0 },
    { "proc.parent", "", offsetof(struct pm_state, proc) + offsetof(struct proc, parent), 4, sizeof(struct proc), 64,
        1, 0 },
    { "proc.state", "", offsetof(struct pm_state, proc) + offsetof(struct proc, state), 4, sizeof(struct proc), 64,
        1, 0 },
    { "proc.busy", "", offsetof(struct pm_state, proc) + offsetof(struct proc, busy), 4, sizeof(struct proc), 64, 1,
        0 },
    { "proc.start.word", "", offsetof(struct pm_state, proc) + offsetof(struct proc,
        start) + offsetof(struct pm_registers, word), 8, sizeof(struct proc), 64, 18, 0 },
    { "proc~children_next", "", offsetof(struct pm_state, proc) + offsetof(struct proc, children_next), 4,
        sizeof(struct proc), 64, 1, 0 },
    { "proc~children_prev", "", offsetof(struct pm_state, proc) + offsetof(struct proc, children_prev), 4,
        sizeof(struct proc), 64, 1, 0 },
    { "proc~children_first", "", offsetof(struct pm_state, proc) + offsetof(struct proc, children_first), 4,
        sizeof(struct proc), 64, 1, 0 },
    { "proc~children_last", "", offsetof(struct pm_state, proc) + offsetof(struct proc, children_last), 4,
        sizeof(struct proc), 64, 1, 0 },
    { "proc~next", "", offsetof(struct pm_state, proc_next), 4, 4, 64, 1, 0 },
    { "proc~free", "", offsetof(struct pm_state, proc_table.free), 4, 0, 1, 1, 0 },
    { "proc~high", "", offsetof(struct pm_state, proc_table.high), 4, 0, 1, 1, 0 },
    { "proc~live", "", offsetof(struct pm_state, proc_table.live), 4, 0, 1, 1, 0 },
    { "fork_op.parent", "", offsetof(struct pm_state, fork_op) + offsetof(struct fork_op, parent), 4,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op.child", "", offsetof(struct pm_state, fork_op) + offsetof(struct fork_op, child), 4,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op.done", "", offsetof(struct pm_state, fork_op) + offsetof(struct fork_op, done), 4,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~step", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, step), 4,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~words", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, words), 4,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~use", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, use), 8, sizeof(struct fork_op),
        16, 1, 0 },
    { "fork_op~number", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, number), 8,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~tag", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, tag), 8, sizeof(struct fork_op),
        16, 1, 0 },
    { "fork_op~answers", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, answers), 8,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~token", "", offsetof(struct pm_state, fork_op) + offsetof(struct l4_op, token), 8,
        sizeof(struct fork_op), 16, 1, 0 },
    { "fork_op~message", "", offsetof(struct pm_state, fork_op) + offsetof(struct fork_op, message), 8,
        sizeof(struct fork_op), 16, 3, 0 },
    { "fork_op~next", "", offsetof(struct pm_state, fork_op_next), 4, 4, 16, 1, 0 },
    { "fork_op~free", "", offsetof(struct pm_state, fork_op_table.free), 4, 0, 1, 1, 0 },
    { "fork_op~high", "", offsetof(struct pm_state, fork_op_table.high), 4, 0, 1, 1, 0 },
    { "fork_op~live", "", offsetof(struct pm_state, fork_op_table.live), 4, 0, 1, 1, 0 },
    { "~client.label", "", offsetof(struct pm_state, client) + offsetof(struct l4_client, label), 8,
        sizeof(struct l4_client), 64, 1, 0 },
    { "~client.events", "", offsetof(struct pm_state, client) + offsetof(struct l4_client, events), 8,
        sizeof(struct l4_client), 64, 1, 0 },
    { "~slot4.number", "", offsetof(struct pm_state, slot) + offsetof(struct pm_slot, number), 8,
        sizeof(struct pm_slot), 256, 1, 0 },
    { "~slot4.tag", "", offsetof(struct pm_state, slot) + offsetof(struct pm_slot, tag), 8, sizeof(struct pm_slot),
        256, 1, 0 },
    { "~slot4.op", "", offsetof(struct pm_state, slot) + offsetof(struct pm_slot, op), 8, sizeof(struct pm_slot),
        256, 1, 0 },
    { "~slot4.word", "", offsetof(struct pm_state, slot) + offsetof(struct pm_slot, word), 8, sizeof(struct pm_slot),
        256, 1, 0 },
};
/* Converts by hand what the schema cannot: defined by the server if it sets PM_UPGRADE. */
extern bool pm_upgrade(const void *old, struct pm_state *state) __attribute__((weak));
static inline bool pm_upgrade_any(const void *old, void *state) { return !pm_upgrade || pm_upgrade(old, state); }
static const struct l4_server pm_server = {
    .name = "pm", .served = pm_served, .serves = 1,
    .uses = pm_uses, .doors = 3,
    .schema = pm_schema, .fields = PM_FIELDS, .version = 1, .shape = 0x519b4f6dd24d8690,
    .bytes = sizeof(struct pm_state), .schema_at = offsetof(struct pm_state, schema),
    .client_at = offsetof(struct pm_state, client), .slot_at = offsetof(struct pm_state, slot),
    .slot_bytes = sizeof(struct pm_slot), .check = pm_check_all, .upgrade = pm_upgrade_any,
    .clients = PM_CLIENTS, .slots = PM_SLOTS, .window_bytes = PM_WINDOW,
    .parks = 256, .park_bytes = sizeof(struct l4_parked) + 8 * 0, .ops = 17,
    .missing = pm_missing, .send = pm_send, .effect = pm_effect, .start = pm_start, .irq = pm_irq,
    .event = pm_event, .timeout = pm_timeout, .forget = pm_forget,
    .judges = pm_judges, .judge = pm_judge,
};

/* The answer slot of a numbered request; NULL: its label or slot is not known (yet). */
static inline struct l4_slot *pm_slot_of(const struct l4_message *m)
{
    struct pm_state *s = pm_writable();
    u32 client = (u16)m->label, slot = (u16)m->number;
    bool known = client < PM_CLIENTS && slot < PM_SLOTS && s->client[client].label == m->label;
    return __builtin_expect(known, 1) ? (struct l4_slot *)&s->slot[client][slot] : NULL;
}

/* One request; its answer is left in `m`. PENDING and LATER: it waits, `m` is as it came. */
static inline __attribute__((always_inline)) l4_err_t pm_dispatch(const struct pm_ops *ops, struct l4_message *m)
{
    switch ((u32)m->tag) {
    case 0x120001: {  /* fork: pm.idl:12, once */
        if (__builtin_expect((m->tag >> 32 & 0x1ff) != 0x12, 0)) {
            return l4_refuse(m, 0x12ul << 32);
        }
        if (!ops->fork) {
            return l4_fail(m, L4_NO_METHOD);
        }
        u64 *in = l4_words_copy(18);
        struct l4_slot *slot = pm_slot_of(m);
        if (__builtin_expect(!slot, 0)) {
            slot = l4_server_take(&pm_server, ops, m);
            if (!slot) {
                return l4_fail(m, L4_BAD_CLIENT);
            }
        }
        if (__builtin_expect(slot->number == m->number, 0)) {
            return l4_resent(m, slot);
        }
        union { u64 word[18]; struct pm_registers value; } child;
        child.word[0] = m->word[0];
        child.word[1] = m->word[1];
        child.word[2] = m->word[2];
        child.word[3] = m->word[3];
        memcpy(&child.word[4], &in[4], 112);
        u32 pid = 0;
        struct pm_tx tx = { };
        l4_begin(slot, m->number);
        l4_err_t err = ops->fork(tx, m->label, &child.value, &pid);
        if (__builtin_expect(err != L4_OK, 0)) {
            if (err == L4_LATER && !pm_check_log()) {
                l4_broken();
            }
            return l4_unanswered(m, slot, err);
        }
        if (__builtin_expect(!pm_check_log(), 0)) {
            l4_broken();
        }
        u64 tag = 0x100000000;
        slot->tag = tag;
        slot->op = 0;
        slot->word[0] = pid;
        l4_hook();
        l4_commit(slot, m->number);
        m->tag = tag;
        m->word[0] = pid;
        return L4_OK;
    }
    case 0x120002: {  /* getppid: pm.idl:13, retry */
        if (__builtin_expect((m->tag >> 32 & 0x1ff) != 0x0, 0)) {
            return l4_refuse(m, 0x0ul << 32);
        }
        if (!ops->getppid) {
            return l4_fail(m, L4_NO_METHOD);
        }
        u32 pid = 0;
        l4_err_t err = ops->getppid(m->label, &pid);
        if (__builtin_expect(err != L4_OK, 0)) {
            return l4_fail(m, err);
        }
        u64 tag = 0x100000000;
        m->tag = tag;
        m->word[0] = pid;
        return L4_OK;
    }
    }
    return l4_server_other(&pm_server, ops, m);
}

/* The server: never returns. */
static inline _Noreturn void pm_serve(const struct pm_ops *ops)
{
    static u64 parks[256][(sizeof(struct l4_parked) + 8 * 0) / 8] L4_VOLATILE_ZERO;
    static u64 events[64] L4_VOLATILE_ZERO;
    static const struct l4_server_card card __attribute__((section(".note.axo"), used)) = {
        "pm", L4_STATE_ADDRESS, sizeof(struct pm_state), PM_WINDOW_ADDRESS, PM_WINDOW,
        PM_CLIENTS, PM_SLOTS, 256, 1,
    };
    struct l4_now *now = (struct l4_now *)L4_STATE_ADDRESS;
    struct l4_message m = { 0 };
    l4_server_start(&pm_server, ops, parks, events);
    l4_server_next(&pm_server, ops, &m, L4_OK);
    for (;;) {
        now->request.label = m.label;
        now->request.number = m.number;
        now->request.tag = m.tag;
        l4_err_t err;
        if (__builtin_expect(!l4_volatile.rare || !l4_server_first(&pm_server, &m), 1)) {
            err = pm_dispatch(ops, &m);
        } else {
            err = L4_OK;
        }
        now->completed++;
        if (__builtin_expect(l4_volatile.busy || m.reply, 0)) {
            l4_server_next(&pm_server, ops, &m, err);
        } else {
            l4_reply_wait(&m);
        }
    }
}
