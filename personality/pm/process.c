/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: records of processes: found, made, forgotten.
 * A pid is taken as long as a process, thread, group or session has it, as on Linux. */
#include <l4/clock.h>
#include "processes.h"

const struct proc *caller(u64 label)
{
    const struct proc *p = proc_at((u16)label - (u32)PROC_INDEX);
    return p && p->label == label && proc_is_live(p) ? p : NULL;
}

const struct proc *proc_by_pid(u32 pid)
{
    const struct proc *p = proc_following(NULL);
    while (p && p->pid != pid) {
        p = proc_following(p);
    }
    return p;
}

static bool pid_is_taken(u32 pid)
{
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->pid == pid || p->group == pid || p->session == pid) {
            return true;
        }
    }
    for (const struct lwp *l = lwp_following(NULL); l; l = lwp_following(l)) {
        if (l->tid == pid) {
            return true;
        }
    }
    return false;
}

u32 pid_new(struct pmd_tx tx)
{
    u32 pid = pmd_state()->last_pid;
    do {
        pid = pid + 1 < PID_END ? pid + 1 : PID_AGAIN;
    } while (pid_is_taken(pid));
    pmd_set_last_pid(tx, pid);
    return pid;
}

u64 scramble(u64 x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

u64 seed_new(struct pmd_tx tx)
{
    u64 seed = pmd_state()->seed;
    seed = scramble((seed ? seed : l4_clock()) + 0x9e3779b97f4a7c15);
    pmd_set_seed(tx, seed);
    return seed;
}

struct proc *proc_make(struct pmd_tx tx)
{
    struct proc *p = proc_new(tx);
    if (!p) {
        return NULL;
    }
    u64 generation = pmd_state()->generation + 1;
    pmd_set_generation(tx, generation);
    u32 pid = pid_new(tx);
    p->pid = pid;
    p->label = generation << 16 | (PROC_INDEX + proc_ref(p));
    p->state = PM_EMBRYO;
    p->start_ns = l4_now();
    p->seed = seed_new(tx);
    return p;
}

void proc_drop(struct pmd_tx tx, const struct proc *p)
{
    if (p->state != PM_EMBRYO) {
        procs_gone(tx);
    }
    notes_drop(tx, p, NULL);
    if (p->parent) {
        children_remove(tx, proc_at(p->parent), p);
    }
    proc_free(tx, p);
}

struct vfs_identity proc_identity(const struct proc *p)
{
    const struct proc *parent = proc_at(p->parent);
    struct vfs_identity who = {
        .pid = p->pid,
        .ppid = parent ? parent->pid : 0,
        .group = p->group,
        .session = p->session,
        .uid = p->ids.uid,
        .euid = p->ids.euid,
        .gid = p->ids.gid,
        .egid = p->ids.egid,
        .fsuid = p->ids.fsuid,
        .fsgid = p->ids.fsgid,
        .count = p->ids.count,
        .files = p->limits[LIMIT_FILES].soft < LIMIT_FILES_MOST ? (u32)p->limits[LIMIT_FILES].soft : LIMIT_FILES_MOST,
        .size = p->limits[LIMIT_SIZE].soft,
    };
    memcpy(who.groups, p->ids.groups, sizeof who.groups);
    return who;
}

void proc_busy(struct pmd_tx tx, const struct proc *p, i32 change) { proc_set_busy(tx, p, p->busy + (u32)change); }

void proc_stale(struct pmd_tx tx, const struct proc *p)
{
    if (!p->stale) {
        proc_set_stale(tx, p, true);
    }
    proc_show(tx, p);
}

void turn_over(struct pmd_tx tx)
{
    turn_wake(tx, TURN);
    retire_next(tx);
    errand_next(tx);
}
