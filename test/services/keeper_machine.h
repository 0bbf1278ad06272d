/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_machine.h: the kernel as keeper sees it through process.c: which objects its slots hold, what the tasks of
 * processes, vm and pm hold of them, and whose data is in vfs's windows. It lies behind keeper's state, so a kill
 * leaves it as it is, and each image of the state has its own.
 *
 * As in the kernel: an object goes with keeper's slot, and with it whatever was derived from that slot; a task takes
 * along what was mapped into it; making or mapping again what is there succeeds. */
#pragma once
#include <abi/types.h>

#include "keeperd_server.h"

enum { MACHINE_DOORS = 3, MACHINE_THREADS = 4, MACHINE_PLACES = 128 };
/* What of its last process is still in a thread. */
enum { PAST_UTCB = 1, PAST_FPU = 2, PAST_BASE = 4 };

struct machine_thread {
    u64 utcb;                       /* 0: not bound */
    u64 past_of;                    /* whose is what `past` says is still in it */
    bool there, runs, pager, fpu, scheduled, in_task, at_pm;
    u8 past;
};
struct machine_irq { bool there, bound, in_task; };

struct machine_place {
    bool task, native, log, info, text, at_vm;
    u64 door[MACHINE_DOORS];        /* keeper's: the label; 0: none */
    bool door_in[MACHINE_DOORS];    /* the process's */
    struct machine_thread thread[MACHINE_THREADS];
    struct machine_irq irq[MACHINE_THREADS];
    bool window[MACHINE_THREADS];   /* mapped */
    u64 data_of[MACHINE_THREADS];   /* in the window: the label of whoever sent it; 0: zeros */
};

struct machine {
    u64 taken;                      /* of the factory of processes */
    bool pm_is_full, vm_is_full;    /* no kernel memory is left for what they are given */
    u32 ending;                     /* the place whose drop was cut short: it may be anything; 0: none */
    struct machine_place place[MACHINE_PLACES];
};

#define MACHINE_AT (L4_STATE_ADDRESS + ((sizeof(struct keeperd_state) + 4095) & ~4095ul))
static inline struct machine *machine(void) { return (struct machine *)MACHINE_AT; }

/* The process at `place` has run: there is something of it in its threads and windows. */
void machine_live(u32 place, u64 process);
/* The kernel memory of processes is used up but for what keeper keeps free for those that are there, and then
 * `more`. */
void machine_fill(i64 more);
/* What a task with a thread takes of it. */
enum { MACHINE_PROCESS = 40960 };
/* A service's task was made anew: what vm or pm held is gone. */
void machine_lost_by(u32 service);
/* When nothing is under way, each place has what the state says of it, and nothing else; NULL, or what is wrong. */
const char *machine_check(bool is_asked);
