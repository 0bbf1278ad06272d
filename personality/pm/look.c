/* SPDX-License-Identifier: BSD-2-Clause */
/* look.c: what processes are: to themselves, and to procfs. */
#include "processes.h"

LOOK(self, u32 slot, struct pm_self *me)
{
    const struct proc *p = caller(label), *parent = p ? proc_at(p->parent) : NULL;
    const struct lwp *l = p ? lwp_at_slot(p, slot) : NULL;
    if (!p) {
        return PM_SRCH;
    }
    *me = (struct pm_self){
        .pid = p->pid,
        .tid = l ? l->tid : p->pid,
        .ppid = parent ? parent->pid : 0,
        .group = p->group,
        .session = p->session,
        .secure = p->secure,
        .seed0 = p->seed,
        .seed1 = scramble(p->seed),
        .ids = p->ids,
        .ignored = p->ignored,
        .stack_limit = p->limits[LIMIT_STACK].soft,
    };
    return L4_OK;
}

LOOK(parent, u32 *pid)
{
    const struct proc *me = caller(label), *parent = me ? proc_at(me->parent) : NULL;
    *pid = parent ? parent->pid : 0;
    return me ? L4_OK : PM_SRCH;
}

LOOK(times, i32 who, u64 *user_us, u64 *system_us)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (who != 0 && who != -1) {
        return PM_INVAL;
    }
    *user_us = who ? me->children_user_us : me->user_us;
    *system_us = who ? me->children_system_us : me->system_us;
    return L4_OK;
}

LOOK(look, u32 pid, struct pm_about *found)
{
    const struct proc *best = NULL;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->state != PM_EMBRYO && p->pid >= pid && (!best || p->pid < best->pid)) {
            best = p;
        }
    }
    if (!best) {
        return L4_OK;
    }
    const struct proc *parent = proc_at(best->parent);
    *found = (struct pm_about){
        .pid = best->pid,
        .ppid = parent ? parent->pid : 0,
        .group = best->group,
        .session = best->session,
        .uid = best->ids.uid,
        .gid = best->ids.gid,
        .state = best->state,
        .threads = threads_count(best),
        .start_ns = best->start_ns,
        .user_us = best->user_us,
        .system_us = best->system_us,
        .client = best->label,
        .ignored = best->ignored,
        .caught = best->caught,
        .pending = best->pending,
    };
    return L4_OK;
}
