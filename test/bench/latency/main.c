/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: long work for the kernel: trees of a hundred thousand mappings, flat, deep and wide, made, revoked, and lost with their task;
 * rows of capabilities with a family each; many threads that wait for the same instant.
 * Nothing is measured here: tools/axo/stretch.py counts from outside for how long interrupts are off meanwhile. Runs as the root task. */
#include <abi/fpage.h>
#include <abi/object.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "factory.h"
#include "gate.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"

enum { A = TEST_SLOTS, B, GATE, FACTORY, FIRST_SLOT = 128, LAST_SLOT = 32000 };
enum { FAN = 60, WAITERS = 300, WAITER_PRIORITY = 5, WAITER_SLOT = LAST_SLOT };
enum { MANY = 100000, DEEP = 20000, APART = 1000, ROW = 64, ROW_ORDER = L4_PAGE_SHIFT + 6, ALL_ORDER = 47 };
#define PLACE  0x40000000ul
#define SPARSE 0x100000000ul    /* from here on each page has a page table of its own */
#define FAR    0x200000ul

static u8 row[ROW][L4_PAGE_SIZE] __attribute__((aligned(262144))) L4_VOLATILE_ZERO;

static u64 page(vaddr_t at) { return l4_fpage_memory(at, L4_PAGE_SHIFT, L4_R); }
static vaddr_t place(u32 i) { return PLACE + (u64)i * L4_PAGE_SIZE; }

static void map(cap_t to, cap_t from, u64 fpage, u64 at, u32 rights)
{
    u64 mapped;
    l4_must(task_map(to, from, fpage, at, rights, &mapped));
}

/* Everything that was derived of it. */
static void revoke(cap_t task, u64 fpage)
{
    u64 changed;
    l4_must(task_unmap(task, fpage, L4_RIGHTS_ALL, true, &changed));
}

static void tasks_make(void)
{
    l4_must(factory_make_task(L4_BOOT_FACTORY, A));
    l4_must(factory_make_task(L4_BOOT_FACTORY, B));
}

static void tasks_end(void)
{
    test_drop(A);
    test_drop(B);
}

/* All of one page. */
static void flat(void)
{
    for (u32 i = 0; i < MANY; i++) {
        map(A, L4_BOOT_TASK, page((vaddr_t)row), place(i), L4_R);
    }
}

/* Each of the one before. */
static void deep(void)
{
    map(A, L4_BOOT_TASK, page((vaddr_t)row), place(0), L4_R);
    for (u32 i = 0; i < DEEP; i++) {
        map(i % 2 ? A : B, i % 2 ? B : A, page(place(i)), place(i + 1), L4_R);
    }
}

/* Rows of pages at a time, and all of them once more into the other task by one call. */
static void wide(void)
{
    for (u32 i = 0; i < MANY / ROW; i++) {
        map(A, L4_BOOT_TASK, l4_fpage_memory((vaddr_t)row, ROW_ORDER, L4_R), place(i * ROW), L4_R);
    }
    map(B, A, l4_fpage_memory(0, ALL_ORDER, L4_R), 0, L4_R);
}

static void sparse(void)
{
    for (u32 i = 0; i < APART; i++) {
        map(A, L4_BOOT_TASK, page((vaddr_t)row), SPARSE + i * FAR, L4_R);
    }
    map(B, A, l4_fpage_memory(0, ALL_ORDER, L4_R), 0, L4_R);
}

static void slots(void)
{
    for (u32 i = FIRST_SLOT; i < LAST_SLOT; i++) {
        map(A, L4_BOOT_TASK, l4_fpage_caps(GATE, 0), i, L4_RIGHTS_ALL);
    }
    map(B, A, l4_fpage_caps(0, 15), 0, L4_RIGHTS_ALL);
}

/* A row of capabilities, each with a family of its own. */
static void fans(void)
{
    for (u32 i = 0; i < ROW; i++) {
        map(A, L4_BOOT_TASK, l4_fpage_caps(GATE, 0), FIRST_SLOT + i, L4_RIGHTS_ALL);
        for (u32 n = 0; n < FAN; n++) {
            map(B, A, l4_fpage_caps(FIRST_SLOT + i, 0), FIRST_SLOT + i * FAN + n, L4_RIGHTS_ALL);
        }
    }
}

static const struct {
    const char *name;
    void (*make)(void);
} trees[] = { { "flat", flat }, { "deep", deep }, { "wide", wide }, { "sparse", sparse }, { "slots", slots },
              { "fans", fans } };

/* Revoked at the root of the tree. */
static void revoked(void (*make)(void))
{
    tasks_make();
    make();
    revoke(L4_BOOT_TASK, l4_fpage_memory((vaddr_t)row, ROW_ORDER, L4_R));
    revoke(L4_BOOT_TASK, l4_fpage_caps(GATE, 0));
    tasks_end();
}

/* Taken out of the first task, from one end to the other. */
static void taken(void (*make)(void))
{
    u64 changed;
    tasks_make();
    make();
    l4_must(task_unmap(A, l4_fpage_memory(0, ALL_ORDER, L4_R), L4_RIGHTS_ALL, false, &changed));
    l4_must(task_unmap(A, l4_fpage_caps(0, 15), L4_RIGHTS_ALL, false, &changed));
    tasks_end();
}

/* Gone with its tasks. */
static void lost(void (*make)(void))
{
    tasks_make();
    make();
    tasks_end();
}

/* As many doors as slots, of one minter: looked at for another's sake, then taken. */
static void minted(void)
{
    u64 removed, me;
    u32 state;
    u64 waits, progress;
    l4_must(thread_look(L4_BOOT_THREAD, &state, &waits, &me, &progress));
    for (u32 i = FIRST_SLOT; i < LAST_SLOT; i++)
        l4_must(gate_mint(GATE, i, i, L4_R));
    l4_must(gate_revoke(GATE, me + 1000, &removed));
    test_is("another's doors", removed, 0);
    l4_must(gate_revoke(GATE, me, &removed));
    test_is("one's own doors", removed, LAST_SLOT - FIRST_SLOT);
}

/* A factory whose objects have a family each goes. */
static void factory(void)
{
    l4_must(factory_make_factory(L4_BOOT_FACTORY, FACTORY, 1 << 20));
    tasks_make();
    for (u32 i = 0; i < ROW; i++) {
        l4_must(factory_make_gate(FACTORY, FIRST_SLOT + i));
        for (u32 n = 0; n < FAN; n++) {
            map(B, L4_BOOT_TASK, l4_fpage_caps(FIRST_SLOT + i, 0), FIRST_SLOT + i * FAN + n, L4_RIGHTS_ALL);
        }
    }
    test_drop(FACTORY);
    tasks_end();
}

/* ---- threads that wait for the same instant ---- */
#define WAITER_BLOCKS 0x20000000ul
static u8 waiter_stack[WAITERS][L4_PAGE_SIZE] __attribute__((aligned(L4_PAGE_SIZE))) L4_VOLATILE_ZERO;

static void wait_until(u64 until)
{
    l4_sleep_until(until);
    spawn_rest();
}

static void same_instant(void)
{
    u64 until = l4_now() + 100 * L4_MILLISECOND;
    for (u32 i = 0; i < WAITERS; i++) {
        cap_t thread = WAITER_SLOT + i;
        vaddr_t block = WAITER_BLOCKS + i * L4_STACK_BYTES, top = block + L4_STACK_BYTES;
        l4_must(factory_make_thread(L4_BOOT_FACTORY, (u32)thread));
        l4_must(thread_bind(thread, L4_BOOT_TASK, block));
        map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((vaddr_t)waiter_stack[i], L4_PAGE_SHIFT, L4_R | L4_W), top - L4_PAGE_SIZE, L4_R | L4_W);
        l4_must(sched_set(L4_BOOT_SCHED, thread, WAITER_PRIORITY, 0));
        l4_must(thread_start(thread, (u64)wait_until, top - 8, until));
    }
    l4_sleep_until(until + 100 * L4_MILLISECOND);
    test_true("all of them had reached it", l4_now() < until + L4_SECOND);
    for (u32 i = 0; i < WAITERS; i++) {
        test_drop(WAITER_SLOT + i);
    }
}

void l4_main(void)
{
    test_begin("bench-latency");
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    minted();
    factory();          /* their slots have a table from now on */
    struct test_usage before = test_usage();
    for (u32 i = 0; i < sizeof trees / sizeof *trees; i++) {
        revoked(trees[i].make);
        taken(trees[i].make);
        lost(trees[i].make);
        test_balance(trees[i].name, before);
    }
    factory();
    test_balance("a factory", before);
    test_drop(GATE);
    same_instant();
    test_end();
}
