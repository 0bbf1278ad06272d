/* SPDX-License-Identifier: BSD-2-Clause */
/* acpi.c: finds the MADT (ACPI 6.4, 5.2.12), the only table that the kernel reads. What does not check out is as if it
 * were not there: the machine then has the lines that every PC has. */
#include "cpu.h"

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
enum { MADT_ENTRIES = 44 };
#define LOW_END 0x100000000ul           /* the direct map surely reaches up to here */

static const struct table *table_at(paddr_t at)
{
    if (!at || at + sizeof(struct table) > LOW_END)
        return NULL;
    const struct table *table = arch_pointer(at);
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
    const struct rsdp *rsdp = arch_pointer(rsdp_at);
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

void acpi_each_madt_entry(paddr_t rsdp, void (*each)(const u8 *entry))
{
    const struct table *madt = madt_find(rsdp);
    if (!madt)
        return;
    const u8 *entry = (const u8 *)madt + MADT_ENTRIES, *end = (const u8 *)madt + madt->bytes;
    for (; entry + 2 <= end && entry[1] >= 2 && entry + entry[1] <= end; entry += entry[1])
        each(entry);
}
