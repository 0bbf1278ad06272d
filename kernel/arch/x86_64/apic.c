/* SPDX-License-Identifier: BSD-2-Clause */
/* apic.c: time and hardware interrupts: the local APIC's one-shot timer, the TSC, and the I/O APICs.
 * A line below 16 is the ISA interrupt of that number, wherever it is wired; from 16 on it is the
 * global system interrupt. The loader has found the controllers and measured the clocks. */
#include "cpu.h"

enum { LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0, LAPIC_TIMER = 0x320, LAPIC_LINT0 = 0x350, LAPIC_COUNT = 0x380,
       LAPIC_DIVIDE = 0x3e0, LAPIC_TASK_PRIORITY = 0x80, LAPIC_ID = 0x20 };
enum { LAPIC_ON = 0x100, DIVIDE_BY_1 = 11 };
enum { IOAPIC_VERSION = 1, IOAPIC_LINES = 0x10, LOW_ACTIVE = 1 << 13, LEVEL = 1 << 15, MASKED = 1 << 16 };
enum { LINES_MAX = 64, SHIFT = L4_CLOCK_SHIFT };
_Static_assert(VECTOR_LINES + LINES_MAX <= 0x80, "lines keep off int 0x80");

static struct ioapic {
    volatile u32 *at;
    u32 first, lines;               /* global system interrupts */
} ioapic[L4_IOAPICS];
static struct l4_machine machine;
static u32 ioapics, lines;
static volatile u32 *lapic;
static u64 tsc_base, tsc_mul;

static u32 lapic_read(u32 reg) { return lapic[reg / 4]; }
static void lapic_write(u32 reg, u32 value) { lapic[reg / 4] = value; }

static u32 ioapic_read(const struct ioapic *io, u32 reg)
{
    io->at[0] = reg;
    return io->at[4];
}

static void ioapic_write(const struct ioapic *io, u32 reg, u32 value)
{
    io->at[0] = reg;
    io->at[4] = value;
}

static void ioapic_add(paddr_t at, u32 first)
{
    struct ioapic *io = &ioapic[ioapics++];
    io->at = arch_pointer(at);
    io->first = first;
    io->lines = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 255) + 1;
    for (u32 i = 0; i < io->lines; i++)
        ioapic_write(io, IOAPIC_LINES + 2 * i, MASKED);
    if (first + io->lines > lines)
        lines = first + io->lines < LINES_MAX ? first + io->lines : LINES_MAX;
}

void apic_init(const struct l4_machine *found, struct l4_kip *kip)
{
    machine = *found;
    lapic = arch_pointer(machine.lapic);
    lapic_write(LAPIC_SPURIOUS, LAPIC_ON | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LINT0, MASKED);
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_TIMER, VECTOR_TIMER);
    for (u32 i = 0; i < machine.ioapics; i++)
        ioapic_add(machine.ioapic[i].at, (u32)machine.ioapic[i].first);
    kip->tsc_base = tsc_base = tsc_read();
    tsc_mul = kip->tsc_mul;
}

u64 arch_now_ns(void) { return (u64)((unsigned __int128)(tsc_read() - tsc_base) * tsc_mul >> SHIFT); }

/* The timer may come a little early (its clock is not the TSC), and after at most 2^32 ticks. */
void arch_timer_at(u64 ns)
{
    if (ns == ~0ul) {
        lapic_write(LAPIC_COUNT, 0);
        return;
    }
    u64 now = arch_now_ns(), left = ns > now ? ns - now : 0;
    unsigned __int128 ticks = ((unsigned __int128)left * machine.timer_mul >> SHIFT) + 1;
    lapic_write(LAPIC_COUNT, ticks > ~0u ? ~0u : (u32)ticks);
}

u32 arch_lines(void) { return lines; }

/* The I/O APIC and register of a line; NULL if it is wired to none. */
static const struct ioapic *line_find(u32 line, u32 *reg)
{
    u32 wire = line < L4_ISA_LINES ? machine.isa[line].line : line;
    for (u32 i = 0; i < ioapics; i++) {
        if (wire - ioapic[i].first < ioapic[i].lines) {
            *reg = IOAPIC_LINES + 2 * (wire - ioapic[i].first);
            return &ioapic[i];
        }
    }
    return NULL;
}

void arch_line_open(u32 line, bool level)
{
    u32 reg;
    const struct ioapic *io = line_find(line, &reg);
    if (!io)
        return;
    bool is_low = line < L4_ISA_LINES ? (machine.isa[line].flags & 3) == 3 : level;
    ioapic_write(io, reg + 1, lapic_read(LAPIC_ID) & 0xff000000);
    ioapic_write(io, reg, (VECTOR_LINES + line) | (level ? LEVEL : 0) | (is_low ? LOW_ACTIVE : 0));
}

static void line_set_mask(u32 line, u32 mask)
{
    u32 reg;
    const struct ioapic *io = line_find(line, &reg);
    if (io)
        ioapic_write(io, reg, (ioapic_read(io, reg) & ~(u32)MASKED) | mask);
}

void arch_line_mask(u32 line) { line_set_mask(line, MASKED); }

void arch_line_unmask(u32 line) { line_set_mask(line, 0); }

void arch_interrupt_done(void) { lapic_write(LAPIC_EOI, 0); }
