/* SPDX-License-Identifier: BSD-2-Clause */
/* iobitmap.c: I/O ports. The bitmap in the TSS is made from one task's page table (paging.h) at its first #GP; for
 * every other task the TSS says that there is none, so that switching costs a compare.
 * INVARIANT ports: tss.io_base is valid => the running thread's page table is ports_of, and `ports` allows no more than
 * it does. */
#include "cpu.h"
#include "paging.h"
#include "task.h"
#include "thread.h"

void ports_switch(struct arch_cpu *cpu, const struct thread *to)
{
    bool is_loaded = to->task && to->task->space.root == cpu->ports_of;
    cpu->tss.io_base = is_loaded ? TSS_PORTS : TSS_NO_PORTS;
}

/* Allow what lies in one table of the port pages, or the whole of it if that is one page. */
static void allow(u8 *bitmap, struct place place)
{
    if (place.order == L4_LARGE_SHIFT && *place.entry)
        memset(bitmap, 0, TABLE_ENTRIES / 8);
    for (u32 i = 0; place.order == L4_PAGE_SHIFT && i < TABLE_ENTRIES; i++)
        if (place.entry[i])
            bitmap[i / 8] &= (u8)~(1 << (i & 7));
}

bool arch_ports_load(struct thread *t)
{
    struct arch_cpu *cpu = this_cpu->self;
    paddr_t root = t->task->space.root;
    if (cpu->ports_of == root || paging_find(root, PORTS_AT).order > L4_LARGE_SHIFT)
        return false;
    memset(cpu->ports, 0xff, PORTS_BYTES);
    for (u32 port = 0; port < PORTS; port += TABLE_ENTRIES)
        allow(&cpu->ports[port / 8], paging_find(root, PORTS_AT + (u64)port * L4_PAGE_SIZE));
    cpu->ports_of = root;
    ports_switch(cpu, t);
    return true;
}

/* The next access faults and loads it anew. */
void ports_forget(paddr_t root)
{
    struct arch_cpu *cpu = this_cpu->self;
    if (cpu->ports_of != root)
        return;
    cpu->ports_of = 0;
    cpu->tss.io_base = TSS_NO_PORTS;
}
