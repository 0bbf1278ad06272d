/* SPDX-License-Identifier: BSD-2-Clause */
/* limits.c: resource limits and niceness. What they limit is enforced by whoever gives it: descriptors and file sizes
 * by vfs, address space and data by vm, which are told; processes and queued signals here; the stack by the runtime. */
#include "processes.h"

void limits_init(struct proc *p)
{
    for (u32 i = 0; i < LIMITS; i++) {
        p->limits[i] = (struct pm_limit){ UNLIMITED, UNLIMITED };
    }
    p->limits[LIMIT_STACK].soft = 8 << 20;
    p->limits[LIMIT_CORE].soft = 0;
    p->limits[LIMIT_PROCESSES] = (struct pm_limit){ PROCS, PROCS };
    p->limits[LIMIT_FILES] = (struct pm_limit){ 1024, 4096 };
    p->limits[LIMIT_SIGNALS] = (struct pm_limit){ SIGNALS_QUEUED, SIGNALS_QUEUED };
    p->limits[8] = (struct pm_limit){ 8 << 20, 8 << 20 };      /* RLIMIT_MEMLOCK */
    p->limits[12] = (struct pm_limit){ 819200, 819200 };       /* RLIMIT_MSGQUEUE */
    p->limits[13] = p->limits[14] = (struct pm_limit){ 0, 0 }; /* RLIMIT_NICE, RLIMIT_RTPRIO */
}

static bool may_limit(const struct proc *me, const struct proc *p)
{
    const struct pm_credentials *from = &me->ids, *to = &p->ids;
    bool same = from->uid == to->euid && from->uid == to->suid && from->uid == to->uid && from->gid == to->egid &&
                from->gid == to->sgid && from->gid == to->gid;
    return me == p || from->euid == 0 || same;
}

/* vfs or vm enforces it. */
static bool is_told(u32 resource)
{
    return resource == LIMIT_FILES || resource == LIMIT_SIZE || resource == LIMIT_DATA || resource == LIMIT_SPACE;
}

METHOD(limits, i32 pid, u32 resource, bool set, const struct pm_limit *to, struct pm_limit *was)
{
    const struct proc *me = caller(label), *p = !me ? NULL : pid ? proc_by_pid((u32)pid) : me;
    if (!p || p->state == PM_EMBRYO) {
        return PM_SRCH;
    }
    if (!may_limit(me, p)) {
        return PM_PERM;
    }
    if (resource >= LIMITS || (set && to->soft > to->hard)) {
        return PM_INVAL;
    }
    if (set && ((resource == LIMIT_FILES && to->hard > LIMIT_FILES_MOST) ||
                   (to->hard > p->limits[resource].hard && me->ids.euid != 0))) {
        return PM_PERM;
    }
    *was = p->limits[resource];
    if (set) {
        proc_edit(tx, p)->limits[resource] = *to;
        if (is_told(resource)) {
            proc_stale(tx, p);
            errand_next(tx);
        }
    }
    return L4_OK;
}

/* setpriority of one process. */
METHOD(nice, i32 pid, i32 to, i32 *now)
{
    enum { LOWEST = 19, HIGHEST = -20 };
    const struct proc *me = caller(label), *p = !me ? NULL : pid ? proc_by_pid((u32)pid) : me;
    if (!p || p->state == PM_EMBRYO) {
        return PM_SRCH;
    }
    to = to > LOWEST ? LOWEST : to < HIGHEST ? HIGHEST : to;
    if (me->ids.euid != 0 && me->ids.euid != p->ids.uid && me->ids.euid != p->ids.euid) {
        return PM_PERM;
    }
    if (to < p->nice && me->ids.euid != 0 && (u64)(20 - to) > p->limits[13].soft) {
        return PM_ACCESS;
    }
    proc_set_nice(tx, p, to);
    proc_show(tx, p);
    *now = to;
    return L4_OK;
}
