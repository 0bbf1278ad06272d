/* SPDX-License-Identifier: BSD-2-Clause */
/* test_loop.c: libl4's server loop, seen from clients: parking, events, cancelling, generations of clients, poison,
 * refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "piped_kill.h"

enum { A = 0x70003, B = 0x70004, MAKE = 0x101001, WRITE, READ, CLOSE, STAT };
static u64 count = 5;

/* Send; the answer, or NULL if the request parks. */
static const struct world_answer *ask_numbered(u64 label, u64 number, u32 what, u32 words, u64 w0, u64 w1, u64 flags)
{
    struct l4_message m = { l4_tag(what, words, 0) | 15ul << L4_TAG_RIGHTS_SHIFT | flags, label, number, { w0, w1 }, 0 };
    assert_true(world_deliver(&m, NULL));
    return world_answer_to(label, number);
}

static const struct world_answer *ask(u64 label, u32 what, u32 words, u64 w0, u64 w1)
{
    return ask_numbered(label, ++count << 16 | 1, what, words, w0, w1, 0);
}

static l4_err_t status(const struct world_answer *a)
{
    assert_non_null(a);
    return l4_tag_status(a->tag);
}

static int fresh(void **unused)
{
    static struct world_server server;
    server = piped_kill.world;
    world_init(&server);
    world_reset();
    assert_true(world_start());
    const struct world_answer *a = ask(A, MAKE, 0, 0, 0);
    assert_int_equal(status(a), 0);
    assert_int_equal(a->word[0], 1);
    assert_int_equal(a->word[1], 2);
    return 0;
}

static void a_resent_request_is_not_executed_again(void **unused)
{
    u64 n = ++count << 16 | 1;
    const struct world_answer *a = ask_numbered(A, n, WRITE, 2, 2, 10, 0);
    assert_int_equal(a->word[0], 10);
    a = ask_numbered(A, n, WRITE, 2, 2, 10, 0);
    assert_int_equal(a->word[0], 10);
    assert_int_equal(ask(A, STAT, 1, 1, 0)->word[1], 10);
}

static void a_write_wakes_a_parked_reader(void **unused)
{
    u64 n = ++count << 16 | 2;
    assert_null(ask_numbered(A, n, READ, 2, 1, 50, 0));
    assert_int_equal(world_parked(), 1);
    memcpy(world_window(A, 1), "hello", 5);
    assert_int_equal(status(ask(A, WRITE, 2, 2, 5)), 0);
    assert_int_equal(world_answer_to(A, n)->word[0], 5);
    assert_memory_equal(world_window(A, 2) + 4096 * 0, "hello", 5);
    assert_int_equal(world_parked(), 0);
    assert_int_equal(ask(A, STAT, 1, 1, 0)->word[1], 0);
}

static void a_dead_caller_eats_no_data(void **unused)
{
    assert_null(ask_numbered(A, ++count << 16 | 2, READ, 2, 1, 50, 0));
    world_kill_callers();
    assert_int_equal(status(ask(A, WRITE, 2, 2, 5)), 0);
    assert_int_equal(ask(A, STAT, 1, 1, 0)->word[1], 5);
}

static void a_server_is_told_pending_and_gets_an_event(void **unused)
{
    u64 n = ++count << 16 | 2;
    const struct world_answer *a = ask_numbered(A, n, READ, 2, 1, 50, L4_TAG_NO_PARK);
    assert_int_equal(status(a), L4_PENDING);
    assert_int_equal(world_parked(), 0);
    u32 before = world.effects;
    ask(A, WRITE, 2, 2, 5);
    assert_true(world.effects > before);
    a = ask(A, (MAKE & ~255u) | L4_METHOD_SUBSCRIBE, 1, 0, 0);
    assert_true(a->word[0] & L4_EVENT_ASK);
    a = ask_numbered(A, n, READ, 2, 1, 50, L4_TAG_NO_PARK);
    assert_int_equal(status(a), 0);
    assert_int_equal(a->word[0], 5);
}

static void cancel_gives_the_answer_or_becomes_it(void **unused)
{
    u64 n = ++count << 16 | 2;
    u32 what = (MAKE & ~255u) | L4_METHOD_CANCEL;
    assert_null(ask_numbered(A, n, READ, 2, 1, 50, 0));
    assert_int_equal(status(ask_numbered(A, n, what, 0, 0, 0, 0)), L4_KICKED);
    assert_int_equal(world_parked(), 0);
    assert_int_equal(status(ask_numbered(A, n, READ, 2, 1, 50, 0)), L4_KICKED);
    n = ++count << 16 | 2;
    assert_int_equal(ask_numbered(A, n, WRITE, 2, 2, 7, 0)->word[0], 7);
    assert_int_equal(ask_numbered(A, n, what, 0, 0, 0, 0)->word[0], 7);
}

static void a_newer_generation_takes_over(void **unused)
{
    u64 newer = 0x80003;
    assert_null(ask_numbered(A, ++count << 16 | 2, READ, 2, 1, 50, 0));
    assert_int_equal(ask(newer, MAKE, 0, 0, 0)->word[0], 2);   /* the ends of the old one are free again */
    assert_int_equal(world_parked(), 0);
    assert_int_equal(status(ask(A, MAKE, 0, 0, 0)), L4_BAD_CLIENT);
    assert_int_equal(status(ask(0x70000 | 16, MAKE, 0, 0, 0)), L4_BAD_CLIENT);
}

static void forget_needs_a_right_and_frees(void **unused)
{
    u32 what = (MAKE & ~255u) | L4_METHOD_FORGET;
    struct l4_message m = { l4_tag(what, 1, 0), B, 1, { A }, 0 };
    assert_true(world_deliver(&m, NULL));
    assert_int_equal(status(world_answer_to(B, 1)), L4_NO_RIGHT);
    assert_int_equal(status(ask(B, what, 1, A, 0)), 0);
    assert_int_equal(status(ask(A, STAT, 1, 1, 0)), PIPE_BAD_END);
}

static void refusals(void **unused)
{
    assert_int_equal(status(ask(A, WRITE, 1, 2, 0)), L4_BAD_MESSAGE);
    assert_int_equal(status(ask(A, WRITE, 2, 2, 4097)), L4_BAD_MESSAGE);
    assert_int_equal(status(ask(A, STAT, 1, 1ul << 32, 0)), L4_BAD_MESSAGE);
    assert_int_equal(status(ask(A, 0x101099, 0, 0, 0)), L4_NO_METHOD);
    assert_int_equal(status(ask_numbered(A, 1, MAKE, 0, 0, 0, 0)), 0);
    assert_int_equal(status(ask_numbered(B, 2, MAKE, 0, 0, 0, 0)), 0);
    struct l4_message m = { l4_tag(WRITE, 2, 0) | (u64)L4_R << L4_TAG_RIGHTS_SHIFT, A, ++count << 16, { 2, 1 }, 0 };
    assert_true(world_deliver(&m, NULL));
    assert_int_equal(status(world_answer_to(A, m.number)), L4_NO_RIGHT);
    const struct world_answer *a = ask(A, (MAKE & ~255u) | L4_METHOD_DESCRIBE, 0, 0, 0);
    assert_int_equal(a->word[0], 2);
}

static void a_request_that_killed_twice_is_answered_with_poison(void **unused)
{
    u64 n = ++count << 16 | 1;
    struct l4_message m = { l4_tag(WRITE, 2, 0) | 15ul << L4_TAG_RIGHTS_SHIFT, A, n, { 2, 3 }, 0 };
    *world_crash_page() = (struct l4_crash){ .incarnation = 2, .count = 2, .request = { A, n, m.tag } };
    assert_true(world_start());
    assert_int_equal(status(ask(B, MAKE, 0, 0, 0)), 0);
    assert_true(world_deliver(&m, NULL));
    assert_int_equal(status(world_answer_to(A, n)), PIPE_BROKEN);
    assert_int_equal(ask(A, STAT, 1, 1, 0)->word[1], 0);
    assert_true(world_deliver(&m, NULL));
    assert_int_equal(status(world_answer_to(A, n)), PIPE_BROKEN);
    assert_int_equal(ask(A, WRITE, 2, 2, 3)->word[0], 3);
}

static void irqs_and_timeouts_without_a_hook_are_dropped(void **unused)
{
    struct l4_message irq = { .tag = L4_IRQ << 8, .label = 9 }, late = { .tag = (u32)L4_TIMED_OUT };
    u32 answers = world.answers;
    assert_true(world_deliver(&irq, NULL));
    assert_true(world_deliver(&late, NULL));
    irq.label = L4_IRQ_PEER;
    assert_true(world_deliver(&irq, NULL));
    irq.label = L4_IRQ_HEARTBEAT;
    u32 effects = world.effects;
    assert_true(world_deliver(&irq, NULL));
    assert_int_equal(world.effects, effects + 1);
    assert_true(world.answers <= answers + 1);
}

/* Only the kernel sends from labels without a generation: a caller that takes the tag of an irq or a timeout is told that there is no such method. */
static void nobody_passes_for_the_kernel(void **unused)
{
    static const u32 tags[] = { L4_IRQ << 8, (u32)L4_TIMED_OUT, (u32)L4_KICKED };
    for (u64 i = 0; i < sizeof tags / sizeof *tags; i++) {
        struct l4_message m = { .tag = tags[i], .label = A, .number = 0x770000 + (i << 16) };
        assert_true(world_deliver(&m, NULL));
        assert_int_equal(status(world_answer_to(A, m.number)), L4_NO_METHOD);
    }
}

/* The next version finds the old state, open questions and remembered answers included. */
extern const struct l4_server *pipedtwo_description(u64 *bytes, u64 *window);
extern void pipedtwo_main(void);
static bool update(void)
{
    static struct world_server two;
    u64 bytes = sizeof(struct piped_state);
    void *old = mmap((void *)L4_OLD_STATE_ADDRESS, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_ptr_equal(old, (void *)L4_OLD_STATE_ADDRESS);
    memcpy(old, (void *)L4_STATE_ADDRESS, bytes);
    two.server = pipedtwo_description(&two.state_bytes, &two.window_at);
    two.main = pipedtwo_main;
    world_init(&two);
    world_reset();
    *world_crash_page() = (struct l4_crash){ .incarnation = 1, .reason = L4_DEFECT_UPDATE, .old_state_version = 1 };
    return world_start();
}

static void a_new_version_takes_the_state_over(void **unused)
{
    u64 n = ++count << 16 | 2;
    assert_int_equal(ask_numbered(A, n, WRITE, 2, 2, 77, 0)->word[0], 77);
    assert_true(update());
    const struct world_answer *a = ask(A, STAT, 1, 1, 0);
    assert_int_equal(a->word[0], 1ul << 32 | 1);
    assert_int_equal(a->word[1], 77);
    assert_int_equal(status(ask(A, MAKE, 0, 0, 0)), L4_NO_METHOD);
}

static void an_update_that_would_lose_something_is_refused(void **unused)
{
    ask(A, MAKE, 0, 0, 0);
    ask(A, MAKE, 0, 0, 0);      /* six ends, and the next version has room for four */
    assert_false(update());
    assert_non_null(strstr(world_crash(), "update refused: end"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, fresh)
    const struct CMUnitTest tests[] = {
        T(a_resent_request_is_not_executed_again), T(a_write_wakes_a_parked_reader), T(a_dead_caller_eats_no_data),
        T(a_server_is_told_pending_and_gets_an_event), T(cancel_gives_the_answer_or_becomes_it),
        T(a_newer_generation_takes_over), T(forget_needs_a_right_and_frees), T(refusals),
        T(a_request_that_killed_twice_is_answered_with_poison), T(irqs_and_timeouts_without_a_hook_are_dropped),
        T(nobody_passes_for_the_kernel),
        T(a_new_version_takes_the_state_over), T(an_update_that_would_lose_something_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
