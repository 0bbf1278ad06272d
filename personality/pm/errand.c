/* SPDX-License-Identifier: BSD-2-Clause */
/* errand.c: what pm does on nobody's behalf, one after the other: the first process begins, vfs hears who somebody is
 * now, processes that end are taken apart. What is to be done is read from the state: `stale` and PM_DYING. */
#include <l4/log.h>
#include "processes.h"

enum { BOOT_FAILED = 126 << 8 };

/* ---- what comes next ---- */
static bool is_due(const struct proc *p) { return (p->stale && proc_is_live(p)) || (p->state == PM_DYING && !p->busy); }

static const struct proc *due(void)
{
    const struct proc *p = proc_following(NULL);
    while (p && !is_due(p)) {
        p = proc_following(p);
    }
    return p;
}

static struct l4_next begin(struct pmd_tx tx, const struct errand_op *op, const struct proc *p)
{
    errand_op_set_of(tx, op, proc_ref(p));
    if (p->state == PM_DYING) {
        return errand_op_send_close(tx, op, p->label);
    }
    proc_set_stale(tx, p, false);
    struct vfs_identity who = proc_identity(p);
    return errand_op_send_tell(tx, op, p->label, &who);
}

void errand_next(struct pmd_tx tx)
{
    const struct proc *p = due();
    const struct errand_op *op = p ? errand_op_new(tx) : NULL;
    if (op) {
        begin(tx, op, p);
    }
}

static struct l4_next go_on(struct pmd_tx tx, const struct errand_op *op)
{
    const struct proc *p = due();
    return p ? begin(tx, op, p) : errand_op_done(tx, op);
}

CASE(errand, tell)
{
    const struct proc *p = proc_at(errand->of);
    return errand_op_send_bounds(tx, errand, p->label, p->limits[LIMIT_SPACE].soft, p->limits[LIMIT_DATA].soft);
}

CASE(errand, bounds) { return go_on(tx, errand); }

/* ---- the end of a process. Whoever refuses has nothing of it. ---- */
CASE(errand, close, u32 foreground)
{
    if (!err && foreground) {
        group_signal(tx, foreground, SIG_HUP);
        group_signal(tx, foreground, SIG_CONT);
    }
    return errand_op_send_unmap(tx, errand, proc_at(errand->of)->label);
}

CASE(errand, unmap) { return errand_op_send_undo(tx, errand, proc_place(proc_at(errand->of))); }

CASE(errand, undo)
{
    const struct proc *p = proc_at(errand->of);
    return proc_ended(tx, p) ? errand_op_send_undo(tx, errand, proc_place(p)) : go_on(tx, errand);
}

/* ---- the first process ---- */
void errand_boot(struct pmd_tx tx, const struct proc *p)
{
    struct errand_op *op = errand_op_new(tx);
    op->of = proc_ref(p);
    errand_op_send_task(tx, op, proc_place(p), p->label);
}

static struct l4_next boot_failed(struct pmd_tx tx, const struct errand_op *op, const char *step, l4_err_t err)
{
    l4_log("no first process: %s said %d", step, err);
    machine_end(tx, BOOT_FAILED);
    return errand_op_done(tx, op);
}

CASE(errand, task, u64 start)
{
    const struct proc *p = proc_at(errand->of);
    if (err) {
        return boot_failed(tx, errand, "process.make", err);
    }
    lwp_set_entry(tx, threads_first(p), start);
    return errand_op_send_space(tx, errand, p->label, proc_task(proc_place(p)));
}

CASE(errand, space)
{
    const struct proc *p = proc_at(errand->of);
    struct vfs_identity who = proc_identity(p);
    return err ? boot_failed(tx, errand, "vm.make", err) : errand_op_send_files(tx, errand, p->label, &who);
}

CASE(errand, files)
{
    const struct proc *p = proc_at(errand->of);
    const struct lwp *l = threads_first(p);
    if (err) {
        return boot_failed(tx, errand, "vfs.admit", err);
    }
    proc_set_state(tx, p, PM_RUNNING);
    proc_show(tx, p);
    proc_busy(tx, p, -1);
    lwp_set_stage(tx, l, LWP_ALIVE);
    pmd_after_drive(tx, lwp_ref(l));
    return go_on(tx, errand);
}

/* ---- terminals ---- */
void owed_begin(struct pmd_tx tx)
{
    const struct owed_op *op = owed_op_new(tx);
    if (op) {
        owed_op_send_next(tx, op);
    }
}

CASE(owed, next, const struct tty_due *due)
{
    if (err || !due->signal) {
        return owed_op_done(tx, owed);
    }
    group_signal(tx, due->group, due->signal);
    errand_next(tx);
    return owed_op_send_next(tx, owed);
}

void machine_end(struct pmd_tx tx, u32 status)
{
    if (!pmd_state()->ended) {
        pmd_set_ended(tx, true);
        pmd_set_end_status(tx, status);
        finish_begin(tx);
    }
}

void finish_begin(struct pmd_tx tx)
{
    const struct finish_op *op = finish_op_new(tx);
    if (op) {
        finish_op_send_tell(tx, op, pmd_state()->end_status);
    }
}

CASE(finish, tell)
{
    pmd_set_end_told(tx, true);
    return finish_op_done(tx, finish);
}
