/* SPDX-License-Identifier: BSD-2-Clause */
/* iobitmap.c: I/O ports. The bitmap in the TSS is one task's, copied at its first #GP; for every other task the TSS
 * says that there is none, so that switching costs a compare.
 * INVARIANT ports: tss.io_base is valid => the running thread's task is ports_of and `ports` is its bitmap. */
#include "cpu.h"
#include "task.h"
#include "thread.h"

void ports_switch(struct arch_cpu *cpu, const struct thread *to)
{
    bool is_loaded = cpu->ports_of && to->task && &to->task->space == cpu->ports_of;
    cpu->tss.io_base = is_loaded ? TSS_PORTS : TSS_NO_PORTS;
}

bool arch_ports_load(struct thread *t)
{
    struct arch_cpu *cpu = this_cpu->self;
    struct space *space = t->task ? &t->task->space : NULL;
    if (!space || !space->ports || cpu->ports_of == space)
        return false;
    memcpy(cpu->ports, space->ports, PORTS_BYTES);
    cpu->ports_of = space;
    ports_switch(cpu, t);
    return true;
}

/* The next access faults and loads it anew. */
void arch_ports_changed(struct space *space)
{
    struct arch_cpu *cpu = this_cpu->self;
    if (cpu->ports_of != space)
        return;
    cpu->ports_of = NULL;
    cpu->tss.io_base = TSS_NO_PORTS;
}
