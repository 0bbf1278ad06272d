/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: interrupt controllers and clocks, as far as somebody must find out about them once: the 8259s are moved
 * off the exception vectors and masked for good, TSC and local APIC timer are measured against the 8254's channel 2,
 * which counts down 65535 times in 55 ms and then raises its output. With `icount` on the command line nothing is
 * measured: both tick once a nanosecond. */
#include "loader.h"

enum { PIC_1 = 0x20, PIC_2 = 0xa0 };
enum { PIT_CHANNEL_2 = 0x42, PIT_MODE = 0x43, SPEAKER = 0x61, SPEAKER_GATE = 1, SPEAKER_OUT = 0x20 };
enum { PIT_ONE_SHOT = 0xb0, PIT_LATCH = 0x80, PIT_HZ = 1193182 };
enum { LAPIC_ID = 0x20, LAPIC_TASK_PRIORITY = 0x80, LAPIC_SPURIOUS = 0xf0, LAPIC_LINT0 = 0x350, LAPIC_COUNT = 0x380 };
enum { LAPIC_NOW = 0x390, LAPIC_DIVIDE = 0x3e0, LAPIC_TIMER = 0x320 };
enum { LAPIC_ON = 0x100, DIVIDE_BY_1 = 11, MASKED = 1 << 16 };
enum { MSR_APIC_BASE = 0x1b, APIC_BASE_X2 = 1 << 10, APIC_BASE_ON = 1 << 11, SHIFT = L4_CLOCK_SHIFT };

static volatile u32 *lapic;

static u32 lapic_read(u32 reg) { return lapic[reg / 4]; }
static void lapic_write(u32 reg, u32 value) { lapic[reg / 4] = value; }

static u64 msr_read(u32 msr)
{
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (u64)high << 32;
}

static void msr_write(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static u64 tsc_read(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (u64)high << 32;
}

static void pic_off(void)
{
    outb(PIC_1, 0x11), outb(PIC_2, 0x11);               /* ICW1: ICW4 follows */
    outb(PIC_1 + 1, 0x20), outb(PIC_2 + 1, 0x28);       /* ICW2: vectors */
    outb(PIC_1 + 1, 4), outb(PIC_2 + 1, 2);             /* ICW3: cascade */
    outb(PIC_1 + 1, 1), outb(PIC_2 + 1, 1);             /* ICW4: 8086 */
    outb(PIC_1 + 1, 0xff), outb(PIC_2 + 1, 0xff);
}

static void pit_start(void)
{
    outb(SPEAKER, (inb(SPEAKER) & ~3) | SPEAKER_GATE);
    outb(PIT_MODE, PIT_ONE_SHOT);
    outb(PIT_CHANNEL_2, 0xff);
    outb(PIT_CHANNEL_2, 0xff);
}

/* Ticks of 1/PIT_HZ since pit_start, ~0 once they are more than 65535. */
static u32 pit_ticks(void)
{
    outb(PIT_MODE, PIT_LATCH);
    u32 low = inb(PIT_CHANNEL_2), high = inb(PIT_CHANNEL_2);
    return inb(SPEAKER) & SPEAKER_OUT ? ~0u : 0xffff - (high << 8 | low);
}

/* The three clocks at one moment. */
struct sample {
    u64 tsc, timer, pit;
};

/* Of five tries the quickest: whatever came in between (a hypervisor's other work) made the others slower. */
static struct sample clocks_read(void)
{
    struct sample best = { 0 };
    u64 best_took = ~0ul;
    for (u32 i = 0; i < 5; i++) {
        u64 before = tsc_read();
        struct sample now = { before, ~lapic_read(LAPIC_NOW), pit_ticks() };
        u64 took = tsc_read() - before;
        if (took < best_took) {
            best_took = took;
            best = now;
        }
    }
    return best;
}

/* Nanoseconds a TSC tick and timer ticks a nanosecond, from 20 ms of the 8254; again if its 55 ms ran out. */
static void clocks_measure(struct l4_machine *machine, struct l4_kip *kip)
{
    for (u32 tries = 0; tries < 100; tries++) {
        lapic_write(LAPIC_COUNT, ~0u);
        pit_start();
        struct sample start = clocks_read(), end = start;
        for (u32 i = 0; i < 1000000 && end.pit < start.pit + PIT_HZ / 50; i++)
            end.pit = pit_ticks();
        end = clocks_read();
        lapic_write(LAPIC_COUNT, 0);
        if (end.pit > 0xffff || end.pit <= start.pit || end.timer <= start.timer)
            continue;
        u64 ns = (end.pit - start.pit) * 1000000000 / PIT_HZ;
        kip->tsc_mul = (ns << SHIFT) / (end.tsc - start.tsc);
        machine->timer_mul = ((end.timer - start.timer) << SHIFT) / ns;
        return;
    }
    fail("the clocks cannot be measured: no 8254 or no local APIC timer; under -icount boot with the word `icount`", NULL);
}

static bool has_word(const char *line, const char *word, u32 bytes)
{
    for (; *line; line++) {
        if (!memcmp(line, word, bytes) && (line[bytes] == ' ' || !line[bytes]))
            return true;
        while (*line && *line != ' ')
            line++;
        if (!*line)
            break;
    }
    return false;
}

void machine_find(struct l4_machine *machine, struct l4_kip *kip, const struct start *start)
{
    u64 base = msr_read(MSR_APIC_BASE);
    pic_off();
    if (base & APIC_BASE_X2)    /* left only by way of off (SDM vol. 3, 10.12.5) */
        msr_write(MSR_APIC_BASE, base &= ~(u64)(APIC_BASE_ON | APIC_BASE_X2));
    msr_write(MSR_APIC_BASE, base | APIC_BASE_ON);
    machine->lapic = base & 0xffffff000ul;
    lapic = (volatile u32 *)machine->lapic;
    lapic_write(LAPIC_SPURIOUS, LAPIC_ON | 0xff);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LINT0, MASKED);
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_TIMER, MASKED);
    machine->destination = lapic_read(LAPIC_ID) & 0xff000000;
    kip->tsc_shift = SHIFT;
    kip->tsc_mul = machine->timer_mul = 1ul << SHIFT;
    if (has_word(start->command_line, "icount", 6))
        kip->features |= L4_CPU_ICOUNT;
    else
        clocks_measure(machine, kip);
    kip->cpus = 1;
    kip->cpus_found = acpi_find_lines(machine, start->rsdp);
}
