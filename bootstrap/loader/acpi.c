/* SPDX-License-Identifier: BSD-2-Clause */
/* acpi.c: finds the MADT (ACPI 6.4, 5.2.12), the only table that matters here, and from it how many CPUs there are and
 * where each interrupt line is wired; the I/O APICs' lines are masked. What does not check out is as if it were not
 * there: the machine then has one CPU and the lines that every PC has. */
#include "loader.h"

struct rsdp {
    char signature[8];
    u8 checksum, oem[6], revision;
    u32 rsdt, bytes;
    u64 xsdt;
} __attribute__((packed));
struct table {
    char signature[4];
    u32 bytes;
    u8 revision, checksum, oem[26];
};
enum { MADT_ENTRIES = 44, MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9, MADT_ENABLED = 1 };
enum { IOAPIC_VERSION = 1, IOAPIC_LINES = 0x10, LOW_ACTIVE = 1 << 13, LEVEL = 1 << 15, MASKED = 1 << 16 };
#define LOW_END 0x100000000ul           /* what the loader can see */

enum { IOAPICS = 8, ISA_LINES = 16, FLAGS_LOW = 3 };
static struct { paddr_t at; u32 first, lines; } ioapic[IOAPICS];        /* its global system interrupts */
static struct { u32 line, flags; } isa[ISA_LINES];      /* where an ISA interrupt is wired; flags: ACPI 6.4, table 5.26 */
static u32 ioapics, cpus;

static const struct table *table_at(paddr_t at)
{
    if (!at || at + sizeof(struct table) > LOW_END)
        return NULL;
    const struct table *table = (const void *)at;
    u8 sum = 0;
    if (table->bytes < sizeof *table || table->bytes > LOW_END - at)
        return NULL;
    for (u32 i = 0; i < table->bytes; i++)
        sum = (u8)(sum + ((const u8 *)table)[i]);
    return sum ? NULL : table;
}

static const struct table *madt_find(paddr_t rsdp_at)
{
    if (!rsdp_at || rsdp_at + sizeof(struct rsdp) > LOW_END)
        return NULL;
    const struct rsdp *rsdp = (const void *)rsdp_at;
    if (memcmp(rsdp->signature, "RSD PTR ", 8))
        return NULL;
    u32 width = rsdp->revision >= 2 && rsdp->xsdt ? 8 : 4;
    const struct table *root = table_at(width == 8 ? rsdp->xsdt : rsdp->rsdt);
    for (u32 at = sizeof *root; root && at + width <= root->bytes; at += width) {
        u64 entry = 0;
        memcpy(&entry, (const u8 *)root + at, width);
        const struct table *table = table_at(entry);
        if (table && !memcmp(table->signature, "APIC", 4))
            return table;
    }
    return NULL;
}

/* An I/O APIC, all of its lines masked. */
static void add_ioapic(paddr_t at, u32 first)
{
    if (ioapics == IOAPICS)
        return;
    volatile u32 *io = (volatile u32 *)at;      /* [0] selects the register that [4] is */
    io[0] = IOAPIC_VERSION;
    u32 lines = (io[4] >> 16 & 255) + 1;
    for (u32 i = 0; i < lines; i++) {
        io[0] = IOAPIC_LINES + 2 * i;
        io[4] = MASKED;
    }
    ioapic[ioapics].at = at;
    ioapic[ioapics].lines = lines;
    ioapic[ioapics++].first = first;
}

static void wire(struct l4_machine *machine, u32 line)
{
    u32 input = line < ISA_LINES ? isa[line].line : line;
    bool is_low = line < ISA_LINES && (isa[line].flags & FLAGS_LOW) == FLAGS_LOW;
    for (u32 i = 0; i < ioapics; i++) {
        if (input - ioapic[i].first < ioapic[i].lines) {
            machine->line[line].at = ioapic[i].at;
            machine->line[line].reg = (u16)(IOAPIC_LINES + 2 * (input - ioapic[i].first));
        }
    }
    machine->line[line].mode[0] = is_low ? LOW_ACTIVE : 0;
    machine->line[line].mode[1] = LEVEL | (is_low || line >= ISA_LINES ? LOW_ACTIVE : 0);
}

void acpi_keep(void)
{
    for (u32 i = 0; i < ioapics; i++)
        memory_keep(ioapic[i].at, L4_PAGE_SIZE, 0);
}

static void read_entry(const u8 *entry)
{
    u32 word[2];
    if (entry[0] == MADT_LAPIC && entry[1] >= 8)
        cpus += entry[4] & MADT_ENABLED;
    if (entry[0] == MADT_X2APIC && entry[1] >= 16)
        cpus += entry[8] & MADT_ENABLED;
    if (entry[0] == MADT_IOAPIC && entry[1] >= 12) {
        memcpy(word, entry + 4, 8);
        add_ioapic(word[0], word[1]);
    }
    if (entry[0] == MADT_OVERRIDE && entry[1] >= 10 && entry[3] < ISA_LINES) {
        memcpy(&isa[entry[3]].line, entry + 4, 4);
        memcpy(&isa[entry[3]].flags, entry + 8, 2);
    }
}

u32 acpi_find_lines(struct l4_machine *machine, paddr_t rsdp)
{
    for (u32 i = 0; i < ISA_LINES; i++)
        isa[i].line = i;
    const struct table *madt = madt_find(rsdp);
    if (madt) {
        const u8 *entry = (const u8 *)madt + MADT_ENTRIES, *end = (const u8 *)madt + madt->bytes;
        for (; entry + 2 <= end && entry[1] >= 2 && entry + entry[1] <= end; entry += entry[1])
            read_entry(entry);
    }
    if (!ioapics) {
        add_ioapic(0xfec00000, 0);
        isa[0].line = 2;
    }
    for (u32 line = 0; line < L4_LINES; line++)
        wire(machine, line);
    return cpus ? cpus : 1;
}
