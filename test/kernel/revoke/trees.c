/* SPDX-License-Identifier: BSD-2-Clause */
/* trees.c: see trees.h. */
#include "trees.h"
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "factory.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "test.h"

enum { URGENT = 63, EQUAL = 61, STARTER = 20, APART = 1000, ROW = 64, ROW_ORDER = L4_PAGE_SHIFT + 6, WINDOW = 4096 };
enum { STEP_NS = 7919, SLICE_NS = 50000, OTHER = 64 };      /* OTHER: the slot of the other task in a hostile one */
#define PLACE  0x1000000000ul
#define FAR    0x200000ul
#define BRANCH 0x10000000ul

static u8 row[ROW][L4_PAGE_SIZE] __attribute__((aligned(262144))) L4_VOLATILE_ZERO;
static volatile struct trees now L4_VOLATILE_ZERO;
static struct spawned waiter L4_VOLATILE_ZERO;
static u32 a L4_VOLATILE_ZERO, b L4_VOLATILE_ZERO;

static void wait(u64 unused)
{
    for (;;) {
        u64 at = l4_now() + STEP_NS;
        l4_sleep_until(at);
        u64 late = l4_now() - at;
        now.worst = late > now.worst ? late : now.worst;
        now.least = late < now.least ? late : now.least;
        now.rings++;
    }
}

static u64 page(vaddr_t at) { return l4_fpage_memory(at, L4_PAGE_SHIFT, L4_R); }
static vaddr_t place(u64 i) { return PLACE + i * L4_PAGE_SIZE; }

static void map(cap_t to, cap_t from, u64 fpage, u64 at)
{
    u64 mapped;
    l4_must(task_map(to, from, fpage, at, L4_R, &mapped));
}

static void begin(void)
{
    l4_must(factory_make_task(L4_BOOT_FACTORY, a));
    l4_must(factory_make_task(L4_BOOT_FACTORY, b));
    now = (struct trees){ .least = ~0ul };
}

/* Everything below the row goes. */
static u64 revoke(void)
{
    u64 changed;
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory((vaddr_t)row, ROW_ORDER, L4_R), L4_R | L4_W | L4_X, true, &changed));
    return changed;
}

static struct trees end(void)
{
    now.revoked = revoke();
    struct trees was = now;
    test_drop(a);
    test_drop(b);
    return was;
}

/* How many of each hundred mappings of a flat tree are there, one looked at. */
static u32 left(void)
{
    u32 count = 0, rights, order;
    u64 id;
    for (u64 i = 0; i < TREES_MANY; i += 100)
        count += task_look(a, page(place(i)), &rights, &order, &id) == L4_OK;
    return count;
}

static void revoke_and_rest(u64 unused)
{
    revoke();
    spawn_rest();
}

void trees_begin(u32 first)
{
    a = first;
    b = first + 1;
    waiter = spawn_thread_run(0, URGENT, wait, 0);
}

void trees_end(void) { spawn_end(&waiter); }

struct trees trees_flat(void)
{
    begin();
    for (u32 i = 0; i < TREES_MANY; i++)
        map(a, L4_BOOT_TASK, page((vaddr_t)row), place(i));
    return end();
}

struct orphaned trees_orphaned(void)
{
    begin();
    for (u32 i = 0; i < TREES_MANY; i++)
        map(a, L4_BOOT_TASK, page((vaddr_t)row), place(i));
    struct spawned starter = spawn_thread_run(1, STARTER, revoke_and_rest, 0);
    struct orphaned found = { .first = left() };
    spawn_let_run(1);
    spawn_end(&starter);
    found.then = left();
    spawn_let_run(100);
    found.last = left();
    end();
    return found;
}

struct trees trees_deep(void)
{
    begin();
    map(a, L4_BOOT_TASK, page((vaddr_t)row), place(0));
    for (u32 i = 1; i < TREES_MANY; i++)
        map(i % 2 ? b : a, i % 2 ? a : b, page(place(i - 1)), place(i));
    return end();
}

struct trees trees_bushy(void)
{
    begin();
    for (u32 i = 0; i < 100; i++)
        map(a, L4_BOOT_TASK, page((vaddr_t)row), place(i));
    for (u32 i = 0; i < 100; i++)
        for (u32 j = 0; j < 100; j++)
            map(b, a, page(place(i)), place(i * 100 + j));
    for (u32 j = 1; j < 10; j++)        /* ten of each of the ten thousand */
        for (u32 i = 0; i < 10000; i += WINDOW)
            map(a, b, l4_fpage_memory(place(i), L4_PAGE_SHIFT + 12, L4_R), place(i) + j * BRANCH);
    return end();
}

struct trees trees_sparse(void)
{
    begin();
    for (u32 i = 0; i < APART; i++)
        map(a, L4_BOOT_TASK, page((vaddr_t)row), PLACE + i * FAR);
    map(b, a, l4_fpage_memory(0, 47, L4_R), 0);
    return end();
}

/* Runs in a task of its own: maps what it has from one place to another, in the other task and back. */
static void grow(u64 seed)
{
    u64 mapped, n = seed;
    for (;;) {
        n = n * 6364136223846793005ul + 1442695040888963407ul;
        u64 from = place(n >> 33 & (WINDOW - 1)), to = place(n >> 45 & (WINDOW - 1));
        task_map(OTHER, L4_BOOT_TASK, page(from), to, L4_R, &mapped);
        task_map(L4_BOOT_TASK, OTHER, page(from), to, L4_R, &mapped);
    }
}

struct trees trees_hostile(u32 rounds)
{
    struct spawned one = spawn_task(1), two = spawn_task(2);
    now = (struct trees){ .least = ~0ul };
    spawn_give(&one, two.task, OTHER, L4_RIGHTS_ALL);
    spawn_give(&two, one.task, OTHER, L4_RIGHTS_ALL);
    l4_must(sched_set(L4_BOOT_SCHED, L4_BOOT_THREAD, EQUAL, SLICE_NS));
    l4_must(sched_set(L4_BOOT_SCHED, one.thread, EQUAL, SLICE_NS));
    l4_must(sched_set(L4_BOOT_SCHED, two.thread, EQUAL, SLICE_NS));
    spawn_start(&one, grow, 1);
    spawn_start(&two, grow, 2);
    for (u32 i = 0; i < rounds; i++) {
        for (u32 j = 0; j < ROW; j++)
            map(j % 2 ? one.task : two.task, L4_BOOT_TASK, page((vaddr_t)row[j]), place(WINDOW + i * ROW + j));
        map(one.task, L4_BOOT_TASK, page((vaddr_t)row), place(i));
        spawn_let_run(5);
        now.revoked += revoke();
    }
    l4_must(sched_set(L4_BOOT_SCHED, L4_BOOT_THREAD, EQUAL, 0));
    struct trees was = now;
    spawn_end(&one);
    spawn_end(&two);
    return was;
}
