/* SPDX-License-Identifier: BSD-2-Clause */
/* apic.c: time and hardware interrupts: the local APIC's one-shot timer, the TSC, and the I/O APICs.
 * A line below 16 is the ISA interrupt of that number, wherever the MADT says that it is wired; from 16 on it is the
 * global system interrupt. With `icount` on the command line, TSC and timer tick once a nanosecond by definition:
 * nothing is measured. */
#include "cpu.h"
#include "print.h"

enum { LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0, LAPIC_TIMER = 0x320, LAPIC_LINT0 = 0x350, LAPIC_COUNT = 0x380,
       LAPIC_NOW = 0x390, LAPIC_DIVIDE = 0x3e0, LAPIC_TASK_PRIORITY = 0x80, LAPIC_ID = 0x20 };
enum { LAPIC_ON = 0x100, DIVIDE_BY_1 = 11 };
enum { MSR_APIC_BASE = 0x1b, APIC_BASE_X2 = 1 << 10, APIC_BASE_ON = 1 << 11 };
enum { IOAPIC_VERSION = 1, IOAPIC_LINES = 0x10, LOW_ACTIVE = 1 << 13, LEVEL = 1 << 15, MASKED = 1 << 16 };
enum { MADT_IOAPIC = 1, MADT_OVERRIDE = 2, IOAPICS = 8, ISA_LINES = 16, LINES_MAX = 64, SHIFT = 32 };
_Static_assert(VECTOR_LINES + LINES_MAX <= 0x80, "lines keep off int 0x80");

static struct ioapic {
    volatile u32 *at;
    u32 first, lines;               /* global system interrupts */
} ioapic[IOAPICS];
static struct isa_line {
    u32 line;                       /* global system interrupt */
    u16 flags;                      /* ACPI 6.4, table 5.26 */
} isa[ISA_LINES];
static u32 ioapics, lines;
static volatile u32 *lapic;
static u64 tsc_base, tsc_mul, timer_mul;

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
    if (ioapics == IOAPICS || at >= 0x100000000ul)
        return;
    struct ioapic *io = &ioapic[ioapics++];
    io->at = arch_pointer(at);
    io->first = first;
    io->lines = (ioapic_read(io, IOAPIC_VERSION) >> 16 & 255) + 1;
    for (u32 i = 0; i < io->lines; i++)
        ioapic_write(io, IOAPIC_LINES + 2 * i, MASKED);
    if (first + io->lines > lines)
        lines = first + io->lines < LINES_MAX ? first + io->lines : LINES_MAX;
}

static void madt_entry(const u8 *entry)
{
    u32 word[2];
    if (entry[0] == MADT_IOAPIC && entry[1] >= 12) {
        memcpy(word, entry + 4, 8);
        ioapic_add(word[0], word[1]);
    }
    if (entry[0] == MADT_OVERRIDE && entry[1] >= 10 && entry[3] < ISA_LINES) {
        memcpy(&isa[entry[3]].line, entry + 4, 4);
        memcpy(&isa[entry[3]].flags, entry + 8, 2);
    }
}

static void ioapic_init(paddr_t rsdp)
{
    for (u32 i = 0; i < ISA_LINES; i++)
        isa[i].line = i;
    acpi_each_madt_entry(rsdp, madt_entry);
    if (!ioapics) {
        ioapic_add(0xfec00000, 0);
        isa[0].line = 2;
    }
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
static void clocks_measure(void)
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
        tsc_mul = (ns << SHIFT) / (end.tsc - start.tsc);
        timer_mul = ((end.timer - start.timer) << SHIFT) / ns;
        return;
    }
    panic("the clocks cannot be measured: no 8254 or no local APIC timer; under -icount boot with the word `icount`");
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

void apic_init(const struct l4_boot_record *record, struct l4_kip *kip)
{
    u64 base = msr_read(MSR_APIC_BASE);
    if (base & APIC_BASE_X2)    /* left only by way of off (SDM vol. 3, 10.12.5) */
        msr_write(MSR_APIC_BASE, base &= ~(u64)(APIC_BASE_ON | APIC_BASE_X2));
    msr_write(MSR_APIC_BASE, base | APIC_BASE_ON);
    lapic = arch_pointer(base & 0xffffff000ul);
    lapic_write(LAPIC_SPURIOUS, LAPIC_ON | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TASK_PRIORITY, 0);
    lapic_write(LAPIC_LINT0, MASKED);
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_TIMER, VECTOR_TIMER);
    if (has_word(record->command_line, "icount", 6)) {
        tsc_mul = timer_mul = 1ul << SHIFT;
        kip->features |= L4_CPU_ICOUNT;
    } else {
        clocks_measure();
    }
    ioapic_init(record->rsdp);
    kip->tsc_base = tsc_base = tsc_read();
    kip->tsc_mul = tsc_mul;
    kip->tsc_shift = SHIFT;
}

u64 arch_now_ns(void)
{
    return (u64)((unsigned __int128)(tsc_read() - tsc_base) * tsc_mul >> SHIFT);
}

/* The timer may come a little early (its clock is not the TSC), and after at most 2^32 ticks. */
void arch_timer_at(u64 ns)
{
    if (ns == ~0ul) {
        lapic_write(LAPIC_COUNT, 0);
        return;
    }
    u64 now = arch_now_ns(), left = ns > now ? ns - now : 0;
    unsigned __int128 ticks = ((unsigned __int128)left * timer_mul >> SHIFT) + 1;
    lapic_write(LAPIC_COUNT, ticks > ~0u ? ~0u : (u32)ticks);
}

u32 arch_lines(void)
{
    return lines;
}

/* The I/O APIC and register of a line; NULL if it is wired to none. */
static const struct ioapic *line_find(u32 line, u32 *reg)
{
    u32 wire = line < ISA_LINES ? isa[line].line : line;
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
    bool is_low = line < ISA_LINES ? (isa[line].flags & 3) == 3 : level;
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

void arch_line_mask(u32 line)
{
    line_set_mask(line, MASKED);
}

void arch_line_unmask(u32 line)
{
    line_set_mask(line, 0);
}

void arch_interrupt_done(void)
{
    lapic_write(LAPIC_EOI, 0);
}
