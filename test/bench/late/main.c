/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: how late a thread of the highest priority is after the timer, at worst and at best, while trees of a hundred thousand mappings
 * are made and revoked (test/kernel/revoke). Two readings of the clock in different places, so nothing here is counted from outside. */
#include "test.h"
#include "trees.h"

void l4_main(void)
{
    struct trees (*const trees[])(void) = { trees_flat, trees_deep, trees_bushy, trees_sparse };
    u64 worst = 0, least = ~0ul;
    test_begin("late");
    trees_begin(TEST_SLOTS);
    for (u32 i = 0; i < sizeof trees / sizeof *trees; i++) {
        struct trees t = trees[i]();
        worst = t.worst > worst ? t.worst : worst;
        least = t.least < least ? t.least : least;
    }
    trees_end();
    l4_print("bench: k_irq_latency_worst %lu instructions min %lu of 1\n", worst, least);
    test_true("nobody waits for long", worst < 20000);
    test_end();
}
