/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h: the time, read from the kernel's info page without a system call. */
#pragma once
#include <abi/kip.h>

static inline const struct l4_kip *l4_kip(void) { return (const struct l4_kip *)L4_KIP_ADDRESS; }

static inline u64 l4_tsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}
/* Nanoseconds since boot. */
static inline u64 l4_now(void)
{
    const struct l4_kip *kip = l4_kip();
    return (u64)(((unsigned __int128)(l4_tsc() - kip->tsc_base) * kip->tsc_mul) >> kip->tsc_shift);
}
enum { L4_MICROSECOND = 1000, L4_MILLISECOND = 1000000, L4_SECOND = 1000000000 };
/* Nanoseconds since 1970. */
static inline u64 l4_wall(void) { return l4_kip()->boot_seconds * L4_SECOND + l4_now(); }

/* Wait until the absolute time `ns`. For threads that serve no gate and have no irq bound: it is an open receive, which
 * also answers nobody. Servers use their loop's timeout. */
void l4_sleep_until(u64 ns);
static inline void l4_sleep(u64 ns) { l4_sleep_until(l4_now() + ns); }
