/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat_test.c: who is silent for two periods has a defect, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "heartbeat.h"

enum { PERIOD_MS = 100 };
static u64 at_ms(u64 ms) { return ms * 1000000; }

static void silence(void **state)
{
    struct heartbeat heart = { 0 };
    assert_int_equal(heartbeat_tick(&heart, at_ms(0), 1, PERIOD_MS), HEARTBEAT_ASK);
    assert_int_equal(heartbeat_tick(&heart, at_ms(50), 1, PERIOD_MS), HEARTBEAT_NOTHING);
    assert_int_equal(heartbeat_tick(&heart, at_ms(100), 1, PERIOD_MS), HEARTBEAT_ASK);
    assert_int_equal(heartbeat_tick(&heart, at_ms(200), 1, PERIOD_MS), HEARTBEAT_DEFECT);
    assert_int_equal(heartbeat_tick(&heart, at_ms(250), 1, PERIOD_MS), HEARTBEAT_NOTHING);
}

static void answers(void **state)
{
    struct heartbeat heart = { 0 };
    for (u64 ms = 0; ms < 10000; ms += PERIOD_MS) {
        assert_int_equal(heartbeat_tick(&heart, at_ms(ms), 1, PERIOD_MS), HEARTBEAT_ASK);
        if (ms / PERIOD_MS % 2) {       /* one silent period is none */
            heartbeat_answered(&heart);
        }
    }
}

/* A new incarnation is not blamed for the silence of the last one. */
static void another(void **state)
{
    struct heartbeat heart = { 0 };
    heartbeat_tick(&heart, at_ms(0), 1, PERIOD_MS);
    heartbeat_tick(&heart, at_ms(100), 1, PERIOD_MS);
    assert_int_equal(heartbeat_tick(&heart, at_ms(200), 2, PERIOD_MS), HEARTBEAT_ASK);
    assert_int_equal(heart.silent, 0);
}

static void nobody(void **state)
{
    struct heartbeat heart = { 0 };
    assert_int_equal(heartbeat_tick(&heart, at_ms(1000), 1, 0), HEARTBEAT_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(silence), cmocka_unit_test(answers), cmocka_unit_test(another), cmocka_unit_test(nobody) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
