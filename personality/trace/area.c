/* SPDX-License-Identifier: BSD-2-Clause */
/* area.c: see area.h. */
#include "area.h"
#include <abi/fpage.h>
#include <l4/start.h>
#include <task.h>

enum { PAGE = 4096 };

static u64 own_id(void)
{
    u32 rights, order;
    u64 id = 0;
    task_look(L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_TASK, 0), &rights, &order, &id);
    return id;
}

/* The next page of what is described lies in `frame`. */
static bool add(struct area *area, u32 *runs, u64 frame)
{
    u32 last = *runs - 1;
    if (*runs && area->run[last].frame + area->run[last].pages * PAGE == frame) {
        area->run[last].pages++;
        return true;
    }
    if (*runs == AREA_RUNS) {
        return false;
    }
    area->run[*runs].frame = frame;
    area->run[*runs].pages = 1;
    ++*runs;
    return true;
}

l4_err_t area_open(struct area *area, cap_t debug, struct debug_record *ring, u64 records, u64 entries)
{
    u64 pages = (records * sizeof *ring + entries * sizeof(struct debug_entry)) / PAGE, self = own_id(), cursor = 0, next = 0;
    u32 runs = 0;
    struct debug_entry e;
    do {
        l4_err_t err = debug_snapshot(debug, cursor, &cursor, &e);
        if (err != L4_OK) {
            return err;
        }
        bool is_own = e.node == DEBUG_MEMORY && e.task == self;
        for (u64 i = 0; is_own && i < 1ul << e.order; i += PAGE) {      /* in the order of their addresses */
            if (e.at + i != (u64)ring + next * PAGE || next == pages) {
                continue;
            }
            if (!add(area, &runs, e.object + i)) {
                return L4_NO_MEMORY;
            }
            next++;
        }
    } while (e.node != DEBUG_END);
    if (next != pages) {
        return L4_NOT_MAPPED;
    }
    area->records = records;
    area->entries = entries;
    volatile u64 seed = 0x9e3779b97f4a7c15;     /* so that the mark is nowhere in the program */
    for (u64 i = 0; i < 4; i++) {
        area->mark[i] = (i + 1) * seed;
    }
    return L4_OK;
}

u64 area_snapshot(cap_t debug, struct debug_entry *into, u64 most, bool only_capabilities)
{
    u64 cursor = 0, count = 0;
    for (;;) {
        struct debug_entry e;
        if (debug_snapshot(debug, cursor, &cursor, &e) != L4_OK || count == most) {
            return 0;
        }
        if (!only_capabilities || (e.node != DEBUG_MEMORY && e.node != DEBUG_PORT)) {
            into[count++] = e;
        }
        if (e.node == DEBUG_END) {
            return count;
        }
    }
}
