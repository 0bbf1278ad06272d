/* SPDX-License-Identifier: BSD-2-Clause */
/* suspect.h: who keeps a silent service from answering. Pure: keeper.c looks at everybody at one instant, here it is judged. */
#pragma once
#include <abi/types.h>

/* What a service's thread does: it runs or would; waits for whoever comes; waits for a service; waits for anything else, keeper as a rule. */
enum stance { STANCE_READY, STANCE_IDLE, STANCE_CALLS, STANCE_AWAY };

struct suspect {
    enum stance stance;
    u32 on;                     /* STANCE_CALLS: whom it waits for */
    u32 priority;
    bool is_up;
    bool is_watched;            /* its own heartbeat is expected */
};

/* The service at the end of `from`'s calls, itself if it waits for none. `all` is by number, from 1 to `count`. */
u32 suspect_end(const struct suspect *all, u32 count, u32 from);

/* Whom to blame for the silence of `silent`: the service at the end of its calls, or one that keeps the CPU from that. 0: nobody, for that
 * one is down or waits for keeper, or it is another whose own heartbeat is expected: its own silence will tell, measured by its own period. */
u32 suspect_find(const struct suspect *all, u32 count, u32 silent);
