/* SPDX-License-Identifier: BSD-2-Clause */
/* trap.c: what the machine settles before the generic kernel hears of it, and the end of the kernel when it faults
 * itself. */
#include "cpu.h"
#include "print.h"

enum { PIC_VECTORS = 0x20, EXIT_PORT = 0xf4, EXIT_KERNEL_BUG = 5 };

struct frame *trap_enter(struct frame *frame)
{
    u64 vector = frame->vector;
    if (vector == VECTOR_SPURIOUS || (vector >= PIC_VECTORS && vector < VECTOR_LINES))
        return frame;           /* spurious: not acknowledged */
    if (vector == VECTOR_INT_80)
        frame->vector = VECTOR_FOREIGN;
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
    static const char *const names[] = {    /* in the order of struct frame */
        "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "rcx", "r10", "rdi", "rax", "rsi", "rdx", "r8", "r9",
        "vector", "error", "rip", "cs", "rflags", "rsp", "ss",
    };
    print("\nkernel bug: exception %lu, error %lx, at %lx, cr2 %lx\n", f->vector, f->error, f->rip, arch_fault_address());
    for (u32 i = 0; i < sizeof *f / sizeof(u64); i++)
        print("%s %lx%s", names[i], ((const u64 *)f)[i], i % 4 == 3 ? "\n" : "  ");
    print("\n");
    print_last();
}

void arch_halt(void)
{
    outl(EXIT_PORT, EXIT_KERNEL_BUG);
    for (;;)
        __asm__ volatile("cli; hlt");
}
