/* SPDX-License-Identifier: BSD-2-Clause */
/* time.c: clocks, read from the kernel's info page, and sleeping, which is a receive with a deadline. No server takes part. */
#include "calls.h"
#include "time.h"
#include "user.h"
#include "wait.h"

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS = 2, CLOCK_THREAD = 3, CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5,
       CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_TAI = 11, TIMER_ABSTIME = 1 };

/* What must be added to time since boot; -1: no such clock. */
static i64 offset_of(u64 clock)
{
    switch ((u32)clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        return (i64)(kip()->boot_seconds * NS);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS:
    case CLOCK_THREAD:
        return 0;
    default:
        return -1;
    }
}

static u64 real_ns(void) { return time_ns() + kip()->boot_seconds * NS; }

i64 sys_clock_gettime(struct thread *t, const u64 *a)
{
    i64 offset = offset_of(a[0]);
    struct linux_timespec now = timespec_of(time_ns() + (u64)offset);
    return offset < 0 ? -EINVAL : user_put(a[1], &now, sizeof now) ? 0 : -EFAULT;
}

i64 sys_clock_getres(struct thread *t, const u64 *a)
{
    struct linux_timespec one = { 0, 1 };
    return offset_of(a[0]) < 0 ? -EINVAL : a[1] && !user_put(a[1], &one, sizeof one) ? -EFAULT : 0;
}

i64 sys_gettimeofday(struct thread *t, const u64 *a)
{
    u64 ns = real_ns();
    struct linux_timeval now = { (i64)(ns / NS), (i64)(ns % NS / 1000) };
    u64 zone = 0;
    if (a[0] && !user_put(a[0], &now, sizeof now))
        return -EFAULT;
    return a[1] && !user_put(a[1], &zone, sizeof zone) ? -EFAULT : 0;
}

i64 sys_time(struct thread *t, const u64 *a)
{
    i64 now = (i64)(real_ns() / NS);
    return a[0] && !user_put(a[0], &now, sizeof now) ? -EFAULT : now;
}

/* Sleep until block->deadline. word[0]: where the rest goes if a handler ends it, 0: nowhere. */
static i64 sleep_on(struct thread *t, struct restart_block *block)
{
    i64 result = wait_for_signal(t, block->deadline);
    if (result == -ETIMEDOUT)
        return 0;
    u64 now = time_ns();
    struct linux_timespec rest = timespec_of(block->deadline > now ? block->deadline - now : 0);
    if (block->word[0] && !user_put(block->word[0], &rest, sizeof rest))
        return -EFAULT;
    t->block = *block;
    return result;
}

static i64 sleep_for(struct thread *t, u64 from, u64 rest)
{
    struct linux_timespec wanted;
    if (!user_get(&wanted, from, sizeof wanted))
        return -EFAULT;
    if (!timespec_is_valid(&wanted))
        return -EINVAL;
    struct restart_block block = { sleep_on, time_after(timespec_ns(&wanted)), { rest } };
    return sleep_on(t, &block);
}

i64 sys_nanosleep(struct thread *t, const u64 *a)
{
    return sleep_for(t, a[0], a[1]);
}

i64 sys_clock_nanosleep(struct thread *t, const u64 *a)
{
    i64 offset = offset_of(a[0]);
    struct linux_timespec until;
    if (offset < 0 || (u32)a[0] == CLOCK_THREAD)
        return -EINVAL;
    if (!(a[1] & TIMER_ABSTIME))
        return sleep_for(t, a[2], a[3]);
    if (!user_get(&until, a[2], sizeof until))
        return -EFAULT;
    if (!timespec_is_valid(&until))
        return -EINVAL;
    u64 ns = timespec_ns(&until);
    struct restart_block block = { sleep_on, ns > (u64)offset ? ns - (u64)offset : 0, { 0 } };
    return sleep_on(t, &block);
}
