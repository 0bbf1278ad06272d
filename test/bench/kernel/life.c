/* SPDX-License-Identifier: BSD-2-Clause */
/* life.c: a thread, and a task with a thread: made, run until it calls, destroyed. */
#include "bench.h"
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "factory.h"
#include "gate.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"

enum { CHILD_DOOR = 1 };
#define BLOCK 0x40000000ul      /* of the thread: only its UTCB is ever there */

/* All that the child does: it calls the door in the slot that it was started with. */
void life_child(void);
__asm__(".text; life_child: mov %rdi, %r10; mov $0x100001, %edi; xor %eax, %eax; syscall; 1: jmp 1b");

static void run_child(cap_t home, cap_t door)
{
    factory_make_thread(L4_BOOT_FACTORY, SLOT_THREAD);
    thread_bind(SLOT_THREAD, home, BLOCK);
    thread_start(SLOT_THREAD, (u64)life_child, BLOCK, door);
    bench_receive();
}

static void remove(cap_t slot)
{
    u64 changed;
    task_unmap(L4_BOOT_TASK, l4_fpage_caps(slot, 0), L4_RIGHTS_ALL, false, &changed);
}

static u32 thread_life(u32 i)
{
    u32 start = bench_begin();
    run_child(L4_BOOT_TASK, SLOT_DOOR);
    remove(SLOT_THREAD);
    return bench_end() - start;
}

static u32 task_life(u32 i)
{
    u64 mapped, code = (u64)life_child & ~(u64)(L4_PAGE_SIZE - 1);
    u32 start = bench_begin();
    factory_make_task(L4_BOOT_FACTORY, SLOT_TASK);
    task_map(SLOT_TASK, L4_BOOT_TASK, l4_fpage_memory(code, L4_PAGE_SHIFT, 0), code, L4_R | L4_X, &mapped);
    task_map(SLOT_TASK, L4_BOOT_TASK, l4_fpage_caps(SLOT_DOOR, 0), CHILD_DOOR, L4_R, &mapped);
    run_child(SLOT_TASK, CHILD_DOOR);
    remove(SLOT_THREAD);
    remove(SLOT_TASK);
    return bench_end() - start;
}

void bench_lives(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, SLOT_GATE));
    l4_must(gate_mint(SLOT_GATE, SLOT_DOOR, 1, L4_R));
    l4_must(gate_bind(SLOT_GATE, L4_BOOT_THREAD));
    struct test_usage before = test_usage();
    bench_each("k_thread_life", thread_life);
    bench_each("k_task_life", task_life);
    test_balance("the lives have ended", before);
    test_drop(SLOT_GATE);
}
