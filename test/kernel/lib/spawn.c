/* SPDX-License-Identifier: BSD-2-Clause */
/* spawn.c: second tasks and threads, made from a function of this program. */
#include "spawn.h"
#include "test.h"
#include <abi/kip.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "factory.h"
#include "sched.h"
#include "task.h"
#include "thread.h"

#define THREAD_BLOCKS 0x20000000ul /* stack blocks of threads in the root task */
enum { STACK_PAGES = 15, STACK_BYTES = STACK_PAGES * L4_PAGE_SIZE };

static u8 stack[SPAWN_PLACES][STACK_BYTES] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
extern u8 l4_image_start[], l4_image_end[], l4_constants_end[];

static cap_t slot_of(u32 place, u32 which) { return TEST_LIBRARY_SLOTS + place * 2 + which; }

static vaddr_t page_up(const void *at) { return ((u64)at + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1); }

static void make_thread(struct spawned *s, cap_t home)
{
    l4_must(factory_make_thread(L4_BOOT_FACTORY, (u32)s->thread));
    l4_must(thread_bind(s->thread, home, s->block));
    l4_must(
        l4_map_range(home, L4_BOOT_TASK, (vaddr_t)stack[s->place], s->block + L4_PAGE_SIZE, STACK_BYTES, L4_R | L4_W));
}

struct spawned spawn_thread(u32 place)
{
    struct spawned s = { 0, slot_of(place, 1), THREAD_BLOCKS + place * L4_STACK_BYTES, place };
    make_thread(&s, L4_BOOT_TASK);
    return s;
}

static void map_image(cap_t task)
{
    vaddr_t start = (vaddr_t)l4_image_start, constants = page_up(l4_constants_end), end = page_up(l4_image_end);
    l4_must(l4_map_range(task, L4_BOOT_TASK, start, start, constants - start, L4_R | L4_X));
    l4_must(l4_map_range(task, L4_BOOT_TASK, constants, constants, end - constants, L4_R | L4_W));
    l4_must(l4_map_range(task, L4_BOOT_TASK, L4_KIP_ADDRESS, L4_KIP_ADDRESS, L4_PAGE_SIZE, L4_R));
}

struct spawned spawn_task(u32 place)
{
    struct spawned s = { slot_of(place, 0), slot_of(place, 1), L4_STACK_ADDRESS, place };
    l4_must(factory_make_task(L4_BOOT_FACTORY, (u32)s.task));
    map_image(s.task);
    make_thread(&s, s.task);
    spawn_give(&s, s.task, L4_BOOT_TASK, L4_RIGHTS_ALL);
    spawn_give(&s, s.thread, L4_BOOT_THREAD, L4_RIGHTS_ALL);
    spawn_give(&s, L4_BOOT_LOG, L4_BOOT_LOG, L4_RIGHTS_ALL);
    return s;
}

void spawn_start(const struct spawned *s, void (*entry)(u64), u64 argument)
{
    l4_must(thread_start(s->thread, (u64)entry, s->block + L4_STACK_BYTES - 8, argument));
}

static void run(const struct spawned *s, u32 priority, void (*entry)(u64), u64 argument)
{
    l4_must(sched_set(L4_BOOT_SCHED, s->thread, priority, 0));
    spawn_start(s, entry, argument);
}

struct spawned spawn_thread_run(u32 place, u32 priority, void (*entry)(u64), u64 argument)
{
    struct spawned s = spawn_thread(place);
    run(&s, priority, entry, argument);
    return s;
}

struct spawned spawn_task_run(u32 place, u32 priority, void (*entry)(u64), u64 argument)
{
    struct spawned s = spawn_task(place);
    run(&s, priority, entry, argument);
    return s;
}

void spawn_end(const struct spawned *s)
{
    test_drop(s->thread);
    if (s->task)
        test_drop(s->task);
    else
        l4_must(l4_unmap_range(L4_BOOT_TASK, s->block + L4_PAGE_SIZE, STACK_BYTES, 7, false));
    memset(stack[s->place], 0, STACK_BYTES);
}

void spawn_rest(void)
{
    for (;;)
        l4_sleep(L4_SECOND);
}

void spawn_let_run(u32 ms) { l4_sleep((u64)ms * L4_MILLISECOND); }

void spawn_give(const struct spawned *s, cap_t from, cap_t to, u32 rights)
{
    l4_must(l4_map_cap(s->task, L4_BOOT_TASK, from, to, rights));
}
