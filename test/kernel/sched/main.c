/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of sched.idl, and what priorities and slices do. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "sched.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { WEAK = TEST_SLOTS, GATE, DOOR };

static volatile u64 count[4] L4_VOLATILE_ZERO, order[16] L4_VOLATILE_ZERO, orders L4_VOLATILE_ZERO,
    done L4_VOLATILE_ZERO, wrong L4_VOLATILE_ZERO;

static void spin(u64 me)
{
    for (;;)
        count[me]++;
}

static void test_methods(void)
{
    u32 highest = 0;
    struct spawned s = spawn_thread(0);
    test_ok("look", sched_look(L4_BOOT_SCHED, &highest));
    test_is("the first capability may give all", highest, 63);
    test_ok("the highest priority", sched_set(L4_BOOT_SCHED, s.thread, 63, 0));
    test_status("a priority that is none", sched_set(L4_BOOT_SCHED, s.thread, 64, 0), L4_BAD_ARGUMENT);
    test_status("what is no thread", sched_set(L4_BOOT_SCHED, L4_BOOT_TASK, 1, 0), L4_WRONG_KIND);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_SCHED, WEAK, L4_R));
    test_status("set needs W", sched_set(WEAK, s.thread, 1, 0), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_SCHED, WEAK, L4_W));
    test_status("look needs R", sched_look(WEAK, &highest), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, s.thread, WEAK, L4_R | L4_W));
    test_status("a thread without C", sched_set(L4_BOOT_SCHED, WEAK, 1, 0), L4_NO_RIGHT);
    test_drop(WEAK);
    spawn_end(&s);
}

static void test_priorities(void)
{
    struct spawned low = spawn_thread_run(0, 10, spin, 0), high = spawn_thread_run(1, 20, spin, 1);
    spawn_let_run(30);
    test_is("the lower one does not run", count[0], 0);
    test_true("the higher one does", count[1] > 0);
    l4_must(sched_set(L4_BOOT_SCHED, low.thread, 30, 0));
    u64 then = count[1];
    spawn_let_run(30);
    test_true("raised it runs", count[0] > 0);
    test_is("and the other does not", count[1], then);
    spawn_end(&low);
    spawn_end(&high);
}

static void test_round_robin(void)
{
    count[0] = count[1] = 0;
    struct spawned a = spawn_thread_run(0, 10, spin, 0), b = spawn_thread_run(1, 10, spin, 1);
    spawn_let_run(200);
    test_true("two equals share", count[0] > count[1] / 2 && count[1] > count[0] / 2 && count[0] > 0);
    l4_must(sched_set(L4_BOOT_SCHED, a.thread, 10, 1 * L4_MILLISECOND));
    l4_must(sched_set(L4_BOOT_SCHED, b.thread, 10, 4 * L4_MILLISECOND));
    spawn_let_run(20);
    u64 before[2] = { count[0], count[1] };     /* setting them to 0 would race with a thread between load and store */
    spawn_let_run(500);
    u64 ratio = (count[1] - before[1]) * 10 / (count[0] - before[0] + 1);
    test_true("slices of 1 and 4 ms share about 1 to 4", ratio > 30 && ratio < 60);
    spawn_end(&a);
    spawn_end(&b);
}

/* One that is more urgent comes in the middle of each slice: the equals below it share all the same. */
static void test_interrupted(void)
{
    count[0] = count[1] = 0;
    struct spawned a = spawn_thread_run(0, 10, spin, 0), b = spawn_thread_run(1, 10, spin, 1);
    for (u32 i = 0; i < 200; i++)
        spawn_let_run(1);
    test_true("two equals share under interruptions", count[0] > count[1] / 2 && count[1] > count[0] / 2 && count[0] > 0);
    spawn_end(&a);
    spawn_end(&b);
}

static void serve(u64 me)
{
    struct l4_message m = { 0 };
    for (;;) {
        wire_reply_wait(&m, 0);
        order[orders++ & 15] = me + m.word[0];
        m = (struct l4_message){ .tag = l4_tag(0, 0, 0) };
    }
}

static void call_three(u64 me)
{
    for (u64 i = 0; i < 3; i++) {
        order[orders++ & 15] = i;
        wire_call(DOOR, l4_tag(0x100001, 1, 0), i, 0);
    }
    done++;
    spawn_rest();
}

/* A call switches to a server that is at least as urgent; a third of the same priority does not come between. */
static void test_handoff(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, 0));
    struct spawned server = spawn_task_run(0, 20, serve, 100);
    l4_must(gate_bind(GATE, server.thread));
    struct spawned client = spawn_thread_run(1, 20, call_three, 0), third = spawn_thread_run(2, 20, spin, 2);
    count[2] = 0;
    spawn_let_run(60);
    test_is("the client is done", done, 1);
    bool alternating = true;
    for (u32 i = 0; i < 3; i++)
        alternating = alternating && order[2 * i] == i && order[2 * i + 1] == 100 + i;
    test_true("client and server took turns", alternating);
    test_true("the third runs too", count[2] > 0);
    spawn_end(&client);
    spawn_end(&third);
    spawn_end(&server);
    test_drop(GATE);
}

static void yield(u64 to)
{
    for (u32 i = 0; i < 100; i++) {
        count[3]++;
        wrong += thread_switch_to(to) != L4_OK;
    }
    done++;
    spawn_rest();
}

static void test_switch(void)
{
    count[2] = 0;
    struct spawned other = spawn_thread_run(0, 20, spin, 2), one = spawn_thread(1);
    l4_must(sched_set(L4_BOOT_SCHED, one.thread, 20, 0));
    spawn_start(&one, yield, other.thread);
    done = 0;
    spawn_let_run(15);
    test_true("who is switched to runs", count[2] > 0);
    test_true("and the other waits for its turn", count[3] < 10);
    spawn_let_run(25);
    test_true("who switched comes back", count[3] > 1);
    test_is("has its answer", wrong, 0);
    spawn_end(&one);
    spawn_end(&other);
}

void l4_main(void)
{
    test_begin("sched");
    struct test_usage before = test_usage();
    test_methods();
    test_priorities();
    test_round_robin();
    test_interrupted();
    test_handoff();
    test_switch();
    test_balance("memory is as before", before);
    test_end();
}
