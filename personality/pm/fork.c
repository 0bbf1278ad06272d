/* SPDX-License-Identifier: BSD-2-Clause */
/* fork.c: a child begins. Steps: keeper's task and thread, vm's copy in pieces, vfs's descriptors; then it runs
 * and the parent is answered; a vfork child's parent when it executes or ends. What fails is given back, the last
 * first. */
#include "processes.h"

/* RLIMIT_NPROC, of which uid 0 takes no notice. */
static bool user_has_too_many(const struct proc *me)
{
    u64 n = 0;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        n += p->ids.uid == me->ids.uid;
    }
    return me->ids.uid != 0 && me->ids.euid != 0 && n >= me->limits[LIMIT_PROCESSES].soft;
}

/* What a child has from its parent. */
static void inherit(struct proc *child, const struct proc *me)
{
    child->parent = proc_ref(me);
    child->group = me->group;
    child->session = me->session;
    child->nice = me->nice;
    child->ignored = me->ignored;
    child->caught = me->caught;
    child->no_stops = me->no_stops;
    child->no_zombies = me->no_zombies;
    child->ids = me->ids;
    memcpy(child->limits, me->limits, sizeof child->limits);
    memcpy(child->name, me->name, sizeof child->name);
}

METHOD(fork, u32 how, u64 entry, u64 stack, u32 *pid)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (how & ~(u32)(PM_VFORK | PM_SILENT)) {
        return PM_INVAL;
    }
    if (user_has_too_many(me)) {
        return PM_AGAIN;
    }
    struct fork_op *op = me->executing ? NULL : fork_op_new(tx);
    if (!op) {
        return turn_wait(TURN);
    }
    struct proc *child = proc_make(tx);
    struct lwp *l = child ? lwp_make(tx, child, 0, child->pid) : NULL;
    if (!l) {
        return PM_AGAIN;
    }
    inherit(child, me);
    child->silent = how & PM_SILENT;
    child->busy = 1;
    children_add(tx, me, child);
    proc_busy(tx, me, 1);
    l->entry = entry;
    l->stack = stack;
    l->argument = 1;
    op->parent = proc_ref(me);
    op->child = proc_ref(child);
    op->slot = call_slot();
    op->how = how;
    return l4_later(fork_op_send_task(tx, op, proc_place(child), child->label));
}

static struct l4_next send_space(struct pmd_tx tx, const struct fork_op *op, u64 done)
{
    const struct proc *child = proc_at(op->child);
    return fork_op_send_space(tx, op, proc_at(op->parent)->label, child->label, proc_task(proc_place(child)), op->slot,
        op->how & PM_VFORK, done);
}

/* Nothing of the child is left. */
static struct l4_next fail(struct pmd_tx tx, const struct fork_op *op, l4_err_t err)
{
    const struct proc *child = proc_at(op->child);
    proc_busy(tx, proc_at(op->parent), -1);
    threads_drop(tx, child);
    proc_drop(tx, child);
    struct l4_next next = fork_op_answer(tx, op, err == PM_AGAIN ? PM_AGAIN : PM_NOMEM, 0);
    turn_over(tx);
    return next;
}

static struct l4_next give_back(struct pmd_tx tx, const struct fork_op *op, l4_err_t err)
{
    fork_op_set_error(tx, op, (u32)err);
    return fork_op_send_unspace(tx, op, proc_at(op->child)->label);
}

CASE(fork, task, u64 start) { return err ? fail(tx, fork, err) : send_space(tx, fork, 0); }

CASE(fork, space, u64 next)
{
    if (err) {
        return give_back(tx, fork, err);
    }
    if (next) {
        return send_space(tx, fork, next);
    }
    const struct proc *child = proc_at(fork->child);
    struct vfs_identity who = proc_identity(child);
    return fork_op_send_files(tx, fork, proc_at(fork->parent)->label, child->label, &who);
}

CASE(fork, unspace) { return fork_op_send_untask(tx, fork, proc_place(proc_at(fork->child))); }
CASE(fork, untask) { return fail(tx, fork, (l4_err_t)fork->error); }

/* The child runs, unless it was killed or stopped meanwhile: it was a member of its group already. */
static void run(struct pmd_tx tx, const struct proc *child)
{
    const struct lwp *l = threads_first(child);
    struct proc *p = proc_edit(tx, child);
    u32 halted = p->halted;
    p->state = PM_RUNNING;
    p->halted = 0;
    p->busy--;
    proc_show(tx, p);
    if (halted) {
        proc_stop(tx, child, halted);
    }
    lwp_set_stage(tx, l, LWP_ALIVE);
    pmd_after_drive(tx, lwp_ref(l));
    if (child->pending) {
        pmd_after_kick(tx, lwp_ref(l));
    }
    if (child->doomed) {
        proc_end(tx, child, SIG_KILL);
    }
}

/* The op has ended, but not the parent's wait: its slot waits for the child now, under the child's label. */
static void vfork_begin(struct pmd_tx tx, const struct proc *child, const struct fork_op *op)
{
    struct l4_slot *slot = pmd_slot(op->op.answers);
    if (slot && slot->op == op->op.token) {
        l4_keep(slot, sizeof *slot / 8);
        slot->op = child->label;
        l4_hook();
        proc_set_vfork_slot(tx, child, op->op.answers);
    }
    fork_op_free(tx, op);
}

CASE(fork, files)
{
    if (err) {
        return give_back(tx, fork, err);
    }
    const struct proc *child = proc_at(fork->child);
    struct l4_next next = { 0 };
    u32 pid = child->pid;
    proc_busy(tx, proc_at(fork->parent), -1);
    if (fork->how & PM_VFORK) {
        vfork_begin(tx, child, fork);
    } else {
        next = fork_op_answer(tx, fork, L4_OK, pid);
    }
    run(tx, child);
    turn_over(tx);
    return next;
}
