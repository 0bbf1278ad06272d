/* SPDX-License-Identifier: BSD-2-Clause */
/* snapshot.c: a service for people who look at capability policies. It is down until somebody says `service snapshot`; each incarnation
 * prints one snapshot of the kernel and sleeps. It holds the kernel's debug object to read and no door, and nobody has a door to it.
 * Its priority lies between services and processes. So on one CPU it starts when all services are idle and lets no process run
 * before its last line: what is in the snapshot is what they left, and heartbeats. */
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/start.h>

#include "print.h"

void l4_main(void)
{
    char name[16];
    l4_format(name, sizeof name, "%u", l4_startup()->incarnation);
    l4_err_t err = snapshot_print(l4_slot_need("debug"), name);
    if (err != L4_OK) {
        l4_log("no snapshot: %e", err);
    }
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}
