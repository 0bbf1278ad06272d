/* SPDX-License-Identifier: BSD-2-Clause */
/* area.h: a trace ring and snapshots in memory of this task, for a host that looks into the machine's memory: by a mark it finds the area
 * there, which says in which frames the rest lies. Nothing is printed, so nothing is slow, and nothing is lost on a line. tools/axo/area.py
 * is the other side. */
#pragma once
#include <debug.h>

enum { AREA_RUNS = 253 };
_Static_assert(sizeof(struct debug_record) == 128 && sizeof(struct debug_entry) == 64, "area.py reads these sizes");

/* One page: it lies in one frame. */
struct area {
    u64 mark[4], records, entries;      /* the mark is written last */
    struct { u64 frame, pages; } run[AREA_RUNS];    /* where the ring is, and behind it the entries */
};
_Static_assert(sizeof(struct area) == 4096, "a page");

/* `records` of `ring` and, right behind it, `entries` of snapshots; everything is aligned to pages. */
l4_err_t area_open(struct area *area, cap_t debug, struct debug_record *ring, u64 records, u64 entries);
/* The snapshot of now, its end included, into `into`; without what is mapped if only capabilities are wanted. How many entries; 0: it
 * does not fit into `most`. */
u64 area_snapshot(cap_t debug, struct debug_entry *into, u64 most, bool only_capabilities);
