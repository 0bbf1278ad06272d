/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of irq.idl; no bit is lost over binding, unbinding and the receiver's death; a hardware line. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "sigma0.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { IRQ = TEST_SLOTS, OTHER, WEAK, GATE, DOOR, LINE, LINE_TOO };
enum { NOTHING = 0x5eed };

/* The label of the irq that the root thread gets, NOTHING if none is there. */
static u64 take(void)
{
    struct l4_message m;
    wire_wait(&m, L4_TAG_NO_WAIT);
    if (l4_tag_status(m.tag) == L4_WOULD_BLOCK)
        return NOTHING;
    return m.tag == l4_tag(L4_IRQ << 8, 0, 0) ? m.label : ~m.tag;
}

static void test_one(void)
{
    test_ok("ring an irq nobody has bound", irq_ring(IRQ));
    test_is("nothing comes", take(), NOTHING);
    test_ok("bind", irq_bind(IRQ, L4_BOOT_THREAD, 0x123456789abcul));
    test_is("the bit was kept", take(), 0x123456789abcul);
    test_is("once", take(), NOTHING);
    test_ok("ring", irq_ring(IRQ));
    test_ok("ring again", irq_ring(IRQ));
    test_is("it comes", take(), 0x123456789abcul);
    test_is("it is one bit", take(), NOTHING);
    test_ok("bind with another label", irq_bind(IRQ, L4_BOOT_THREAD, 7));
    test_is("binding rings", take(), 7);
    test_ok("unbind", irq_unbind(IRQ));
    test_ok("unbind again", irq_unbind(IRQ));
    l4_must(irq_ring(IRQ));
    test_is("an unbound one does not come", take(), NOTHING);
    test_ok("acknowledge a software irq", irq_ack(IRQ));
}

static void test_two(void)
{
    l4_must(factory_make_irq(L4_BOOT_FACTORY, OTHER));
    l4_must(irq_bind(IRQ, L4_BOOT_THREAD, 1));
    l4_must(irq_bind(OTHER, L4_BOOT_THREAD, 2));
    u64 first = take(), second = take();
    test_is("two irqs, in order", first << 8 | second, 1 << 8 | 2);
    l4_must(irq_ring(OTHER));
    l4_must(irq_ring(IRQ));
    first = take();
    second = take();
    test_is("in the order of ringing", first << 8 | second, 2 << 8 | 1);
    l4_must(irq_ring(OTHER));
    test_drop(OTHER);
    test_is("a destroyed one does not come", take(), NOTHING);
    l4_must(irq_unbind(IRQ));
}

static volatile u64 taken[4] L4_VOLATILE_ZERO, took L4_VOLATILE_ZERO;

static void listen(u64 me)
{
    struct l4_message m = { 0 };
    for (;;) {
        wire_wait(&m, 0);
        taken[me]++;
        took = m.label;
    }
}

static void test_restart(void)
{
    struct spawned one = spawn_task_run(0, 40, listen, 0);
    l4_must(irq_bind(IRQ, one.thread, 5));
    spawn_let_run(1);
    test_is("a listener hears the binding", taken[0], 1);
    l4_must(irq_ring(IRQ));
    spawn_let_run(1);
    test_is("and the ring", taken[0], 2);
    l4_must(thread_stop(one.thread));
    l4_must(irq_ring(IRQ));
    spawn_end(&one);
    struct spawned two = spawn_thread_run(1, 40, listen, 1);
    l4_must(irq_bind(IRQ, two.thread, 6));
    spawn_let_run(1);
    test_is("what rang between two incarnations is heard", taken[1], 1);
    test_is("with the new label", took, 6);
    u64 heard = taken[1];
    for (u32 i = 0; i < 100; i++) {
        l4_must(irq_ring(IRQ));
        spawn_let_run(1);
    }
    test_is("a hundred rings", taken[1] - heard, 100);
    spawn_end(&two);
}

static void call_door(u64 door)
{
    wire_call(door, l4_tag(0x100001, 0, 0), 0, 0);
    spawn_rest();
}

/* An irq comes before a caller who has waited longer. */
static void test_before_callers(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 99, 0));
    struct spawned caller = spawn_thread_run(0, 40, call_door, DOOR);
    spawn_let_run(1);
    l4_must(irq_bind(IRQ, L4_BOOT_THREAD, 3));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    test_is("the irq comes first", take(), 3);
    struct l4_message m;
    wire_wait(&m, L4_TAG_NO_WAIT);
    test_is("then the caller", m.label, 99);
    spawn_end(&caller);
    test_drop(GATE);
    l4_must(irq_unbind(IRQ));
}

static void test_rights(void)
{
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, IRQ, WEAK, L4_R));
    test_status("bind needs C", irq_bind(WEAK, L4_BOOT_THREAD, 1), L4_NO_RIGHT);
    test_status("unbind needs C", irq_unbind(WEAK), L4_NO_RIGHT);
    test_status("ring needs W", irq_ring(WEAK), L4_NO_RIGHT);
    test_ok("ack needs R", irq_ack(WEAK));
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, IRQ, WEAK, L4_W));
    test_status("ack without R", irq_ack(WEAK), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_THREAD, WEAK, L4_R));
    test_status("bind to a thread without W", irq_bind(IRQ, WEAK, 1), L4_NO_RIGHT);
    test_drop(WEAK);
    test_status("bind to what is no thread", irq_bind(IRQ, L4_BOOT_TASK, 1), L4_WRONG_KIND);
}

/* The serial port rings its line when it may transmit (16550: interrupt enable register, bit 1). */
static void out(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port)); }
static u8 in(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}

static void test_line(void)
{
    enum { COM1 = 0x3f8, COM1_LINE = 4 };
    l4_must(sigma0_ports(L4_BOOT_SIGMA0, COM1, 3, l4_fpage_ports(COM1, 3)));
    test_ok("make a line", factory_make_line(L4_BOOT_FACTORY, LINE, COM1_LINE, false));
    test_status("twice the same", factory_make_line(L4_BOOT_FACTORY, LINE_TOO, COM1_LINE, false), L4_SLOT_BUSY);
    test_status("a line that is none", factory_make_line(L4_BOOT_FACTORY, LINE_TOO, 100000, false), L4_BAD_ARGUMENT);
    test_ok("bind it", irq_bind(LINE, L4_BOOT_THREAD, 44));
    test_is("binding rings", take(), 44);
    test_is("then it is silent", take(), NOTHING);
    out(COM1 + 4, 8); /* OUT2 lets the interrupt through */
    out(COM1 + 1, 2);
    struct l4_message m;
    l4_utcb()->deadline = l4_now() + L4_SECOND;
    wire_wait(&m, L4_TAG_TIMEOUT);
    test_is("the device rings", m.label, 44);
    in(COM1 + 2);
    test_ok("acknowledge", irq_ack(LINE));
    out(COM1 + 1, 0);
    l4_must(irq_unbind(LINE));
    out(COM1 + 1, 2);
    for (u64 until = l4_now() + L4_MILLISECOND; l4_now() < until;)
        ;
    in(COM1 + 2);
    l4_must(irq_bind(LINE, L4_BOOT_THREAD, 45));
    test_is("what rang while unbound is not lost", take(), 45);
    out(COM1 + 1, 0);
    test_drop(LINE);
    test_ok("the line is free again", factory_make_line(L4_BOOT_FACTORY, LINE_TOO, COM1_LINE, true));
    test_drop(LINE_TOO);
}

void l4_main(void)
{
    test_begin("irq");
    struct test_usage before = test_usage();
    test_ok("make", factory_make_irq(L4_BOOT_FACTORY, IRQ));
    test_one();
    test_two();
    test_restart();
    test_before_callers();
    test_rights();
    test_drop(IRQ);
    test_balance("memory is as before", before);
    test_line();
    test_end();
}
