/* SPDX-License-Identifier: BSD-2-Clause */
/* kill.c: who may send a signal to whom, in the order of Linux's checks: whoever is not there first, then the
 * number's validity, then permission. */
#include "processes.h"

static bool may_signal(const struct proc *me, const struct proc *p, u32 number)
{
    const struct pm_credentials *from = &me->ids, *to = &p->ids;
    return me == p || from->euid == 0 || from->euid == to->suid || from->euid == to->uid || from->uid == to->suid ||
           from->uid == to->uid || (number == SIG_CONT && me->session == p->session);
}

/* Only the kernel and a process itself may say what they like about the sender. */
static l4_err_t signal_sign(
    const struct proc *me, const struct proc *p, const struct pm_signal *from, struct pm_signal *what)
{
    *what = *from;
    if (from->code == CODE_USER || from->code == CODE_THREAD) {
        what->pid = me->pid;
        what->uid = me->ids.uid;
        what->value = 0;
    } else if (from->code > 0 && me != p) {
        return PM_PERM;
    }
    return L4_OK;
}

static l4_err_t send_one(struct pmd_tx tx, const struct proc *me, const struct proc *p, const struct lwp *thread,
    const struct pm_signal *from)
{
    struct pm_signal what;
    if (from->number > SIG_LAST) {
        return PM_INVAL;
    }
    l4_err_t err = signal_sign(me, p, from, &what);
    if (!err && !may_signal(me, p, from->number)) {
        err = PM_PERM;
    }
    return err || from->number == 0 ? err : signal_send(tx, p, thread, &what);
}

/* tkill and tgkill: `pid` 0 is any process. */
static l4_err_t send_thread(struct pmd_tx tx, const struct proc *me, u32 pid, u32 tid, const struct pm_signal *what)
{
    for (const struct lwp *l = lwp_following(NULL); l; l = lwp_following(l)) {
        const struct proc *p = proc_at(l->of);
        if (l->tid == tid && l->stage == LWP_ALIVE && (pid == 0 || p->pid == pid)) {
            return send_one(tx, me, p, l, what);
        }
    }
    const struct proc *p = proc_by_pid(tid);
    return p && p->state == PM_ZOMBIE && (pid == 0 || pid == tid) ? send_one(tx, me, p, NULL, what) : PM_SRCH;
}

/* One success is success; otherwise the last error. */
static l4_err_t send_group(struct pmd_tx tx, const struct proc *me, u32 group, const struct pm_signal *what)
{
    l4_err_t last = PM_SRCH;
    bool done = false;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->group == group) {
            last = send_one(tx, me, p, NULL, what);
            done |= last == L4_OK;
        }
    }
    return done ? L4_OK : last;
}

/* Everybody but the caller and process 1; those who may not be are no error as long as there are others. */
static l4_err_t send_all(struct pmd_tx tx, const struct proc *me, const struct pm_signal *what)
{
    l4_err_t last = L4_OK;
    bool any = false;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p != me && p->pid != FIRST_PID) {
            l4_err_t err = send_one(tx, me, p, NULL, what);
            last = err == PM_PERM ? last : err;
            any = true;
        }
    }
    return any ? last : PM_SRCH;
}

/* As Linux, by the number of any of its threads, too. */
static const struct proc *proc_by_any(u32 pid)
{
    const struct lwp *l = lwp_following(NULL);
    while (l && l->tid != pid) {
        l = lwp_following(l);
    }
    return l ? proc_at(l->of) : proc_by_pid(pid);
}

METHOD(kill, i32 pid, u32 thread, const struct pm_signal *what)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (thread) {
        return pid < 0 ? PM_INVAL : send_thread(tx, me, (u32)pid, thread, what);
    }
    if (pid > 0) {
        const struct proc *p = proc_by_any((u32)pid);
        return p && p->state != PM_EMBRYO ? send_one(tx, me, p, NULL, what) : PM_SRCH;
    }
    if (pid == INT32_MIN) {
        return PM_SRCH;
    }
    return pid == -1 ? send_all(tx, me, what) : send_group(tx, me, pid ? (u32)-pid : me->group, what);
}
