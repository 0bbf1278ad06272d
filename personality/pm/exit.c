/* SPDX-License-Identifier: BSD-2-Clause */
/* exit.c: processes end. proc_end stops the threads; the errand takes the process apart at vfs, vm and keeper;
 * proc_ended then makes it a zombie, whose parent is told and may look with wait. So a parent that hears of the end
 * finds pipes closed and memory free. */
#include "processes.h"

enum { CHILDREN_AT_ONCE = 4, CORE = 0x80, BY_SIGNAL = 0x7f };

static u32 why_of(u32 status)
{
    return !(status & BY_SIGNAL) ? CHILD_EXITED : status & CORE ? CHILD_DUMPED : CHILD_KILLED;
}

void proc_end(struct pmd_tx tx, const struct proc *p, u32 status)
{
    if (p->state == PM_EMBRYO) {
        proc_set_doomed(tx, p, true);
        return;
    }
    if (!proc_is_live(p)) {
        return;
    }
    proc_set_state(tx, p, PM_DYING);
    proc_set_status(tx, p, status);
    proc_set_why(tx, p, why_of(status));
    if (p->timer_at) {
        proc_set_timer_at(tx, p, 0);
        timers_arm();
    }
    threads_drive(tx, p);
    errand_next(tx);
}

METHOD(exit, u32 status)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    proc_end(tx, me, status & 0xffff);
    return L4_OK;
}

void vfork_over(struct pmd_tx tx, const struct proc *child)
{
    struct l4_slot *slot = pmd_slot(child->vfork_slot);
    if (slot && slot->op == child->label) {
        l4_keep(slot, sizeof *slot / 8 + 1);
        slot->op = 0;
        slot->tag = 1ul << L4_TAG_WORDS_SHIFT;
        slot->word[0] = child->pid;
        l4_hook();
        l4_wake(L4_ON_OP, (u32)child->vfork_slot);
    }
    if (child->vfork_slot) {
        proc_set_vfork_slot(tx, child, 0);
    }
}

/* A process with stopped members lost its last tie to its session: as Linux, SIGHUP and SIGCONT. */
static void orphaned(struct pmd_tx tx, u32 group, const struct proc *without)
{
    if (group_is_orphaned(group, without) && group_has_stopped(group)) {
        group_signal(tx, group, SIG_HUP);
        group_signal(tx, group, SIG_CONT);
    }
}

/* Tell `p`'s parent that it is a zombie; one that does not care to know is rid of it at once. */
static void tell_parent(struct pmd_tx tx, const struct proc *p)
{
    const struct proc *parent = proc_at(p->parent);
    changed_wake(tx, p->parent);
    if (p->silent) {
        return;
    }
    bool unwanted = parent->ignored & signal_bit(SIG_CHLD) || parent->no_zombies;
    child_signal(tx, p, p->why, p->status & BY_SIGNAL ? p->status & BY_SIGNAL : p->status >> 8);
    if (unwanted) {
        proc_drop(tx, p);
    }
}

static void adopt(struct pmd_tx tx, const struct proc *child, const struct proc *father, const struct proc *first)
{
    u32 group = child->group;
    bool tied = father->group != group && father->session == child->session;
    children_remove(tx, father, child);
    proc_set_parent(tx, child, first ? proc_ref(first) : 0);
    if (first) {
        children_add(tx, first, child);
    }
    if (proc_is_live(child)) {
        proc_stale(tx, child);
        threads_kick(tx, child);        /* its runtime may remember who its parent was */
    }
    if (child->silent) {
        proc_set_silent(tx, child, false);
    }
    if (child->state == PM_ZOMBIE && first) {
        tell_parent(tx, child);
    }
    if (tied) {
        orphaned(tx, group, NULL);
    }
}

bool proc_ended(struct pmd_tx tx, const struct proc *p)
{
    const struct proc *first = proc_by_pid(FIRST_PID), *parent = proc_at(p->parent);
    for (u32 i = 0; i < CHILDREN_AT_ONCE && children_first(p); i++) {
        adopt(tx, children_first(p), p, first == p ? NULL : first);
    }
    if (children_first(p)) {
        return true;
    }
    threads_drop(tx, p);
    notes_drop(tx, p, NULL);
    vfork_over(tx, p);
    proc_set_pending(tx, p, 0);
    proc_set_state(tx, p, PM_ZOMBIE);
    proc_show(tx, p);
    if (parent && parent->group != p->group && parent->session == p->session) {
        orphaned(tx, p->group, p);
    }
    if (parent) {
        tell_parent(tx, p);
    } else if (p->pid == FIRST_PID) {
        machine_end(tx, p->status);
    } else {
        proc_drop(tx, p); /* process 1 has ended before */
    }
    return false;
}
