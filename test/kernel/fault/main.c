/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: page faults to a pager, exceptions to a handler that changes registers, handlers that die, halted threads;
 * FPU state
 * that never leaks. The root thread is pager and handler of its children. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "exception.h"
#include "factory.h"
#include "gate.h"
#include "pager.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, CHILD_DOOR = 80 };
enum { PAGER_LABEL = 0x9a, HALTED = 5 };
#define FAR 0x30000000ul

static u8 page[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static volatile u64 result L4_VOLATILE_ZERO;

static struct spawned child_with_handlers(void (*entry)(u64), u64 argument, bool pager, bool exception)
{
    struct spawned s = spawn_task(0);
    spawn_give(&s, DOOR, CHILD_DOOR, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(s.thread, pager ? CHILD_DOOR : 0, exception ? CHILD_DOOR : 0));
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, 40, 0));
    result = 0;
    spawn_start(&s, entry, argument);
    return s;
}

/* The next message, within 10 ms. */
static struct l4_message receive(void)
{
    struct l4_message m;
    l4_utcb()->deadline = l4_now() + 10 * L4_MILLISECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    return m;
}
static void answer(u64 status, u32 items, bool set) { wire_call(0, l4_tag((u32)status, 1, items), set, 0); }

static u32 state_of(cap_t thread)
{
    u32 state = 99;
    u64 n;
    thread_look(thread, &state, &n, &n, &n);
    return state;
}

static void touch(u64 at)
{
    result = *(volatile u64 *)at;
    *(volatile u64 *)at = result + 1;
    result = *(volatile u64 *)at;
    spawn_rest();
}

static void test_pager(void)
{
    struct spawned s = child_with_handlers(touch, FAR + 0x18, true, false);
    struct l4_message m = receive();
    test_is("a page fault", (u32)m.tag, PAGER_METHOD_FAULT);
    test_is("three words", l4_tag_words(m.tag), 3);
    test_is("its label", m.label, PAGER_LABEL);
    test_is("its address", m.word[0], FAR + 0x18);
    test_is("its error code: user, read", m.word[1] & 7, 4);
    test_true("its instruction", m.word[2] >= (u64)touch && m.word[2] < (u64)touch + 64);
    u64 filler = 41;
    memcpy(page + 0x18, &filler, 8);
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)page, 12, L4_R), FAR };
    answer(0, 1, false);
    m = receive();
    test_is("then a write fault", m.word[1] & 7, 7);
    u64 n;
    l4_must(task_unmap(s.task, l4_fpage_memory(FAR, 12, 7), 7, false, &n));
    l4_must(task_map(s.task, L4_BOOT_TASK, l4_fpage_memory((u64)page, 12, 3), FAR, 3, &n));
    answer(0, 0, false);
    spawn_let_run(1);
    test_is("it has read and written", result, 42);
    test_is("in the pager's page", *(volatile u64 *)(page + 0x18), 42);
    spawn_end(&s);
}

static void test_refused_fault(void)
{
    struct spawned s = child_with_handlers(touch, FAR, true, false);
    test_is("a fault", (u32)receive().tag, PAGER_METHOD_FAULT);
    answer((u32)L4_NOT_FOUND, 0, false);
    spawn_let_run(1);
    test_is("refused without a handler it halts", state_of(s.thread), HALTED);
    spawn_end(&s);

    s = child_with_handlers(touch, FAR, true, true);
    test_is("a fault", (u32)receive().tag, PAGER_METHOD_FAULT);
    answer((u32)L4_NOT_FOUND, 0, false);
    struct l4_message m = receive();
    test_is("refused with one it becomes an exception", (u32)m.tag, EXCEPTION_METHOD_RAISE);
    test_is("vector 14", m.word[0], 14);
    test_is("its address", m.word[2], FAR);
    test_is("the address in the UTCB too", l4_utcb()->exception.address, FAR);
    answer((u32)L4_NOT_FOUND, 0, false);
    spawn_let_run(1);
    test_is("refused again it halts", state_of(s.thread), HALTED);
    struct thread_registers r;
    test_ok("its registers can be read", thread_get_registers(s.thread, &r));
    test_is("its argument is there", r.rdi, FAR);
    spawn_end(&s);

    s = child_with_handlers(touch, 0xffff800000000000ul, true, true);
    m = receive();
    test_is("the kernel's half goes to the handler at once", (u32)m.tag, EXCEPTION_METHOD_RAISE);
    spawn_end(&s);
    s = child_with_handlers(touch, 0x8000000000000000ul, true, true);
    m = receive();
    test_is("so does what is not canonical", m.word[0], 13);
    spawn_end(&s);
}

/* Fault, then find registers as the handler left them. */
static void divide(u64 unused)
{
    u64 quotient;
    __asm__ volatile("xor %%ecx, %%ecx; mov $77, %%ebx; mov $1, %%eax; xor %%edx, %%edx; div %%rcx; mov %%rbx, %0"
                     : "=r"(quotient)
                     :
                     : "rax", "rbx", "rcx", "rdx", "cc");
    result = quotient;
    spawn_rest();
}

static void test_exception(void)
{
    struct spawned s = child_with_handlers(divide, 0, false, true);
    struct l4_message m = receive();
    test_is("an exception", (u32)m.tag, EXCEPTION_METHOD_RAISE);
    test_is("division by zero", m.word[0], 0);
    struct l4_exception *e = &l4_utcb()->exception;
    test_is("its registers: rbx", e->registers.rbx, 77);
    test_is("rcx", e->registers.rcx, 0);
    test_is("rsp's block", e->registers.rsp & ~0xfffful, s.block);
    e->registers.rcx = 1;
    e->registers.rbx = 78;
    e->registers.rflags |= 0x3000 | 0x4000;
    answer(0, 0, true);
    spawn_let_run(1);
    test_is("it went on with changed registers", result, 78);
    struct thread_registers r;
    l4_must(thread_stop(s.thread));
    l4_must(thread_get_registers(s.thread, &r));
    test_is("but no I/O privilege", r.rflags & 0x7000, 0);
    spawn_end(&s);
}

static void trap(u64 which)
{
    switch (which) {
    case 0:
        __asm__ volatile("ud2");
        break;
    case 1:
        __asm__ volatile("int3");
        break;
    case 2:
        __asm__ volatile("hlt");
        break;
    case 3:
        __asm__ volatile("inb $0x60, %%al" : : : "rax");
        break;
    case 4:
        __asm__ volatile("int $0x80");
        break;
    case 5:
        __asm__ volatile("mov %%cr0, %%rax" : : : "rax");
        break;
    case 6:
        __asm__ volatile("fninit");
        break;
    case 7:
        __asm__ volatile("int $14");
        break;
    case 8:
        __asm__ volatile("int $0x30");
        break;
    case 9:
        __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "cc");
        break;
    case 10:
        ((void (*)(void))0x7ffffffff000ul)();
        break;
    case 11:
        __asm__ volatile("pushfq; orq $0x40000, (%%rsp); popfq; mov %%rsp, %%rax; movl 1(%%rax), %%ecx; pushfq; andq "
                         "$~0x40000, (%%rsp); popfq"
                         :
                         :
                         : "rax", "rcx", "cc");
        break;
    case 12:
        __asm__ volatile("sysretq");
        break;
    case 13:
        __asm__ volatile("wrmsr" : : "a"(0), "d"(0), "c"(0xc0000082));
        break;
    case 14:
        __asm__ volatile("swapgs");
        break;
    case 15:
        __asm__ volatile("cli");
        break;
    case 16:
        __asm__ volatile("mov %0, %%ss" : : "r"(3));
        break;
    case 17:
        *(volatile u8 *)0xffffff00000f4000ul = 1;       /* kernel/arch/x86_64/paging.h: PORTS_AT, and port 0xf4 */
        break;
    }
    result = 1;
    spawn_rest();
}

static void test_traps(void)
{
    static const struct {
        const char *name;
        u32 vector;
    } want[] = {
        { "ud2", 6 },
        { "int3", 3 },
        { "hlt", 13 },
        { "a port it does not have", 13 },
        { "int 0x80", 256 },
        { "a control register", 13 },
        { "the FPU without permission", 7 },
        { "int 14 by hand", 13 },
        { "a device's vector by hand", 13 },
        { "the trap flag", 1 },
        { "a jump to the last page", 14 },
        { "alignment check", 17 },
        { "sysret", 6 },
        { "wrmsr", 13 },
        { "swapgs", 13 },
        { "cli", 13 },
        { "a null stack segment", 13 },
        { "the page that stands for a port that it has", 14 },
    };
    for (u32 i = 0; i < sizeof want / sizeof *want; i++) {
        struct spawned s = child_with_handlers(trap, i, false, true);
        struct l4_message m = receive();
        u64 vector = l4_tag_status(m.tag) == (l4_err_t)EXCEPTION_METHOD_RAISE ? m.word[0] : 1000;
        if (i == 11 && vector == 1000) {
            test_is("alignment is not checked", result, 1);
        } else if (i == 12 && vector == 13) {
            test_is("sysret", vector, 13);
        } else {
            test_is(want[i].name, vector, want[i].vector);
        }
        spawn_end(&s);
    }
}

/* The handler dies, or is not there, while a fault waits for it: the thread faults again and waits for the next. */
static void swallow(u64 unused)
{
    struct l4_message m;
    wire_wait(&m, 0);
    for (;;)
        ;
}

static void test_handlers_death(void)
{
    l4_must(gate_unbind(GATE));
    struct spawned handler = spawn_thread_run(1, 30, swallow, 0);
    l4_must(gate_bind(GATE, handler.thread));
    struct spawned s = child_with_handlers(touch, FAR, true, false);
    spawn_let_run(2);
    test_is("it waits for its pager", state_of(s.thread), 3);
    spawn_end(&handler);
    spawn_let_run(1);
    test_is("the pager died, it waits at the gate", state_of(s.thread), 2);
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    struct l4_message m = receive();
    test_is("the next pager gets the same fault", m.word[0], FAR);
    u64 n;
    l4_must(task_map(s.task, L4_BOOT_TASK, l4_fpage_memory((u64)page, 12, 3), FAR, 3, &n));
    answer(0, 0, false);
    spawn_let_run(1);
    test_is("and it runs on", result, *(volatile u64 *)page);
    spawn_end(&s);
}

static void test_kick_in_fault(void)
{
    struct spawned s = child_with_handlers(touch, FAR, true, false);
    struct l4_message m = receive();
    test_ok("kick a thread whose fault is being handled", thread_kick(s.thread));
    test_status("its pager cannot answer any more", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY);
    m = receive();
    test_is("it faults again", m.word[0], FAR);
    test_ok("stop it there", thread_stop(s.thread));
    test_ok("and let it run", thread_resume(s.thread));
    m = receive();
    test_is("it faults again", m.word[0], FAR);
    spawn_end(&s);
    test_status("its end frees the pager", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY);
}

static void fill_fpu(u64 pattern)
{
    for (;;) {
        u64 words[2] = { pattern, pattern }, back[2];
        __asm__ volatile("movups (%0), %%xmm0; movups (%0), %%xmm7; movups (%0), %%xmm15; fninit; fldl (%0)"
                         :
                         : "r"(words)
                         : "memory");
        for (volatile u32 i = 0; i < 1000; i++)
            ;
        __asm__ volatile("movups %%xmm7, (%0)" : : "r"(back) : "memory");
        if (back[0] != pattern || back[1] != pattern)
            result |= 1ul << 63;
        result++;
    }
}
static void read_fpu(u64 unused)
{
    u64 words[8] = { 0 }, status = 0;
    __asm__ volatile("movups %%xmm0, (%0); movups %%xmm7, 16(%0); movups %%xmm15, 32(%0); fnstsw %%ax; movw %%ax, (%1)"
                     :
                     : "r"(words), "r"(&status)
                     : "rax", "memory");
    result = words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | (status & 0x3800);
    spawn_rest();
}

static void test_fpu(void)
{
    result = 0;
    struct spawned a = spawn_task(1), b = spawn_task(2), c = spawn_task(3);
    struct spawned *both[] = { &a, &b };
    for (u32 i = 0; i < 2; i++) {
        test_ok("allow the FPU", thread_use_fpu(both[i]->thread, true));
        test_ok("again", thread_use_fpu(both[i]->thread, true));
        l4_must(sched_set(L4_BOOT_SCHED, both[i]->thread, 40, 100000));
        spawn_start(both[i], fill_fpu, 0x1111111111111111ul * (i + 1));
    }
    spawn_let_run(50);
    test_true("two threads compute", result > 100);
    test_true("neither sees the other's registers", !(result >> 63));
    l4_must(thread_stop(a.thread));
    l4_must(thread_stop(b.thread));
    l4_must(thread_use_fpu(c.thread, true));
    l4_must(sched_set(L4_BOOT_SCHED, c.thread, 40, 0));
    result = 1;
    spawn_start(&c, read_fpu, 0);
    spawn_let_run(2);
    test_is("a fresh thread finds empty registers", result, 0);
    test_ok("forbid it", thread_use_fpu(a.thread, false));
    spawn_end(&a);
    spawn_end(&b);
    spawn_end(&c);
}

void l4_main(void)
{
    test_begin("fault");
    struct test_usage before = test_usage();
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, PAGER_LABEL, L4_R));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    test_pager();
    test_refused_fault();
    test_exception();
    test_traps();
    test_handlers_death();
    test_kick_in_fault();
    test_drop(GATE);
    test_fpu();
    test_balance("memory is as before", before);
    test_end();
}
