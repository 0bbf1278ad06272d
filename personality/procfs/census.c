/* SPDX-License-Identifier: BSD-2-Clause */
/* census.c: processes as pm has told of them last. A cache: a new incarnation has none and raises `empty`, as all its events. */
#include "procfs.h"

static struct census_about known[CENSUS_PROCESSES] L4_VOLATILE_ZERO;
static struct census_load load L4_VOLATILE_ZERO;

static struct census_about *place_of(u32 pid)
{
    for (u32 i = 0; i < CENSUS_PROCESSES; i++) {
        if (known[i].pid == pid) {
            return &known[i];
        }
    }
    return NULL;
}

const struct census_about *process_of(u32 pid) { return pid ? place_of(pid) : NULL; }

const struct census_about *process_from(u32 pid)
{
    const struct census_about *best = NULL;
    for (u32 i = 0; i < CENSUS_PROCESSES; i++) {
        if (known[i].pid && known[i].pid >= pid && (!best || known[i].pid < best->pid)) {
            best = &known[i];
        }
    }
    return best;
}

struct census_load census_load_now(void) { return load; }

l4_err_t do_tell(u64 label, const struct census_about *now)
{
    struct census_about *to = now->pid ? place_of(now->pid) : NULL;
    to = to || !now->pid ? to : place_of(0);
    if (!to) {
        return CENSUS_INVAL;
    }
    *to = *now;
    return L4_OK;
}

static bool is_in(u32 pid, const u32 *pids, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (pids[i] == pid) {
            return true;
        }
    }
    return false;
}

l4_err_t do_alive(u64 label, const u32 *pids, u32 count)
{
    for (u32 i = 0; i < CENSUS_PROCESSES; i++) {
        if (known[i].pid && !is_in(known[i].pid, pids, count)) {
            known[i] = (struct census_about){ 0 };
        }
    }
    return L4_OK;
}

l4_err_t do_load(u64 label, u32 processes, u32 running, u32 last_pid, u64 one, u64 five, u64 fifteen)
{
    load = (struct census_load){ processes, running, last_pid, { one, five, fifteen } };
    return L4_OK;
}
