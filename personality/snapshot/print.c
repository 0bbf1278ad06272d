/* SPDX-License-Identifier: BSD-2-Clause */
/* print.c: see print.h. The first task of all is sigma0. */
#include "print.h"

#include <debug.h>
#include <l4/log.h>

enum { SIGMA0 = 1 };

/* Mappings that lie side by side are told as one. */
struct run { struct debug_entry first, last; u64 count, frame, lineage, parent; };

static void run_end(struct run *run)
{
    const struct debug_entry *e = &run->first;
    if (run->count) {
        l4_print("M %lx %lx %x %x %lx %lx %lx %lx %lx %lx %lx\n", e->task, e->at, e->order, e->rights, e->object, e->lineage, e->parent,
                 run->count, run->frame, run->lineage, run->parent);
    }
    run->count = 0;
}

static bool run_goes_on(const struct run *run, const struct debug_entry *e)
{
    const struct debug_entry *last = &run->last;
    if (!run->count || e->task != last->task || e->order != last->order || e->rights != last->rights || e->at != last->at + (1ul << e->order)) {
        return false;
    }
    return run->count == 1 || (e->object - last->object == run->frame && e->lineage - last->lineage == run->lineage
                               && e->parent - last->parent == run->parent);
}

static void run_add(struct run *run, const struct debug_entry *e)
{
    if (!run_goes_on(run, e)) {
        run_end(run);
        *run = (struct run){ .first = *e };
    } else if (run->count == 1) {
        run->frame = e->object - run->last.object;
        run->lineage = e->lineage - run->last.lineage;
        run->parent = e->parent - run->last.parent;
    }
    run->last = *e;
    run->count++;
}

static void entry_print(const struct debug_entry *e)
{
    if (e->node == DEBUG_TASK) {
        l4_print("T %lx\n", e->task);
    } else if (e->node == DEBUG_CAPABILITY) {
        l4_print("C %lx %lx %x %lx %lx %x %lx %lx %x\n", e->task, e->at, e->kind, e->object, e->label, e->rights, e->lineage, e->parent,
                 e->order);
    } else if (e->node == DEBUG_PORT) {
        l4_print("P %lx %lx %x %x %lx %lx\n", e->task, e->at, e->order, e->rights, e->lineage, e->parent);
    }
}

l4_err_t snapshot_print(cap_t debug, const char *name)
{
    struct debug_entry e;
    struct run run = { .count = 0 };
    u64 cursor = 0;
    u32 tasks = 0;
    l4_print("snapshot %s\n", name);
    for (;;) {
        l4_err_t err = debug_snapshot(debug, cursor, &cursor, &e);
        if (err != L4_OK) {
            return err;
        }
        tasks += e.node == DEBUG_TASK;
        if (e.node != DEBUG_MEMORY) {
            run_end(&run);
            entry_print(&e);
        } else if (tasks != SIGMA0) {
            run_add(&run, &e);
        }
        if (e.node == DEBUG_END) {
            break;
        }
    }
    l4_print("end %s %lx %lx %lx\n", name, e.at, e.object, e.lineage);
    return L4_OK;
}
