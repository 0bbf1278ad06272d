/* SPDX-License-Identifier: BSD-2-Clause */
/* fpu.c: FPU state. A thread without an area runs with CR0.TS set and can neither read nor write FPU registers; a
 * thread with one has its state saved whenever it stops running and loaded before it runs again.
 * INVARIANT fpu: TS is clear <=> the FPU registers are the running thread's; fpu_of's area is equal unless it runs. */
#include "cpu.h"
#include "thread.h"

static bool fpu_is_on(const struct arch_cpu *cpu) { return cpu->extra & ~(u64)EXTRA_FLAGS; }

static void fpu_turn_off(struct arch_cpu *cpu)
{
    u64 cr0;
    if (!fpu_is_on(cpu))
        return;
    __asm__ volatile("mov %%cr0, %0; or $8, %0; mov %0, %%cr0" : "=&r"(cr0));
    cpu->extra &= EXTRA_FLAGS;
}

static void fpu_save(struct fpu_area *area)
{
    if (cpu_features & L4_CPU_XSAVE)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((u32)cpu_xcr0), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void fpu_load(struct arch_cpu *cpu, struct thread *t)
{
    if (!fpu_is_on(cpu))
        __asm__ volatile("clts");
    cpu->extra = (cpu->extra & EXTRA_FLAGS) | (u64)t->fpu;
    if (cpu->fpu_of == t)
        return;
    cpu->fpu_of = t;
    if (cpu_features & L4_CPU_XSAVE)
        __asm__ volatile("xrstor64 (%0)" : : "r"(t->fpu), "a"((u32)cpu_xcr0), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(t->fpu) : "memory");
}

void fpu_switch(struct arch_cpu *cpu, struct thread *from, struct thread *to)
{
    if (from->fpu && from == cpu->fpu_of && fpu_is_on(cpu))
        fpu_save(from->fpu);
    if (to->fpu)
        fpu_load(cpu, to);
    else
        fpu_turn_off(cpu);
}

u32 arch_fpu_bytes(void) { return cpu_fpu_bytes; }

void arch_fpu_init(struct fpu_area *area)
{
    u8 *at = (u8 *)area;
    memset(at, 0, cpu_fpu_bytes);
    *(u16 *)at = 0x37f;                 /* FCW after FNINIT */
    *(u32 *)(at + 24) = 0x1f80;         /* MXCSR: loaded even where XSTATE_BV says "initial" */
}
