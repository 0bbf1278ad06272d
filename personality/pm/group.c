/* SPDX-License-Identifier: BSD-2-Clause */
/* group.c: process groups and sessions, which are numbers that their members have. */
#include "processes.h"

/* Process 1 counts as a parent like any other, as in a container: the interactive shell may be process 1 and has
 * jobs. */
bool group_is_orphaned(u32 group, const struct proc *without)
{
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        const struct proc *parent = proc_at(p->parent);
        bool is_gone = p->state == PM_ZOMBIE || p->state == PM_DYING;
        if (p->group != group || p == without || is_gone || !parent) {
            continue;
        }
        if (parent->group != group && parent->session == p->session) {
            return false;
        }
    }
    return true;
}

bool group_has_stopped(u32 group)
{
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->group == group && p->state == PM_STOPPED) {
            return true;
        }
    }
    return false;
}

static bool group_is_in(u32 group, u32 session)
{
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->group == group && p->session == session) {
            return true;
        }
    }
    return false;
}

/* setpgid, in the order of Linux's checks. */
METHOD(set_group, i32 pid, i32 group)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    u32 whom = pid ? (u32)pid : me->pid, to = group ? (u32)group : whom;
    if (group < 0) {
        return PM_INVAL;
    }
    const struct proc *p = proc_by_pid(whom);
    if (!p || p->state == PM_EMBRYO) {
        return PM_SRCH;
    }
    if (proc_at(p->parent) == me) {
        if (p->session != me->session) {
            return PM_PERM;
        }
        if (p->executed) {
            return PM_ACCESS;
        }
    } else if (p != me) {
        return PM_SRCH;
    }
    if (p->session == p->pid || (to != p->pid && !group_is_in(to, me->session))) {
        return PM_PERM;
    }
    if (p->group != to) {
        proc_set_group(tx, p, to);
        proc_stale(tx, p);
        errand_next(tx);
    }
    return L4_OK;
}

LOOK(group, i32 pid, u32 *group, u32 *session)
{
    const struct proc *me = caller(label), *p = !me ? NULL : pid ? proc_by_pid((u32)pid) : me;
    if (!p || p->state == PM_EMBRYO) {
        return PM_SRCH;
    }
    *group = p->group;
    *session = p->session;
    return L4_OK;
}

METHOD(make_session, u32 *session)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->group == me->pid) {
            return PM_PERM;
        }
    }
    proc_set_group(tx, me, me->pid);
    proc_set_session(tx, me, me->pid);
    proc_stale(tx, me);
    errand_next(tx);
    *session = me->pid;
    return L4_OK;
}
