/* SPDX-License-Identifier: BSD-2-Clause */
/* apic.c: time and hardware interrupts: the local APIC's one-shot timer, the TSC, and the I/O APICs.
 * A line below 16 is the ISA interrupt of that number, wherever it is wired; from 16 on it is the
 * global system interrupt. The loader has found and silenced the controllers and measured the clocks. */
#include "cpu.h"

enum { LAPIC_EOI = 0xb0, LAPIC_TIMER = 0x320, LAPIC_COUNT = 0x380 };
enum { MASKED = 1 << 16, SHIFT = L4_CLOCK_SHIFT };
_Static_assert(VECTOR_LINES + L4_LINES <= VECTOR_INT_80, "lines keep off int 0x80");

static const struct l4_machine *machine;
static volatile u32 *lapic;
static u64 tsc_base, tsc_mul;

static void lapic_write(u32 reg, u32 value) { lapic[reg / 4] = value; }

void apic_init(const struct l4_machine *found, struct l4_kip *kip)
{
    machine = found;
    lapic = arch_pointer(machine->lapic);
    lapic_write(LAPIC_TIMER, VECTOR_TIMER);
    kip->tsc_base = tsc_base = tsc_read();
    tsc_mul = kip->tsc_mul;
}

u64 arch_now_ns(void) { return (u64)((unsigned __int128)(tsc_read() - tsc_base) * tsc_mul >> SHIFT); }

/* The timer may come a little early (its clock is not the TSC), and after at most 2^32 ticks. */
void arch_timer_at(u64 ns)
{
    u64 now = arch_now_ns(), left = ns > now ? ns - now : 0;
    unsigned __int128 ticks = ((unsigned __int128)left * machine->timer_mul >> SHIFT) + 1;
    lapic_write(LAPIC_COUNT, ticks > ~0u ? ~0u : (u32)ticks);
}

/* A register of the line's I/O APIC shows in word 4 once it is selected. */
static volatile u32 *line_reg(u32 line, u32 high)
{
    volatile u32 *io = arch_pointer(machine->line[line].at);
    io[0] = machine->line[line].reg + high;
    return &io[4];
}

bool arch_line_open(u32 line, bool level)
{
    if (!machine->line[line].at)
        return false;
    *line_reg(line, 1) = machine->destination;
    *line_reg(line, 0) = (VECTOR_LINES + line) | machine->line[line].mode[level];
    return true;
}

void arch_line_mask(u32 line, bool masked)
{
    volatile u32 *entry = line_reg(line, 0);
    *entry = (*entry & ~(u32)MASKED) | (masked ? MASKED : 0);
}

void arch_interrupt_done(void) { lapic_write(LAPIC_EOI, 0); }
