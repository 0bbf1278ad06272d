/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.c: counting silence. */
#include "heartbeat.h"

enum heartbeat_act heartbeat_tick(struct heartbeat *heart, u64 now_ns, u32 incarnation, u32 period_ms)
{
    if (period_ms == 0) {
        return HEARTBEAT_NOTHING;
    }
    if (heart->incarnation != incarnation) {
        *heart = (struct heartbeat){ .incarnation = incarnation };
    }
    if (now_ns < heart->next_ns) {
        return HEARTBEAT_NOTHING;
    }
    heart->next_ns = now_ns + period_ms * 1000000ul;
    heart->silent += heart->asked;
    heart->asked = true;
    if (heart->silent < HEARTBEAT_SILENT) {
        return HEARTBEAT_ASK;
    }
    heart->silent = 0;
    heart->asked = false;
    return HEARTBEAT_DEFECT;
}

void heartbeat_answered(struct heartbeat *heart)
{
    heart->silent = 0;
    heart->asked = false;
}
