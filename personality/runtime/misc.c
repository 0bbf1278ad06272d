/* SPDX-License-Identifier: BSD-2-Clause */
/* misc.c: what the process can answer by itself, or with one question. */
#include "calls.h"
#include "pm.h"
#include "thread.h"
#include "time.h"
#include "user.h"
#include "vm.h"
#include "wait.h"
#include <process.h>

i64 sys_uname(struct thread *t, const u64 *a)
{
    struct linux_utsname name = { "Linux", "axolotl", "6.1.0-axolotl", "#1 Axolotl", "x86_64", "(none)" };
    return user_put(a[0], &name, sizeof name) ? 0 : -EFAULT;
}

i64 sys_sysinfo(struct thread *t, const u64 *a)
{
    struct vm_totals m;
    u64 load[3] = { 0 };
    u32 processes = 0, running, last;
    i64 err = ASK(vm_total(t->vm.gate, &m));
    if (!err)
        err = ASK(pm_load(t->pm.gate, &processes, &running, &last, &load[0], &load[1], &load[2]));
    if (err)
        return err;
    struct linux_sysinfo info = {
        .uptime = (i64)(time_ns() / NS), .loads = { load[0], load[1], load[2] }, .totalram = m.total * L4_PAGE_SIZE, .freeram = m.free * L4_PAGE_SIZE,
        .sharedram = m.objects * L4_PAGE_SIZE, .procs = (u16)processes, .unit = 1,
    };
    return user_put(a[0], &info, sizeof info) ? 0 : -EFAULT;
}

i64 sys_arch_prctl(struct thread *t, const u64 *a)
{
    enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };
    u64 fs = t->at.fs_base, gs = t->at.gs_base;
    switch (a[0]) {
    case GET_FS:
        return user_put(a[1], &fs, sizeof fs) ? 0 : -EFAULT;
    case GET_GS:
        return user_put(a[1], &gs, sizeof gs) ? 0 : -EFAULT;
    case SET_FS:
    case SET_GS:
        if (a[1] >= USER_END)
            return -EPERM;
        *(a[0] == SET_FS ? &t->at.fs_base : &t->at.gs_base) = a[1];
        return ASK(thread_set_base(PROCESS_THREAD + 4 * t->slot, t->at.fs_base, t->at.gs_base));
    default:
        return -EINVAL;
    }
}

i64 sys_prctl(struct thread *t, const u64 *a)
{
    enum { SET_PDEATHSIG = 1, GET_DUMPABLE = 3, SET_DUMPABLE = 4, SET_NAME = 15, GET_NAME = 16, SET_NO_NEW_PRIVS = 38, GET_NO_NEW_PRIVS = 39 };
    char name[NAME_BYTES] = { 0 };
    switch ((u32)a[0]) {
    case SET_NAME:
        if (user_string(name, a[1], NAME_BYTES - 1) == -EFAULT)
            return -EFAULT;
        __builtin_memcpy(mm()->shown.name, name, NAME_BYTES);
        return 0;
    case GET_NAME:
        return user_put(a[1], mm()->shown.name, NAME_BYTES) ? 0 : -EFAULT;
    case GET_DUMPABLE:
        return 1;
    case SET_DUMPABLE:
        return a[1] > 1 ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

/* xoshiro256**, seeded by pm at the start of each program; its seed is fixed when the machine counts instructions. */
static u64 rotate(u64 x, int bits) { return x << bits | x >> (64 - bits); }

u64 random_next(void)
{
    u64 *s = process()->random, result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

i64 sys_getrandom(struct thread *t, const u64 *a)
{
    if (a[2] & ~7ul)
        return -EINVAL;
    if (!user_range(a[0], a[1]))
        return -EFAULT;
    for (u64 done = 0; done < a[1]; done += 8) {
        u64 value = random_next();
        if (!user_put(a[0] + done, &value, a[1] - done < 8 ? a[1] - done : 8))
            return -EFAULT;
    }
    return (i64)a[1];
}

i64 sys_sched_yield(struct thread *t, const u64 *a)
{
    u64 now = time_ns();
    wait_for_ring(t, now);          /* a deadline that has passed: whoever is ready runs */
    return 0;
}

i64 sys_sched_getaffinity(struct thread *t, const u64 *a)
{
    u64 mask = kip()->cpus >= 64 ? ~0ul : (1ul << kip()->cpus) - 1;
    if (a[1] < sizeof mask || a[1] & 7)
        return -EINVAL;
    return user_put(a[2], &mask, sizeof mask) ? (i64)sizeof mask : -EFAULT;
}

i64 sys_getpriority(struct thread *t, const u64 *a)
{
    return (u32)a[0] > 2 ? -EINVAL : 20 - (i64)process()->nice;
}

i64 sys_setpriority(struct thread *t, const u64 *a)
{
    i32 now = 0;
    if ((u32)a[0] > 2)
        return -EINVAL;
    i64 err = ASK(pm_nice(&t->pm, (i32)a[1], (i32)a[2], &now));
    if (!err && (a[1] == 0 || (u32)a[1] == process()->pid))
        process()->nice = (u64)(i64)now;
    return err;
}

i64 sys_ptrace(struct thread *t, const u64 *a) { return -EPERM; }

i64 sys_reboot(struct thread *t, const u64 *a)
{
    enum { MAGIC1 = 0xfee1dead, MAGIC2 = 672274793, HALT = 0xcdef0123, POWER_OFF = 0x4321fedc, RESTART = 0x01234567 };
    if ((u32)a[0] != MAGIC1 || (u32)a[1] != MAGIC2)
        return -EINVAL;
    switch ((u32)a[2]) {
    case HALT:
        return ASK(pm_shut_down(&t->pm, 0));
    case POWER_OFF:
        return ASK(pm_shut_down(&t->pm, 1));
    case RESTART:
        return ASK(pm_shut_down(&t->pm, 2));
    default:
        return process()->euid ? -EPERM : (u32)a[2] == 0 || (u32)a[2] == 0x89abcdef ? 0 : -EINVAL;     /* Ctrl-Alt-Del off or on */
    }
}
