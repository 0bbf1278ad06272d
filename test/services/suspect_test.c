/* SPDX-License-Identifier: BSD-2-Clause */
/* suspect_test.c: who is to blame for a service's silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "suspect.h"

enum { DRIVER = 1, FILES, NAMES, BARE, COUNT = BARE };      /* from the most urgent; the last one's heartbeat nobody expects */

static struct suspect all[COUNT + 1];

static int begin(void **state)
{
    for (u32 n = 1; n <= COUNT; n++) {
        all[n] = (struct suspect){ .stance = STANCE_IDLE, .priority = 40 - n, .is_up = true, .is_watched = n != BARE };
    }
    return 0;
}

static u32 blamed(u32 silent) { return suspect_find(all, COUNT, silent); }
static void calls(u32 from, u32 to)
{
    all[from].stance = STANCE_CALLS;
    all[from].on = to;
}

static void itself(void **state)
{
    all[FILES].stance = STANCE_READY;
    all[NAMES].stance = STANCE_READY;       /* less urgent: not in its way */
    assert_int_equal(blamed(FILES), FILES);
    all[DRIVER].is_up = false;
    all[DRIVER].stance = STANCE_READY;
    assert_int_equal(blamed(FILES), FILES);
    assert_int_equal(blamed(DRIVER), 0);
}

/* Whoever waits is innocent; the end of the chain is asked by itself, or nobody would find it. */
static void waiting(void **state)
{
    calls(NAMES, FILES);
    calls(FILES, DRIVER);
    all[DRIVER].stance = STANCE_READY;
    assert_int_equal(blamed(NAMES), 0);
    assert_int_equal(blamed(DRIVER), DRIVER);
    calls(FILES, BARE);
    all[BARE].stance = STANCE_READY;
    all[DRIVER].stance = STANCE_IDLE;
    assert_int_equal(blamed(NAMES), BARE);
    all[BARE].is_up = false;                /* held down by a person */
    assert_int_equal(blamed(NAMES), 0);
    assert_int_equal(suspect_end(all, COUNT, NAMES), BARE);
}

static void away(void **state)
{
    all[FILES].stance = STANCE_AWAY;        /* keeper does something for it */
    assert_int_equal(blamed(FILES), 0);
    calls(NAMES, FILES);
    assert_int_equal(blamed(NAMES), 0);
}

static void outrun(void **state)
{
    all[NAMES].stance = STANCE_READY;
    all[DRIVER].stance = STANCE_READY;
    assert_int_equal(blamed(NAMES), 0);
    all[DRIVER].is_watched = false;
    assert_int_equal(blamed(NAMES), DRIVER);
    all[NAMES].stance = STANCE_IDLE;        /* it does not want the CPU */
    assert_int_equal(blamed(NAMES), NAMES);
}

/* Who waits for one that is kept from the CPU. */
static void outrun_below(void **state)
{
    calls(NAMES, BARE);
    all[BARE].stance = STANCE_READY;
    all[BARE].priority = 35;
    all[DRIVER].stance = STANCE_READY;
    assert_int_equal(blamed(NAMES), 0);
    all[DRIVER].stance = STANCE_IDLE;
    assert_int_equal(blamed(NAMES), BARE);
}

static void circle(void **state)
{
    calls(NAMES, FILES);
    calls(FILES, NAMES);
    assert_int_equal(blamed(NAMES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(itself, begin), cmocka_unit_test_setup(waiting, begin), cmocka_unit_test_setup(away, begin),
        cmocka_unit_test_setup(outrun, begin), cmocka_unit_test_setup(outrun_below, begin), cmocka_unit_test_setup(circle, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
