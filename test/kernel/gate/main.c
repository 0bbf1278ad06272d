/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of gate.idl: binding, minting, revoking; who waits at a gate stays there while servers come and
 * go. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, OTHER_GATE, DOOR, WEAK, WEAK_THREAD, SCRATCH, CHILD_SLOT = 70 };
enum { CALLERS = 4 };

static volatile u64 answer[CALLERS + 1] L4_VOLATILE_ZERO, order[CALLERS * 2] L4_VOLATILE_ZERO, orders L4_VOLATILE_ZERO;
static volatile u64 label_at[8] L4_VOLATILE_ZERO;

/* Answers with `mine` in word 0 and remembers the labels in the order of arrival. */
static void serve(u64 mine)
{
    struct l4_message m = { 0 };
    for (;;) {
        wire_reply_wait(&m, 0);
        order[orders++ % (CALLERS * 2)] = m.word[0];
        label_at[m.word[0] & 7] = m.label;
        m = (struct l4_message){ .tag = l4_tag(0, 1, 0), .word = { mine } };
    }
}

static void call_once(u64 who)
{
    struct l4_message m = { .tag = l4_tag(0x100001, 1, 0), .word = { who } };
    wire_invoke(CHILD_SLOT, &m);
    answer[who] = l4_tag_status(m.tag) ? (u64)(i64)l4_tag_status(m.tag) : m.word[0];
    spawn_rest();
}

static u32 waiting(cap_t gate)
{
    bool bound;
    u32 count = 99;
    return gate_look(gate, &bound, &count) ? 99 : count;
}

static bool is_bound(cap_t gate)
{
    bool bound = false;
    u32 count;
    gate_look(gate, &bound, &count);
    return bound;
}

static void test_mint(void)
{
    u64 removed = 0;
    test_ok("mint", gate_mint(GATE, DOOR, 5, L4_R | L4_W));
    test_ok("the same again", gate_mint(GATE, DOOR, 5, L4_R | L4_W));
    test_status("with another label", gate_mint(GATE, DOOR, 6, L4_R | L4_W), L4_SLOT_BUSY);
    test_status("with other rights", gate_mint(GATE, DOOR, 5, L4_R), L4_SLOT_BUSY);
    test_status("into slot 0", gate_mint(GATE, 0, 5, L4_R), L4_BAD_ARGUMENT);
    test_status("beyond the table", gate_mint(GATE, L4_CAP_SLOTS, 5, L4_R), L4_BAD_ARGUMENT);
    test_ok("a second", gate_mint(GATE, SCRATCH, ~0ul, L4_RIGHTS_ALL));
    u32 rights, o;
    u64 id;
    l4_must(task_look(L4_BOOT_TASK, l4_fpage_caps(SCRATCH, 0), &rights, &o, &id));
    test_is("a door has no M and no C", rights, L4_R | L4_W | L4_X | L4_O | L4_I);
    u32 state;
    u64 waits_for, me, progress;
    l4_must(thread_look(L4_BOOT_THREAD, &state, &waits_for, &me, &progress));
    test_ok("revoke what somebody else minted", gate_revoke(GATE, me + 1000, &removed));
    test_is("nothing", removed, 0);
    test_ok("revoke what this thread minted", gate_revoke(GATE, me, &removed));
    test_is("two doors", removed, 2);
    test_status("a revoked door", wire_call(DOOR, l4_tag(0x100001, 0, 0), 0, 0), L4_NO_CAPABILITY);
}

static void test_rights(void)
{
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, GATE, WEAK, L4_R | L4_W | L4_X | L4_O | L4_I));
    test_status("bind needs C", gate_bind(WEAK, L4_BOOT_THREAD), L4_NO_RIGHT);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_THREAD, WEAK_THREAD, L4_R));
    struct l4_message m = { .tag = l4_tag(GATE_METHOD_BIND, 1, 0), .word = { WEAK_THREAD } };
    wire_invoke(GATE, &m);
    test_status("bind needs C of the thread", l4_tag_status(m.tag), L4_NO_RIGHT);
    test_is("the refusal tells the thread's rights", m.word[0], L4_R);
    test_is("and what is missing", m.word[1], L4_C);
    test_drop(WEAK_THREAD);
    test_status("unbind needs C", gate_unbind(WEAK), L4_NO_RIGHT);
    test_status("mint needs M", gate_mint(WEAK, DOOR, 5, L4_R), L4_NO_RIGHT);
    test_status("revoke needs M", gate_revoke(WEAK, 5, &(u64){ 0 }), L4_NO_RIGHT);
    test_is("look needs R", waiting(WEAK), 0);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, GATE, WEAK, L4_M));
    test_is("look without R", waiting(WEAK), 99);
    test_ok("M is enough to mint", gate_mint(WEAK, DOOR, 5, L4_R));
    test_drop(WEAK);
    test_ok("the door hangs under the gate, not the minter", gate_mint(GATE, DOOR, 5, L4_R));
    test_drop(DOOR);
    test_status("bind to what is no thread", gate_bind(GATE, L4_BOOT_TASK), L4_WRONG_KIND);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_THREAD, WEAK, L4_R));
    test_status("bind to a thread without C", gate_bind(GATE, WEAK), L4_NO_RIGHT);
    test_drop(WEAK);
}

/* Callers of two bands, in tasks of their own, wait at the unbound gate. */
static void start_callers(struct spawned *caller)
{
    static const u32 priority[CALLERS] = { 20, 50, 21, 51 }; /* bands 1, 3, 1, 3 */
    for (u32 i = 0; i < CALLERS; i++) {
        caller[i] = spawn_task(i);
        l4_must(gate_mint(GATE, SCRATCH + i, 100 + i, L4_R));
        spawn_give(&caller[i], SCRATCH + i, CHILD_SLOT, L4_RIGHTS_ALL);
        answer[i] = 0;
    }
    for (u32 i = 0; i < CALLERS; i++) {
        l4_must(sched_set(L4_BOOT_SCHED, caller[i].thread, priority[i], 0));
        spawn_start(&caller[i], call_once, i);
        spawn_let_run(1);
    }
}

static void test_queue(void)
{
    struct spawned caller[CALLERS], server;
    start_callers(caller);
    test_is("four wait", waiting(GATE), CALLERS);
    test_true("at an unbound gate", !is_bound(GATE));
    server = spawn_task(5);
    test_ok("bind a server that does not run yet", gate_bind(GATE, server.thread));
    test_true("it is bound", is_bound(GATE));
    test_is("they still wait", waiting(GATE), CALLERS);
    spawn_end(&server);
    test_true("the server's end unbinds", !is_bound(GATE));
    test_is("and they still wait", waiting(GATE), CALLERS);
    server = spawn_thread_run(6, 45, serve, 6);
    spawn_let_run(1);
    test_ok("bind a server that waits", gate_bind(GATE, server.thread));
    spawn_let_run(5);
    test_is("nobody waits any more", waiting(GATE), 0);
    for (u32 i = 0; i < CALLERS; i++) {
        test_is("the answer", answer[i], 6);
        test_is("the label", label_at[i], 100 + i);
    }
    test_is("the most urgent band first", order[0] << 8 | order[1], 1 << 8 | 3);
    test_is("first come first served inside it", order[2] << 8 | order[3], 0 << 8 | 2);
    for (u32 i = 0; i < CALLERS; i++)
        spawn_end(&caller[i]);
    test_ok("unbind", gate_unbind(GATE));
    test_ok("unbind again", gate_unbind(GATE));
    spawn_end(&server);
    for (u32 i = 0; i < CALLERS; i++)
        test_drop(SCRATCH + i);
}

static void test_destroyed(void)
{
    struct spawned caller[CALLERS];
    start_callers(caller);
    test_drop(GATE);
    spawn_let_run(2);
    for (u32 i = 0; i < CALLERS; i++) {
        test_is("the gate was destroyed", answer[i], (u64)(i64)L4_GATE_DESTROYED);
        spawn_end(&caller[i]);
    }
    test_status("so are its doors", wire_call(SCRATCH, l4_tag(0x100001, 0, 0), 0, 0), L4_NO_CAPABILITY);
}

/* One server, two gates: both are received from; moving one away leaves the other. */
static void test_two_gates(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(factory_make_gate(L4_BOOT_FACTORY, OTHER_GATE));
    struct spawned one = spawn_task_run(0, 40, serve, 11), two = spawn_thread_run(1, 40, serve, 22);
    l4_must(gate_bind(GATE, one.thread));
    l4_must(gate_bind(OTHER_GATE, one.thread));
    l4_must(gate_mint(GATE, DOOR, 1, L4_R));
    l4_must(gate_mint(OTHER_GATE, SCRATCH, 2, L4_R));
    struct l4_message m = { .tag = l4_tag(0x100001, 1, 0) };
    wire_invoke(DOOR, &m);
    test_is("the first gate", m.word[0], 11);
    m = (struct l4_message){ .tag = l4_tag(0x100001, 1, 0) };
    wire_invoke(SCRATCH, &m);
    test_is("the second gate", m.word[0], 11);
    l4_must(gate_bind(OTHER_GATE, two.thread));
    m = (struct l4_message){ .tag = l4_tag(0x100001, 1, 0) };
    wire_invoke(SCRATCH, &m);
    test_is("the second moved", m.word[0], 22);
    m = (struct l4_message){ .tag = l4_tag(0x100001, 1, 0) };
    wire_invoke(DOOR, &m);
    test_is("the first did not", m.word[0], 11);
    spawn_end(&one);
    spawn_end(&two);
    test_drop(GATE);
    test_drop(OTHER_GATE);
}

void l4_main(void)
{
    test_begin("gate");
    struct test_usage before = test_usage();
    test_ok("make", factory_make_gate(L4_BOOT_FACTORY, GATE));
    test_mint();
    test_rights();
    test_queue();
    test_destroyed();
    test_two_gates();
    test_balance("memory is as before", before);
    test_end();
}
