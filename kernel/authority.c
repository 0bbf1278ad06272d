/* SPDX-License-Identifier: BSD-2-Clause */
/* authority.c: sched.idl and log.idl: objects that are nothing but authority. What a sched capability may give is in
 * its label: the highest priority in the lowest byte, the largest share of the CPU above it. */
#include "log_kernel.h"
#include "print.h"
#include "sched.h"
#include "sched_kernel.h"
#include "task.h"

static const u64 PERIOD_LEAST = 100 * 1000, PERIOD_MOST = 1ul << 34;

static u32 highest_of(const struct invocation *inv) { return (u8)inv->used->label; }
static u32 share_of(const struct invocation *inv) { return (u32)(inv->used->label >> SCHED_SHARE_SHIFT); }

static bool may_give(const struct invocation *inv, u64 budget_ns, u64 period_ns)
{
    return budget_ns * SHARE_ALL <= period_ns * share_of(inv);
}

l4_err_t sched_set(struct sched *self, struct invocation *inv, struct thread *subject, u32 priority, u64 slice_ns)
{
    if (priority >= PRIORITIES || slice_ns > PERIOD_MOST)
        return L4_BAD_ARGUMENT;
    if (priority > highest_of(inv) || !may_give(inv, subject->budget.ns, subject->budget.period_ns))
        return L4_NO_RIGHT;
    sched_change(subject, priority, subject->budget);
    subject->slice_ns = slice_ns;
    return L4_OK;
}

l4_err_t sched_look(struct sched *self, struct invocation *inv, u32 *highest, u32 *share)
{
    *highest = highest_of(inv);
    *share = share_of(inv);
    return L4_OK;
}

l4_err_t sched_set_budget(struct sched *self, struct invocation *inv, struct thread *subject, u64 ns, u64 period_ns)
{
    if (period_ns < PERIOD_LEAST || period_ns > PERIOD_MOST || !ns || ns > period_ns)
        return L4_BAD_ARGUMENT;
    if (!may_give(inv, ns, period_ns))
        return L4_NO_RIGHT;
    u64 left = subject->budget.left_ns;         /* no new period: what is spent stays spent */
    struct budget budget = { ns, period_ns, left < ns ? left : ns, subject->budget.end_ns };
    sched_change(subject, subject->priority, budget);
    return L4_OK;
}

l4_err_t sched_weaken(struct sched *self, struct invocation *inv, u32 slot, u32 highest, u32 share)
{
    if (highest >= PRIORITIES || share > SHARE_ALL)
        return L4_BAD_ARGUMENT;
    if (highest > highest_of(inv) || share > share_of(inv))
        return L4_NO_RIGHT;
    u64 label = highest | (u64)share << SCHED_SHARE_SHIFT;
    return cap_map(&inv->caller->task->caps, slot, inv->used, inv->used->rights, label, false);
}

l4_err_t log_write(struct log *self, struct invocation *inv, const u8 *text, u32 length)
{
    if (log_step() && !inv->caller->progress) {
        for (u32 i = 0; i < length; i++)
            log_put((char)text[i]);
        inv->caller->progress = 1;
    }
    return inv->caller->progress && log_step() ? L4_OK : RESTART;
}
