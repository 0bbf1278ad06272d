/* SPDX-License-Identifier: BSD-2-Clause */
/* sigcalls.c: system calls about signals. Handlers and masks are this process's business; pm hears of a disposition only when its
 * kind changes, because that decides what others see. */
#include "calls.h"
#include "pm.h"
#include "signals.h"
#include "time.h"
#include "user.h"
#include "wait.h"

enum { SIGSET_BYTES = 8 };

static enum pm_disposition kind_of(const struct linux_sigaction *action)
{
    return action->handler == SIG_DEFAULT ? PM_DEFAULT : action->handler == SIG_IGNORE ? PM_IGNORE : PM_CAUGHT;
}

i64 sys_rt_sigaction(struct thread *t, const u64 *a)
{
    u64 number = a[0];
    if (number == 0 || number > SIGNALS || a[3] != SIGSET_BYTES)
        return -EINVAL;
    struct linux_sigaction action, *entry = &process()->action[number], old = *entry;
    if (a[1]) {
        if (!user_get(&action, a[1], sizeof action))
            return -EFAULT;
        if (number == SIGKILL || number == SIGSTOP)
            return -EINVAL;
        action.mask &= ~SIGNALS_UNBLOCKABLE;
        u32 told = SA_NOCLDSTOP | SA_NOCLDWAIT;
        if (kind_of(&action) != kind_of(&old) || ((action.flags ^ old.flags) & told)) {
            i64 err = ASK(pm_dispose(&t->pm, (u32)number, kind_of(&action), (u32)action.flags & told));
            if (err)
                return err;
        }
        *entry = action;
    }
    return a[2] && !user_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

i64 sys_rt_sigprocmask(struct thread *t, const u64 *a)
{
    u64 old = t->mask, set;
    if (a[3] != SIGSET_BYTES)
        return -EINVAL;
    if (a[1]) {
        if (!user_get(&set, a[1], sizeof set))
            return -EFAULT;
        if (a[0] > SIG_SETMASK)
            return -EINVAL;
        mask_set(t, (a[0] == SIG_BLOCK ? old | set : a[0] == SIG_UNBLOCK ? old & ~set : set) & ~SIGNALS_UNBLOCKABLE);
        signal_recheck(t);
    }
    return a[2] && !user_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

i64 sys_rt_sigreturn(struct thread *t, const u64 *a)
{
    if (frame_restore(t))
        signal_recheck(t);
    else
        signal_raise(t, &(struct linux_siginfo){ .number = SIGSEGV, .code = SI_KERNEL });
    t->number = ~0ul;
    return 0;
}

i64 sys_rt_sigpending(struct thread *t, const u64 *a)
{
    u64 set = 0;
    if (a[1] > SIGSET_BYTES)
        return -EINVAL;
    i64 err = ASK(pm_pending(t->pm.gate, t->slot, &set));
    set &= t->mask;
    return err ? err : user_put(a[0], &set, a[1]) ? 0 : -EFAULT;
}

i64 sys_rt_sigsuspend(struct thread *t, const u64 *a)
{
    u64 set;
    if (a[1] != SIGSET_BYTES)
        return -EINVAL;
    if (!user_get(&set, a[0], sizeof set))
        return -EFAULT;
    t->saved_mask = t->mask;
    t->mask_saved = true;
    mask_set(t, set & ~SIGNALS_UNBLOCKABLE);
    signal_recheck(t);
    return wait_for_signal(t, ~0ul);
}

i64 sys_pause(struct thread *t, const u64 *a)
{
    return wait_for_signal(t, ~0ul);
}

i64 sys_restart_syscall(struct thread *t, const u64 *a)
{
    struct restart_block block = t->block;
    return block.again ? block.again(t, &block) : -EINTR;
}

i64 sys_sigaltstack(struct thread *t, const u64 *a)
{
    u64 sp = t->at.rsp;
    bool on = sp > t->altstack.sp && sp - t->altstack.sp <= t->altstack.size;
    struct linux_stack old = t->altstack, new;
    old.flags = old.size == 0 ? SS_DISABLE : on ? SS_ONSTACK : 0;
    if (a[0]) {
        if (!user_get(&new, a[0], sizeof new))
            return -EFAULT;
        if (on)
            return -EPERM;
        if (new.flags & ~(i32)(SS_DISABLE | SS_ONSTACK | SS_AUTODISARM))
            return -EINVAL;
        if (new.flags & SS_DISABLE)
            new = (struct linux_stack){ 0, 0, 0 };
        else if (new.size < MINSIGSTKSZ)
            return -ENOMEM;
        t->altstack = (struct linux_stack){ new.sp, 0, new.size };
    }
    return a[1] && !user_put(a[1], &old, sizeof old) ? -EFAULT : 0;
}

/* Whether the signal is for this thread and could be for no other. */
static bool is_self(const struct thread *t, i32 pid, u32 tid)
{
    bool mine = (u32)pid == process()->pid;
    return tid ? tid == t->tid && (mine || pid == 0) : mine && process()->threads == 1u << t->slot;
}

static i64 send(struct thread *t, i32 pid, u32 tid, u64 number, i32 code)
{
    if (number > SIGNALS)
        return -EINVAL;
    struct pm_signal what = { .number = (u32)number, .code = code, .pid = process()->pid, .uid = process()->uid };
    struct linux_siginfo own = { .number = (i32)number, .code = code, .sent = { process()->pid, process()->uid, 0 } };
    if (number && is_self(t, pid, tid) && signal_to_self(t, &own))
        return 0;
    return ASK(pm_kill(&t->pm, pid, tid, &what));
}

i64 sys_kill(struct thread *t, const u64 *a)
{
    return send(t, (i32)a[0], 0, a[1], SI_USER);
}

i64 sys_tkill(struct thread *t, const u64 *a)
{
    return (i32)a[0] <= 0 ? -EINVAL : send(t, 0, (u32)a[0], a[1], SI_TKILL);
}

i64 sys_tgkill(struct thread *t, const u64 *a)
{
    return (i32)a[0] <= 0 || (i32)a[1] <= 0 ? -EINVAL : send(t, (i32)a[0], (u32)a[1], a[2], SI_TKILL);
}

/* SI_USER and the like, which the kernel alone gives, may only be claimed to oneself. */
static i64 queue(struct thread *t, i32 pid, u32 tid, u64 number, u64 from)
{
    struct linux_siginfo info;
    if (!user_get(&info, from, sizeof info))
        return -EFAULT;
    if ((info.code >= 0 || info.code == SI_TKILL) && (u32)pid != process()->pid)
        return -EPERM;
    if (number > SIGNALS)
        return -EINVAL;
    struct pm_signal what = { .number = (u32)number, .code = info.code, .pid = info.sent.pid, .uid = info.sent.uid, .value = info.sent.value };
    return ASK(pm_kill(&t->pm, pid, tid, &what));
}

i64 sys_rt_sigqueueinfo(struct thread *t, const u64 *a)
{
    return (i32)a[0] <= 0 ? -ESRCH : queue(t, (i32)a[0], 0, a[1], a[2]);
}

i64 sys_rt_tgsigqueueinfo(struct thread *t, const u64 *a)
{
    return (i32)a[0] <= 0 || (i32)a[1] <= 0 ? -EINVAL : queue(t, (i32)a[0], (u32)a[1], a[2], a[3]);
}

/* One signal of the set, which the program has blocked, is taken without its handler. Another one that is due ends the wait; so does
 * a stop, as on Linux. */
i64 sys_rt_sigtimedwait(struct thread *t, const u64 *a)
{
    u64 set, left, deadline = ~0ul;
    struct linux_timespec time;
    struct pm_signal what = { 0 };
    enum pm_disposition act;
    if (a[3] != SIGSET_BYTES)
        return -EINVAL;
    if (!user_get(&set, a[0], sizeof set) || (a[2] && !user_get(&time, a[2], sizeof time)))
        return -EFAULT;
    if (a[2] && !timespec_is_valid(&time))
        return -EINVAL;
    deadline = a[2] ? time_after(timespec_ns(&time)) : deadline;
    for (i64 result = 0; ; result = wait_for_kick(t, deadline)) {
        thread_utcb(t)->kicked = 0;
        ids_parent_forget();
        i64 err = ASK(pm_take(&t->pm, ~(set & ~SIGNALS_UNBLOCKABLE), &what, &act, &left));
        if (err || what.number)
            break;
        if (result == -ESTOPPED || (result == -EINTERRUPTED && signal_due(t)))
            return -EINTERRUPTED;
        if (result == -ETIMEDOUT)
            return -EAGAIN;
    }
    signal_recheck(t);
    struct linux_siginfo info;
    signal_info(&info, &what);
    return what.number == 0 ? -EIO : a[1] && !user_put(a[1], &info, sizeof info) ? -EFAULT : (i64)what.number;
}

/* ---- the real-time timer ---- */
enum { ITIMER_REAL = 0, SECOND = 1000000000, MICROSECOND = 1000 };
struct itimer { struct linux_timeval interval, value; };

static u64 ns_of(struct linux_timeval v) { return (u64)v.seconds * SECOND + (u64)v.microseconds * MICROSECOND; }
static struct linux_timeval timeval_of(u64 ns) { return (struct linux_timeval){ (i64)(ns / SECOND), (i64)(ns % SECOND / MICROSECOND) }; }

i64 sys_setitimer(struct thread *t, const u64 *a)
{
    struct itimer new = { { 0, 0 }, { 0, 0 } }, old;
    u64 value = 0, interval = 0;
    if (a[0] > 2)
        return -EINVAL;
    if (a[1] && !user_get(&new, a[1], sizeof new))
        return -EFAULT;
    if ((u64)new.value.microseconds >= 1000000 || (u64)new.interval.microseconds >= 1000000 || new.value.seconds < 0 || new.interval.seconds < 0)
        return -EINVAL;
    if (a[0] == ITIMER_REAL) {
        i64 err = ASK(pm_timer(&t->pm, ns_of(new.value), ns_of(new.interval), &value, &interval));
        if (err)
            return err;
    } else if (ns_of(new.value)) {
        return -EINVAL;             /* process time is not counted */
    }
    old = (struct itimer){ timeval_of(interval), timeval_of(value) };
    return a[2] && !user_put(a[2], &old, sizeof old) ? -EFAULT : 0;
}

/* Reading it is setting it twice: pm has no call that only looks. */
i64 sys_getitimer(struct thread *t, const u64 *a)
{
    u64 value = 0, interval = 0, none;
    if (a[0] > 2)
        return -EINVAL;
    if (a[0] == ITIMER_REAL) {
        i64 err = ASK(pm_timer(&t->pm, 0, 0, &value, &interval));
        if (!err && value)
            err = ASK(pm_timer(&t->pm, value, interval, &none, &none));
        if (err)
            return err;
    }
    struct itimer now = { timeval_of(interval), timeval_of(value) };
    return user_put(a[1], &now, sizeof now) ? 0 : -EFAULT;
}

i64 sys_alarm(struct thread *t, const u64 *a)
{
    u64 value, interval;
    i64 err = ASK(pm_timer(&t->pm, (u64)(u32)a[0] * SECOND, 0, &value, &interval));
    return err ? err : (i64)((value + SECOND - 1) / SECOND);
}
