/* SPDX-License-Identifier: BSD-2-Clause */
/* census.c: procfs, which stands below, hears of each process that begins, changes or is gone. What it knows is a
 * cache of this state: told after commits, and all of it again at a start of pm's or of procfs's. */
#include "processes.h"

static cap_t door(void) { return (cap_t)l4_volatile.door[PMD_USES_CENSUS]; }

void proc_show(struct pmd_tx tx, const struct proc *p) { pmd_after_show(tx, p->pid); }

void procs_gone(struct pmd_tx tx) { pmd_after_show(tx, 0); }

void procs_show(struct pmd_tx tx)
{
    pmd_after_show(tx, 0);
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        pmd_after_show(tx, p->pid);
    }
}

static enum census_life life_of(const struct proc *p)
{
    return p->state == PM_STOPPED  ? CENSUS_STOPPED
           : p->state == PM_ZOMBIE ? CENSUS_ZOMBIE
           : p->state == PM_DYING  ? CENSUS_DYING
                                   : CENSUS_RUNNING;
}

static void tell(const struct proc *p)
{
    const struct proc *parent = proc_at(p->parent);
    struct census_about now = {
        .pid = p->pid,
        .ppid = parent ? parent->pid : 0,
        .group = p->group,
        .session = p->session,
        .uid = p->ids.uid,
        .euid = p->ids.euid,
        .suid = p->ids.suid,
        .fsuid = p->ids.fsuid,
        .gid = p->ids.gid,
        .egid = p->ids.egid,
        .sgid = p->ids.sgid,
        .fsgid = p->ids.fsgid,
        .state = life_of(p),
        .threads = threads_count(p),
        .nice = (u32)p->nice,
        .client = p->label,
        .start_ns = p->start_ns,
        .user_us = p->user_us,
        .system_us = p->system_us,
        .pending = p->pending,
        .ignored = p->ignored,
        .caught = p->caught,
    };
    memcpy(now.name, p->name, sizeof now.name);
    census_tell(door(), &now);
}

/* Who is not among these is gone. */
static void tell_all(void)
{
    u32 pids[PROCS], count = 0;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->state != PM_EMBRYO) {
            pids[count++] = p->pid;
        }
    }
    census_alive(door(), pids, count);
}

/* `pid` 0: somebody is gone. */
void process_show(u32 pid)
{
    const struct proc *p = proc_by_pid(pid);
    u32 processes, running, last;
    u64 one, five, fifteen;
    if (!door()) {
        return; /* a system without /proc */
    }
    if (pid == 0) {
        tell_all();
    } else if (p && p->state != PM_EMBRYO) {
        tell(p);
    }
    if (do_load(0, &processes, &running, &last, &one, &five, &fifteen) == L4_OK) {
        census_load(door(), processes, running, last, one, five, fifteen);
    }
}
