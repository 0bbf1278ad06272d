/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: kicks of waiting threads: every kind of wait, masked and not; none is lost. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR };

static volatile u64 ended L4_VOLATILE_ZERO, status L4_VOLATILE_ZERO, latched L4_VOLATILE_ZERO, mask L4_VOLATILE_ZERO;

static void call_door(u64 unused)
{
    l4_utcb()->kick_mask = mask;
    l4_utcb()->kicked = 0;
    status = (u64)(i64)wire_call(DOOR, l4_tag(0x100001, 0, 0), 0, 0);
    latched = l4_utcb()->kicked;
    ended++;
    spawn_rest();
}

static void receive(u64 unused)
{
    struct l4_message m;
    l4_utcb()->kick_mask = mask;
    l4_utcb()->kicked = 0;
    wire_wait(&m, 0);
    status = (u64)(i64)l4_tag_status(m.tag);
    latched = l4_utcb()->kicked;
    ended++;
    spawn_rest();
}

static void test_wait(const char *what, void (*entry)(u64), bool received)
{
    mask = 0;
    ended = 0;
    struct spawned s = spawn_thread_run(0, 40, entry, 0);
    spawn_let_run(1);
    struct l4_message m;
    if (received) { /* bound only now: waiting above is an open receive itself */
        l4_must(gate_bind(GATE, L4_BOOT_THREAD));
        wire_wait(&m, 0);
        l4_must(gate_unbind(GATE));
    }
    l4_print("# %s\n", what);
    test_is("it waits", ended, 0);
    test_ok("kick", thread_kick(s.thread));
    spawn_let_run(1);
    test_is("its wait ended", ended, 1);
    test_is("kicked", status, (u64)(i64)L4_KICKED);
    test_is("and latched", latched & 1, 1);
    if (received)
        test_status("the server has nobody to answer", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY);
    spawn_end(&s);
}

static void test_masked(void)
{
    mask = 1;
    ended = 0;
    struct spawned s = spawn_thread_run(0, 40, call_door, 0);
    spawn_let_run(1);
    test_ok("kick one that masks it", thread_kick(s.thread));
    spawn_let_run(1);
    test_is("it waits on", ended, 0);
    struct l4_message m;
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    wire_wait(&m, 0);
    l4_must(wire_call(0, l4_tag(3, 0, 0), 0, 0));
    spawn_let_run(1);
    test_is("it has its answer", status, 3);
    test_is("and the kick, latched", latched & 1, 1);
    spawn_end(&s);
    l4_must(gate_unbind(GATE));
    mask = 0;
}

static void spin_then_call(u64 unused)
{
    l4_utcb()->kicked = 0;
    for (volatile u32 i = 0; i < 100000; i++)
        ;
    latched = l4_utcb()->kicked;
    ended++;
    spawn_rest();
}

static void test_running(void)
{
    ended = 0;
    struct spawned s = spawn_thread(0);
    spawn_start(&s, spin_then_call, 0);
    l4_utcb()->deadline = l4_now() + 20000;
    struct l4_message m;
    wire_wait(&m, L4_TAG_TIMEOUT);
    test_ok("kick one that runs", thread_kick(s.thread));
    spawn_let_run(5);
    test_is("it ran on", ended, 1);
    test_is("and finds it latched", latched & 1, 1);
    test_ok("a stopped one", thread_stop(s.thread));
    test_ok("can be kicked", thread_kick(s.thread));
    u32 state;
    u64 n;
    l4_must(thread_look(s.thread, &state, &n, &n, &n));
    test_is("and stays stopped", state, 0);
    spawn_end(&s);
}

static void wait_twice(u64 unused)
{
    struct l4_message m;
    while (!l4_utcb()->kicked)
        ;
    status = (u64)(i64)wire_call(DOOR, l4_tag(0x100001, 0, 0), 0, 0);
    ended++;
    l4_utcb()->kicked = 0;
    while (!l4_utcb()->kicked)
        ;
    wire_wait(&m, 0);
    latched = (u64)(i64)l4_tag_status(m.tag);
    ended++;
    wire_wait(&m, 0);
    ended++;
}

/* The kick came after the runtime looked and before it waits. */
static void test_latched_before(void)
{
    ended = 0;
    struct spawned s = spawn_thread(0);
    spawn_start(&s, wait_twice, 0);
    for (u32 i = 0; i < 2; i++) {
        spawn_let_run(1);
        l4_must(thread_kick(s.thread));
        spawn_let_run(1);
    }
    test_is("neither a call nor a receive begins, and the next does", ended, 2);
    test_is("the call says why", status, (u64)(i64)L4_KICKED);
    test_is("and the receive", latched, (u64)(i64)L4_KICKED);
    spawn_end(&s);
}

void l4_main(void)
{
    test_begin("kick");
    struct test_usage before = test_usage();
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, 0));
    test_wait("a sender at an unbound gate", call_door, false);
    test_wait("an open receive", receive, false);
    test_masked();
    test_wait("one that is received and unanswered", call_door, true);
    test_running();
    test_latched_before();
    test_drop(GATE);
    test_balance("memory is as before", before);
    test_end();
}
