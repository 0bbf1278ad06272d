/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the right to answer: implicit, kept, probed, lost. Nobody hangs whose answer can no longer come. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "reply.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, KEPT, KEPT_TOO, SCRATCH };
enum { MANY = 150, FIRST_KEPT = 300, FIRST_CALLER = 600 };      /* more than the kernel does in one step */
#define UTCBS 0x48000000ul

static volatile u64 answer[8] L4_VOLATILE_ZERO;

/* Calls through DOOR (it runs in the root task) and remembers what came. */
static void call_once(u64 who)
{
    struct l4_message m = { .tag = l4_tag(0x100001, 1, 0), .word = { who } };
    answer[who] = 0xaaaa;
    wire_invoke(DOOR, &m);
    answer[who] = l4_tag_status(m.tag) ? (u64)(i64)l4_tag_status(m.tag) : m.word[0];
    spawn_rest();
}

static bool waits(cap_t reply)
{
    bool yes = false;
    l4_err_t err = reply_probe(reply, &yes);
    return !err && yes;
}

static l4_err_t answer_with(cap_t reply, u64 word) { return wire_call(reply, l4_tag(0, 1, 0), word, 0); }

/* The root thread is the server: receive what `who` sends. */
static u64 receive(void)
{
    struct l4_message m;
    wire_wait(&m, 0);
    return l4_tag_status(m.tag) == 0x100001 ? m.word[0] : ~0ul;
}

static void test_kept(void)
{
    u64 n;
    struct spawned a = spawn_thread_run(0, 40, call_once, 0), b = spawn_thread_run(1, 39, call_once, 1);
    test_status("keep without a caller", reply_keep(0, KEPT), L4_NO_REPLY);
    test_is("the first request", receive(), 0);
    test_true("its caller waits", waits(0));
    test_status("keep in a slot that is taken", reply_keep(0, L4_BOOT_LOG), L4_SLOT_BUSY);
    test_status("keep beyond the table", reply_keep(0, L4_CAP_SLOTS), L4_BAD_ARGUMENT);
    test_ok("keep", reply_keep(0, KEPT));
    test_status("it is kept already", reply_keep(KEPT, SCRATCH), L4_BAD_STATE);
    test_true("nobody waits for the implicit one", !waits(0));
    test_is("the second request", receive(), 1);
    test_ok("keep that too", reply_keep(0, KEPT_TOO));
    test_status("replies cannot be mapped",
        task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_caps(KEPT, 0), SCRATCH, L4_RIGHTS_ALL, &n), L4_WRONG_KIND);
    test_true("the first still waits", waits(KEPT));
    test_is("it has no answer", answer[0], 0xaaaa);
    test_ok("answer the second first", answer_with(KEPT_TOO, 222));
    test_ok("then the first", answer_with(KEPT, 111));
    spawn_let_run(1);
    test_is("what the second got", answer[1], 222);
    test_is("what the first got", answer[0], 111);
    test_status("a reply is used up", answer_with(KEPT, 1), L4_NO_CAPABILITY);
    spawn_end(&a);
    spawn_end(&b);
}

static void test_callers_death(void)
{
    struct spawned a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    l4_must(reply_keep(0, KEPT));
    spawn_end(&a);
    test_true("a dead caller does not wait", !waits(KEPT));
    test_status("it cannot be answered", answer_with(KEPT, 1), L4_NO_REPLY);
    test_status("and the reply is used up", answer_with(KEPT, 1), L4_NO_CAPABILITY);

    a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    spawn_end(&a);
    test_status("the implicit one as well", answer_with(0, 1), L4_NO_REPLY);

    a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    l4_must(reply_keep(0, KEPT));
    l4_must(thread_stop(a.thread));
    test_true("a stopped caller does not wait", !waits(KEPT));
    test_drop(KEPT);
    spawn_end(&a);
}

static void test_dropped(void)
{
    struct spawned a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    l4_must(reply_keep(0, KEPT));
    test_drop(KEPT);
    spawn_let_run(1);
    test_is("dropping a reply aborts its caller", answer[0], (u64)(i64)L4_PEER_RESTARTED);
    spawn_end(&a);
}

/* Who receives again while it owes an answer has given it up: that caller is told, whichever way the server came to receive. */
static void test_received_again(void)
{
    struct spawned a = spawn_thread_run(0, 40, call_once, 0), b = spawn_thread_run(1, 39, call_once, 1),
                   c = spawn_thread_run(2, 38, call_once, 2);
    test_is("one request to keep", receive(), 0);
    l4_must(reply_keep(0, KEPT));
    test_is("one that is owed an answer", receive(), 1);
    struct l4_message m = { .tag = l4_tag(0, 1, 0), .word = { 7 } };
    m.tag |= L4_TAG_WAIT;
    wire_invoke(KEPT, &m);
    test_is("answer the kept one and receive the third", m.word[0], 2);
    test_ok("which is answered", answer_with(0, 9));
    spawn_let_run(1);
    test_is("the kept one has its answer", answer[0], 7);
    test_is("the second is told", answer[1], (u64)(i64)L4_PEER_RESTARTED);
    test_is("the third has its answer", answer[2], 9);
    spawn_end(&a);
    spawn_end(&b);
    spawn_end(&c);
}

/* Receives one request, keeps it and one more; never answers. */
static void swallow(u64 unused)
{
    struct l4_message m;
    wire_wait(&m, 0);
    wire_call(0, l4_tag(REPLY_METHOD_KEEP, 1, 0), 300, 0);
    wire_wait(&m, 0);
    for (;;)
        __asm__ volatile("pause");
}

static void test_servers_death(void)
{
    struct spawned server = spawn_task_run(4, 30, swallow, 0);
    l4_must(gate_bind(GATE, server.thread));
    struct spawned a = spawn_thread_run(0, 40, call_once, 0), b = spawn_thread_run(1, 40, call_once, 1),
                   c = spawn_thread_run(2, 40, call_once, 2);
    spawn_let_run(2);
    spawn_end(&server);
    spawn_let_run(1);
    test_is("the kept one is told", answer[0], (u64)(i64)L4_PEER_RESTARTED);
    test_is("the received one is told", answer[1], (u64)(i64)L4_PEER_RESTARTED);
    test_is("the one not received waits on", answer[2], 0xaaaa);
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    test_is("and is received by the next server", receive(), 2);
    test_ok("which answers", answer_with(0, 5));
    spawn_let_run(1);
    test_is("it has its answer", answer[2], 5);
    spawn_end(&a);
    spawn_end(&b);
    spawn_end(&c);
}

/* A thread that calls the door in rdi, counts itself if it is told that the server is gone, and rests. */
void bare_caller(void);
static volatile u32 told L4_VOLATILE_ZERO;
__asm__(".text; bare_caller: mov %rdi, %r10; mov $0x100001, %edi; xor %eax, %eax; syscall; cmp %edi, gone(%rip); jne 1f;"
        "lock incl told(%rip); 1: xor %r10d, %r10d; mov $1 << 44, %rdi; syscall; jmp 1b");
_Static_assert(L4_TAG_WAIT == 1ul << 44, "the assembly above");
__attribute__((used)) static const u32 gone = (u32)L4_PEER_RESTARTED;

static void keep_all(u64 unused)
{
    for (u64 slot = FIRST_KEPT;; slot++) {
        struct l4_message m;
        wire_wait(&m, 0);
        wire_call(0, l4_tag(REPLY_METHOD_KEEP, 1, 0), slot, 0);
    }
}

/* `server` keeps MANY callers waiting. */
static void many_call(const struct spawned *server)
{
    told = 0;
    l4_must(gate_bind(GATE, server->thread));
    for (u32 i = 0; i < MANY; i++) {
        l4_must(factory_make_thread(L4_BOOT_FACTORY, FIRST_CALLER + i));
        l4_must(thread_bind(FIRST_CALLER + i, L4_BOOT_TASK, UTCBS + (u64)i * L4_UTCB_SIZE));
        l4_must(thread_start(FIRST_CALLER + i, (u64)bare_caller, 0, DOOR));
    }
    spawn_let_run(5);
    test_is("nobody is told as long as the server lives", told, 0);
}

static void many_are_told(const char *why)
{
    spawn_let_run(5);
    test_is(why, told, MANY);
    for (u32 i = 0; i < MANY; i++)
        test_drop(FIRST_CALLER + i);
}

static void test_many(void)
{
    struct spawned server = spawn_task_run(4, 30, keep_all, 0);
    many_call(&server);
    l4_must(thread_stop(server.thread));
    many_are_told("a server is stopped that keeps many");
    spawn_end(&server);
    server = spawn_task_run(4, 30, keep_all, 0);
    many_call(&server);
    test_drop(server.thread);
    many_are_told("a server's thread is destroyed that keeps many");
    spawn_end(&server);
    server = spawn_task_run(4, 30, keep_all, 0);
    many_call(&server);
    spawn_end(&server);
    many_are_told("with its task");
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
}

/* Rebinding moves the queue only: what was received may still be answered by the old server. */
static void test_drain(void)
{
    struct spawned a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    l4_must(gate_unbind(GATE));
    test_ok("answer after the gate moved away", answer_with(0, 9));
    spawn_let_run(1);
    test_is("the answer came", answer[0], 9);
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    spawn_end(&a);
}

static void test_bad(void)
{
    struct spawned a = spawn_thread_run(0, 40, call_once, 0);
    receive();
    test_status("a method that no reply has", wire_call(0, l4_tag(0x6ff, 0, 0), 0, 0), L4_NO_METHOD);
    test_status("another kind's method", wire_call(0, l4_tag(0x901, 0, 0), 0, 0), L4_NO_METHOD);
    test_true("the caller still waits", waits(0));
    test_ok("an interface's own error", wire_call(0, l4_tag(200, 0, 0), 0, 0));
    spawn_let_run(1);
    test_is("reaches the caller", answer[0], 200);
    spawn_end(&a);
}

void l4_main(void)
{
    test_begin("reply");
    for (u32 i = 0; i < MANY; i++) {
        l4_must(factory_make_irq(L4_BOOT_FACTORY, FIRST_CALLER + i));
        test_drop(FIRST_CALLER + i);    /* the table keeps the pages of its slots */
    }
    struct test_usage before = test_usage();
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, L4_R));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    test_kept();
    test_callers_death();
    test_dropped();
    test_received_again();
    test_servers_death();
    test_many();
    test_drain();
    test_bad();
    test_drop(GATE);
    test_balance("memory is as before", before);
    test_end();
}
