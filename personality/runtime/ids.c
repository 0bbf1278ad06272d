/* SPDX-License-Identifier: BSD-2-Clause */
/* ids.c: who the process is. The ids are pm's; what is kept here is a copy for the calls that only read, refreshed by each that changes. */
#include "calls.h"
#include "pm.h"
#include "user.h"
#include "wait.h"

void ids_set(const struct pm_credentials *c)
{
    struct process *p = process();
    p->uid = c->uid, p->euid = c->euid, p->suid = c->suid, p->fsuid = c->fsuid;
    p->gid = c->gid, p->egid = c->egid, p->sgid = c->sgid, p->fsgid = c->fsgid;
    p->group_count = c->count <= PM_GROUPS ? c->count : 0;
    __builtin_memcpy(p->groups, c->groups, sizeof p->groups);
}

static i64 identify(struct thread *t, enum pm_identity call, u64 real, u64 effective, u64 saved)
{
    struct pm_credentials now;
    i64 err = ASK(pm_identify(&t->pm, call, (i32)real, (i32)effective, (i32)saved, &now));
    if (!err)
        ids_set(&now);
    return err;
}

i64 sys_getpid(struct thread *t, const u64 *a) { return process()->pid; }
i64 sys_gettid(struct thread *t, const u64 *a) { return t->tid; }
i64 sys_getuid(struct thread *t, const u64 *a) { return process()->uid; }
i64 sys_geteuid(struct thread *t, const u64 *a) { return process()->euid; }
i64 sys_getgid(struct thread *t, const u64 *a) { return process()->gid; }
i64 sys_getegid(struct thread *t, const u64 *a) { return process()->egid; }

i64 sys_setuid(struct thread *t, const u64 *a) { return identify(t, PM_UID, a[0], 0, 0); }
i64 sys_setgid(struct thread *t, const u64 *a) { return identify(t, PM_GID, a[0], 0, 0); }
i64 sys_setreuid(struct thread *t, const u64 *a) { return identify(t, PM_REUID, a[0], a[1], 0); }
i64 sys_setregid(struct thread *t, const u64 *a) { return identify(t, PM_REGID, a[0], a[1], 0); }
i64 sys_setresuid(struct thread *t, const u64 *a) { return identify(t, PM_RESUID, a[0], a[1], a[2]); }
i64 sys_setresgid(struct thread *t, const u64 *a) { return identify(t, PM_RESGID, a[0], a[1], a[2]); }

/* These two answer what was there and never an error. */
i64 sys_setfsuid(struct thread *t, const u64 *a)
{
    i64 was = process()->fsuid;
    identify(t, PM_FSUID, a[0], 0, 0);
    return was;
}
i64 sys_setfsgid(struct thread *t, const u64 *a)
{
    i64 was = process()->fsgid;
    identify(t, PM_FSGID, a[0], 0, 0);
    return was;
}

static i64 put_three(const u64 *a, u32 one, u32 two, u32 three)
{
    return user_put(a[0], &one, 4) && user_put(a[1], &two, 4) && user_put(a[2], &three, 4) ? 0 : -EFAULT;
}
i64 sys_getresuid(struct thread *t, const u64 *a) { return put_three(a, process()->uid, process()->euid, process()->suid); }
i64 sys_getresgid(struct thread *t, const u64 *a) { return put_three(a, process()->gid, process()->egid, process()->sgid); }

i64 sys_getgroups(struct thread *t, const u64 *a)
{
    u32 count = process()->group_count;
    if ((i32)a[0] < 0 || (a[0] && (u32)a[0] < count))
        return -EINVAL;
    return a[0] && !user_put(a[1], process()->groups, 4ul * count) ? -EFAULT : (i64)count;
}

i64 sys_setgroups(struct thread *t, const u64 *a)
{
    u32 groups[PM_GROUPS];
    struct pm_credentials now;
    if (process()->euid)
        return -EPERM;
    if (a[0] > PM_GROUPS)
        return -EINVAL;
    if (!user_get(groups, a[1], 4 * a[0]))
        return -EFAULT;
    i64 err = ASK(pm_set_groups(&t->pm, groups, (u32)a[0], &now));
    if (!err)
        ids_set(&now);
    return err;
}

/* ---- groups and sessions ---- */
/* The parent changes when it ends, which pm says by a kick of every thread. What was asked before that and comes after it is not kept:
 * the number and the count of changes are exchanged as one. */
static u64 *parent(void) { return (u64 *)&process()->ppid; }
_Static_assert(offsetof(struct process, ppid) % 8 == 0 && offsetof(struct process, ppid_epoch) == offsetof(struct process, ppid) + 4, "one word");

void ids_parent_forget(void)
{
    u64 was = __atomic_load_n(parent(), __ATOMIC_RELAXED), now;
    do {
        now = ((was >> 32) + 1) << 32 | PARENT_UNKNOWN;
    } while (!__atomic_compare_exchange_n(parent(), &was, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

i64 sys_getppid(struct thread *t, const u64 *a)
{
    u64 was = __atomic_load_n(parent(), __ATOMIC_RELAXED);
    u32 pid = 0;
    if ((u32)was != PARENT_UNKNOWN)
        return (u32)was;
    i64 err = ASK(pm_parent(t->pm.gate, &pid));
    if (err)
        return err;
    __atomic_compare_exchange_n(parent(), &was, was >> 32 << 32 | pid, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return pid;
}

i64 sys_setpgid(struct thread *t, const u64 *a)
{
    return (i32)a[0] < 0 || (i32)a[1] < 0 ? -EINVAL : ASK(pm_set_group(&t->pm, (i32)a[0], (i32)a[1]));
}

static i64 group_of(struct thread *t, u64 pid, bool session)
{
    u32 group = 0, of = 0;
    i64 err = (i32)pid < 0 ? -ESRCH : ASK(pm_group(t->pm.gate, (i32)pid, &group, &of));
    return err ? err : session ? of : group;
}
i64 sys_getpgid(struct thread *t, const u64 *a) { return group_of(t, a[0], false); }
i64 sys_getpgrp(struct thread *t, const u64 *a) { return group_of(t, 0, false); }
i64 sys_getsid(struct thread *t, const u64 *a) { return group_of(t, a[0], true); }

i64 sys_setsid(struct thread *t, const u64 *a)
{
    u32 session = 0;
    i64 err = ASK(pm_make_session(&t->pm, &session));
    return err ? err : session;
}

/* ---- limits and times ---- */
static i64 limit(struct thread *t, i32 pid, u64 resource, u64 new, u64 old)
{
    struct pm_limit to = { 0, 0 }, was;
    if ((u32)resource > 15)
        return -EINVAL;
    if (new && !user_get(&to, new, sizeof to))
        return -EFAULT;
    i64 err = ASK(pm_limits(&t->pm, pid, (u32)resource, new != 0, &to, &was));
    if (err)
        return err;
    return old && !user_put(old, &was, sizeof was) ? -EFAULT : 0;
}
i64 sys_prlimit64(struct thread *t, const u64 *a) { return limit(t, (i32)a[0], a[1], a[2], a[3]); }
i64 sys_getrlimit(struct thread *t, const u64 *a) { return limit(t, 0, a[0], 0, a[1]); }
i64 sys_setrlimit(struct thread *t, const u64 *a) { return limit(t, 0, a[0], a[1], 0); }

i64 sys_getrusage(struct thread *t, const u64 *a)
{
    u64 user = 0, system = 0;
    i32 who = (i32)a[0] == 1 ? 0 : (i32)a[0];
    i64 err = who != 0 && who != -1 ? -EINVAL : ASK(pm_times(t->pm.gate, who, &user, &system));
    struct linux_rusage use = { { (i64)(user / 1000000), (i64)(user % 1000000) }, { (i64)(system / 1000000), (i64)(system % 1000000) }, { 0 } };
    return err ? err : user_put(a[1], &use, sizeof use) ? 0 : -EFAULT;
}

i64 sys_times(struct thread *t, const u64 *a)
{
    enum { TICK_US = 10000, TICK_NS = 10000000 };
    u64 us[4] = { 0 };
    i64 err = ASK(pm_times(t->pm.gate, 0, &us[0], &us[1]));
    if (!err)
        err = ASK(pm_times(t->pm.gate, -1, &us[2], &us[3]));
    for (u32 i = 0; i < 4; i++)
        us[i] /= TICK_US;
    if (err || (a[0] && !user_put(a[0], us, sizeof us)))
        return err ? err : -EFAULT;
    const struct l4_kip *k = kip();
    return (i64)((u64)((unsigned __int128)(__builtin_ia32_rdtsc() - k->tsc_base) * k->tsc_mul >> k->tsc_shift) / TICK_NS);
}
