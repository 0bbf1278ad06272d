/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat_test.c: who was at fault for two periods has a defect, and nobody else; gaps in which nobody had a CPU count once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "heartbeat.h"

enum { PERIOD_MS = 100 };
static struct heartbeat_clock looks;
static u64 now_ms;

static void look_after(u64 ms) { heartbeat_look(&looks, (now_ms += ms) * 1000000); }
static bool due(struct heartbeat *heart, u32 incarnation) { return heartbeat_due(heart, &looks, incarnation, PERIOD_MS); }
static bool fault(struct heartbeat *heart) { return heartbeat_fault(heart, &looks, PERIOD_MS, 7); }

static int begin(void **state)
{
    looks = (struct heartbeat_clock){ 0 };
    look_after(1000);
    return 0;
}

static void silence(void **state)
{
    struct heartbeat heart = { 0 };
    assert_true(due(&heart, 1));
    for (u32 look = 1; look < 4; look++) {
        look_after(50);
        assert_false(fault(&heart));
        assert_int_equal(due(&heart, 1), look == 2);    /* each period it is asked again */
    }
    assert_int_equal(heart.silent, 1);
    look_after(50);
    assert_true(fault(&heart));
    assert_int_equal(heart.silent, 0);
    assert_true(due(&heart, 1));
}

static void answers(void **state)
{
    struct heartbeat heart = { 0 };
    for (u32 look = 0; look < 1000; look++) {
        look_after(50);
        assert_false(heart.asked && fault(&heart));
        due(&heart, 1);
        if (look % 4 == 3) {    /* three looks of silence are none */
            heartbeat_answered(&heart);
        }
    }
}

/* It waits for others most of the time: only what is its own fault counts. */
static void excused(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 look = 1; look < 40; look++) {
        look_after(50);
        assert_false(look % 10 == 0 && fault(&heart));
        due(&heart, 1);
    }
    look_after(50);
    assert_true(fault(&heart));
}

/* The host gave us no CPU for seconds, three times: nobody is to blame. */
static void gaps(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 gap = 0; gap < 3; gap++) {
        look_after(7000);
        assert_false(fault(&heart));
        due(&heart, 1);
    }
}

/* Looks that come more often than the clock asks for do not count more. */
static void frequent(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 ms = 1; ms < 200; ms++) {
        look_after(1);
        assert_false(fault(&heart));
    }
    look_after(1);
    assert_true(fault(&heart));
}

/* Two were kept waiting by the same one: a look counts once. */
static void shared(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 look = 1; look < 4; look++) {
        look_after(50);
        assert_false(fault(&heart));
        assert_false(fault(&heart));
    }
    look_after(50);
    assert_true(fault(&heart));
    assert_false(fault(&heart));
}

/* A new incarnation is not blamed for the silence of the last one. */
static void another(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    look_after(50);
    assert_false(fault(&heart));
    assert_true(due(&heart, 2));
    assert_int_equal(heart.silent, 0);
    for (u32 look = 1; look < 4; look++) {
        look_after(50);
        assert_false(fault(&heart));
    }
}

/* Whose heartbeat nobody expects is never asked, and must be in the way at every look for a second. */
static void unwatched(void **state)
{
    struct heartbeat heart = { 0 };
    assert_false(heartbeat_due(&heart, &looks, 1, 0));
    for (u32 look = 0; look < 100; look++) {
        look_after(50);
        assert_false(look % 19 && heartbeat_fault(&heart, &looks, 0, 0));
    }
    look_after(50);
    for (u32 look = 1; look < 20; look++) {
        look_after(50);
        assert_false(heartbeat_fault(&heart, &looks, 0, 0));
    }
    look_after(50);
    assert_true(heartbeat_fault(&heart, &looks, 0, 0));
}

/* Long work that gets on is let be for a minute; then it has a defect all the same. */
static void steps(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 ms = 50; ms < HEARTBEAT_LONGEST_MS; ms += 50) {
        look_after(50);
        assert_false(heartbeat_fault(&heart, &looks, PERIOD_MS, ms / 150));
        due(&heart, 1);
    }
    look_after(50);
    assert_true(heartbeat_fault(&heart, &looks, PERIOD_MS, 0));
}

/* It got on for a while, and stopped. */
static void stuck(void **state)
{
    struct heartbeat heart = { 0 };
    due(&heart, 1);
    for (u32 look = 1; look < 20; look++) {
        look_after(50);
        assert_false(heartbeat_fault(&heart, &looks, PERIOD_MS, look));
    }
    for (u32 look = 1; look < 4; look++) {
        look_after(50);
        assert_false(heartbeat_fault(&heart, &looks, PERIOD_MS, 19));
    }
    look_after(50);
    assert_true(heartbeat_fault(&heart, &looks, PERIOD_MS, 19));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silence, begin), cmocka_unit_test_setup(answers, begin), cmocka_unit_test_setup(excused, begin),
        cmocka_unit_test_setup(gaps, begin), cmocka_unit_test_setup(frequent, begin), cmocka_unit_test_setup(shared, begin),
        cmocka_unit_test_setup(another, begin), cmocka_unit_test_setup(unwatched, begin),
        cmocka_unit_test_setup(steps, begin), cmocka_unit_test_setup(stuck, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
