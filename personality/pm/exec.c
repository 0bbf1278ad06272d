/* SPDX-License-Identifier: BSD-2-Clause */
/* exec.c: another program in the same task. All threads stop, vm empties the space (no way back from there), keeper makes
 * the first thread new and takes the others away, vfs closes descriptors; then the new thread starts where keeper said. What
 * fails after the point of no return is SIGKILL, as on Linux.
 * A caller that is to be told why it was refused is resumed, and asks again. */
#include "processes.h"

enum { SET_UID = 04000, SET_GID = 02000, GROUP_EXECUTES = 010, FRESH_PROGRAM = 2 };

METHOD(exec, u32 file, struct l4_bytes name)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    struct exec_op *op = me->executing || me->busy ? NULL : exec_op_new(tx);
    if (!op) {
        return turn_wait(TURN);
    }
    op->of = proc_ref(me);
    op->slot = call_slot();
    op->file = file;
    memcpy(op->name, name.at, name.length < sizeof op->name ? name.length : sizeof op->name - 1);
    proc_busy(tx, me, 1);
    proc_set_executing(tx, me, true);
    threads_pause(tx, me);
    return l4_later(exec_op_send_space(tx, op, me->label));
}

static struct l4_next end(struct pmd_tx tx, const struct exec_op *op, l4_err_t err)
{
    const struct proc *p = proc_at(op->of);
    proc_busy(tx, p, -1);
    proc_set_executing(tx, p, false);
    threads_drive(tx, p);
    struct l4_next next = exec_op_answer(tx, op, err);
    turn_over(tx);
    return next;
}

CASE(exec, space)
{
    const struct proc *p = proc_at(exec->of);
    return err ? end(tx, exec, err == PM_AGAIN ? PM_AGAIN : PM_NOMEM) : exec_op_send_thread(tx, exec, proc_place(p));
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
static void replace_threads(struct pmd_tx tx, const struct proc *p, const struct exec_op *op, u64 start)
{
    const struct lwp *caller = lwp_at_slot(p, op->slot);
    if (caller) {
        keep_pending(tx, p, caller);
    }
    threads_drop(tx, p);
    struct lwp *l = lwp_make(tx, p, 0, p->pid);
    l->entry = start;
    l->argument = FRESH_PROGRAM;
}

/* It begins, or (`err`) is no more. */
static struct l4_next begin(struct pmd_tx tx, const struct exec_op *op, l4_err_t err)
{
    const struct proc *p = proc_at(op->of);
    const struct lwp *l = threads_first(p);
    lwp_set_stage(tx, l, LWP_ALIVE);
    if (p->pending) {
        pmd_after_kick(tx, lwp_ref(l));
    }
    if (err) {
        proc_end(tx, p, SIG_KILL);
    }
    return end(tx, op, L4_OK);
}

CASE(exec, thread, u64 start)
{
    const struct proc *p = proc_at(exec->of);
    replace_threads(tx, p, exec, start);
    return err ? begin(tx, exec, err) : exec_op_send_files(tx, exec, p->label, exec->file);
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
        return begin(tx, exec, err);
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
        return begin(tx, exec, L4_OK);
    }
    struct vfs_identity who = proc_identity(p);
    return exec_op_send_who(tx, exec, p->label, &who);
}

CASE(exec, who) { return begin(tx, exec, L4_OK); }
