/* SPDX-License-Identifier: BSD-2-Clause */
/* test_log.c: log.write and the kernel's own lines while the serial line is slow: nothing is lost, no text comes between another's
 * characters, and no step waits for the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "arch.h"
#include "cap.h"
#include "invoke.h"
#include "log_kernel.h"
#include "print.h"
#include "sched.h"
#include "string.h"

static char sent[64 << 10];
static u32 sent_bytes, asked, accepts;          /* characters; how often the line was asked, takes before it is busy again */

/* ---- what authority.c and print.c need ---- */
bool arch_log(char c)
{
    asked++;
    if (!accepts)
        return false;
    accepts--;
    sent[sent_bytes++] = c;
    return true;
}
void arch_halt(void) { abort(); }
void sched_change(struct thread *t, u32 priority, struct budget budget) {}
l4_err_t cap_map(struct cap_table *to, u64 slot, struct cap *source, u32 rights, u64 label, bool grant) { return L4_OK; }

/* ---- */
static l4_err_t write_step(u64 *progress, const char *text)
{
    struct thread caller = { .progress = *progress };
    struct invocation inv = { .caller = &caller };
    u32 before = asked;
    l4_err_t err = log_write(NULL, &inv, (const u8 *)text, (u32)__builtin_strlen(text));
    *progress = caller.progress;
    assert_in_range(asked - before, 0, 1200);   /* what the ring holds: never a wait */
    return err;
}


static int set_up(void **state)
{
    accepts = 1 << 20;
    assert_true(log_step());
    memset(sent, 0, sizeof sent);
    sent_bytes = accepts = 0;
    return 0;
}

static void test_slow_line(void **state)
{
    u64 progress = 0;
    u32 steps = 0;
    for (; write_step(&progress, "hello, line\n") == RESTART; steps++)
        accepts += steps % 3 == 0;
    assert_in_range(steps, 13, 100);
    assert_string_equal(sent, "hello, line\r\n");
}

static void test_two_writers(void **state)
{
    static const char *const texts[] = { "the first writer's text\n", "and the second one's\n" };
    u64 progress[2] = { 0, 0 };
    u32 left = 400, turn = 0;
    for (u32 i = 0; left; i++) {
        turn = (turn * 7 + i) % 2;
        accepts = i % 5 == 0;
        if (write_step(&progress[turn], texts[turn]) == L4_OK) {
            progress[turn] = 0;
            left--;
        }
    }
    accepts = 1 << 20;
    assert_true(log_step());
    u32 seen[2] = { 0, 0 };
    for (const char *at = sent; *at; ) {
        bool second = *at == 'a';
        u32 length = (u32)__builtin_strlen(texts[second]) - 1;
        assert_memory_equal(at, texts[second], length);
        assert_memory_equal(at + length, "\r\n", 2);
        at += length + 2;
        seen[second]++;
    }
    assert_in_range(seen[0] + seen[1], 400, 402);      /* who was in the middle has been heard, too */
}

/* What the kernel says is heard before what is written after it, and one that is killed in the middle harms nobody. */
static void test_kernel_line(void **state)
{
    u64 killed = 0, progress = 0;
    assert_int_equal(write_step(&killed, "who is killed\n"), RESTART);
    print("kernel: %s %u, %lx\n", "line", 7, 0xabcul);
    assert_int_equal(sent_bytes, 0);
    assert_false(log_step());
    while (write_step(&progress, "after it\n") == RESTART)
        accepts++;
    assert_string_equal(sent, "who is killed\r\nkernel: line 7, abc\r\nafter it\r\n");
}

/* More than the ring holds: the kernel's own lines wait for the line then. */
static void test_full_ring(void **state)
{
    accepts = 3000;
    for (u32 i = 0; i < 50; i++)
        print("%s\n", "forty characters that are the kernel's.");
    while (!log_step())
        ;
    assert_int_equal(sent_bytes, 50 * 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_slow_line, set_up), cmocka_unit_test_setup(test_two_writers, set_up),
        cmocka_unit_test_setup(test_kernel_line, set_up), cmocka_unit_test_setup(test_full_ring, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
