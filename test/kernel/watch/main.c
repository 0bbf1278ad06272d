/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: run-N: a thread stops after exactly so many instructions, over system calls of every kind, popf, rep and faults; it goes
 * on as if nothing had been; nobody without the right may.
 * What it should have come to is known: the programs are lists of instructions with a label each, in the order in which they run. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "debug.h"
#include "factory.h"
#include "gate.h"
#include "sched.h"
#include "task.h"
#include "watch.h"
#include "wire.h"

enum { PRIORITY = 40, SERVER = 45, MOST = 64 };

/* ---- the programs, and where rip is after 0, 1 … instructions of a round ---- */
#define PROGRAM(name, text) __asm__(".pushsection .text\n.globl " #name "\n" #name ":\n" text ".popsection\n"); void name(u64)

/* r12 counts rounds of two instructions. */
PROGRAM(straight, "1: inc %r12\n2: jmp 1b\n"
        ".pushsection .rodata\n.globl straight_places\nstraight_places: .quad 1b, 2b, 0\n.popsection\n");
/* TF is taken away in each round, and interrupts are not to be touched. */
PROGRAM(popping, "1: pushq $0x202\n2: popfq\n3: inc %r12\n4: jmp 1b\n"
        ".pushsection .rodata\n.globl popping_places\npopping_places: .quad 1b, 2b, 3b, 4b, 0\n.popsection\n");
/* By iretq in user mode, which loads flags, too: to the next instruction, on the same stack. */
PROGRAM(returning, "1: mov %rsp, %r13\n2: push $0x2b\n3: push %r13\n4: push $0x202\n5: push $0x33\n6: lea 8f(%rip), %rax\n7: push %rax\n"
        "8001: iretq\n8: inc %r12\n9: jmp 1b\n"
        ".pushsection .rodata\n.globl returning_places\nreturning_places: .quad 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8001b, 8b, 9b, 0\n.popsection\n");
/* Five iterations of a `rep`, then none. */
PROGRAM(repeating, "1: lea -256(%rsp), %rdi\n2: mov $5, %ecx\n3: rep stosb\n4: xor %ecx, %ecx\n5: rep stosb\n6: inc %r12\n7: jmp 1b\n"
        ".pushsection .rodata\n.globl repeating_places\nrepeating_places: .quad 1b, 2b, 3b, 3b, 3b, 3b, 3b, 4b, 5b, 6b, 7b, 0\n.popsection\n");
/* An empty slot; a method of the log, which writes nothing; a call to a server that waits. */
PROGRAM(calling, "1: mov $300, %r10d\n2: syscall\n"
        "3: mov $4, %r10d\n4: movabs $0x400000901, %rdi\n5: xor %esi, %esi\n6: syscall\n"
        "7: mov $65, %r10d\n8: movabs $0x100001, %rdi\n9: syscall\n10: inc %r12\n11: jmp 1b\n"
        ".pushsection .rodata\n.globl calling_places\ncalling_places: .quad 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b, 9b, 10b, 11b, 0\n.popsection\n");
/* A system call of another system, which a runtime of the task takes; it comes back with the flags that it was entered with. */
PROGRAM(foreign, "1: lea 3f(%rip), %r15\n2: syscall\n3: inc %r12\n4: jmp 1b\n"
        ".globl runtime\nruntime: inc %r13\n6: jmp *%r15\n.globl runtime_end\nruntime_end:\n"
        ".pushsection .rodata\n.globl foreign_places\nforeign_places: .quad 1b, 2b, runtime, 6b, 3b, 4b, 0\n.popsection\n");
extern const u64 straight_places[], popping_places[], returning_places[], repeating_places[], calling_places[], foreign_places[];
extern const u8 runtime[], runtime_end[];

static void await_stop(const struct spawned *s)
{
    for (u32 i = 0; i < 5000 && state_of(s->thread) != 0; i++)
        l4_sleep(L4_MILLISECOND / 4);
}

static u32 length_of(const u64 *places)
{
    u32 n = 0;
    while (places[n])
        n++;
    return n;
}

/* A thread that runs the programs; with a runtime of its task's if they need one. */
static struct spawned spawn_program(const u64 *places)
{
    struct spawned s = places == foreign_places ? spawn_task(0) : spawn_thread(0);
    if (places == foreign_places) {
        l4_must(task_set_native(s.task, (u64)runtime, (u64)runtime_end, 0, 0));
        l4_must(thread_set_upcall(s.thread, (u64)runtime, 0, 0, s.block + L4_STACK_BYTES - 8));
    }
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, PRIORITY, 0));
    return s;
}

/* From the beginning n instructions, each n of a few rounds; then on by steps of several sizes. */
static void test_program(const char *name, void (*program)(u64), const u64 *places)
{
    u32 round = length_of(places), wrong = 0, wrong_rounds = 0, checked = 0;
    l4_print("# %s: %u instructions a round\n", name, round);
    for (u32 n = 1; n <= 3 * round + 1; n++) {
        struct spawned s = spawn_program(places);
        l4_must(debug_run(L4_BOOT_DEBUG, s.thread, n));
        spawn_start(&s, program, 0);
        u64 done = 0;
        for (u32 more = n; done < 4 * MOST; more = 1 + (more * 5 + n) % 17) {
            if (done)
                l4_must(debug_run(L4_BOOT_DEBUG, s.thread, more));
            if (done)
                l4_must(thread_resume(s.thread));
            await_stop(&s);
            done += more;
            struct thread_registers r = { 0 };
            l4_must(thread_get_registers(s.thread, &r));
            wrong += r.rip != places[done % round] || r.rflags & 0x100;
            wrong_rounds += r.r12 != done / round && r.r12 != (done + round - 1) / round;
            checked++;
            if (wrong == 1 && r.rip != places[done % round])
                l4_print("# after %lu: rip %lx, not %lx\n", done, r.rip, places[done % round]);
        }
        spawn_end(&s);
    }
    test_true("it was stopped often", checked > 100);
    test_is("always after exactly so many instructions", wrong, 0);
    test_is("and as many rounds", wrong_rounds, 0);
}

static void serve(u64 unused)
{
    struct l4_message m;
    wire_wait(&m, 0);
    for (;;) {
        m = (struct l4_message){ 0 };
        wire_reply_wait(&m, 0);
    }
}

/* Its server is of higher priority and waits: calls are answered at once; but for the counting they would go the direct way. */
static void test_calls(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 7, L4_W));
    struct spawned server = spawn_thread_run(1, SERVER, serve, 0);
    l4_must(gate_bind(GATE, server.thread));
    test_program("system calls", calling, calling_places);
    spawn_end(&server);
    test_drop(GATE);
}

/* A long invocation, which the kernel does in many steps, is one instruction. */
PROGRAM(unmapping, "1: mov $1, %r10d\n2: movabs $0x300000203, %rdi\n3: mov %r14, %rsi\n4: mov $127, %edx\n5: xor %r8d, %r8d\n6: syscall\n"
        "7: inc %r12\n8: jmp 1b\n"
        ".pushsection .rodata\n.globl unmapping_places\nunmapping_places: .quad 1b, 2b, 3b, 4b, 5b, 6b, 7b, 8b, 0\n.popsection\n");
extern const u64 unmapping_places[];
enum { ROW = 16384, ROW_ORDER = 10 };

static void fill_row(void)
{
    for (u32 i = 0; i < 1 << ROW_ORDER; i++)
        l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_LOG, ROW + i, L4_W));
}

/* How many of them are there. */
static u32 row_left(void)
{
    u32 left = 0;
    for (u32 i = 0; i < 1 << ROW_ORDER; i++) {
        u32 rights, order;
        u64 id;
        left += task_look(L4_BOOT_TASK, l4_fpage_caps(ROW + i, 0), &rights, &order, &id) == L4_OK;
    }
    return left;
}

static void test_restarted(void)
{
    fill_row();
    struct spawned s = spawn_thread(0);
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, PRIORITY, 0));
    spawn_start(&s, unmapping, 0);
    l4_must(thread_stop(s.thread));
    struct thread_registers r = registers_of(&s);
    r.rip = unmapping_places[0];
    r.r14 = l4_fpage_caps(ROW, ROW_ORDER);      /* too much for one step */
    l4_must(thread_set_registers(s.thread, &r));
    for (u32 n = 1; n <= 20; n++) {
        l4_must(debug_run(L4_BOOT_DEBUG, s.thread, 1));
        l4_must(thread_resume(s.thread));
        await_stop(&s);
        r = registers_of(&s);
        test_is("one instruction further", r.rip, unmapping_places[n % 8]);
        if (n == 5 || n == 6)
            test_is("before that all of the row is there, then nothing", row_left(), n == 5 ? 1 << ROW_ORDER : 0);
    }
    spawn_end(&s);
}

static volatile u64 rounds L4_VOLATILE_ZERO;

static void count_rounds(u64 unused)
{
    for (;;)
        rounds++;
}

static void test_freed(void)
{
    struct spawned s = spawn_thread_run(0, PRIORITY, count_rounds, 0);
    l4_must(debug_run(L4_BOOT_DEBUG, s.thread, 1000));      /* of a thread that runs */
    await_stop(&s);
    u64 at = rounds;
    spawn_let_run(2);
    test_is("stopped, it stays", rounds, at);
    test_ok("to run freely", debug_run(L4_BOOT_DEBUG, s.thread, 0));
    test_ok("resume", thread_resume(s.thread));
    spawn_let_run(2);
    test_true("it runs on", rounds > at + 100);
    spawn_end(&s);
}

/* Bound once more while it is counted: that was for its life before. */
static void test_bound_again(void)
{
    struct spawned s = spawn_thread_run(0, PRIORITY, count_rounds, 0);
    l4_must(debug_run(L4_BOOT_DEBUG, s.thread, 1ul << 40));
    spawn_let_run(2);
    test_ok("stopped between two instructions", thread_stop(s.thread));
    test_is("with the trap flag set", registers_of(&s).rflags & 0x100, 0x100);
    test_ok("another UTCB", thread_bind(s.thread, L4_BOOT_TASK, s.block + 1024));
    test_is("takes the flag away", registers_of(&s).rflags & 0x100, 0);
    u64 at = rounds;
    test_ok("it goes on where it was", thread_resume(s.thread));
    for (u32 i = 0; i < 1000 && rounds == at; i++)
        spawn_let_run(2);
    test_true("it does", rounds > at);
    test_ok("stop", thread_stop(s.thread));
    test_is("and nobody counts", registers_of(&s).rflags & 0x100, 0);
    spawn_end(&s);
}

static void test_rights(void)
{
    struct spawned s = spawn_thread(0);
    test_ok("without C", l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_DEBUG, WEAK, L4_R | L4_W));
    test_status("nobody counts", debug_run(WEAK, s.thread, 1), L4_NO_RIGHT);
    test_status("nor traces", debug_trace(WEAK, (u64)0x31000000, 1, 0), L4_NO_RIGHT);
    struct l4_message m = { .tag = l4_tag(DEBUG_METHOD_TRACE, 3, 0), .word = { 0x31000000, 1, 0 } };
    wire_invoke(WEAK, &m);
    test_is("the refusal says which rights there are", m.word[0], L4_R | L4_W);
    test_is("and which is missing", m.word[1], L4_C);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, s.thread, WEAK, L4_R | L4_W));
    test_status("to count it, C on the thread", debug_run(L4_BOOT_DEBUG, WEAK, 1), L4_NO_RIGHT);
    test_drop(WEAK);
    spawn_end(&s);
}

void l4_main(void)
{
    test_begin("watch");
    fill_row();         /* its slots have a table from now on */
    u64 emptied;
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_caps(ROW, ROW_ORDER), L4_RIGHTS_ALL, false, &emptied));
    struct test_usage before = test_usage();
    test_rights();
    test_program("straight on", straight, straight_places);
    test_program("popf", popping, popping_places);
    test_program("iretq", returning, returning_places);
    test_program("rep", repeating, repeating_places);
    test_program("a system call of another system", foreign, foreign_places);
    test_calls();
    test_restarted();
    test_freed();
    test_bound_again();
    test_balance("memory is as before", before);
    test_trace();
    test_end();
}
