/* SPDX-License-Identifier: BSD-2-Clause */
/* test_rseq.c: restartable sequences: errors of the call in Linux's order, and what becomes of a thread in and beside a sequence. */
#include "calls.h"
#include "host.h"
#include "rseq.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { SIGNATURE = 0x53053053, START = 0x1000, BYTES = 0x20 };

static struct area {
    i32 cpu_start, cpu;
    u64 sequence;
    u32 flags, pad[3];
} area __attribute__((aligned(32))), other __attribute__((aligned(32)));

static struct {
    u32 version, flags;
    u64 start, bytes, abort;
} sequence __attribute__((aligned(32)));

static struct { u32 signature; u8 code[4]; } landing = { SIGNATURE, { 0x90, 0x90, 0x90, 0x90 } };
static struct thread *t;
static i32 raised;

void signal_raise(struct thread *to, const struct linux_siginfo *info)
{
    assert_ptr_equal(to, t);
    raised = info->number;
}

static i64 call(const void *at, u64 bytes, u64 flags, u64 signature)
{
    return sys_rseq(t, (u64[]){ (u64)at, bytes, flags, signature, 0, 0 });
}

static int fresh(void **state)
{
    (void)state;
    t = host_thread();
    raised = 0;
    area = other = (struct area){ .cpu_start = 7, .cpu = -1 };
    return 0;
}

static int registered(void **state)
{
    fresh(state);
    sequence.version = sequence.flags = 0;
    sequence.start = START, sequence.bytes = BYTES, sequence.abort = (u64)landing.code;
    return (int)call(&area, 32, 0, SIGNATURE);
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal(call(&area, 31, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 64, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call((u8 *)&area + 16, 32, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 32, 2, SIGNATURE), -EINVAL);
    assert_int_equal(call((void *)~31ul, 31, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call((void *)~31ul, 32, 0, SIGNATURE), -EFAULT);
    assert_int_equal(call(&area, 32, 1, SIGNATURE), -EINVAL);
    assert_int_equal(call(NULL, 32, 1, 0), -EINVAL);
    assert_int_equal(thread_utcb(t)->tell_lost, 0);
    area.sequence = 99;
    assert_int_equal(call(&area, 1ul << 32 | 32, 1ul << 32, 1ul << 32 | SIGNATURE), 0);     /* 32 bits of each count */
    assert_int_equal(thread_utcb(t)->tell_lost, (u64)&area.sequence);
    assert_true(area.cpu_start == 0 && area.cpu == 0 && area.sequence == 0);
    assert_int_equal(raised, 0);
}

static void registered_once(void **state)
{
    (void)state;
    assert_int_equal(call(&area, 32, 0, SIGNATURE), -EBUSY);
    assert_int_equal(call(&area, 32, 0, SIGNATURE + 1), -EPERM);
    assert_int_equal(call(&area, 31, 0, SIGNATURE + 1), -EINVAL);
    assert_int_equal(call(&other, 32, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call((void *)~31ul, 32, 0, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 32, 4, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 32, 3, SIGNATURE), -EINVAL);
    assert_int_equal(call(&other, 32, 1, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 31, 1, SIGNATURE), -EINVAL);
    assert_int_equal(call(&area, 32, 1, SIGNATURE + 1), -EPERM);
    assert_int_equal(thread_utcb(t)->tell_lost, (u64)&area.sequence);
    assert_int_equal(call(&area, 32, 1, SIGNATURE), 0);
    assert_true(area.cpu_start == 0 && area.cpu == -1);
    assert_int_equal(thread_utcb(t)->tell_lost, 0);
    assert_int_equal(call(&area, 32, 1, SIGNATURE), -EINVAL);
}

static bool settle_at(u64 rip)
{
    area.sequence = (u64)&sequence;
    thread_utcb(t)->lost = 1;
    t->at.rip = rip;
    t->full = 0;
    return rseq_settle(t);
}

static void goes_on_at(u64 rip, u64 where, bool moved)
{
    assert_true(settle_at(rip));
    assert_int_equal(t->at.rip, where);
    assert_int_equal(t->full, moved);
    assert_int_equal(area.sequence, 0);
    assert_int_equal(thread_utcb(t)->lost, 0);
}

static void leaves(void **state)
{
    (void)state;
    goes_on_at(START, (u64)landing.code, true);
    goes_on_at(START + BYTES - 1, (u64)landing.code, true);
    goes_on_at(START - 1, START - 1, false);
    goes_on_at(START + BYTES, START + BYTES, false);
    goes_on_at((u64)landing.code, (u64)landing.code, false);
    area.cpu_start = 3;
    assert_true(rseq_settle(t));
    assert_int_equal(area.cpu_start, 0);
    area.cpu = 3;
    assert_true(rseq_settle(t));
    assert_int_equal(area.cpu, 0);
}

static void is_refused(u64 rip)
{
    assert_false(settle_at(rip));
    assert_int_equal(t->at.rip, rip);
    assert_int_equal(area.sequence, (u64)&sequence);
    registered(NULL);
}

static void refuses(void **state)
{
    (void)state;
    u64 elsewhere = START + BYTES;
    sequence.version = 1, is_refused(elsewhere);
    landing.signature++, is_refused(elsewhere), landing.signature--;
    sequence.bytes = ~0ul - START, is_refused(elsewhere);
    sequence.bytes = ~0ul, is_refused(elsewhere);
    sequence.start = (u64)landing.code, is_refused(elsewhere);
    sequence.abort = 3, is_refused(elsewhere);
    sequence.flags = 1, is_refused(START);
    area.flags = 1, is_refused(START);
    sequence.flags = 1, area.flags = 1;         /* they count for a sequence that runs */
    goes_on_at(elsewhere, elsewhere, false);
}

static void waits(void **state)
{
    (void)state;
    rseq_waited(t);
    assert_int_equal(thread_utcb(t)->lost, 0);
    area.sequence = (u64)&sequence;
    rseq_waited(t);
    assert_int_equal(thread_utcb(t)->lost, 1);
    assert_true(rseq_settle(t));
    area.sequence = (u64)&sequence;
    assert_int_equal(call(&area, 32, 1, SIGNATURE), 0);
    rseq_waited(t);
    assert_int_equal(thread_utcb(t)->lost, 0);
    t->at.rip = START;
    assert_true(rseq_settle(t));                /* who has no area is left alone */
    assert_int_equal(t->at.rip, START);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers, fresh), cmocka_unit_test_setup(registered_once, registered),
        cmocka_unit_test_setup(leaves, registered), cmocka_unit_test_setup(refuses, registered), cmocka_unit_test_setup(waits, registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
