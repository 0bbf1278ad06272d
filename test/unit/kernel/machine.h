/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.h: what the host tests of the kernel's memory half stand on: an arena as physical memory, a seeded random
 * source, and stand-ins for machine, threads and log. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "check/check.h"
#include "flexpage.h"

enum { ARENA_BYTES = 64 << 20 };

extern struct factory root_factory;
extern u64 tlb_forgotten;           /* how often an entry was forgotten */

/* The arena as the kernel's memory, all of it in root_factory; once a program. */
void machine_init(void);
/* Nothing is alive but what machine_init made: panics if a byte is missing. */
void machine_expect_clean(void);

/* AXO_SEED replays one run: then tests run with that seed only. */
u64 seed_first(void);
u64 seed_count(u64 usual);
void random_seed(u64 seed);
u64 random_below(u64 limit);
bool random_one_in(u64 n);

struct task *make_task(struct factory *factory);
/* Like task.unmap of one slot: RESTART until what is derived from it and, unless `derived_only`, itself is gone, its
 * object too. */
l4_err_t remove_step(struct cap *cap, bool derived_only, u64 *changed);
/* Remove the root capability at `root`, step by step, until its object is gone. */
void destroy(struct cap *root);

/* A capability as task.map maps it: with its label. */
static inline l4_err_t map_one(struct cap_table *to, u64 slot, struct cap *from, u32 rights, bool grant)
{
    return cap_map(to, slot, from, rights, from->label, grant);
}

/* The page at an address; false if there is none. */
bool page_at(struct task *task, vaddr_t at, paddr_t *frame, u32 *rights, u32 *order);
/* The first page or port at or behind *unit, which moves behind it; false at the end. */
bool page_next(struct task *task, enum l4_fpage_type type, u64 *unit, struct found *found);
