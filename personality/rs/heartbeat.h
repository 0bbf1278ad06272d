/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.h: who answers in time. A service is asked each period by its irq object and answers by rs's. One that is silent is looked at,
 * and each look that finds one at fault (keeper.suspect) counts the time since the last look against that one: HEARTBEAT_SILENT
 * periods of it are a defect of class 4, or HEARTBEAT_LONGEST_MS of it if it tells of progress meanwhile (l4_step). Time that nobody's fault
 * was counts for nothing, and an answer clears all.
 *
 * Time is counted in looks, each at most HEARTBEAT_LOOK_MS: when the host gives this machine no CPU its clock goes on, and whoever was
 * asked before such a gap had no chance to answer in it. All of it is volatile: a new rs counts anew. */
#pragma once
#include <abi/types.h>

enum {
    HEARTBEAT_SILENT = 2, HEARTBEAT_SERVICES = 48,
    HEARTBEAT_LOOK_MS = 50,
    HEARTBEAT_LONGEST_MS = 60000,
    HEARTBEAT_UNWATCHED_MS = 500,   /* as the period of a service that keeps others from answering and has none itself */
};

/* What is known of one service's heart. Times in nanoseconds of looks. */
struct heartbeat {
    u64 next_ns;                /* when to ask again */
    u64 look;                   /* the last that found it at fault */
    u64 fault_ns;               /* how long it has been at fault */
    u64 stuck_ns, steps;        /* how long at the same step */
    u32 silent;                 /* periods without an answer */
    u32 incarnation;            /* whose */
    bool asked;
};

/* The time, told by looks. `step_ns`: what the last look added. `real_ns`: when it was. */
struct heartbeat_clock { u64 now_ns, step_ns, real_ns, looks; };

/* A look begins. */
void heartbeat_look(struct heartbeat_clock *clock, u64 real_ns);
/* True: ask it now. For a service that is up in this incarnation, with this period (0: never). Pure, as all of these. */
bool heartbeat_due(struct heartbeat *heart, const struct heartbeat_clock *clock, u32 incarnation, u32 period_ms);
/* This look found it at fault, of its own silence or another's, and at this step. True: it has a defect. */
bool heartbeat_fault(struct heartbeat *heart, const struct heartbeat_clock *clock, u32 period_ms, u64 steps);
/* It answered. */
void heartbeat_answered(struct heartbeat *heart);
