/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of sched.idl, and what priorities and slices do. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "sched.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { WEAK = TEST_SLOTS, GATE, DOOR, LESS, LEAST, IRQ };

static volatile u64 count[4] L4_VOLATILE_ZERO, order[16] L4_VOLATILE_ZERO, orders L4_VOLATILE_ZERO,
    done L4_VOLATILE_ZERO, wrong L4_VOLATILE_ZERO, released L4_VOLATILE_ZERO;

static void spin(u64 me)
{
    for (;;)
        count[me]++;
}

static void test_methods(void)
{
    u32 highest = 0, share = 0;
    struct spawned s = spawn_thread(0);
    test_ok("look", sched_look(L4_BOOT_SCHED, &highest, &share));
    test_is("the whole CPU", share, 1000);
    test_is("the first capability may give all", highest, 63);
    test_ok("the highest priority", sched_set(L4_BOOT_SCHED, s.thread, 63, 0));
    test_status("a priority that is none", sched_set(L4_BOOT_SCHED, s.thread, 64, 0), L4_BAD_ARGUMENT);
    test_status("what is no thread", sched_set(L4_BOOT_SCHED, L4_BOOT_TASK, 1, 0), L4_WRONG_KIND);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_SCHED, WEAK, L4_R));
    test_status("set needs W", sched_set(WEAK, s.thread, 1, 0), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_SCHED, WEAK, L4_W));
    test_status("look needs R", sched_look(WEAK, &highest, &share), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, s.thread, WEAK, L4_R | L4_W));
    test_status("a thread without C", sched_set(L4_BOOT_SCHED, WEAK, 1, 0), L4_NO_RIGHT);
    test_drop(WEAK);
    spawn_end(&s);
}

static void test_weaken(void)
{
    u32 highest = 0, share = 0;
    struct spawned s = spawn_thread(0);
    test_ok("a weaker one", sched_weaken(L4_BOOT_SCHED, LESS, 30, 400));
    test_ok("again", sched_weaken(L4_BOOT_SCHED, LESS, 30, 400));
    test_status("another in its place", sched_weaken(L4_BOOT_SCHED, LESS, 29, 400), L4_SLOT_BUSY);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, LESS, LEAST, L4_R));
    test_status("one with fewer rights is another", sched_weaken(LESS, LEAST, 30, 400), L4_SLOT_BUSY);
    test_drop(LEAST);
    test_ok("it says", sched_look(LESS, &highest, &share));
    test_true("what it may give", highest == 30 && share == 400);
    test_status("a priority for a thread without budget", sched_set(LESS, s.thread, 1, 0), L4_NO_RIGHT);
    test_ok("its share", sched_set_budget(LESS, s.thread, 400000, 1000000));
    test_ok("its highest priority", sched_set(LESS, s.thread, 30, 0));
    test_status("a higher one", sched_set(LESS, s.thread, 31, 0), L4_NO_RIGHT);
    test_status("a slice longer than any period", sched_set(LESS, s.thread, 30, 1ul << 35), L4_BAD_ARGUMENT);
    test_status("more than that", sched_set_budget(LESS, s.thread, 400001, 1000000), L4_NO_RIGHT);
    test_status("no limit is more than that", sched_set_budget(LESS, s.thread, 1000000, 1000000), L4_NO_RIGHT);
    test_status("a stronger one", sched_weaken(LESS, LEAST, 31, 400), L4_NO_RIGHT);
    test_status("one with a larger share", sched_weaken(LESS, LEAST, 30, 401), L4_NO_RIGHT);
    test_status("a priority that is none", sched_weaken(LESS, LEAST, 64, 0), L4_BAD_ARGUMENT);
    test_status("more than the whole CPU", sched_weaken(LESS, LEAST, 0, 1001), L4_BAD_ARGUMENT);
    test_ok("a still weaker one", sched_weaken(LESS, LEAST, 1, 0));
    test_drop(LESS);
    test_status("is gone with the first", sched_look(LEAST, &highest, &share), L4_NO_CAPABILITY);
    spawn_end(&s);
}

static void test_budget_arguments(void)
{
    struct spawned s = spawn_thread(0);
    test_status("a budget longer than its period", sched_set_budget(L4_BOOT_SCHED, s.thread, 2000000, 1000000), L4_BAD_ARGUMENT);
    test_status("neither", sched_set_budget(L4_BOOT_SCHED, s.thread, 0, 0), L4_BAD_ARGUMENT);
    test_status("a period without budget", sched_set_budget(L4_BOOT_SCHED, s.thread, 0, 1000000), L4_BAD_ARGUMENT);
    test_status("a period too short", sched_set_budget(L4_BOOT_SCHED, s.thread, 99999, 99999), L4_BAD_ARGUMENT);
    test_status("a period too long", sched_set_budget(L4_BOOT_SCHED, s.thread, 1, (1ul << 34) + 1), L4_BAD_ARGUMENT);
    test_ok("all of the shortest", sched_set_budget(L4_BOOT_SCHED, s.thread, 100000, 100000));
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

/* What `high` leaves of the CPU, in thousandths, measured by how far a lower one counts beside it and alone. */
static u64 share_left(struct spawned *high)
{
    thread_stop(high->thread);
    u64 before = count[1];
    spawn_let_run(100);
    u64 alone = count[1] - before;
    thread_resume(high->thread);
    before = count[1];
    spawn_let_run(100);
    return (count[1] - before) * 1000 / alone;
}

static bool is_about(u64 got, u64 want) { return got + 60 > want && got < want + 60; }

static void test_budgets(void)
{
    struct spawned high = spawn_thread_run(0, 20, spin, 0), low = spawn_thread_run(1, 10, spin, 1);
    test_is("without a budget the greedy one leaves nothing", share_left(&high), 0);
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, 2 * L4_MILLISECOND, 10 * L4_MILLISECOND));
    test_true("2 of 10 ms leave 8", is_about(share_left(&high), 800));
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, 500000, 1 * L4_MILLISECOND));
    test_true("half of each millisecond leaves half", is_about(share_left(&high), 500));
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, 1, 16000ul * L4_MILLISECOND));
    spawn_let_run(5);
    u64 then = count[0];
    spawn_let_run(20);
    test_is("who has spent it rests", count[0], then);
    for (u32 i = 0; i < 100; i++)
        l4_must(sched_set(L4_BOOT_SCHED, high.thread, 30, 0));
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, L4_MILLISECOND, 2 * L4_MILLISECOND));
    l4_must(thread_kick(high.thread));
    spawn_let_run(20);
    test_is("whatever its priority, and kicked, too", count[0], then);
    l4_must(thread_stop(high.thread));
    l4_must(thread_resume(high.thread));
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, L4_MILLISECOND, L4_MILLISECOND));
    then = count[0];
    spawn_let_run(20);
    test_true("without it runs at once", count[0] > then);
    spawn_end(&low);
    l4_must(sched_set_budget(L4_BOOT_SCHED, high.thread, 1, 16000ul * L4_MILLISECOND));
    spawn_let_run(5);
    spawn_end(&high);       /* dies with its budget spent */
}

/* Started by a less urgent one it runs without having queued, and then rests without having. */
static void test_spent_at_once(void)
{
    enum { OWN = 61, LOW = 5 };
    struct spawned s = spawn_thread(0);
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, 20, 0));
    l4_must(sched_set_budget(L4_BOOT_SCHED, s.thread, L4_MILLISECOND, 16000ul * L4_MILLISECOND));
    l4_must(sched_set(L4_BOOT_SCHED, L4_BOOT_THREAD, LOW, 0));
    u64 before = count[0];
    spawn_start(&s, spin, 0);
    test_true("it has run before its starter", count[0] > before);
    u64 then = count[0];
    test_ok("who rests is stopped", thread_stop(s.thread));
    test_ok("and goes on", thread_resume(s.thread));
    test_is("to rest", count[0], then);
    l4_must(sched_set(L4_BOOT_SCHED, L4_BOOT_THREAD, OWN, 0));
    spawn_end(&s);
}

static void spend_then_serve(u64 me)
{
    while (!released)
        ;
    serve(me);
}

/* A thread with a budget calls as one without; a server that has spent its budget lets its callers wait for the next period. */
static void test_budget_calls(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, 0));
    released = 0;
    struct spawned server = spawn_task_run(0, 20, spend_then_serve, 100), client = spawn_thread(1);
    l4_must(gate_bind(GATE, server.thread));
    l4_must(sched_set_budget(L4_BOOT_SCHED, server.thread, 1 * L4_MILLISECOND, 400 * L4_MILLISECOND));
    spawn_let_run(20);
    released = 1;
    l4_must(sched_set(L4_BOOT_SCHED, client.thread, 20, 0));
    l4_must(sched_set_budget(L4_BOOT_SCHED, client.thread, 5 * L4_MILLISECOND, 10 * L4_MILLISECOND));
    done = 0;
    spawn_start(&client, call_three, 0);
    spawn_let_run(20);
    test_is("calls to a server that has spent its budget wait", done, 0);
    spawn_let_run(800);
    test_is("and are answered in its next period", done, 1);
    spawn_end(&client);
    spawn_end(&server);
    test_drop(GATE);
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

/* An urgent server that wakes somebody before it answers. */
static void serve_and_wake(u64 me)
{
    struct l4_message m = { 0 };
    for (;;) {
        wire_reply_wait(&m, 0);
        l4_must(irq_ring(IRQ));
        m = (struct l4_message){ .tag = l4_tag(0, 0, 0) };
    }
}

static void be_woken(u64 me)
{
    struct l4_message m;
    for (;;) {
        wire_wait(&m, 0);
        order[orders++ & 15] = me;
    }
}

static void call_once(u64 me)
{
    wire_call(DOOR, l4_tag(0x100001, 0, 0), 0, 0);
    order[orders++ & 15] = me;
    spawn_rest();
}

/* An answer does not let the caller go before somebody more urgent that is ready. */
static void test_answer(void)
{
    orders = 0;
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 0, L4_RIGHTS_ALL));
    l4_must(factory_make_irq(L4_BOOT_FACTORY, IRQ));
    struct spawned woken = spawn_thread_run(1, 25, be_woken, 7), server = spawn_thread_run(0, 30, serve_and_wake, 0);
    l4_must(gate_bind(GATE, server.thread));
    spawn_let_run(1);
    l4_must(irq_bind(IRQ, woken.thread, 0));
    spawn_let_run(1);
    orders = 0;                 /* binding has told it */
    struct spawned caller = spawn_thread_run(2, 20, call_once, 9);
    spawn_let_run(2);
    test_is("both have run", orders, 2);
    test_true("first the one who is more urgent than the caller", order[0] == 7 && order[1] == 9);
    spawn_end(&caller);
    spawn_end(&server);
    spawn_end(&woken);
    test_drop(IRQ);
    test_drop(DOOR);
    test_drop(GATE);
}

void l4_main(void)
{
    test_begin("sched");
    struct test_usage before = test_usage();
    test_methods();
    test_weaken();
    test_budget_arguments();
    test_priorities();
    test_round_robin();
    test_interrupted();
    test_handoff();
    test_answer();
    test_switch();
    test_budgets();
    test_spent_at_once();
    test_budget_calls();
    test_balance("memory is as before", before);
    test_end();
}
