/* SPDX-License-Identifier: BSD-2-Clause */
/* test_frame.c: signal frames against the kernel of the host. It delivers a signal and the frame is laid beside ours; then a frame
 * of ours is given to its rt_sigreturn, which must bring up the registers that we put in; then ours reads one of its frames. */
#include "host.h"
#include "user.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* signals.c: the host's side, where the C library's names are needed. */
void host_signal(void (*handler)(void *info, void *uc));
void host_raise(void);

static struct linux_frame seen;
static u64 seen_at, seen_fpu, seen_rsp;
static struct linux_fpu_note seen_note;
static u32 seen_magic2;
static u8 seen_area[16384] __attribute__((aligned(64)));
static struct thread *read_back;

static void look(void *info, void *uc)
{
    (void)info;
    seen_at = (u64)uc - offsetof(struct linux_frame, uc);
    memcpy(&seen, (void *)seen_at, sizeof seen);
    seen_fpu = seen.uc.context.fpu;
    seen_rsp = seen.uc.context.rsp;
    memcpy(&seen_note, (void *)(seen_fpu + FPU_NOTE), sizeof seen_note);
    memcpy(&seen_magic2, (void *)(seen_fpu + seen_note.size), 4);
    memcpy(seen_area, (void *)seen_fpu, seen_note.size < sizeof seen_area ? seen_note.size : sizeof seen_area);
}

static void see(void)
{
    host_signal(look);
    host_raise();
    runtime_kip.features = L4_CPU_XSAVE;
    runtime_kip.xsave_bytes = seen_note.size;
    runtime_kip.xcr0 = seen_note.features;
}

/* A stack with the same place inside 64 bytes as the one the host's kernel used. */
static u8 stack[65536] __attribute__((aligned(64)));
static u64 our_rsp(void) { return (u64)stack + 60000 / 64 * 64 + seen_rsp % 64; }

static void laid_out_like_the_host_s(void **state)
{
    (void)state;
    see();
    struct thread *t = host_thread();
    t->at.rsp = our_rsp();
    t->at.rip = 0x1234;
    t->at.rflags = 0x246;
    t->mask = 0x10;
    struct linux_siginfo info = { .number = SIGUSR1 };
    struct linux_sigaction action = { .handler = 0x5678, .flags = SA_SIGINFO | SA_RESTORER, .restorer = 0x9abc };
    assert_true(frame_build(t, &action, &info));

    const struct linux_frame *ours = (const struct linux_frame *)t->at.rsp;
    assert_int_equal(our_rsp() - t->at.rsp, seen_rsp - seen_at);
    assert_int_equal(our_rsp() - ours->uc.context.fpu, seen_rsp - seen_fpu);
    assert_int_equal(t->at.rsp % 16, 8);
    assert_int_equal(ours->uc.flags, seen.uc.flags);
    assert_int_equal(ours->uc.context.cs, seen.uc.context.cs);
    assert_int_equal(ours->uc.context.ss, seen.uc.context.ss);
    assert_int_equal(ours->uc.stack.flags, seen.uc.stack.flags);
    assert_int_equal(ours->uc.mask, 0x10);
    assert_int_equal(ours->restorer, 0x9abc);
    assert_memory_equal((const void *)(ours->uc.context.fpu + FPU_NOTE), &seen_note, sizeof seen_note);
    assert_int_equal(*(const u32 *)(ours->uc.context.fpu + seen_note.size), seen_magic2);
    assert_int_equal(t->at.rdi, SIGUSR1);
    assert_int_equal(t->at.rsi, &ours->info);
    assert_int_equal(t->at.rdx, &ours->uc);
    assert_int_equal(t->at.rip, 0x5678);
}

u64 host_landed[4];
void host_sigreturn(u64 frame);
void host_landing(void);

static void the_host_returns_from_ours(void **state)
{
    (void)state;
    see();
    struct thread *t = host_thread();
    u64 rsp = (u64)stack + sizeof stack / 2;
    t->at = (struct l4_registers){ .rip = (u64)host_landing, .rsp = rsp, .rflags = 0x247, .rbx = 0x1122334455667788, .r15 = 0xfedcba98 };
    struct linux_siginfo info = { .number = SIGUSR1 };
    struct linux_sigaction action = { .handler = 1, .flags = SA_RESTORER };
    assert_true(frame_build(t, &action, &info));
    host_sigreturn(t->at.rsp);
    assert_int_equal(host_landed[0], 0x1122334455667788);
    assert_int_equal(host_landed[1], 0xfedcba98);
    assert_int_equal(host_landed[2], rsp);
    assert_int_equal(host_landed[3] & 1, 1);
}

static void read_here(void *info, void *uc)
{
    look(info, uc);
    read_back->at.rsp = seen_at + 8;
    read_back->full = frame_restore(read_back) ? 77 : 0;
}

static void ours_reads_the_host_s(void **state)
{
    (void)state;
    see();
    read_back = host_thread();
    host_signal(read_here);
    host_raise();
    assert_int_equal(read_back->full, 77);
    assert_int_equal(read_back->at.rsp, seen.uc.context.rsp);
    assert_int_equal(read_back->at.rip, seen.uc.context.rip);
    assert_int_equal(read_back->at.rbx, seen.uc.context.rbx);
    assert_int_equal(read_back->at.r12, seen.uc.context.r12);
    assert_int_equal(read_back->mask, seen.uc.mask);
}

static void alternate_stack(void **state)
{
    (void)state;
    see();
    struct thread *t = host_thread();
    t->at.rsp = our_rsp();
    t->altstack = (struct linux_stack){ (u64)stack, 0, 32768 };
    struct linux_siginfo info = { .number = SIGSEGV };
    struct linux_sigaction action = { .handler = 1, .flags = SA_ONSTACK | SA_RESTORER };
    assert_true(frame_build(t, &action, &info));
    assert_true(t->at.rsp > (u64)stack && t->at.rsp < (u64)stack + 32768);
    assert_int_equal(((const struct linux_frame *)t->at.rsp)->uc.stack.flags, 0);
    u64 first = t->at.rsp;
    assert_true(frame_build(t, &action, &info));           /* nested: goes on below */
    assert_true(t->at.rsp < first);
    assert_int_equal(((const struct linux_frame *)t->at.rsp)->uc.stack.flags, SS_ONSTACK);
    t->altstack.sp = first - 1024;                          /* too small */
    t->altstack.size = 1024;
    t->at.rsp = our_rsp();
    assert_false(frame_build(t, &action, &info));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laid_out_like_the_host_s), cmocka_unit_test(the_host_returns_from_ours), cmocka_unit_test(ours_reads_the_host_s),
        cmocka_unit_test(alternate_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
