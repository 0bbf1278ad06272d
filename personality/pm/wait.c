/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.c: children that changed. Each news is told once: an end frees the record, a stop or a continuation is marked
 * as told. */
#include "processes.h"

enum { NO_HANG = 1, STOPPED = 2, CONTINUED = 8, NO_WAIT = 0x1000000, NO_END = PM_WAIT_NO_END };
enum { STATUS_CONTINUED = 0xffff, STATUS_STOPPED = 0x7f };

static bool is_meant(const struct proc *me, const struct proc *child, i32 pid)
{
    return pid == -1 || (pid > 0 && child->pid == (u32)pid) || (pid == 0 && child->group == me->group) ||
           (pid < -1 && child->group == (u32)-pid);
}

static struct pm_child child_of(const struct proc *child, u32 why, u32 status)
{
    return (struct pm_child){
        .pid = child->pid,
        .uid = child->ids.uid,
        .status = (i32)status,
        .why = why,
        .user_us = child->user_us + child->children_user_us,
        .system_us = child->system_us + child->children_system_us,
    };
}

static void reap(struct pmd_tx tx, const struct proc *me, const struct proc *child)
{
    if (child->user_us | child->system_us | child->children_user_us | child->children_system_us) {
        proc_set_children_user_us(tx, me, me->children_user_us + child->user_us + child->children_user_us);
        proc_set_children_system_us(tx, me, me->children_system_us + child->system_us + child->children_system_us);
    }
    proc_drop(tx, child);
}

/* Whether `child` has news of the kinds that are asked for. */
static bool news(struct pmd_tx tx, const struct proc *me, const struct proc *child, u32 options, struct pm_child *found)
{
    bool consume = !(options & NO_WAIT);
    if (child->state == PM_ZOMBIE && !(options & NO_END)) {
        *found = child_of(child, child->why, child->status);
        if (consume) {
            reap(tx, me, child);
        }
        return true;
    }
    if (child->stop_news && options & STOPPED) {
        *found = child_of(child, CHILD_STOPPED, child->status << 8 | STATUS_STOPPED);
        if (consume) {
            proc_set_stop_news(tx, child, false);
        }
        return true;
    }
    if (child->continue_news && options & CONTINUED) {
        *found = child_of(child, CHILD_CONTINUED, STATUS_CONTINUED);
        if (consume) {
            proc_set_continue_news(tx, child, false);
        }
        return true;
    }
    return false;
}

METHOD(wait, i32 pid, u32 options, struct pm_child *found)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    bool any = false;
    for (const struct proc *child = children_first(me); child; child = children_next(child)) {
        if (child->state == PM_EMBRYO || !is_meant(me, child, pid)) {
            continue;
        }
        any = true;
        if (news(tx, me, child, options, found)) {
            return L4_OK;
        }
    }
    if (!any) {
        return PM_CHILD;
    }
    if (options & NO_HANG) {
        *found = (struct pm_child){ 0 };
        return L4_OK;
    }
    return changed_wait(proc_ref(me));
}
