/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: long work for the kernel: trees of a hundred thousand mappings, flat, deep and wide, made, revoked, and lost with their task.
 * Nothing is measured here: tools/axo/stretch.py counts from outside for how long interrupts are off meanwhile. Runs as the root task. */
#include <abi/fpage.h>
#include <abi/object.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "factory.h"
#include "gate.h"
#include "task.h"
#include "test.h"

enum { A = TEST_SLOTS, B, GATE, FIRST_SLOT = 128, LAST_SLOT = 32000 };
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

static const struct {
    const char *name;
    void (*make)(void);
} trees[] = { { "flat", flat }, { "deep", deep }, { "wide", wide }, { "sparse", sparse }, { "slots", slots } };

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

void l4_main(void)
{
    test_begin("bench-latency");
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    struct test_usage before = test_usage();
    for (u32 i = 0; i < sizeof trees / sizeof *trees; i++) {
        revoked(trees[i].make);
        taken(trees[i].make);
        lost(trees[i].make);
        test_balance(trees[i].name, before);
    }
    test_drop(GATE);
    test_end();
}
