/* SPDX-License-Identifier: BSD-2-Clause */
/* entry.S: into the kernel and out of it.
 *
 *   from a user thread   registers are pushed straight into it: TSS.rsp0 is the end of its frame (frame.h), then the
 *                        CPU's one kernel stack is loaded, empty. Nothing on it survives from entry to entry.
 *   from idle            only interrupts; the idle frame gets the vector.
 *   from the kernel      an exception there is a bug of the kernel's.
 *
 * INVARIANT gs: in the kernel GS base is struct arch_cpu, IA32_KERNEL_GS_BASE the user's; outside it is the reverse. */
#include "cpu.h"

/* struct frame from `vector` downwards; `vector` to `ss` are on the stack already. */
.macro push_registers
        .irp    register, r9, r8, rdx, rsi, rax, rdi, r10, rcx, r11, rbx, rbp, r12, r13, r14, r15
        push    %\register
        .endr
.endm

.macro pop_registers
        .irp    register, r15, r14, r13, r12, rbp, rbx, r11, rcx, r10, rdi, rax, rsi, rdx, r8, r9
        pop     %\register
        .endr
.endm

        .text
/* SYSCALL: rcx is rip, r11 rflags, rsp the user's; SFMASK has turned interrupts off. */
        .globl  entry_system_call
        .balign 16
entry_system_call:
        swapgs
        mov     %rsp, %gs:CPU_USER_RSP
        mov     %gs:CPU_RSP0, %rsp
        push    $USER_SS
        push    %gs:CPU_USER_RSP
        push    %r11
        push    $USER_CS
        push    %rcx
        push    $0
        push    $ENTRY_SYSCALL
        push_registers
        mov     %rsp, %rdi
        mov     %gs:CPU_STACK, %rsp
        call    kernel_entry

/* rax: the frame to resume. A rip outside user space would make IRET or SYSRET fault inside the kernel: it becomes an
 * address that is never mapped, and the fault is the user's. */
        .globl  entry_resume
entry_resume:
        mov     %rax, %rsp
        movabs  $USER_END, %rdx
        cmpl    $ENTRY_SYSCALL, FRAME_VECTOR(%rsp)
        jne     by_iret
        cmp     %rdx, FRAME_RIP(%rsp)
        jae     by_iret
        pop_registers
        mov     16(%rsp), %rcx
        mov     32(%rsp), %r11
        mov     40(%rsp), %rsp
        swapgs
        sysretq
by_iret:
        testb   $3, FRAME_CS(%rsp)
        jz      to_idle
        cmp     %rdx, FRAME_RIP(%rsp)
        jb      1f
        mov     %rdx, FRAME_RIP(%rsp)
1:      pop_registers
        add     $16, %rsp               /* vector, error */
        swapgs
        iretq
to_idle:
        add     $FRAME_RIP, %rsp
        iretq

/* Where the idle frame's rip points, with interrupts on; left only by an interrupt. */
        .globl  entry_idle
entry_idle:
        hlt
        jmp     entry_idle

/* Exceptions and interrupts: one 16-byte stub each, the CPU's frame made uniform: ss rsp rflags cs rip error vector. */
        .globl  entry_vectors
        .balign 16
entry_vectors:
        .set    vector, 0
        .rept   256
        .balign 16
        .set    has_error, vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
        .if     !(has_error || vector == 29 || vector == 30)
        push    $0
        .endif
        push    $vector
        .if     vector == 8             /* double fault: on a stack of its own, never survived */
        jmp     kernel_bug
        .else
        jmp     enter
        .endif
        .set    vector, vector + 1
        .endr

        .balign 16
enter:  testb   $3, 24(%rsp)
        jz      enter_from_kernel
        swapgs
        push_registers
        cmpl    $0, cpu_has_smap(%rip)  /* interrupts leave AC as the user set it */
        je      1f
        clac
1:      cld
        mov     %rsp, %rdi
enter_c:
        mov     %gs:CPU_STACK, %rsp
        call    trap_enter
        jmp     entry_resume

enter_from_kernel:
        cmpl    $ENTRY_EXCEPTIONS, (%rsp)
        jb      kernel_bug
        pop     %rax
        mov     %gs:CPU_SELF, %rdi
        add     $CPU_IDLE, %rdi
        mov     %rax, FRAME_VECTOR(%rdi)
        jmp     enter_c

kernel_bug:
        push_registers
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    trap_kernel_bug

/* May come anywhere, also between SYSCALL and swapgs: touches nothing. */
        .globl  entry_nmi
entry_nmi:
        iretq

        .section .note.GNU-stack, "", @progbits
