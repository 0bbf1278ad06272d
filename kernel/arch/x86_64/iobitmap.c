/* SPDX-License-Identifier: BSD-2-Clause */
/* iobitmap.c: I/O ports. The bitmap in the TSS is made from one task's page table (paging.h) at its first #GP. Each
 * switch to another page table closes it with one store; who uses ports opens it again with a #GP of its own.
 * INVARIANT bitmap: tss.io_base is valid => the running thread's page table is ports_of, and `ports` allows no more
 * than it does. */
#include "cpu.h"
#include "task.h"
#include "thread.h"

/* Allow the ports of which there are pages in the table below `entry`, or all 512 if that is one page. */
static void allow(u8 *bitmap, u64 entry)
{
    if (entry & ENTRY_LARGE) {
        memset(bitmap, 0, TABLE_ENTRIES / 8);
        return;
    }
    const u64 *table = arch_pointer(entry & ENTRY_ADDRESS);
    for (u64 eights = entry ? kpage_of(table)->mask : 0; eights; eights &= eights - 1) {
        u32 eight = (u32)__builtin_ctzl(eights);
        for (u32 i = 0; i < 8; i++)
            bitmap[eight] &= (u8)~((table[eight * 8 + i] != 0) << i);
    }
}

static void load(struct arch_cpu *cpu, struct place first)
{
    const u64 *entry = first.order == L4_LARGE_SHIFT ? first.entry : kpage_of(first.entry)->up;
    memset(cpu->ports, 0xff, PORTS_BYTES);
    for (u32 port = 0; port < PORTS; port += TABLE_ENTRIES)
        allow(&cpu->ports[port / 8], *entry++);
}

bool arch_ports_load(struct thread *t)
{
    struct arch_cpu *cpu = this_cpu->self;
    paddr_t root = t->task->space.root;
    struct place first = paging_find(&t->task->space, PORTS_AT);
    if (cpu->tss.io_base == TSS_BASE_PORTS || first.order > L4_LARGE_SHIFT)
        return false;
    if (cpu->ports_of != root)
        load(cpu, first);
    cpu->ports_of = root;
    cpu->tss.io_base = TSS_BASE_PORTS;
    return true;
}

/* The next access faults and loads it anew. */
void ports_forget(paddr_t root)
{
    struct arch_cpu *cpu = this_cpu->self;
    if (cpu->ports_of != root)
        return;
    cpu->ports_of = 0;
    cpu->tss.io_base = TSS_BASE_NONE;
}
