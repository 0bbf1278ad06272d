/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.c: counting silence. */
#include "heartbeat.h"

enum { MS = 1000000 };

void heartbeat_look(struct heartbeat_clock *clock, u64 real_ns)
{
    u64 passed = clock->looks ? real_ns - clock->real_ns : 0;
    clock->step_ns = passed < HEARTBEAT_LOOK_MS * MS ? passed : HEARTBEAT_LOOK_MS * MS;
    clock->now_ns += clock->step_ns;
    clock->real_ns = real_ns;
    clock->looks++;
}

bool heartbeat_due(struct heartbeat *heart, const struct heartbeat_clock *clock, u32 incarnation, u32 period_ms)
{
    if (heart->incarnation != incarnation) {
        *heart = (struct heartbeat){ .incarnation = incarnation };
    }
    if (period_ms == 0 || clock->now_ns < heart->next_ns) {
        return false;
    }
    heart->next_ns = clock->now_ns + (u64)period_ms * MS;
    heart->silent += heart->asked;
    heart->asked = true;
    return true;
}

bool heartbeat_fault(struct heartbeat *heart, const struct heartbeat_clock *clock, u32 period_ms, u64 steps)
{
    bool goes_on = heart->look + 1 == clock->looks || period_ms;
    u64 most = HEARTBEAT_SILENT * (u64)MS * (period_ms ? period_ms : HEARTBEAT_UNWATCHED_MS);
    if (heart->look == clock->looks) {      /* somebody else's silence has told already */
        return false;
    }
    heart->look = clock->looks;
    u64 fault_ns = goes_on ? heart->fault_ns : 0, stuck_ns = goes_on ? heart->stuck_ns : 0;
    bool got_on = fault_ns && heart->steps != steps;
    heart->fault_ns = fault_ns + clock->step_ns;
    heart->stuck_ns = got_on ? 0 : stuck_ns + clock->step_ns;
    heart->steps = steps;
    if (heart->stuck_ns < most && heart->fault_ns < HEARTBEAT_LONGEST_MS * (u64)MS) {
        return false;
    }
    heartbeat_answered(heart);
    return true;
}

void heartbeat_answered(struct heartbeat *heart)
{
    heart->silent = 0;
    heart->fault_ns = heart->stuck_ns = 0;
    heart->asked = false;
}
