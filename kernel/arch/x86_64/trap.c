/* SPDX-License-Identifier: BSD-2-Clause */
/* trap.c: what the machine settles before the generic kernel hears of it, and the end of the kernel when it faults
 * itself. */
#include "cpu.h"
#include "print.h"

enum { PIC_VECTORS = 0x20, EXIT_PORT = 0xf4, EXIT_KERNEL_BUG = 5 };

struct frame *trap_enter(struct frame *frame)
{
    u64 vector = frame->vector;
    if (vector == VECTOR_NO_FPU && fpu_resume(this_cpu->self))
        return frame;
    if (vector == VECTOR_SPURIOUS || (vector >= PIC_VECTORS && vector < VECTOR_LINES))
        return frame;           /* spurious: not acknowledged */
    return kernel_entry(frame);
}

vaddr_t arch_fault_address(void)
{
    vaddr_t at;
    __asm__ volatile("mov %%cr2, %0" : "=r"(at));
    return at;
}

/* The kernel faulted: on its stack, or on the fault stack if that was full. */
void trap_kernel_bug(const struct frame *f)
{
    const struct message *m = &f->message;
    print("\nkernel bug: exception %lu, error %lx, at %lx, cr2 %lx, thread %lx\n", f->vector, f->error, f->rip,
        arch_fault_address(), (u64)this_cpu->current);
    print("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", m->number, f->rbx, f->rcx, m->word[1]);
    print("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", m->word[0], m->tag, f->rbp, f->rsp);
    print("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", m->word[2], m->word[3], m->label, f->r11);
    print("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
    print("cs %lx ss %lx rflags %lx\n", f->cs, f->ss, f->rflags);
    arch_halt();
}

void arch_halt(void)
{
    outl(EXIT_PORT, EXIT_KERNEL_BUG);
    for (;;)
        __asm__ volatile("cli; hlt");
}
