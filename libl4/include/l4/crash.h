/* SPDX-License-Identifier: BSD-2-Clause */
/* crash.h: the page that keeper hands to each incarnation of a server, read-only, at L4_CRASH_ADDRESS.
 * It tells what became of the last incarnation, and what to do about it before anything else. */
#pragma once
#include <abi/ipc.h>

#define L4_CRASH_ADDRESS     0x3ffff000ul   /* the page below the state */
#define L4_OLD_STATE_ADDRESS 0x20000000ul   /* a live update maps the older version's state here, read-only */

/* What a server was doing when it stopped: copied by keeper from the start of its state object (struct l4_now). */
struct l4_request {
    u64 label, number, tag;
};

struct l4_crash {
    u32 incarnation;            /* 0: the first start; then the page is zero */
    u32 count;                  /* defects in a row at this pc (or hangs) in this request; 2 and more: answer it with poison */
    u32 reason;                 /* enum l4_defect */
    u32 old_state_version;      /* live update: version of what lies at L4_OLD_STATE_ADDRESS, 0: nothing does */
    struct l4_request request;
    struct l4_exception exception;
    struct l4_registers device;     /* at the last stop that was not in recovery: for what a device was in the middle of */
};

/* Defect classes, as the policy scripts know them. */
enum l4_defect {
    L4_DEFECT_EXIT = 1, L4_DEFECT_EXCEPTION = 2, L4_DEFECT_KILLED = 3, L4_DEFECT_HEARTBEAT = 4, L4_DEFECT_COMPLAINT = 5,
    L4_DEFECT_UPDATE = 6,
};

static inline const struct l4_crash *l4_crash(void) { return (const struct l4_crash *)L4_CRASH_ADDRESS; }
