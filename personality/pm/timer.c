/* SPDX-License-Identifier: BSD-2-Clause */
/* timer.c: ITIMER_REAL of each process, and the load. Both live in the state as absolute times; the receive's
 * deadline is derived. */
#include <l4/clock.h>
#include <thread.h>
#include "processes.h"

enum { READY = 1, LOAD_SHIFT = 16 };
#define LOAD_TICK (5ul * L4_SECOND)

void timers_arm(void)
{
    u64 first = pmd_state()->load_at + LOAD_TICK;
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->timer_at && p->timer_at < first) {
            first = p->timer_at;
        }
    }
    l4_volatile.deadline = first;
}

METHOD(timer, u64 value_ns, u64 interval_ns, u64 *old_value_ns, u64 *old_interval_ns)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    u64 now = l4_now();
    *old_value_ns = !me->timer_at ? 0 : me->timer_at > now ? me->timer_at - now : 1;
    *old_interval_ns = me->timer_interval;
    proc_set_timer_at(tx, me, value_ns ? now + value_ns < now ? UNLIMITED : now + value_ns : 0);
    proc_set_timer_interval(tx, me, interval_ns);
    timers_arm();
    return L4_OK;
}

static void expire(struct pmd_tx tx, const struct proc *p, u64 now)
{
    u64 late = now - p->timer_at, every = p->timer_interval;
    signal_send(tx, p, NULL, &(struct pm_signal){ .number = SIG_ALRM, .code = CODE_KERNEL });
    proc_set_timer_at(tx, p, every ? p->timer_at + every + late / every * every : 0);
}

/* ---- load: Linux's averages, in 1/65536, from its constants for 5 s: e^(-5/60), e^(-5/300), e^(-5/900) in 1/2048
 * ---- */
static u32 running(void)
{
    u32 n = 0;
    for (const struct lwp *l = lwp_following(NULL); l; l = lwp_following(l)) {
        const struct proc *p = proc_at(l->of);
        u32 state;
        u64 waits, id, progress;
        cap_t cap = PROCESS_THREADS_AT_PM + PROCESS_THREADS * proc_place(p) + l->slot;
        n += p->state == PM_RUNNING && l->stage == LWP_ALIVE && thread_look(cap, &state, &waits, &id, &progress) == L4_OK &&
             state == READY;
    }
    return n;
}

static u64 decayed(u64 load, u64 factor, u64 ready)
{
    return (load * factor + (ready << LOAD_SHIFT) * (2048 - factor)) / 2048;
}

static void load_tick(struct pmd_tx tx, u64 now)
{
    const struct pmd_state *s = pmd_state();
    u32 ready = running();
    pmd_set_load_one(tx, decayed(s->load_one, 1884, ready));
    pmd_set_load_five(tx, decayed(s->load_five, 2014, ready));
    pmd_set_load_fifteen(tx, decayed(s->load_fifteen, 2037, ready));
    pmd_set_load_at(tx, now);
}

void timers_run(struct pmd_tx tx)
{
    u64 now = l4_now();
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->timer_at && p->timer_at <= now) {
            expire(tx, p, now);
        }
    }
    if (now >= pmd_state()->load_at + LOAD_TICK) {
        load_tick(tx, now);
    }
    timers_arm();
}

LOOK(load, u32 *processes, u32 *ready, u32 *last_pid, u64 *one, u64 *five, u64 *fifteen)
{
    const struct pmd_state *s = pmd_state();
    *processes = s->lwp_table.live;
    *ready = running();
    *last_pid = s->last_pid;
    *one = s->load_one;
    *five = s->load_five;
    *fifteen = s->load_fifteen;
    return L4_OK;
}
