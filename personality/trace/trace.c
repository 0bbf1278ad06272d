/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c: a service that traces every thread but its own, from when somebody says `service up trace`. Nothing is printed: `axo trace` finds
 * the ring in the machine's memory, and before it who was there (area.h). */
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>

#include "area.h"

enum { RECORDS = 1 << 17, ENTRIES = 1 << 13 };

static struct area area __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static struct {
    struct debug_record ring[RECORDS];
    struct debug_entry shot[ENTRIES];
} memory __attribute__((aligned(4096))) L4_VOLATILE_ZERO;

void l4_main(void)
{
    cap_t debug = l4_slot_need("debug");
    if (!area_snapshot(debug, memory.shot, ENTRIES, true)) {
        l4_panic("there is more than %u capabilities", ENTRIES);
    }
    l4_must(area_open(&area, debug, memory.ring, RECORDS, ENTRIES));
    l4_must(debug_trace(debug, (u64)memory.ring, RECORDS, 0));
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}
