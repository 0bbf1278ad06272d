/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: words, labels, rights and numbers across tasks and inside one; deadlines; not waiting. */
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "factory.h"
#include "gate.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, SILENT, SILENT_DOOR, LABEL = 0x77 };

static struct l4_message seen L4_VOLATILE_ZERO;

/* Answers each request with every word plus one, and keeps what it saw in `seen`. */
static void echo(u64 unused)
{
    struct l4_message m = { 0 };
    for (;;) {
        wire_reply_wait(&m, 0);
        seen = m;
        u32 words = l4_tag_words(m.tag);
        for (u32 i = 0; i < L4_REGISTER_WORDS; i++)
            m.word[i]++;
        for (u32 i = L4_REGISTER_WORDS; i < words; i++)
            l4_utcb()->mr[i]++;
        m.tag = l4_tag(words & 1 ? 7 : 0, words, 0);
        m.number = ~m.number;
    }
}

/* Send `words` words and see whether each comes back plus one. */
static bool echoes(u32 words)
{
    struct l4_message m = { .tag = l4_tag(0x100042, words, 0), .number = 1000 + words };
    for (u32 i = 0; i < L4_REGISTER_WORDS; i++)
        m.word[i] = words * 100 + i;
    for (u32 i = L4_REGISTER_WORDS; i < L4_WORDS_MAX; i++)
        l4_utcb()->mr[i] = words * 100 + i;
    wire_invoke(DOOR, &m);
    bool good = m.tag == l4_tag(words & 1 ? 7 : 0, words, 0) && m.label == 0 && m.number == ~(u64)(1000 + words);
    good = good && seen.label == LABEL && (u32)seen.tag == 0x100042 && l4_tag_words(seen.tag) == words &&
           l4_tag_rights(seen.tag) == (L4_R | L4_X) && seen.number == 1000 + words;
    for (u32 i = 0; i < words; i++) {
        u64 got = i < L4_REGISTER_WORDS ? m.word[i] : l4_utcb()->mr[i];
        good = good && got == words * 100 + i + 1;
    }
    for (u32 i = words > 4 ? words : 4; i < L4_WORDS_MAX; i++)
        good = good && l4_utcb()->mr[i] == words * 100 + i; /* what was not sent is not touched */
    return good;
}

static void test_words(const char *name, const char *name_number)
{
    u32 good = 0;
    for (u32 words = 0; words <= L4_WORDS_MAX; words++)
        good += echoes(words);
    test_is(name, good, L4_WORDS_MAX + 1);
    struct l4_message m = { .tag = l4_tag(0x1, 0, 0) | L4_TAG_NO_PARK };
    wire_invoke(DOOR, &m);
    test_true(name_number, seen.tag & L4_TAG_NO_PARK);
}

/* rbx, rbp, r12 to r15 survive an invocation; rcx and r11 are lost. */
static void test_registers(void)
{
    u64 sum;
    register u64 r10 __asm__("r10") = DOOR;
    u64 tag = l4_tag(0x1, 0, 0);
    __asm__ volatile(
        "push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14; push %%r15\n\t"
        "mov $1, %%ebx; mov $2, %%ebp; mov $4, %%r12d; mov $8, %%r13d; mov $16, %%r14d; mov $32, %%r15d\n\t"
        "syscall\n\t"
        "lea (%%rbx, %%rbp), %%rax; add %%r12, %%rax; add %%r13, %%rax; add %%r14, %%rax; add %%r15, %%rax\n\t"
        "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp; pop %%rbx"
        : "=a"(sum), "+r"(r10), "+D"(tag)
        : "a"(0ul)
        : "rcx", "r11", "rsi", "rdx", "r8", "r9", "memory", "cc");
    test_is("kept registers", sum, 63);
}

static void test_deadlines(void)
{
    struct l4_utcb *utcb = l4_utcb();
    u64 start = l4_now();
    utcb->deadline = start + 5 * L4_MILLISECOND;
    test_status(
        "deadline at an unbound gate", wire_call(SILENT_DOOR, l4_tag(1, 0, 0) | L4_TAG_TIMEOUT, 0, 0), L4_TIMED_OUT);
    u64 took = l4_now() - start;
    test_true("it waited until then", took >= 5 * L4_MILLISECOND);
    test_true("and not much longer", took < 200 * L4_MILLISECOND);

    l4_utcb()->deadline = 1;
    test_status("a deadline in the past", wire_call(SILENT_DOOR, l4_tag(1, 0, 0) | L4_TAG_TIMEOUT, 0, 0), L4_TIMED_OUT);
    l4_utcb()->deadline = l4_now() + L4_SECOND;
    test_status("a deadline that is not reached", wire_call(DOOR, l4_tag(1, 0, 0) | L4_TAG_TIMEOUT, 0, 0), L4_OK);
    test_status(
        "no_wait at an unbound gate", wire_call(SILENT_DOOR, l4_tag(1, 0, 0) | L4_TAG_NO_WAIT, 0, 0), L4_WOULD_BLOCK);
    test_status("no_wait at a server that waits", wire_call(DOOR, l4_tag(1, 0, 0) | L4_TAG_NO_WAIT, 0, 0), L4_OK);

    struct l4_message m;
    wire_wait(&m, L4_TAG_NO_WAIT);
    test_status("open receive with no_wait", l4_tag_status(m.tag), L4_WOULD_BLOCK);
    l4_utcb()->deadline = l4_now() + 2 * L4_MILLISECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    test_status("open receive with a deadline", l4_tag_status(m.tag), L4_TIMED_OUT);

    bool bound = true;
    u32 waiting = 9;
    test_ok("look at the gate", gate_look(SILENT, &bound, &waiting));
    test_is("nobody is left waiting at it", waiting, 0);
}

/* An invocation with a stack pointer and flags that the kernel must not mind: nested task, alignment check, direction. */
static u64 invoke_wildly(u64 stack, u64 flags)
{
    u64 tag = l4_tag(0x9ff, 0, 0);
    register u64 r10 __asm__("r10") = L4_BOOT_LOG;
    __asm__ volatile("mov %%rsp, %%rbx; pushfq; orq %[flags], (%%rsp); popfq; mov %[stack], %%rsp\n\t"
                     "syscall\n\t"
                     "mov %%rbx, %%rsp; pushfq; andq $~0x44400, (%%rsp); popfq"
                     : "+D"(tag), "+r"(r10)
                     : [stack] "r"(stack), [flags] "r"(flags)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r11", "memory", "cc");
    return tag;
}

static void test_wild(void)
{
    static const u64 stacks[] = { 0, 7, 1ul << 63, ~0ul, 0xffff800000000000ul, 0xffffffff80000000ul, L4_USER_END };
    u32 good = 0;
    for (u32 i = 0; i < sizeof stacks / sizeof *stacks; i++)
        good += l4_tag_status(invoke_wildly(stacks[i], i & 1 ? 0x44400 : 0x400)) == L4_NO_METHOD;
    test_is("wild stack pointers and flags", good, sizeof stacks / sizeof *stacks);
}

static void test_refusals(void)
{
    test_status("an empty slot", wire_call(TEST_SLOTS + 40, l4_tag(0x901, 0, 0), 0, 0), L4_NO_CAPABILITY);
    struct l4_message m = { .tag = l4_tag(0x901, 4, 0), .word = { 1, 2, 3, 4 } };
    wire_invoke(TEST_SLOTS + 40, &m);
    test_is("its refusal has no words", m.word[0] | m.word[1] | m.word[2] | m.word[3], 0);
    test_status("a slot beyond the table", wire_call(L4_CAP_SLOTS, l4_tag(0x901, 0, 0), 0, 0), L4_NO_CAPABILITY);
    test_status("a slot beyond everything", wire_call(~0ul, l4_tag(0x901, 0, 0), 0, 0), L4_NO_CAPABILITY);
    test_status("an answer to nobody", wire_call(0, l4_tag(0, 0, 0), 0, 0), L4_NO_REPLY);
    test_status("a method that no object has", wire_call(L4_BOOT_LOG, l4_tag(0x9ff, 0, 0), 0, 0), L4_NO_METHOD);
    test_status("another kind's method", wire_call(L4_BOOT_LOG, l4_tag(0x201, 4, 0), 0, 0), L4_NO_METHOD);
    test_status("too few words", wire_call(L4_BOOT_TASK, l4_tag(0x201, 1, 0), 0, 0), L4_BAD_MESSAGE);
}

static void test_with(struct spawned server, const char *words, const char *flags)
{
    test_ok("bind", gate_bind(GATE, server.thread));
    spawn_let_run(1);
    test_words(words, flags);
    test_registers();
    test_deadlines();
}

void l4_main(void)
{
    test_begin("ipc");
    struct test_usage before = test_usage();
    test_ok("make gates", factory_make_gate(L4_BOOT_FACTORY, GATE));
    test_ok("and another", factory_make_gate(L4_BOOT_FACTORY, SILENT));
    test_ok("mint", gate_mint(GATE, DOOR, LABEL, L4_R | L4_X));
    test_ok("mint", gate_mint(SILENT, SILENT_DOOR, 0, 0));

    struct spawned other = spawn_task_run(0, 40, echo, 0), same = spawn_thread_run(1, 40, echo, 0);
    test_with(other, "0 to 63 words to another task", "no_park is passed on to another task");
    test_with(same, "0 to 63 words inside the task", "no_park is passed on inside the task");
    struct spawned urgent = spawn_task_run(2, 62, echo, 0);
    test_with(urgent, "0 to 63 words to a more urgent task", "no_park is passed on upwards");
    test_refusals();
    test_wild();

    spawn_end(&other);
    spawn_end(&same);
    spawn_end(&urgent);
    test_drop(GATE);
    test_drop(SILENT);
    test_balance("memory is as before", before);
    test_end();
}
