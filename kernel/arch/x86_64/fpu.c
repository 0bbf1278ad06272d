/* SPDX-License-Identifier: BSD-2-Clause */
/* fpu.c: FPU state. A thread without an area runs with CR0.TS set; a thread with one has its state saved whenever it
 * stops running and loaded before it runs again. TS alone hides nothing: QEMU's XSAVE does not ask for it, nor do CPUs
 * that speculate.
 * INVARIANT fpu: TS is clear <=> the FPU registers are the running thread's; else they are as after FNINIT. */
#include "cpu.h"
#include "thread.h"

struct fpu_area {                       /* SDM vol. 1, 13.4: all that is read of one whose header is zero */
    u16 control;
    u8 spare[22];
    u32 mxcsr;
    u8 rest[484], header[64];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct fpu_area) == 576 && offsetof(struct fpu_area, mxcsr) == 24, "as the CPU has it");

static const struct fpu_area initial = { .control = 0x37f, .mxcsr = 0x1f80 };     /* MXCSR is loaded whatever the header says */

static void fpu_save(struct fpu_area *area)
{
    if (cpu_features & L4_CPU_XSAVE)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((u32)cpu_xcr0), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void fpu_load(const struct fpu_area *area)
{
    if (cpu_features & L4_CPU_XSAVE)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((u32)cpu_xcr0), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_switch(struct arch_cpu *cpu, struct thread *from, struct thread *to)
{
    u64 cr0;
    bool was_on = cpu->extra & ~(u64)EXTRA_BASES;
    if (was_on && from->fpu)
        fpu_save(from->fpu);
    if (to->fpu && !was_on)
        __asm__ volatile("clts");
    if (to->fpu || was_on)
        fpu_load(to->fpu ? to->fpu : &initial);
    if (!to->fpu && was_on)
        __asm__ volatile("mov %%cr0, %0; or $8, %0; mov %0, %%cr0" : "=&r"(cr0));
    cpu->extra = (cpu->extra & EXTRA_BASES) | (u64)to->fpu;
}

void arch_fpu_init(struct fpu_area *area)
{
    area->control = initial.control;
    area->mxcsr = initial.mxcsr;
}
