/* SPDX-License-Identifier: BSD-2-Clause */
/* test_judge.c: what libl4's loop does for a monitor beside its judgement: who is a client of its own, poison, irqs, messages that come too late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <fs.h>
#include "policyd_kill.h"

enum { WRITE = 0x22014, READ = 0x22003, CLEAR = 0x14003, LOOK = 0x14001, VFS = 0x10000, OTHER = 0x10004 };
#define OWN (L4_LABEL_OWN | 0x70003ul)
static u64 count = 5;

static const struct world_answer *send(u64 label, u64 number, u32 what, u32 words)
{
    struct l4_message m = { .tag = l4_tag(what, words, 0) | 15ul << L4_TAG_RIGHTS_SHIFT, .label = label, .number = number, .word = { 1 } };
    assert_true(world_deliver(&m, NULL));
    return world_answer_to(label, number);
}

static l4_err_t ask(u64 label, u32 what, u32 words)
{
    const struct world_answer *a = send(label, ++count << 16, what, words);
    assert_non_null(a);
    return l4_tag_status(a->tag);
}

static int fresh(void **unused)
{
    static struct world_server server;
    server = policyd_kill.world;
    world_init(&server);
    world_reset();
    assert_true(world_start());
    return 0;
}

static void serve_without_judge(void)
{
    static const struct policyd_ops none;
    policyd_serve(&none);
}

static u64 judged(u32 rule) { return rule_at(rule)->judged; }

static void a_verdict_says_which_line(void **unused)
{
    const struct world_answer *a = send(VFS, ++count << 16, WRITE, 0);
    assert_int_equal(l4_tag_status(a->tag), FS_ACCESS);
    assert_int_equal(l4_tag_words(a->tag), 1);
    assert_int_equal(a->word[0], 2);
    a = send(VFS, ++count << 16, READ, 0);
    assert_int_equal(a->word[0], WORLD_PASSED);
}

static void who_is_judged_takes_no_clients_place(void **unused)
{
    for (u64 label = VFS; label < VFS + 16; label++) {
        assert_int_equal(ask(label, READ, 0), L4_OK);
        assert_int_equal(l4_client_at(&policyd_server, (u16)label)->label, 0);
    }
    assert_int_equal(ask(OWN, CLEAR, 0), L4_OK);
    assert_int_equal(l4_client_at(&policyd_server, 3)->label, OWN);
    assert_int_equal(ask(VFS + 3, L4_METHOD_FORGET | 0x140 << 8, 1), L4_OK);        /* passed on, so nobody is forgotten */
    assert_int_equal(l4_client_at(&policyd_server, 3)->label, OWN);
}

/* Irqs and timeouts, whose labels have no generation, do not come through a gate. Whoever sends such a tag is judged. */
static void what_is_no_message_is_not_passed_on(void **unused)
{
    struct l4_message irq = { .tag = l4_tag(L4_IRQ << 8, 0, 0), .label = 3 }, late = { .tag = (u32)L4_TIMED_OUT };
    u32 before = world.effects;
    assert_true(world_deliver(&irq, NULL) && world_deliver(&late, NULL));
    assert_int_equal(world.effects, before);
    for (u32 n = 1; n <= policyd_state()->rule_table.live; n++) {
        assert_int_equal(judged(n), 0);
    }
    assert_int_equal(send(VFS, ++count << 16, L4_IRQ << 8, 0)->word[0], WORLD_PASSED);
    assert_int_equal(send(VFS, ++count << 16, (u32)L4_TIMED_OUT, 0)->word[0], WORLD_PASSED);
    assert_int_equal(judged(5), 2);
}

/* A message that killed its judge twice is refused, once, and takes no place among the clients. */
static void poison_is_not_passed_on(void **unused)
{
    u64 number = ++count << 16 | 3;
    *world_crash_page() = (struct l4_crash){ .incarnation = 1, .count = 2, .request = { OTHER, number, l4_tag(READ, 0, 0) | 15ul << L4_TAG_RIGHTS_SHIFT } };
    assert_true(world_start());
    const struct world_answer *a = send(OTHER, number, READ, 0);
    assert_int_equal(l4_tag_status(a->tag), L4_POISONED);
    assert_int_equal(judged(5), 0);
    assert_int_equal(l4_client_at(&policyd_server, 4)->label, 0);
    assert_int_equal(ask(OTHER, READ, 0), L4_OK);
    assert_int_equal(judged(5), 1);
    assert_int_equal(ask(OWN, LOOK, 1), L4_OK);
}

/* What came for another would be a request to itself. */
static void who_judges_nobody_is_no_monitor(void **unused)
{
    struct world_server server = policyd_kill.world;
    server.main = serve_without_judge;
    world_monitors = true;
    world_init(&server);
    world_reset();
    assert_false(world_start());
    world_monitors = false;
    assert_non_null(strstr(world_crash(), "a hook `judge`"));
}

/* `service update` with another policy: the last incarnation's counters are of other rules. */
static void another_policy_counts_from_0(void **unused)
{
    assert_int_equal(ask(VFS, WRITE, 0), FS_ACCESS);
    assert_true(world_start());
    assert_int_equal(judged(1), 1);
    ((struct policyd_state *)L4_STATE_ADDRESS)->policy ^= 2;
    assert_true(world_start());
    assert_int_equal(judged(1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_verdict_says_which_line, fresh), cmocka_unit_test_setup(who_is_judged_takes_no_clients_place, fresh),
        cmocka_unit_test_setup(what_is_no_message_is_not_passed_on, fresh), cmocka_unit_test_setup(poison_is_not_passed_on, fresh),
        cmocka_unit_test_setup(another_policy_counts_from_0, fresh), cmocka_unit_test(who_judges_nobody_is_no_monitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
