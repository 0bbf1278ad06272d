/* SPDX-License-Identifier: BSD-2-Clause */
/* handler.c: a page fault, an exception and a notification that a thread of another task handles, and a foreign system
 * call that the task's own runtime does. */
#include "bench.h"
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/utcb.h>
#include "exception.h"
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "pager.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"

enum { PRIORITY = 60, WAITER_PRIORITY = 63, DONE = 0x100002, UD2_BYTES = 2 };
#define FRESH 0x60000000ul

static u8 page[L4_PAGE_SIZE] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static volatile u32 stamp L4_VOLATILE_ZERO;

static void done(void)
{
    bench_call(SLOT_DOOR, DONE);
    spawn_rest();
}

/* ---- faults and exceptions: the root thread handles them ---- */

static void touch(u64 argument)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        u32 start = bench_begin();
        *(volatile u8 *)(FRESH + (u64)i * L4_PAGE_SIZE);
        bench_sample[i] = bench_end() - start;
    }
    done();
}

static void raise_exceptions(u64 argument)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        u32 start = bench_begin();
        __asm__ volatile("ud2" : : : "memory");
        bench_sample[i] = bench_end() - start;
    }
    done();
}

static void be_pager(void)
{
    u64 word = 0;
    for (u64 tag = bench_receive(); (u32)tag == PAGER_METHOD_FAULT; tag = bench_answer(l4_tag(0, 0, 1), &word)) {
        l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)page, L4_PAGE_SHIFT, L4_R), word };
    }
}

static void be_handler(void)
{
    u64 word = 1;
    for (u64 tag = bench_receive(); (u32)tag == EXCEPTION_METHOD_RAISE; tag = bench_answer(l4_tag(0, 1, 0), &word)) {
        l4_utcb()->exception.registers.rip += UD2_BYTES;
        word = 1;
    }
}

static void handled(const char *id, void (*child)(u64), void (*handle)(void))
{
    struct spawned s = spawn_task(0);
    spawn_give(&s, SLOT_DOOR, SLOT_DOOR, L4_R);
    l4_must(thread_set_handlers(s.thread, SLOT_DOOR, SLOT_DOOR));
    l4_must(gate_bind(SLOT_GATE, L4_BOOT_THREAD));
    spawn_start(&s, child, 0);
    handle();
    bench_samples(id, 1);
    spawn_end(&s);
}

/* ---- notification ---- */

static void await_irq(u64 argument)
{
    for (;;) {
        bench_receive();
        stamp = bench_end();
    }
}

static u32 ring(u32 i)
{
    u32 start = bench_begin();
    irq_ring(SLOT_IRQ);
    return stamp - start;
}

static void notified(void)
{
    l4_must(factory_make_irq(L4_BOOT_FACTORY, SLOT_IRQ));
    struct spawned waiter = spawn_task_run(0, WAITER_PRIORITY, await_irq, 0);
    l4_must(irq_bind(SLOT_IRQ, waiter.thread, 1));
    bench_each("k_notify", ring);
    spawn_end(&waiter);
    test_drop(SLOT_IRQ);
}

/* ---- reflection: everything but foreign() is native ---- */

u32 foreign(void);
extern u8 foreign_end[];
__asm__(".text; foreign: " BENCH_MARK(BENCH_BEGIN) "rdtsc; mov %eax, %esi; syscall; " BENCH_MARK(BENCH_END) "rdtsc; sub %esi, %eax; ret;"
        "foreign_end:");

static __attribute__((naked)) void runtime(void)
{
    __asm__("mov %c0, %%rsp; jmp *%c1" : : "i"(L4_STACK_ADDRESS + offsetof(struct l4_utcb, reflect_rsp)),
        "i"(L4_STACK_ADDRESS + offsetof(struct l4_utcb, reflect_rip)));
}

static void call_foreign(u64 argument)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        bench_sample[i] = foreign();
    }
    done();
}

static void reflected(void)
{
    struct spawned s = spawn_task(0);
    spawn_give(&s, SLOT_DOOR, SLOT_DOOR, L4_R);
    l4_must(task_set_native(s.task, (u64)foreign_end, (u64)foreign, 0, 0));
    l4_must(thread_set_upcall(s.thread, (u64)runtime, 0, 0, L4_STACK_ADDRESS + L4_STACK_BYTES / 2));
    spawn_start(&s, call_foreign, 0);
    bench_receive();
    bench_samples("k_reflect", 1);
    spawn_end(&s);
}

void bench_handlers(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, SLOT_GATE));
    l4_must(gate_mint(SLOT_GATE, SLOT_DOOR, 1, L4_R));
    handled("k_fault", touch, be_pager);
    handled("k_exception", raise_exceptions, be_handler);
    notified();
    reflected();
    test_drop(SLOT_GATE);
}
