/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.h: who answers in time. A service is asked each period by its irq object and answers by rs's; one that was silent for
 * HEARTBEAT_SILENT periods has a defect of class 4. All of it is volatile: a new rs counts anew. */
#pragma once
#include <abi/types.h>

enum { HEARTBEAT_SILENT = 2, HEARTBEAT_SERVICES = 48 };

/* What is known of one service's heart. */
struct heartbeat {
    u64 next_ns;                /* when to ask again */
    u32 silent;                 /* periods without an answer */
    u32 incarnation;            /* whose */
    bool asked;
};

enum heartbeat_act { HEARTBEAT_NOTHING, HEARTBEAT_ASK, HEARTBEAT_DEFECT };

/* Time passed for a service that is up in this incarnation, with this period: what to do. Pure. */
enum heartbeat_act heartbeat_tick(struct heartbeat *heart, u64 now_ns, u32 incarnation, u32 period_ms);
/* It answered. */
void heartbeat_answered(struct heartbeat *heart);
