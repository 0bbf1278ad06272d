/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: reflection: a `syscall` from outside the native range enters the runtime, what upcalls save, and who is told that
 * the CPU was taken from it.
 * The runtime is a few lines of assembly here; the program outside its range is code in a page of its own. */
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

#define PROGRAM 0x50000000ul /* where the program lies, outside the native range */
#define PROGRAM_STACK 0x50010000ul
#define FAR 0x30000000ul
#define RUNTIME_TOP (L4_STACK_ADDRESS + L4_STACK_BYTES - 0x4000)

enum { GATE = TEST_SLOTS, DOOR, CHILD_DOOR = 80 };
static u8 program_stack[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static u8 far_page[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;

/* What the upcall found: all of the program's registers, and where it was. */
struct found {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rsp, calls, rip, rflags, program_rsp;
};
static volatile struct found found L4_VOLATILE_ZERO;
static volatile u64 rests L4_VOLATILE_ZERO, kicks L4_VOLATILE_ZERO, kicked L4_VOLATILE_ZERO;

void runtime_system_call(void);
void runtime_kick(void);
void runtime_exception(void);
void runtime_leaving(void);
void runtime_left(void);
void runtime_asks_and_stays(void);
void runtime_asks_and_leaves(void);

/* Keep what it was entered with, then go back behind the system call with rax = 4242. */
__asm__(".text\n"
        "runtime_system_call:\n"
        "  mov %rax, found+0(%rip); mov %rbx, found+8(%rip); mov %rcx, found+16(%rip); mov %rdx, found+24(%rip)\n"
        "  mov %rsi, found+32(%rip); mov %rdi, found+40(%rip); mov %rbp, found+48(%rip); mov %r8, found+56(%rip)\n"
        "  mov %r9, found+64(%rip); mov %r10, found+72(%rip); mov %r11, found+80(%rip); mov %r12, found+88(%rip)\n"
        "  mov %r13, found+96(%rip); mov %r14, found+104(%rip); mov %r15, found+112(%rip); mov %rsp, found+120(%rip)\n"
        "  incq found+128(%rip)\n"
        "  mov %rsp, %rax; and $~0xffff, %rax\n"
        "  mov 576(%rax), %rcx; mov %rcx, found+136(%rip)\n"
        "  mov 584(%rax), %rcx; mov %rcx, found+144(%rip)\n"
        "  mov 592(%rax), %rcx; mov %rcx, found+152(%rip)\n"
        "  mov %rcx, %rsp\n"
        "  mov found+16(%rip), %rcx\n"
        "  mov $4242, %eax\n"
        "  jmp *found+136(%rip)\n"
        "runtime_kick:\n"
        "  incq kicks(%rip)\n"
        "  mov %rsp, %rax; and $~0xffff, %rax\n"
        "  mov 568(%rax), %rcx; mov %rcx, kicked(%rip)\n"
        "  mov 576(%rax), %rcx; mov %rcx, found+136(%rip)\n"
        "  mov 592(%rax), %rcx; mov %rcx, found+152(%rip)\n"
        "1: jmp 1b\n"
        "runtime_asks_and_stays:\n" /* rdi: the word to watch */
        "  mov %rdi, 0x10000388\n"
        "1: mov 0x10000238, %rcx; mov %rcx, kicked(%rip)\n"
        "  jmp 1b\n"
        "runtime_asks_and_leaves:\n"
        "  mov %rdi, 0x10000388\n"
        "runtime_leaving:\n"
        "  jmp runtime_leaving\n"
        "runtime_left:\n"
        "runtime_exception:\n"
        "  incq rests(%rip)\n"
        "1: jmp 1b\n");
_Static_assert(offsetof(struct l4_utcb, kicked) == 568 && offsetof(struct l4_utcb, lost) == 572 &&
                   offsetof(struct l4_utcb, reflect_rip) == 576 && offsetof(struct l4_utcb, reflect_rsp) == 592 &&
                   L4_STACK_ADDRESS + offsetof(struct l4_utcb, kicked) == 0x10000238 &&
                   L4_STACK_ADDRESS + offsetof(struct l4_utcb, tell_lost) == 0x10000388,
    "the assembly above");

/* The program: marks every register, asks for "system call 39", stores the answer, spins. */
extern u8 program_start[], program_call[], program_end[], program_fault[], program_told[], program_touches[], program_touch[], program_raises[],
    program_raise[], program_steps_in[], program_steps[];
__asm__(".text\n"
        "program_start:\n"
        "  mov $39, %eax; mov $2, %ebx; mov $4, %edx; mov $5, %esi; mov $6, %edi; mov $7, %ebp; mov $8, %r8d; mov $9, "
        "%r9d\n"
        "  mov $10, %r10d; mov $12, %r12d; mov $13, %r13d; mov $14, %r14d; mov $15, %r15d\n"
        "  stc\n"
        "program_call:\n"
        "  syscall\n"
        "  mov %rax, -8(%rsp)\n"
        "1: jmp 1b\n"
        "program_fault:\n"
        "  mov $33, %ebx\n"
        "  ud2\n"
        "program_told:\n"           /* rdi: the word to watch */
        "  mov %rdi, 0x10000388\n"
        "1: jmp 1b\n"
        "program_raises:\n"
        "  mov %rdi, 0x10000388\n"
        "program_raise:\n"
        "  ud2\n"
        "program_steps_in:\n"      /* the next instruction with the trap flag set: */
        "  mov $39, %eax; pushfq; orq $0x100, (%rsp); popfq\n"
        "  syscall\n"
        "1: jmp 1b\n"
        "program_steps:\n"
        "  pushfq; orq $0x100, (%rsp); popfq\n"
        "1: jmp 1b\n"
        "program_touches:\n"
        "  mov %rdi, 0x10000388\n"
        "program_touch:\n"
        "  movb $1, 0x30000000\n"
        "1: jmp 1b\n"
        "program_end:\n");

static struct spawned run_program_with(u64 offset, u64 argument)
{
    u64 n;
    extern u8 l4_image_start[], l4_image_end[];
    struct spawned s = spawn_task(0);
    l4_must(task_map(s.task, L4_BOOT_TASK, l4_fpage_memory((u64)program_start & ~0xffful, 12, 5), PROGRAM, 5, &n));
    l4_must(
        task_map(s.task, L4_BOOT_TASK, l4_fpage_memory((u64)program_end & ~0xffful, 12, 5), PROGRAM + 0x1000, 5, &n));
    l4_must(task_map(s.task, L4_BOOT_TASK, l4_fpage_memory((u64)program_stack, 12, 3), PROGRAM_STACK - 0x1000, 3, &n));
    l4_must(task_set_native(s.task, (u64)l4_image_start, (u64)l4_image_end, (u64)runtime_leaving, (u64)runtime_left));
    l4_must(
        thread_set_upcall(s.thread, (u64)runtime_system_call, (u64)runtime_kick, (u64)runtime_exception, RUNTIME_TOP));
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, 40, 0));
    memset((void *)(u64)&found, 0, sizeof found);
    kicks = kicked = rests = 0;
    l4_must(thread_start(s.thread, PROGRAM + ((u64)program_start & 0xfff) + offset, PROGRAM_STACK, argument));
    return s;
}

static struct spawned run_program(u64 offset) { return run_program_with(offset, 0); }

static u64 moved(const u8 *at) { return PROGRAM + ((u64)program_start & 0xfff) + (u64)(at - program_start); }

static void test_system_call(void)
{
    struct spawned s = run_program(0);
    spawn_let_run(2);
    test_is("the upcall came once", found.calls, 1);
    test_is("rax", found.rax, 39);
    bool kept = found.rbx == 2 && found.rdx == 4 && found.rsi == 5 && found.rdi == 6 && found.rbp == 7 &&
                found.r8 == 8 && found.r9 == 9 && found.r10 == 10 && found.r12 == 12 && found.r13 == 13 &&
                found.r14 == 14 && found.r15 == 15;
    test_true("every register is the program's", kept);
    test_is("on the runtime's stack", found.rsp, RUNTIME_TOP);
    test_is("the place behind the system call", found.rip, moved(program_call) + 2);
    test_is("the program's stack", found.program_rsp, PROGRAM_STACK);
    test_is("its flags: carry", found.rflags & 1, 1);
    struct thread_registers r;
    l4_must(thread_stop(s.thread));
    l4_must(thread_get_registers(s.thread, &r));
    test_true("it went on in the program", r.rip > moved(program_call) && r.rip < moved(program_end));
    test_is("with the runtime's answer", r.rax, 4242);

    kicks = 0;
    l4_must(thread_resume(s.thread));
    spawn_let_run(1);
    test_ok("kick it in the program", thread_kick(s.thread));
    spawn_let_run(1);
    test_is("it enters the runtime", kicks, 1);
    test_true("from where it was", found.rip > moved(program_call) && found.rip < moved(program_end));
    test_is("the program's stack", found.program_rsp, PROGRAM_STACK);
    test_ok("kick it in the runtime", thread_kick(s.thread));
    spawn_let_run(1);
    test_is("that is only latched", kicks, 1);
    spawn_end(&s);
}

static void test_exception(void)
{
    rests = 0;
    struct spawned s = run_program((u64)(program_fault - program_start));
    spawn_let_run(2);
    test_is("an exception enters the runtime", rests, 1);
    struct thread_registers r;
    l4_must(thread_stop(s.thread));
    l4_must(thread_get_registers(s.thread, &r));
    test_is("on the runtime's stack", r.rsp, RUNTIME_TOP);
    spawn_end(&s);
}

static void test_single_steps(void)
{
    struct spawned s = run_program((u64)(program_steps_in - program_start));
    spawn_let_run(2);
    test_is("who calls and takes single steps enters the runtime", found.calls, 1);
    test_is("which takes none", rests, 0);
    test_is("it can see that its program does", found.rflags >> 8 & 1, 1);
    spawn_end(&s);
    s = run_program((u64)(program_steps - program_start));
    spawn_let_run(2);
    test_is("a step is an exception, its upcall takes none", rests, 1);
    spawn_end(&s);
}

/* On the last instructions of the way back to the program a kick must not wait for the next system call. */
static void test_leaving(void)
{
    struct spawned s = run_program(0);
    l4_must(thread_stop(s.thread));
    l4_must(thread_start(s.thread, (u64)runtime_leaving, RUNTIME_TOP, 0));
    kicks = kicked = 0;
    spawn_let_run(1);
    test_ok("kick it on its way out", thread_kick(s.thread));
    spawn_let_run(1);
    test_is("it enters the kick upcall", kicks, 1);
    test_is("and is told that it was leaving", kicked, 2);
    spawn_end(&s);
}

/* ---- utcb->tell_lost ---- */
#define WORD (PROGRAM_STACK - 16)
#define LOST(how) ((u64)(how) << 32)            /* utcb->lost, as `kicked` is read */
static volatile u64 *const word = (volatile u64 *)(program_stack + sizeof program_stack - 16);

/* The CPU is taken from whoever spins twice: after that it has run on. */
static void take_cpu(void)
{
    spawn_let_run(1);
    spawn_let_run(1);
}

static void test_lost_in_program(void)
{
    *word = 0;
    struct spawned s = run_program_with((u64)(program_told - program_start), WORD);
    take_cpu();
    test_is("while the word is 0 nobody is told that it lost the CPU", kicks, 0);
    *word = 1;
    take_cpu();
    test_is("then the kick upcall comes", kicks, 1);
    test_is("and says why", kicked, LOST(1));
    test_true("it knows where it was", found.rip > moved(program_told) && found.rip < moved(program_raises));
    test_is("and its stack", found.program_rsp, PROGRAM_STACK);
    take_cpu();
    test_is("in the runtime it is left alone", kicks, 1);
    spawn_end(&s);
    static const u64 unreadable[] = { FAR, WORD + 1, 0xffff800000000000ul, 1ul << 63, ~7ul };
    for (u32 i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        s = run_program_with((u64)(program_told - program_start), unreadable[i]);
        take_cpu();
        test_is("a word that cannot be read is not 0", kicks, 1);
        spawn_end(&s);
    }
}

static void test_lost_in_runtime(void)
{
    *word = 1;
    struct spawned s = run_program(0);
    l4_must(thread_stop(s.thread));
    kicks = kicked = 0;
    l4_must(thread_start(s.thread, (u64)runtime_asks_and_stays, RUNTIME_TOP, WORD));
    take_cpu();
    test_is("a loss in the runtime is latched", kicked, LOST(1));
    test_is("and no more", kicks, 0);
    l4_must(thread_stop(s.thread));
    l4_must(thread_start(s.thread, (u64)runtime_asks_and_leaves, RUNTIME_TOP, WORD));
    take_cpu();
    test_is("one on the way out enters the kick upcall", kicks, 1);
    test_is("and tells where it was", kicked, LOST(2));
    spawn_end(&s);
}

static struct l4_message fault_of(struct spawned *s, u64 is)
{
    struct l4_message m;
    *word = is;
    *s = run_program(0);
    l4_must(thread_stop(s->thread));
    spawn_give(s, DOOR, CHILD_DOOR, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(s->thread, CHILD_DOOR, 0));
    l4_must(thread_start(s->thread, moved(program_touches), PROGRAM_STACK, WORD));
    l4_utcb()->deadline = l4_now() + 10 * L4_MILLISECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    test_is("a page fault", (u32)m.tag, PAGER_METHOD_FAULT);
    test_is("its instruction", m.word[2], moved(program_touch));
    return m;
}

static void map_far(const struct spawned *s)
{
    u64 n;
    l4_must(task_map(s->task, L4_BOOT_TASK, l4_fpage_memory((u64)far_page, 12, 3), FAR, 3, &n));
}

static void test_lost_by_fault(void)
{
    struct spawned s;
    struct l4_message m;
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 1, 0));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));

    fault_of(&s, 1);
    map_far(&s);
    wire_call(0, l4_tag(0, 0, 0), 0, 0);
    take_cpu();
    test_is("whose pager answers is told", kicks, 1);
    test_is("where it faulted", found.rip, moved(program_touch));
    spawn_end(&s);

    fault_of(&s, 0);
    map_far(&s);
    wire_call(0, l4_tag(0, 0, 0), 0, 0);
    take_cpu();
    test_is("not while the word is 0", kicks, 0);
    spawn_end(&s);

    fault_of(&s, 1);
    map_far(&s);
    l4_utcb()->deadline = l4_now();
    wire_wait(&m, L4_TAG_TIMEOUT);
    take_cpu();
    test_is("whose pager forgets it is told, too", kicks, 1);
    test_is("where it faulted", found.rip, moved(program_touch));
    spawn_end(&s);

    struct thread_registers r;
    *word = 1;
    s = run_program(0);
    l4_must(thread_stop(s.thread));
    spawn_give(&s, DOOR, CHILD_DOOR, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(s.thread, 0, CHILD_DOOR));
    l4_must(thread_set_upcall(s.thread, (u64)runtime_system_call, (u64)runtime_kick, 0, RUNTIME_TOP));
    l4_must(thread_start(s.thread, moved(program_raises), PROGRAM_STACK, WORD));
    l4_utcb()->deadline = l4_now() + 10 * L4_MILLISECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    test_is("an exception", (u32)m.tag, EXCEPTION_METHOD_RAISE);
    wire_call(0, l4_tag((u32)L4_NOT_FOUND, 0, 0), 0, 0);
    take_cpu();
    l4_must(thread_get_registers(s.thread, &r));
    test_is("whose exception is refused halts where it was", r.rip, moved(program_raise));
    test_is("with its stack", r.rsp, PROGRAM_STACK);
    spawn_end(&s);

    fault_of(&s, 1);
    wire_call(0, l4_tag((u32)L4_NOT_FOUND, 0, 0), 0, 0);
    take_cpu();
    test_is("a refused fault is an exception", rests, 1);
    test_is("and no kick", kicks, 0);
    spawn_end(&s);
    test_drop(GATE);
}

static void test_without_upcall(void)
{
    struct spawned s = run_program(0);
    l4_must(thread_stop(s.thread));
    l4_must(thread_set_upcall(s.thread, 0, 0, 0, 0));
    l4_must(thread_start(s.thread, moved(program_start), PROGRAM_STACK, 0));
    spawn_let_run(1);
    u32 state;
    u64 n;
    l4_must(thread_look(s.thread, &state, &n, &n, &n));
    test_is("without an upcall a foreign system call halts", state, 5);
    test_status("an upcall outside", thread_set_upcall(s.thread, 1ul << 63, 0, 0, 0), L4_BAD_ARGUMENT);
    spawn_end(&s);
}

void l4_main(void)
{
    test_begin("reflect");
    struct test_usage before = test_usage();
    test_system_call();
    test_exception();
    test_single_steps();
    test_leaving();
    test_lost_in_program();
    test_lost_in_runtime();
    test_lost_by_fault();
    test_without_upcall();
    test_balance("memory is as before", before);
    test_end();
}
