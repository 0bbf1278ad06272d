/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of thread.idl. */
#include <abi/fpage.h>
#include <l4/clock.h>
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

enum { T = TEST_SLOTS, WEAK, TASK, GATE, DOOR };
enum { STOPPED, READY, SENDING, AWAITING, RECEIVING, HALTED };

static volatile u64 counter L4_VOLATILE_ZERO, argument_seen L4_VOLATILE_ZERO, base_seen L4_VOLATILE_ZERO;

static void count(u64 argument)
{
    argument_seen = argument;
    for (;;)
        counter++;
}

static u32 state_of(cap_t thread)
{
    u32 state = 99;
    u64 waits_for, id, progress;
    thread_look(thread, &state, &waits_for, &id, &progress);
    return state;
}

static void test_states(void)
{
    struct spawned s = spawn_thread(0);
    test_is("it begins stopped", state_of(s.thread), STOPPED);
    spawn_start(&s, count, 0x1234);
    spawn_let_run(2);
    test_is("its argument", argument_seen, 0x1234);
    test_true("it runs", counter > 0);
    test_is("it is ready", state_of(s.thread), READY);
    test_status("start one that runs", thread_start(s.thread, 0x400000, 0x1000, 0), L4_BAD_STATE);
    test_status(
        "registers of one that runs", thread_get_registers(s.thread, &(struct thread_registers){ 0 }), L4_BAD_STATE);
    test_status("FPU of one that runs", thread_use_fpu(s.thread, true), L4_BAD_STATE);
    test_status("bind one that runs", thread_bind(s.thread, L4_BOOT_TASK, 0x50000000), L4_BAD_STATE);
    test_ok("stop it", thread_stop(s.thread));
    test_ok("stop it again", thread_stop(s.thread));
    test_is("it is stopped", state_of(s.thread), STOPPED);
    u64 then = counter;
    spawn_let_run(2);
    test_is("it does not run", counter, then);
    test_ok("resume", thread_resume(s.thread));
    test_ok("resume again", thread_resume(s.thread));
    spawn_let_run(2);
    test_true("it runs on", counter > then);
    spawn_end(&s);
}

static void test_registers(void)
{
    struct spawned s = spawn_thread(0);
    struct thread_registers r = { 0 }, back;
    spawn_start(&s, count, 1);
    spawn_let_run(1);
    l4_must(thread_stop(s.thread));
    test_ok("get registers", thread_get_registers(s.thread, &r));
    test_true("its instruction pointer", r.rip >= (u64)count && r.rip < (u64)count + 256);
    test_is("its stack pointer's block", r.rsp & ~0xfffful, s.block);
    test_true("interrupts are on", r.rflags & 0x200);
    r = (struct thread_registers){ .rax = 1,
        .rbx = 2,
        .rcx = 3,
        .rdx = 4,
        .rsi = 5,
        .rdi = 6,
        .rbp = 7,
        .r8 = 8,
        .r9 = 9,
        .r10 = 10,
        .r11 = 11,
        .r12 = 12,
        .r13 = 13,
        .r14 = 14,
        .r15 = 15,
        .rip = (u64)count,
        .rflags = 0x3ffed7,
        .rsp = s.block + 0x8000,
        .fs_base = 0x1000,
        .gs_base = 0x2000 };
    test_ok("set registers", thread_set_registers(s.thread, &r));
    test_ok("get them back", thread_get_registers(s.thread, &back));
    bool same = true;
    for (u32 i = 0; i < sizeof r / 8; i++) {
        const u64 *a = (const u64 *)&r, *b = (const u64 *)&back;
        same = same && (i == 16 || a[i] == b[i]);
    }
    test_true("all the same", same);
    test_is("flags: IF on, no IOPL, NT, VM, VIF, TF",
        back.rflags & (0x200 | 0x3000 | 0x4000 | 0x20000 | 0x80000 | 0x100), 0x200);
    r.rip = 0x8000000000000000ul;
    l4_err_t err = thread_set_registers(s.thread, &r);
    l4_must(thread_get_registers(s.thread, &back));
    test_true("no instruction pointer outside", err == L4_BAD_ARGUMENT || back.rip <= L4_USER_END);
    test_status("start outside", thread_start(s.thread, 0xffff800000000000ul, 0, 0), L4_BAD_ARGUMENT);
    spawn_end(&s);
}

static void read_bases(u64 unused)
{
    u64 fs, gs;
    static u64 words[2] L4_VOLATILE = { 0x11, 0x22 };
    thread_set_base(argument_seen, (u64)&words[0], (u64)&words[1]);
    __asm__ volatile("mov %%fs:0, %0; mov %%gs:0, %1" : "=r"(fs), "=r"(gs));
    base_seen = fs << 8 | gs;
    spawn_rest();
}

static void test_base(void)
{
    struct spawned s = spawn_thread(0);
    argument_seen = s.thread;
    spawn_start(&s, read_bases, 0);
    spawn_let_run(2);
    test_is("FS and GS, set by itself", base_seen, 0x1122);
    test_status("a base outside", thread_set_base(s.thread, 1ul << 63, 0), L4_BAD_ARGUMENT);
    test_status("a GS base in the kernel", thread_set_base(s.thread, 0, 0xffff800000000000ul), L4_BAD_ARGUMENT);
    spawn_end(&s);
}

static void test_unbound(void)
{
    test_ok("make", factory_make_thread(L4_BOOT_FACTORY, T));
    test_status("start one without a task", thread_start(T, 0x400000, 0, 0), L4_BAD_STATE);
    test_status("resume one without a task", thread_resume(T), L4_BAD_STATE);
    test_status("kick one without a task", thread_kick(T), L4_BAD_STATE);
    test_status("a UTCB not aligned", thread_bind(T, L4_BOOT_TASK, 0x50000010), L4_BAD_ARGUMENT);
    test_status("a UTCB outside", thread_bind(T, L4_BOOT_TASK, 0xffff800000000000ul), L4_BAD_ARGUMENT);
    test_status("a UTCB where memory is", thread_bind(T, L4_BOOT_TASK, 0x400000), L4_SLOT_BUSY);
    test_status("a UTCB where another is", thread_bind(T, L4_BOOT_TASK, (u64)l4_utcb()), L4_SLOT_BUSY);
    test_ok("a UTCB beside another", thread_bind(T, L4_BOOT_TASK, (u64)l4_utcb() + 1024));
    test_ok("the same again", thread_bind(T, L4_BOOT_TASK, (u64)l4_utcb() + 1024));
    u64 n;
    test_status("a UTCB cannot be mapped on",
        task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((u64)l4_utcb(), 12, 7), 0x58000000, 7, &n), L4_NOT_MAPPED);
    u32 state;
    u64 waits_for, id, progress;
    test_ok("look", thread_look(T, &state, &waits_for, &id, &progress));
    test_is("the id in the UTCB", ((struct l4_utcb *)((u64)l4_utcb() + 1024))->thread_id, id);
    test_ok("to another task", factory_make_task(L4_BOOT_FACTORY, TASK));
    test_ok("it migrates", thread_bind(T, TASK, 0x50000000));
    test_drop(TASK);
    test_status("its task is gone", thread_resume(T), L4_BAD_STATE);
    test_drop(T);
}

static void test_rights(void)
{
    struct spawned s = spawn_thread(0);
    struct thread_registers r = { 0 };
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, s.thread, WEAK, L4_R));
    test_status("bind needs C", thread_bind(WEAK, L4_BOOT_TASK, 0x50000000), L4_NO_RIGHT);
    test_status("start needs C", thread_start(WEAK, 0x400000, 0, 0), L4_NO_RIGHT);
    test_status("stop needs C", thread_stop(WEAK), L4_NO_RIGHT);
    test_status("resume needs C", thread_resume(WEAK), L4_NO_RIGHT);
    test_status("set_handlers needs C", thread_set_handlers(WEAK, 0, 0), L4_NO_RIGHT);
    test_status("set_upcall needs W", thread_set_upcall(WEAK, 0, 0, 0, 0), L4_NO_RIGHT);
    test_status("set_base needs W", thread_set_base(WEAK, 0, 0), L4_NO_RIGHT);
    test_status("set_registers needs C", thread_set_registers(WEAK, &r), L4_NO_RIGHT);
    test_status("kick needs W", thread_kick(WEAK), L4_NO_RIGHT);
    test_status("switch_to needs W", thread_switch_to(WEAK), L4_NO_RIGHT);
    test_status("use_fpu needs C", thread_use_fpu(WEAK, true), L4_NO_RIGHT);
    test_ok("get_registers needs R", thread_get_registers(WEAK, &r));
    test_is("look needs R", state_of(WEAK), STOPPED);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, s.thread, WEAK, L4_C));
    test_status("look without R", thread_look(WEAK, &(u32){ 0 }, &(u64){ 0 }, &(u64){ 0 }, &(u64){ 0 }), L4_NO_RIGHT);
    test_status("get_registers without R", thread_get_registers(WEAK, &r), L4_NO_RIGHT);
    test_drop(WEAK);
    spawn_end(&s);
}

static void wait_at_gate(u64 door)
{
    argument_seen = (u64)(i64)wire_call(door, l4_tag(0x100001, 0, 0), 0, 0);
    counter = l4_utcb()->kicked;
    spawn_rest();
}

static void wait_for_any(u64 unused)
{
    struct l4_message m;
    wire_wait(&m, 0);
    argument_seen = (u64)(i64)l4_tag_status(m.tag);
    counter = l4_utcb()->kicked;
    spawn_rest();
}

/* Who is stopped while it waits learns after it is resumed whether to ask again: of a call nobody knows how far it came. A kick, which
 * means a signal, is something else. */
static void test_stopped(const char *what, void (*entry)(u64), bool received, l4_err_t told)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 0, 0));
    struct spawned s = spawn_thread_run(0, 40, entry, DOOR);
    struct l4_message m;
    spawn_let_run(1);
    if (received) { /* bound only now: waiting above is an open receive itself */
        l4_must(gate_bind(GATE, L4_BOOT_THREAD));
        wire_wait(&m, 0);
        l4_must(gate_unbind(GATE));
    }
    l4_print("# %s\n", what);
    argument_seen = counter = 99;
    test_ok("stop", thread_stop(s.thread));
    test_is("it is stopped", state_of(s.thread), STOPPED);
    spawn_let_run(1);
    test_is("and knows of nothing", argument_seen, 99);
    if (received)
        test_status("the server has nobody to answer", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY);
    test_ok("resume", thread_resume(s.thread));
    spawn_let_run(1);
    test_is("what it is told", argument_seen, (u64)(i64)told);
    test_is("no kick is latched", counter, 0);
    spawn_end(&s);
    test_drop(GATE);
}

static void test_waiting(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 0, 0));
    struct spawned s = spawn_thread_run(0, 40, wait_at_gate, DOOR);
    spawn_let_run(1);
    u32 state;
    u64 waits_for, id, progress, gate_id;
    u32 rights, order;
    l4_must(thread_look(s.thread, &state, &waits_for, &id, &progress));
    l4_must(task_look(L4_BOOT_TASK, l4_fpage_caps(GATE, 0), &rights, &order, &gate_id));
    test_is("it sends", state, SENDING);
    test_is("to the gate", waits_for, gate_id);
    l4_must(thread_stop(s.thread));
    l4_must(thread_resume(s.thread));
    spawn_let_run(1);
    test_is("stopping aborted its call", argument_seen, (u64)(i64)L4_PEER_RESTARTED);
    test_is("it rests", state_of(s.thread), RECEIVING);
    test_drop(GATE);
    test_ok("switch to it", thread_switch_to(s.thread));
    spawn_end(&s);
}

static const u8 shown[4096] __attribute__((aligned(4096))) = { 1 };
enum { SHOWN_AT = 0x60000000, SHOWN_PAGES = 512, LOOKS = 500 };

/* Map a page many times and take all of it away at once, again and again. */
static void work_long(u64 unused)
{
    u64 n;
    for (;;) {
        for (u64 i = 0; i < SHOWN_PAGES; i++)
            task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((u64)shown, 12, L4_R), SHOWN_AT + (i << 12), L4_R, &n);
        task_unmap(L4_BOOT_TASK, l4_fpage_memory(SHOWN_AT, 21, L4_R), L4_R, false, &n);
    }
}

static void test_progress(void)
{
    struct spawned s = spawn_thread_run(0, 10, work_long, 0);
    u64 waits_for, id, progress = 0, pages = 1ul << 35;
    u32 state, looks = 0;
    for (; !progress && looks < LOOKS; looks++) {
        spawn_let_run(1);
        l4_must(thread_look(s.thread, &state, &waits_for, &id, &progress));
    }
    test_is("it is seen to have come somewhere", progress != 0 && (progress & (pages * 2 - 1)) <= SHOWN_PAGES, true);
    l4_must(thread_stop(s.thread));
    spawn_end(&s);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory(SHOWN_AT, 21, L4_R), L4_R, false, &progress));
    l4_must(thread_look(L4_BOOT_THREAD, &state, &waits_for, &id, &progress));
    test_is("what is done in one step has none", progress, 0);
}

/* What a thread has for its FPU registers goes with it, or when it is told to do without. */
static void test_fpu(void)
{
    struct spawned s = spawn_thread(0);
    struct test_usage without = test_usage();
    test_ok("allow the FPU", thread_use_fpu(s.thread, true));
    test_ok("forbid it", thread_use_fpu(s.thread, false));
    test_balance("its memory is back", without);
    test_ok("allow it again", thread_use_fpu(s.thread, true));
    spawn_end(&s);
}

void l4_main(void)
{
    test_begin("thread");
    struct test_usage before = test_usage();
    test_unbound();
    test_states();
    test_registers();
    test_base();
    test_rights();
    test_waiting();
    test_stopped("a sender", wait_at_gate, false, L4_PEER_RESTARTED);
    test_stopped("one that is received and unanswered", wait_at_gate, true, L4_PEER_RESTARTED);
    test_stopped("an open receive", wait_for_any, false, L4_PEER_RESTARTED);
    test_progress();
    test_fpu();
    test_balance("memory is as before", before);
    test_end();
}
