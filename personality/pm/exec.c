/* SPDX-License-Identifier: BSD-2-Clause */
/* exec.c: another program. A new task at the other place, the space emptied (no way back from there), a thread,
 * descriptors; then the old task goes and the new thread starts where keeper said. What fails after the point of no
 * return is SIGKILL, as on Linux.
 * The caller's thread is kept from running once its memory has gone. */
#include "processes.h"

enum { SET_UID = 04000, SET_GID = 02000, GROUP_EXECUTES = 010, FRESH_PROGRAM = 2 };

METHOD(exec, u32 file, struct l4_bytes name)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    struct exec_op *op = me->executor || me->busy ? NULL : exec_op_new(tx);
    if (!op) {
        return turn_wait(TURN);
    }
    op->of = proc_ref(me);
    op->slot = call_slot();
    op->file = file;
    memcpy(op->name, name.at, name.length < sizeof op->name ? name.length : sizeof op->name - 1);
    proc_busy(tx, me, 1);
    proc_set_executor(tx, me, op->slot + 1);
    threads_pause(tx, me);
    return l4_later(exec_op_send_task(tx, op, proc_other_place(me), me->label));
}

static struct l4_next end(struct pmd_tx tx, const struct exec_op *op, l4_err_t err)
{
    const struct proc *p = proc_at(op->of);
    proc_busy(tx, p, -1);
    proc_set_executor(tx, p, 0);
    threads_drive(tx, p);
    struct l4_next next = exec_op_answer(tx, op, err);
    turn_over(tx);
    return next;
}

/* Nothing is lost yet. */
static struct l4_next fail(struct pmd_tx tx, const struct exec_op *op, l4_err_t err)
{
    return end(tx, op, err == PM_AGAIN ? PM_AGAIN : PM_NOMEM);
}

CASE(exec, task, u64 start)
{
    const struct proc *p = proc_at(exec->of);
    if (err) {
        return fail(tx, exec, err);
    }
    exec_op_set_start(tx, exec, start);
    return exec_op_send_space(tx, exec, p->label, proc_task(proc_other_place(p)));
}

CASE(exec, untask) { return fail(tx, exec, (l4_err_t)exec->error); }

CASE(exec, space)
{
    const struct proc *p = proc_at(exec->of);
    if (err) {
        exec_op_set_error(tx, exec, (u32)err);
        return exec_op_send_untask(tx, exec, proc_other_place(p));
    }
    proc_set_executor(tx, p, EVERYBODY);
    threads_pause(tx, p);
    return exec_op_send_thread(tx, exec, proc_other_place(p), 0);
}

/* What was pending for the thread that executes stays pending. */
static void keep_pending(struct pmd_tx tx, const struct proc *p, const struct lwp *l)
{
    for (const struct note *n = notes_first(p); n; n = notes_next(n)) {
        if (n->to == lwp_ref(l)) {
            note_set_to(tx, n, 0);
        }
    }
    proc_set_pending(tx, p, p->pending | l->pending);
}

/* The new program's only thread. */
static void replace_threads(struct pmd_tx tx, const struct proc *p, const struct exec_op *op)
{
    const struct lwp *caller = lwp_at_slot(p, op->slot);
    if (caller) {
        keep_pending(tx, p, caller);
    }
    threads_drop(tx, p);
    proc_set_place(tx, p, p->place ^ 1);
    struct lwp *l = lwp_make(tx, p, 0, p->pid);
    l->entry = op->start;
    l->argument = FRESH_PROGRAM;
}

CASE(exec, thread)
{
    const struct proc *p = proc_at(exec->of);
    replace_threads(tx, p, exec);
    if (err) {
        exec_op_set_error(tx, exec, (u32)err);
        return exec_op_send_old(tx, exec, proc_other_place(p));
    }
    return exec_op_send_files(tx, exec, p->label, exec->file);
}

/* As Linux: set-id bits make effective ids, which become saved ones; AT_SECURE where they are not the real ones. */
static bool take_ids(struct proc *p, u32 mode, u32 uid, u32 gid)
{
    struct pm_credentials was = p->ids, *ids = &p->ids;
    if (mode & SET_UID) {
        ids->euid = uid;
    }
    if ((mode & (SET_GID | GROUP_EXECUTES)) == (SET_GID | GROUP_EXECUTES)) {
        ids->egid = gid;
    }
    ids->suid = ids->fsuid = ids->euid;
    ids->sgid = ids->fsgid = ids->egid;
    p->secure = ids->euid != ids->uid || ids->egid != ids->gid;
    return memcmp(&was, ids, sizeof was) != 0;
}

CASE(exec, files, u32 mode, u32 uid, u32 gid)
{
    const struct proc *p = proc_at(exec->of);
    if (err) {
        exec_op_set_error(tx, exec, (u32)err);
        return exec_op_send_old(tx, exec, proc_other_place(p));
    }
    u64 seed = seed_new(tx);
    struct proc *e = proc_edit(tx, p);
    e->seed = seed;
    bool changed = take_ids(e, mode, uid, gid) || e->stale;
    e->caught = 0;
    e->no_stops = e->no_zombies = e->stale = false;
    e->executed = true;
    memcpy(e->name, exec->name, sizeof e->name);
    proc_show(tx, p);
    vfork_over(tx, p);
    if (!changed) {
        return exec_op_send_old(tx, exec, proc_other_place(p));
    }
    struct vfs_identity who = proc_identity(p);
    return exec_op_send_who(tx, exec, p->label, &who);
}

CASE(exec, who) { return exec_op_send_old(tx, exec, proc_other_place(proc_at(exec->of))); }

CASE(exec, old)
{
    const struct proc *p = proc_at(exec->of);
    const struct lwp *l = threads_first(p);
    lwp_set_stage(tx, l, LWP_ALIVE);
    if (p->pending) {
        pmd_after_kick(tx, lwp_ref(l));
    }
    if (exec->error) {
        proc_end(tx, p, SIG_KILL);
    }
    return end(tx, exec, L4_OK);
}
