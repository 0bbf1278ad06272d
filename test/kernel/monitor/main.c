/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: monitors on gates: what one sees, refuses and passes on; what becomes of callers when it, they or the server end
 * meanwhile. The root thread is the monitor, but where one has to die. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "example.h"
#include "factory.h"
#include "fs.h"
#include "gate.h"
#include "pager.h"
#include "sched.h"
#include "sigma0.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, OTHER, WATCH, NOBODY, DOOR, WATCH_DOOR, NOBODYS_DOOR, WEAK, ODD_DOOR, CHILD_DOOR = 80 };
enum { LABEL = 0x7a, RIGHTS = L4_R | L4_X, METHOD = 0x123405, WORDS = 8, LONG_ORDER = 20 };
enum { SERVER, CALLER, SECOND, MONITOR };       /* places */
#define WINDOW   0x30000000ul
#define LONG_AT  0x40000000ul
#define FAR_AWAY 0x50000000ul

static u8 page[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static struct l4_message seen L4_VOLATILE_ZERO;
static volatile u64 seen_mr[WORDS] L4_VOLATILE_ZERO, monitors_last L4_VOLATILE_ZERO, served L4_VOLATILE_ZERO, touched L4_VOLATILE_ZERO;

u64 passed L4_VOLATILE_ZERO;        /* by the example */

/* What a caller sends, and what it gets. */
static struct request {
    cap_t door;
    u64 tag, timeout, fpage, hot;
    volatile u64 ended;
    struct l4_message got;
} request[SPAWN_PLACES] L4_VOLATILE_ZERO;

/* Let the others run without a receive, which would give up who is held: by a call that nobody takes. */
static void let_run(u64 ms)
{
    l4_utcb()->deadline = l4_now() + ms * L4_MILLISECOND;
    struct l4_message m = { .tag = l4_tag(METHOD, 0, 0) | L4_TAG_TIMEOUT };
    wire_invoke(NOBODYS_DOOR, &m);
}

static void call_once(u64 who)
{
    struct request *r = &request[who];
    struct l4_message m = { .tag = r->tag, .word = { 10, 11, 12, 13 } };
    for (u32 i = L4_REGISTER_WORDS; i < WORDS; i++)
        l4_utcb()->mr[i] = 10 + i;
    l4_utcb()->item[0] = (struct l4_item){ r->fpage, r->hot };
    l4_utcb()->deadline = l4_now() + r->timeout;
    wire_invoke(r->door, &m);
    r->got = m;
    r->ended++;
    spawn_rest();
}

/* Answers with word 0 and one more, and a page to whoever faults. */
static void serve(u64 unused)
{
    struct l4_message m = { 0 };
    l4_utcb()->window_memory = l4_fpage_memory(WINDOW, LONG_ORDER, 7);
    for (;;) {
        wire_reply_wait(&m, 0);
        seen = m;
        served++;
        for (u32 i = L4_REGISTER_WORDS; i < WORDS; i++)
            seen_mr[i] = l4_utcb()->mr[i];
        bool is_fault = (u32)m.tag == PAGER_METHOD_FAULT, is_message = l4_tag_status(m.tag) >= 0 && (u32)m.tag;
        l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)page, 12, 1), FAR_AWAY };
        m = (struct l4_message){ .tag = l4_tag(0, is_message, is_fault), .word = { m.word[0] + 1 } };
    }
}

/* Receives and never answers. */
static void hold(u64 unused)
{
    struct l4_message m;
    wire_wait(&m, 0);
    served++;
    for (;;)
        let_run(1000);
}

static struct spawned caller_run(u32 place, cap_t door, u64 tag)
{
    request[place].door = door;
    request[place].tag = tag;
    request[place].ended = 0;
    struct spawned s = spawn_thread_run(place, 30, call_once, place);
    let_run(1);
    return s;
}

/* The next message for the monitor, within 5 ms. */
static struct l4_message receive(void)
{
    struct l4_message m;
    l4_utcb()->deadline = l4_now() + 5 * L4_MILLISECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    monitors_last = l4_utcb()->mr[WORDS - 1];
    return m;
}

/* A caller whose message the root thread, the monitor, has. */
static struct spawned caller_held(u64 tag)
{
    struct spawned s = caller_run(CALLER, DOOR, tag);
    test_is("the monitor has it", (u32)receive().tag, METHOD);
    return s;
}

static void ended(const struct spawned *s, const char *how, l4_err_t status)
{
    let_run(1);
    test_is("the caller has an end", request[s->place].ended, 1);
    test_status(how, l4_tag_status(request[s->place].got.tag), status);
    spawn_end(s);
}

static void waits_on(const struct spawned *s)
{
    let_run(1);
    test_is("the caller waits", request[s->place].ended, 0);
}

static u32 waiting(cap_t gate, bool *bound)
{
    u32 count = 99;
    return gate_look(gate, bound, &count) ? 99 : count;
}

static void nobody_to_answer(void) { test_status("nobody is left to answer", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY); }

static void test_rights(void)
{
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, GATE, WEAK, L4_RIGHTS_ALL & ~(u32)L4_C));
    test_status("no monitor without C of the gate", gate_monitor(WEAK, WATCH), L4_NO_RIGHT);
    test_status("nor without C of the monitor's", gate_monitor(WATCH, WEAK), L4_NO_RIGHT);
    test_drop(WEAK);
    test_status("a door is none", gate_monitor(GATE, DOOR), L4_WRONG_KIND);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, GATE, WEAK, L4_RIGHTS_ALL & ~(u32)L4_W));
    test_status("passing on needs W", gate_pass(WEAK), L4_NO_RIGHT);
    test_drop(WEAK);
    test_ok("no monitor where there is none", gate_monitor(GATE, GATE));
    test_status("nothing to pass on", gate_pass(GATE), L4_NO_REPLY);
}

static void test_chain(void)
{
    test_ok("put on", gate_monitor(GATE, WATCH));
    test_ok("the same again", gate_monitor(GATE, WATCH));
    test_status("one monitor, one gate", gate_monitor(OTHER, WATCH), L4_BAD_STATE);
    test_status("a monitor has none", gate_monitor(WATCH, OTHER), L4_BAD_STATE);
    test_status("who has one is none", gate_monitor(OTHER, GATE), L4_BAD_STATE);
    test_status("in a ring neither", gate_monitor(WATCH, GATE), L4_BAD_STATE);
    test_ok("another one instead", gate_monitor(GATE, OTHER));
    test_ok("so the first is free", gate_monitor(WATCH, WATCH));
    test_ok("and comes back", gate_monitor(GATE, WATCH));
}

static void test_pass(void)
{
    struct spawned caller = caller_run(CALLER, DOOR, l4_tag(METHOD, WORDS, 0));
    struct l4_message m = receive();
    test_is("the monitor has the message", (u32)m.tag, METHOD);
    test_is("its label", m.label, LABEL);
    test_is("its rights", m.tag >> L4_TAG_RIGHTS_SHIFT, RIGHTS);
    test_is("its first word", m.word[0], 10);
    test_is("its last word", monitors_last, 10 + WORDS - 1);
    test_is("the server has seen nothing", served, 0);
    test_ok("pass on", gate_pass(GATE));
    nobody_to_answer();
    let_run(1);
    test_is("the server has it", served, 1);
    test_is("as it was sent", seen.tag, m.tag);
    test_is("with its label", seen.label, LABEL);
    test_is("its words", seen.word[0] << 16 | seen.word[3], 10 << 16 | 13);
    test_is("all of them", seen_mr[WORDS - 1], 10 + WORDS - 1);
    test_is("its answer goes to the caller", request[CALLER].got.word[0], 11);
    ended(&caller, "without the monitor", L4_OK);
}

static void test_refuse(void)
{
    struct spawned caller = caller_held(l4_tag(METHOD, 1, 0));
    l4_must(wire_call(0, l4_tag((u32)L4_REFUSED, 1, 0), 33, 0));
    ended(&caller, "refused", L4_REFUSED);
    test_is("it is told why", request[CALLER].got.word[0], 33);
    test_is("the server knows nothing of it", served, 1);
    test_status("it cannot be passed on", gate_pass(GATE), L4_NO_REPLY);
}

static void test_foreign(void)
{
    struct spawned caller = caller_run(CALLER, WATCH_DOOR, l4_tag(METHOD, 1, 0));
    test_is("a call to the monitor itself", (u32)receive().tag, METHOD);
    test_status("is its own", gate_pass(GATE), L4_BAD_STATE);
    l4_must(wire_call(0, l4_tag(0, 0, 0), 0, 0));
    ended(&caller, "answered", L4_OK);
    caller = caller_held(l4_tag(METHOD, 1, 0));
    test_status("to another gate it is not passed", gate_pass(OTHER), L4_BAD_STATE);
    test_ok("to its own it is", gate_pass(GATE));
    ended(&caller, "answered", L4_OK);
}

static u32 rights_at(cap_t task, u64 at)
{
    u32 rights = 0, order;
    u64 id;
    return task_look(task, l4_fpage_memory(at, 12, 0), &rights, &order, &id) ? 0xff : rights;
}

static void test_items(const struct spawned *server)
{
    u64 changed;
    request[CALLER].fpage = l4_fpage_memory((u64)page, 12, 1);
    request[CALLER].hot = 0x5000;
    l4_utcb()->window_memory = l4_fpage_memory(WINDOW, LONG_ORDER, 7);
    struct spawned caller = caller_run(CALLER, DOOR, l4_tag(METHOD, 0, 1));
    test_is("the monitor sees that there is an item", l4_tag_items(receive().tag), 1);
    test_is("it gets none", rights_at(L4_BOOT_TASK, WINDOW + 0x5000), 0xff);
    test_is("nor does the server yet", rights_at(server->task, WINDOW + 0x5000), 0xff);
    test_ok("pass on", gate_pass(GATE));
    test_is("now the server has it", rights_at(server->task, WINDOW + 0x5000), 1);
    ended(&caller, "answered", L4_OK);
    request[CALLER].fpage = l4_fpage_memory(FAR_AWAY, 12, 1);
    caller = caller_held(l4_tag(METHOD, 0, 1));
    test_ok("pass on what cannot be mapped", gate_pass(GATE));
    nobody_to_answer();
    ended(&caller, "the caller learns it", L4_MAP_FAILED);
    test_status("so does the server", l4_tag_status(seen.tag), L4_MAP_FAILED);
    request[CALLER].fpage = l4_fpage_memory(LONG_AT, LONG_ORDER, 1);
    request[CALLER].hot = 0;
    l4_must(task_unmap(server->task, l4_fpage_memory(WINDOW, LONG_ORDER, 7), 7, false, &changed));
    caller = caller_held(l4_tag(METHOD, 0, 1));
    test_ok("pass on what takes many steps", gate_pass(GATE));
    test_is("the server has the last page", rights_at(server->task, WINDOW + (1ul << LONG_ORDER) - 4096), 1);
    ended(&caller, "answered", L4_OK);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory(LONG_AT, LONG_ORDER, 7), 7, true, &changed));
    l4_utcb()->window_memory = 0;
}

static void test_ends_while_held(void)
{
    u64 before = served;
    request[CALLER].timeout = 2 * L4_MILLISECOND;
    struct spawned caller = caller_held(l4_tag(METHOD, 1, 0) | L4_TAG_TIMEOUT);
    let_run(3);
    ended(&caller, "the deadline passed", L4_TIMED_OUT);
    test_status("it is not passed on any more", gate_pass(GATE), L4_NO_REPLY);
    caller = caller_held(l4_tag(METHOD, 1, 0));
    test_ok("kick the caller", thread_kick(caller.thread));
    ended(&caller, "kicked", L4_KICKED);
    test_status("it is not passed on any more", gate_pass(GATE), L4_NO_REPLY);
    caller = caller_held(l4_tag(METHOD, 1, 0));
    spawn_end(&caller);
    test_status("the caller has died", gate_pass(GATE), L4_NO_REPLY);
    caller = caller_run(CALLER, DOOR, l4_tag(METHOD, 1, 0));
    bool bound;
    test_is("one waits for the monitor", waiting(WATCH, &bound), 1);
    test_ok("kick it there", thread_kick(caller.thread));
    ended(&caller, "kicked", L4_KICKED);
    test_is("the server has seen none of them", served, before);
}

static void test_no_wait(const struct spawned *server)
{
    struct spawned caller = caller_run(CALLER, DOOR, l4_tag(METHOD, 1, 0) | L4_TAG_NO_WAIT);
    ended(&caller, "the monitor does not wait", L4_WOULD_BLOCK);
    l4_must(gate_unbind(GATE));
    caller = spawn_thread(CALLER);
    request[CALLER].ended = 0;
    l4_must(sched_set(L4_BOOT_SCHED, caller.thread, 30, 0));
    spawn_start(&caller, call_once, CALLER);
    test_is("the monitor waits", (u32)receive().tag, METHOD);
    test_ok("pass on to nobody", gate_pass(GATE));
    nobody_to_answer();
    ended(&caller, "the server does not wait", L4_WOULD_BLOCK);
    request[CALLER].timeout = 4 * L4_MILLISECOND;
    caller = caller_held(l4_tag(METHOD, 1, 0) | L4_TAG_TIMEOUT);
    test_ok("pass on to nobody", gate_pass(GATE));
    bool bound;
    test_is("it waits at the gate", waiting(GATE, &bound), 1);
    let_run(5);
    ended(&caller, "until its deadline", L4_TIMED_OUT);
    caller = caller_held(l4_tag(METHOD, 1, 0));
    test_ok("pass on to nobody", gate_pass(GATE));
    waits_on(&caller);
    test_ok("a server comes", gate_bind(GATE, server->thread));
    ended(&caller, "and answers", L4_OK);
    test_is("what has its label", seen.label, LABEL);
}

static void test_servers_death(void)
{
    struct spawned other = spawn_thread_run(SECOND, 40, hold, 0), caller = caller_held(l4_tag(METHOD, 1, 0));
    let_run(1);
    l4_must(gate_bind(GATE, other.thread));
    test_ok("pass on", gate_pass(GATE));
    waits_on(&caller);
    spawn_end(&other);
    ended(&caller, "the server has died with it", L4_PEER_RESTARTED);
}

static void test_monitors_death(void)
{
    struct spawned monitor = spawn_thread_run(MONITOR, 40, hold, 0);
    bool bound;
    l4_must(gate_bind(WATCH, monitor.thread));
    served = 0;
    struct spawned caller = caller_run(CALLER, DOOR, l4_tag(METHOD, 1, 0)), second;
    test_is("another monitor has it", served, 1);
    second = caller_run(SECOND, DOOR, l4_tag(METHOD, 1, 0));
    waits_on(&second);
    spawn_end(&monitor);
    ended(&caller, "it has died with it", L4_PEER_RESTARTED);
    waits_on(&second);
    test_is("for a monitor", waiting(WATCH, &bound), 1);
    test_true("of which there is none", !bound);
    l4_must(gate_bind(WATCH, L4_BOOT_THREAD));
    test_is("the next one has it", (u32)receive().tag, METHOD);
    test_ok("and passes it on", gate_pass(GATE));
    ended(&second, "answered", L4_OK);
}

static void test_taken_away(void)
{
    struct spawned caller = caller_held(l4_tag(METHOD, 1, 0)), second = caller_run(SECOND, DOOR, l4_tag(METHOD, 1, 0));
    test_ok("no monitor any more", gate_monitor(GATE, GATE));
    waits_on(&second);
    test_ok("what it has it may pass on", gate_pass(GATE));
    ended(&caller, "answered", L4_OK);
    test_is("and what came for it", (u32)receive().tag, METHOD);
    test_ok("too", gate_pass(GATE));
    ended(&second, "answered", L4_OK);
    caller = caller_run(CALLER, DOOR, l4_tag(METHOD, 1, 0));
    ended(&caller, "the next does not come to it", L4_OK);
    test_ok("put on again", gate_monitor(GATE, WATCH));
}

static void touch(u64 at)
{
    touched = *(volatile u64 *)at + 1;
    spawn_rest();
}

/* A pager's gate: page faults are messages. */
static void test_fault(void)
{
    struct spawned pager = spawn_thread_run(SECOND, 40, serve, 0), child = spawn_task(CALLER);
    l4_must(gate_bind(GATE, pager.thread));
    spawn_give(&child, DOOR, CHILD_DOOR, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(child.thread, CHILD_DOOR, 0));
    l4_must(sched_set(L4_BOOT_SCHED, child.thread, 30, 0));
    touched = 0;
    spawn_start(&child, touch, FAR_AWAY + 8);
    struct l4_message m = receive();
    test_is("a page fault", (u32)m.tag, PAGER_METHOD_FAULT);
    test_is("its address", m.word[0], FAR_AWAY + 8);
    test_ok("passed on", gate_pass(GATE));
    let_run(1);
    test_is("the thread has its page", touched, 1);
    spawn_end(&child);
    spawn_end(&pager);
}

/* What the pager refuses becomes an exception, and that is a message of its own: the monitor has it first, too. */
static void test_fault_refused(void)
{
    struct spawned handler = spawn_thread_run(SECOND, 40, serve, 0), child = spawn_task(CALLER);
    l4_must(gate_bind(GATE, handler.thread));
    spawn_give(&child, DOOR, CHILD_DOOR, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(child.thread, CHILD_DOOR, CHILD_DOOR));
    l4_must(sched_set(L4_BOOT_SCHED, child.thread, 30, 0));
    spawn_start(&child, touch, FAR_AWAY + 8);
    struct l4_message m = receive();
    test_is("a page fault", (u32)m.tag, PAGER_METHOD_FAULT);
    m = (struct l4_message){ .tag = l4_tag((u32)L4_REFUSED, 0, 0) };
    wire_reply_wait(&m, 0);
    test_is("refused, it comes as an exception", (u32)m.tag, L4_PROTOCOL_EXCEPTION << 8 | 1);
    spawn_end(&child);
    spawn_end(&handler);
}

static void example_answers(cap_t door, u64 method, const char *what, l4_err_t status)
{
    struct spawned caller = caller_run(CALLER, door, l4_tag(method, 1, 0));
    ended(&caller, what, status);
}

/* Of docs/hooks.md. */
static void test_example(const struct spawned *server)
{
    struct spawned monitor = spawn_thread_run(MONITOR, 50, example, GATE);
    l4_must(gate_bind(GATE, server->thread));
    l4_must(gate_bind(WATCH, monitor.thread));
    l4_must(gate_mint(GATE, ODD_DOOR, LABEL | 1, RIGHTS));
    let_run(1);
    example_answers(DOOR, FS_METHOD_WRITE, "an even label writes", L4_OK);
    example_answers(ODD_DOOR, FS_METHOD_WRITE, "an odd one does not", L4_REFUSED);
    example_answers(ODD_DOOR, FS_METHOD_READ, "but reads", L4_OK);
    test_is("it counts", passed, 2);
    l4_must(gate_bind(WATCH, L4_BOOT_THREAD));
    spawn_end(&monitor);
    test_drop(ODD_DOOR);
}

static void test_monitors_gate(const struct spawned *server)
{
    bool bound;
    l4_must(gate_bind(GATE, server->thread));
    struct spawned caller = caller_held(l4_tag(METHOD, 1, 0)), second = caller_run(SECOND, DOOR, l4_tag(METHOD, 1, 0));
    test_drop(WATCH);
    ended(&second, "who waited at it is to send again", L4_PEER_RESTARTED);
    test_is("nobody waits", waiting(GATE, &bound), 0);
    test_true("the gate is open to nobody", !bound);
    second = caller_run(SECOND, DOOR, l4_tag(METHOD, 1, 0));
    waits_on(&second);
    test_ok("what it had it may pass on", gate_pass(GATE));
    waits_on(&caller);
    test_is("to nobody", waiting(GATE, &bound), 2);
    test_ok("somebody decides that there is none", gate_bind(GATE, server->thread));
    ended(&caller, "answered", L4_OK);
    ended(&second, "answered", L4_OK);
}

static void test_gate(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, WATCH));
    l4_must(gate_monitor(GATE, WATCH));
    l4_must(gate_bind(WATCH, L4_BOOT_THREAD));
    struct spawned caller = caller_held(l4_tag(METHOD, 1, 0)), second = caller_run(SECOND, DOOR, l4_tag(METHOD, 1, 0));
    test_drop(GATE);
    waits_on(&caller);
    test_status("a gate that is gone", gate_pass(GATE), L4_NO_CAPABILITY);
    l4_must(wire_call(0, l4_tag((u32)L4_REFUSED, 0, 0), 0, 0));
    ended(&caller, "refused", L4_REFUSED);
    test_is("the other comes, too", (u32)receive().tag, METHOD);
    l4_must(wire_call(0, l4_tag((u32)L4_REFUSED, 0, 0), 0, 0));
    ended(&second, "refused", L4_REFUSED);
    test_ok("the monitor's gate is free for another", gate_monitor(OTHER, WATCH));
    test_drop(WATCH);
    test_drop(OTHER);
}

void l4_main(void)
{
    u64 physical;
    test_begin("monitor");
    l4_must(sigma0_ram(L4_BOOT_SIGMA0, 1, LONG_ORDER, &physical, l4_fpage_memory(LONG_AT, LONG_ORDER, 7)));
    struct test_usage before = test_usage();
    for (cap_t gate = GATE; gate <= NOBODY; gate++)
        l4_must(factory_make_gate(L4_BOOT_FACTORY, gate));
    l4_must(gate_mint(GATE, DOOR, LABEL, RIGHTS));
    l4_must(gate_mint(WATCH, WATCH_DOOR, LABEL, RIGHTS));
    l4_must(gate_mint(NOBODY, NOBODYS_DOOR, LABEL, RIGHTS));
    struct spawned server = spawn_task_run(SERVER, 40, serve, 0);
    l4_must(gate_bind(GATE, server.thread));
    l4_must(gate_bind(WATCH, L4_BOOT_THREAD));
    let_run(1);
    served = 0;
    test_rights();
    test_chain();
    test_pass();
    test_refuse();
    test_foreign();
    test_items(&server);
    test_ends_while_held();
    test_no_wait(&server);
    test_servers_death();
    l4_must(gate_bind(GATE, server.thread));
    test_monitors_death();
    test_taken_away();
    test_fault();
    test_fault_refused();
    test_example(&server);
    test_monitors_gate(&server);
    test_gate();
    spawn_end(&server);
    test_drop(NOBODY);
    test_balance("memory is as before", before);
    test_end();
}
