/* SPDX-License-Identifier: BSD-2-Clause */
/* procd.c: processes over three servers below. Lost in a crash: nothing.
 * The process of a client is the record of its label's index. Process 1 is there from the start. */
#include "procd_server.h"

static const struct process *caller(u64 label) { return process_at((u16)label); }

static l4_err_t fork(struct procd_tx tx, u64 label, const struct proc_registers *child, struct l4_bytes name, u32 *pid)
{
    const struct process *me = caller(label);
    struct fork_op *op = me ? fork_op_new(tx) : NULL;
    struct process *p = op ? process_new(tx) : NULL;
    if (!p) {
        return PROC_AGAIN;
    }
    p->pid = procd_state()->last_pid + 1;
    p->parent = process_ref(me);
    p->state = PROC_EMBRYO;
    p->start = *child;
    memcpy(p->name, name.at, name.length);
    procd_set_last_pid(tx, p->pid);
    children_add(tx, me, p);
    all_add(tx, p);
    op->parent = process_ref(me);
    op->child = process_ref(p);
    return l4_later(fork_op_send_space(tx, op, op->parent, op->child, 0));
}

static struct l4_next fork_space(struct procd_tx tx, const struct fork_op *op, l4_err_t err, u32 copied, bool more)
{
    if (err) {
        return fork_op_send_drop(tx, op, op->child);
    }
    if (more) {
        fork_op_set_done(tx, op, op->done + copied);
        return fork_op_send_space(tx, op, op->parent, op->child, op->done);
    }
    return fork_op_send_task(tx, op, op->child, l4_bytes(process_at(op->child)->name, 16));
}

static struct l4_next fork_task(struct procd_tx tx, const struct fork_op *op, l4_err_t err)
{
    return err ? fork_op_send_drop(tx, op, op->child) : fork_op_send_files(tx, op, 1, op->parent, op->child);
}

static struct l4_next fork_files(struct procd_tx tx, const struct fork_op *op, l4_err_t err)
{
    const struct process *p = process_at(op->child);
    if (err) {
        return fork_op_send_drop(tx, op, op->child);
    }
    process_set_state(tx, p, PROC_RUNNING);
    procd_after_start(tx, op->child);
    return fork_op_answer(tx, op, L4_OK, p->pid);
}

static struct l4_next fork_drop(struct procd_tx tx, const struct fork_op *op, l4_err_t err)
{
    const struct process *p = process_at(op->child);
    children_remove(tx, process_at(op->parent), p);
    all_remove(tx, p);
    process_free(tx, p);
    return fork_op_answer(tx, op, PROC_NOMEM, 0);
}

static l4_err_t exit(struct procd_tx tx, u64 label, u32 code)
{
    const struct process *me = caller(label);
    struct bury_op *op = me && me->parent ? bury_op_new(tx) : NULL;
    if (!op) {
        return PROC_AGAIN;
    }
    struct process *p = process_edit(tx, me);
    p->state = PROC_DYING;
    p->code = code;
    op->pid = me->pid;
    bury_op_send_drop(tx, op, process_ref(me));
    exited_wake(tx, me->parent);
    procd_raise_signalled(tx, 0x70000 | me->parent);
    return L4_OK;
}

static struct l4_next bury_drop(struct procd_tx tx, const struct bury_op *op, l4_err_t err) { return bury_op_done(tx, op); }

static l4_err_t wait(struct procd_tx tx, u64 label, u32 *pid, u32 *code)
{
    const struct process *me = caller(label);
    if (!me || !children_first(me)) {
        return PROC_AGAIN;
    }
    for (const struct process *p = children_first(me); p; p = children_next(p)) {
        if (p->state == PROC_DYING) {
            *pid = p->pid;
            *code = p->code;
            children_remove(tx, me, p);
            all_remove(tx, p);
            process_free(tx, p);
            return L4_OK;
        }
    }
    return exited_wait(process_ref(me));
}

static l4_err_t list(u64 label, u32 from, u32 *count, u32 *pids, u32 *pids_length)
{
    *count = procd_state()->process_table.live;
    for (const struct process *p = all_first(); p && *pids_length < 20; p = all_next(p)) {
        if (p->pid >= from) {
            pids[(*pids_length)++] = p->pid;
        }
    }
    return L4_OK;
}

static void start_child(u32 child)
{
    maker_start(l4_volatile.door[PROCD_USES_MAKER], child);
}

/* Process 1 at the first start; whoever runs is started again, which does nothing if it does run. */
static void start(struct procd_tx tx)
{
    if (!procd_state()->process_table.live) {
        struct process *p = process_new(tx);
        p->pid = 1;
        p->state = PROC_RUNNING;
        procd_set_last_pid(tx, 1);
        all_add(tx, p);
    }
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        if (p->state == PROC_RUNNING && p->parent) {
            procd_after_start(tx, process_ref(p));
        }
    }
}

static const struct procd_ops ops = {
    .hooks = { .start = start },
    .fork = fork, .exit = exit, .wait = wait, .list = list, .start = start_child,
    .fork_space = fork_space, .fork_task = fork_task, .fork_files = fork_files, .fork_drop = fork_drop,
    .bury_drop = bury_drop,
};

void l4_main(void)
{
    procd_serve(&ops);
}
