/* SPDX-License-Identifier: BSD-2-Clause */
/* time.h: time from the info page, and Linux's ways to write it. */
#pragma once
#include "runtime.h"

enum { NS = 1000000000 };

static inline u64 time_ns(void)
{
    const struct l4_kip *k = kip();
    return (u64)((unsigned __int128)(__builtin_ia32_rdtsc() - k->tsc_base) * k->tsc_mul >> k->tsc_shift);
}
static inline struct linux_timespec timespec_of(u64 ns) { return (struct linux_timespec){ (i64)(ns / NS), (i64)(ns % NS) }; }
static inline bool timespec_is_valid(const struct linux_timespec *t) { return t->seconds >= 0 && (u64)t->nanoseconds < NS; }
/* Nanoseconds, the largest number if that is too much. */
static inline u64 timespec_ns(const struct linux_timespec *t)
{
    return t->seconds > 9000000000 ? 9000000000ul * NS : (u64)t->seconds * NS + (u64)t->nanoseconds;
}
/* The deadline that many ns from now. */
static inline u64 time_after(u64 ns)
{
    u64 now = time_ns();
    return ns > ~0ul - 1 - now ? ~0ul - 1 : now + ns;
}
