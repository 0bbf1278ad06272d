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
/* Remove the root capability at `root`, step by step, until its object is gone. */
void destroy(struct cap *root);
