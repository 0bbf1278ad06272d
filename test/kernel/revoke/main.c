/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: trees of any shape are revoked to the end, whatever others do meanwhile; nobody more urgent waits for long; and memory is what
 * it was. */
#include <l4/start.h>
#include "test.h"
#include "trees.h"

enum { BOUND = 20000, ENOUGH = 400, ROUNDS = 20 };

static void check(const char *name, struct trees t, u64 revoked, u64 rings)
{
    l4_print("%s: %lu revoked; the timer rang %lu times, %lu to %lu instructions late\n", name, t.revoked, t.rings, t.least, t.worst);
    test_true("all of it is revoked", t.revoked >= revoked);
    test_true("there was somebody more urgent", t.rings >= rings);
    test_true("who never waited long", t.worst < BOUND);
}

void l4_main(void)
{
    test_begin("kernel-revoke");
    trees_begin(TEST_SLOTS);
    struct test_usage before = test_usage();
    check("flat", trees_flat(), TREES_MANY, ENOUGH);
    test_balance("and gone", before);
    check("deep", trees_deep(), TREES_MANY, ENOUGH);
    test_balance("and gone", before);
    check("bushy", trees_bushy(), TREES_MANY, ENOUGH);
    test_balance("and gone", before);
    check("sparse", trees_sparse(), 2000, ENOUGH);
    test_balance("and gone", before);
    check("hostile", trees_hostile(ROUNDS), 65 * ROUNDS, ENOUGH);
    test_balance("and gone", before);
    struct orphaned o = trees_orphaned();
    l4_print("orphaned: of %u samples %u were left when who revoked them was destroyed\n", o.first, o.then);
    test_true("a revocation is under way", o.first == TREES_MANY / 100 && o.then && o.then < o.first);
    test_true("an idle CPU goes on with it", !o.last);
    test_balance("and gone", before);
    trees_end();
    test_end();
}
