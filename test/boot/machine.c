/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: stands in for the generic kernel and checks the machine layer: interrupt lines that wake idle, three threads
 * in three address spaces, FPU state, FS base, I/O ports, registers from outside, and (command line `overflow`, `fault`)
 * how the kernel ends. The threads are machine_user.S; they call by number (enum call, in r10).
 * Leaves QEMU with 0x10 if all went well, else 0x11. */
#include "cpu.h"
#include "paging.h"
#include "print.h"
#include "task.h"
#include "thread.h"

enum { THREADS = 4, PAGES = 8, PROGRAM_BYTES = 1024, CMOS_PORT = 0x71 };
enum call { SWITCH = 0, CHECK = 4, TAKE_PORTS, SET_BASE, SET_REGISTERS, LEAVE_SPACE, DONE };
enum { TIMER_LINE = 0, COM1_LINE = 4, CLOCK_LINE = 8, LINES = 16 };
static const vaddr_t code_at = 0x400000, moved_to = 0x400200, after_outside = 0x400300;

static struct { struct thread thread; } __attribute__((aligned(64))) slot[THREADS];
static struct task task[THREADS];
static u8 area[THREADS][L4_PAGE_SIZE] __attribute__((aligned(64)));
static struct cap_page slots;       /* the same for each task, */
static u64 slot_pages[CAP_PAGES];   /* all through the table */
static u64 port_tables[PORTS / TABLE_ENTRIES];
static struct kpage port_page;      /* of port_table() */
static struct l4_kip *kip;
static paddr_t memory;              /* THREADS * PAGES frames for page tables and programs, then one for port pages */
static const char *command_line;
static u32 checks, failures, no_fpu, refused_ports, arrived[LINES];
extern const u8 machine_programs[THREADS][PROGRAM_BYTES];
bool paging_nx;
struct thread thread_nobody;
struct cap_page cap_zero_page;
u64 kpage_bias;

static u8 *frame_at(u32 index) { return arch_pointer(memory + index * L4_PAGE_SIZE); }
static u64 *port_table(void) { return (u64 *)frame_at(THREADS * PAGES); }
static struct thread *thread_at(u32 index) { return &slot[index].thread; }

/* Stands in for paging.c: in thread 1's space there is one table of port pages. */
struct place paging_walk(struct space *space, vaddr_t at)
{
    static u64 nothing;
    return space == &task[1].space ? (struct place){ port_table(), L4_PAGE_SHIFT } : (struct place){ &nothing, 39 };
}

static void check(const char *what, u64 is, u64 wanted)
{
    checks++;
    if (is == wanted)
        return;
    failures++;
    print("FAILED %s: %lx, wanted %lx\n", what, is, wanted);
}

/* One page at code_at, program and stack. */
static void thread_make(u32 n)
{
    u64 *table[5];
    for (u32 i = 0; i < 5; i++)
        table[i] = (u64 *)frame_at(n * PAGES + i);
    memcpy(table[0] + 256, arch_kernel_half(), 256 * sizeof(u64));
    for (u32 i = 0; i < 4; i++)
        table[i][code_at >> (39 - 9 * i) & 511] = arch_paddr(table[i + 1]) | 7;
    memcpy(table[4], machine_programs[n], PROGRAM_BYTES);
    task[n].space.root = arch_paddr(table[0]);
    struct thread *t = thread_at(n);
    t->task = &task[n];
    t->root = task[n].space.root;
    task[n].native.bytes = ~0ul;
    task[n].caps.pages = slot_pages;
    arch_frame_init(&t->frame);
    t->frame.rip = code_at;
    t->frame.rsp = code_at + L4_PAGE_SIZE;
    t->frame.rbx = kip->features & L4_CPU_FSGSBASE;
    if (n == 3)
        return;
    t->fpu = (struct fpu_area *)area[n];
    arch_fpu_init(t->fpu);
}

static void clock_acknowledge(void)
{
    outb(0x70, 0x8c);
    inb(0x71);
}

/* The 8254 by its override, the CMOS clock's 1024 Hz (masked at first), and COM1 as a level line. */
static void lines_open(void)
{
    arch_line_open(TIMER_LINE, false);
    arch_line_open(CLOCK_LINE, false);
    arch_line_mask(CLOCK_LINE, true);
    arch_line_open(COM1_LINE, true);
    outb(0x43, 0x34);
    outb(0x40, 0);
    outb(0x40, 16);
    outb(0x70, 0x8b);
    u8 mode = inb(0x71);
    outb(0x70, 0x8b);
    outb(0x71, mode | 0x40);
    outb(0x3f9, 2);                 /* transmitter empty: at once and for ever */
    outb(0x3fc, 8);
}

struct frame *kernel_main(const struct l4_boot_record *record)
{
    kip = arch_pointer(record->info_page);
    memory = record->share.base;
    command_line = kip->command_line;
    arch_init(record, kip);
    memset(frame_at(0), 0, (THREADS * PAGES + 1) * L4_PAGE_SIZE);
    for (u32 i = 0; i < CAP_PAGES; i++)
        slot_pages[i] = (u64)&slots - (u64)&cap_zero_page;
    for (u32 i = 1; i < CAP_PAGE_SLOTS; i++)
        slots.slot[i].kind = i % 2 ? L4_DOOR : L4_LOG;      /* the machine tells them apart: a call, another invocation */
    for (u32 n = 1; n < THREADS; n++)
        thread_make(n);
    port_table()[CMOS_PORT] = ENTRY_PRESENT;
    port_tables[0] = arch_paddr(port_table()) | ENTRY_PRESENT;
    kpage_bias = (u64)&port_page - ((u64)port_table() >> 6);
    port_page.up = port_tables;
    kpage_mark(&port_page, &port_table()[CMOS_PORT]);
    lines_open();
    return arch_idle_frame();
}

/* In idle, until the timer has come five times, then the clock five times. */
static struct frame *line_arrived(struct frame *frame, u32 line)
{
    arrived[line]++;
    if (line == COM1_LINE)
        arch_line_mask(COM1_LINE, true);
    if (line == CLOCK_LINE)
        clock_acknowledge();
    arch_interrupt_done();
    if (arrived[TIMER_LINE] == 5 && line == TIMER_LINE) {
        check("masked line", arrived[CLOCK_LINE], 0);
        arch_line_mask(TIMER_LINE, true);
        arch_line_mask(CLOCK_LINE, false);
        clock_acknowledge();
    }
    if (arrived[CLOCK_LINE] < 5)
        return frame;
    arch_line_mask(CLOCK_LINE, true);
    check("idle frame", (u64)frame, (u64)arch_idle_frame());
    check("level line", arrived[COM1_LINE], 1);
    check("masked timer", arrived[TIMER_LINE] <= 6, true);     /* one may have been on its way */
    arch_timer_at(arch_now_ns() + 2000000);
    return frame;
}

static struct frame *timer_arrived(void)
{
    arch_interrupt_done();
    return arch_switch(thread_at(1));
}

/* The command line begins with this word. */
static bool told_to(const char *word)
{
    const char *at = command_line;
    while (*word && *at == *word)
        at++, word++;
    return !*word;
}

static void finish(void)
{
    extern char boot_stack_end[];
    check("threads without FPU", no_fpu, 1);
    check("refused port accesses", refused_ports, 5);
    print("machine: %u checks, %u failures\n", checks, failures);
    if (told_to("overflow"))
        __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"((u64)boot_stack_end - STACK_BYTES));
    if (told_to("fault"))
        *(volatile u64 *)0x123000 = 1;
    while (!log_step())
        ;
    outl(0xf4, failures ? 0x11 : 0x10);
}

static void registers_move(struct thread *t, vaddr_t rip)
{
    struct l4_registers r;
    arch_registers_get(t, &r);
    r.rip = rip;
    r.rflags |= 0x23000;            /* I/O privilege and virtual 8086 mode: must not survive */
    r.rcx = 0x77;
    r.r11 = 0x88;
    arch_registers_set(t, &r);
}

static struct frame *called(struct thread *self)
{
    const struct message *m = &self->frame.message;
    switch (m->label) {
    case SWITCH + 1: case SWITCH + 2: case SWITCH + 3: {
        struct thread *to = thread_at((u32)m->label - SWITCH);
        if (to != self && to->frame.vector == VECTOR_SYSCALL)
            return arch_hand_over(self, to);
        return arch_switch(to);
    }
    case CHECK:
        check("value in user code (its line is the next check's)", m->word[0], m->word[1]);
        if (m->word[0] != m->word[1])
            print("  thread %lu at %lx\n", (u64)((u8 *)self - (u8 *)slot) / sizeof slot[0], self->frame.rip);
        break;
    case TAKE_PORTS:
        port_tables[0] = 0;
        arch_tlb_forget(task[1].space.root, PORTS_AT + CMOS_PORT * L4_PAGE_SIZE);
        break;
    case SET_BASE:
        self->fs_base = code_at + 0x800;
        arch_bases_changed(self);
        break;
    case SET_REGISTERS:
        registers_move(self, moved_to);
        break;
    case LEAVE_SPACE:
        registers_move(self, 0x900000000000);
        break;
    case DONE:
        finish();
        break;
    }
    return &self->frame;
}

static struct thread *loaded(void) { return container_of((void *)this_cpu->tss.rsp[0], struct thread, frame_end); }

static struct frame *invoked(u64 tag, u64 w0, u64 w1, const struct cap *cap, u64 w2, u64 w3)
{
    struct thread *self = loaded();
    struct message *m = &self->frame.message;
    *m = (struct message){ m->label, tag, m->number, { w0, w1, w2, w3 } };
    check("slot found", (u64)cap, (u64)&slots.slot[m->label]);
    check("way in", self->frame.vector, VECTOR_SYSCALL);
    return called(self);
}

struct frame *kernel_call(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3)
{
    check("door", door->kind, L4_DOOR);
    return invoked(tag, w0, w1, door, w2, w3);
}

struct frame *kernel_invoke(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3)
{
    check("no door", cap->kind, L4_LOG);
    return invoked(tag, w0, w1, cap, w2, w3);
}
struct frame *(*invoke_how)(u64, u64, u64, struct cap *, u64, u64) = kernel_invoke;

struct frame *kernel_answer(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3)
{
    panic("nobody answers here");
}

struct frame *kernel_entry(struct frame *frame)
{
    if (frame->vector >= VECTOR_LINES && frame->vector < VECTOR_LINES + LINES)
        return line_arrived(frame, (u32)frame->vector - VECTOR_LINES);
    if (frame->vector == VECTOR_TIMER)
        return timer_arrived();
    struct thread *self = container_of(frame, struct thread, frame);
    check("running thread", (u64)loaded(), (u64)self);
    if (frame->vector == VECTOR_NO_FPU && !self->fpu) {
        no_fpu++;
        frame->rip += 5;            /* movq %xmm0, %rsi */
    } else if (frame->vector == VECTOR_PROTECTION) {
        refused_ports++;
        if (arch_ports_load(self))
            return frame;
        frame->rip += 2;            /* in $port, %al */
        frame->message.number = 0xee;
    } else if (frame->vector == VECTOR_PAGE_FAULT && frame->rip == L4_USER_END) {
        frame->rip = after_outside;
    } else {
        panic("exception %lu, error %lx, rip %lx, at %lx", frame->vector, frame->error, frame->rip, arch_fault_address());
    }
    return frame;
}
