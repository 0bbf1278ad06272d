/* SPDX-License-Identifier: BSD-2-Clause */
/* stop.c: job control: a process stops and goes on, and its parent hears of it.
 * A stop signal stops only if no SIGCONT came after it was taken: `take` notes it in proc.stops, SIGCONT clears it. */
#include "processes.h"

static void tell_parent(struct pmd_tx tx, const struct proc *p, u32 why, u32 status)
{
    const struct proc *parent = proc_at(p->parent);
    if (parent && !parent->no_stops) {
        child_signal(tx, p, why, status);
    }
    if (parent) {
        changed_wake(tx, p->parent);
    }
}

void proc_stop(struct pmd_tx tx, const struct proc *p, u32 number)
{
    if (p->state == PM_EMBRYO) {
        proc_set_halted(tx, p, number);
    }
    if (p->state != PM_RUNNING) {
        return;
    }
    proc_set_state(tx, p, PM_STOPPED);
    proc_show(tx, p);
    proc_set_status(tx, p, number);
    proc_set_stop_news(tx, p, true);
    proc_set_continue_news(tx, p, false);
    threads_pause(tx, p);
    tell_parent(tx, p, CHILD_STOPPED, number);
}

void proc_continue(struct pmd_tx tx, const struct proc *p)
{
    if (p->state != PM_STOPPED) {
        return;
    }
    proc_set_state(tx, p, PM_RUNNING);
    proc_show(tx, p);
    proc_set_stop_news(tx, p, false);
    proc_set_continue_news(tx, p, true);
    threads_drive(tx, p);
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        if (p->pending | l->pending) {
            pmd_after_kick(tx, lwp_ref(l));
        }
    }
    tell_parent(tx, p, CHILD_CONTINUED, SIG_CONT);
}

/* The caller is stopped before it is answered, so it has its answer after SIGCONT. */
METHOD(stop, u32 number)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (number != SIG_STOP && (number < SIG_TSTP || number > SIG_TTOU)) {
        return PM_INVAL;
    }
    if (me->stops != number) {
        return L4_OK;
    }
    proc_set_stops(tx, me, 0);
    if (number == SIG_STOP || !group_is_orphaned(me->group, NULL)) {
        proc_stop(tx, me, number);
    }
    return L4_OK;
}

METHOD(background, u32 number)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (number != SIG_TTIN && number != SIG_TTOU) {
        return PM_INVAL;
    }
    if (group_is_orphaned(me->group, NULL) || (number == SIG_TTIN && me->ignored & signal_bit(number))) {
        return PM_IO;
    }
    group_signal(tx, me->group, number);
    return L4_OK;
}
