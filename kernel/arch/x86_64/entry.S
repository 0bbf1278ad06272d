/* SPDX-License-Identifier: BSD-2-Clause */
/* entry.S: into the kernel and out of it.
 *
 *   SYSCALL              the words stay in registers, which are C's arguments; the slot is found here.
 *   from a user thread   registers are pushed straight into it: TSS.rsp0 is the end of its frame (frame.h), then the
 *                        CPU's one kernel stack is loaded, empty. Nothing on it survives from entry to entry.
 *   from idle            only interrupts; the idle frame gets the vector.
 *   from the kernel      an exception there is a bug of the kernel's.
 *
 * INVARIANT gs: in the kernel GS base is struct arch_cpu, IA32_KERNEL_GS_BASE the user's; outside it is the reverse.
 * INVARIANT sysret: a frame whose vector is VECTOR_SYSCALL has the rip that SYSCALL left, or two less: below USER_END. */
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

/* Registers from the words from `at` on. */
.macro load at, registers:vararg
        .set    place, 0
        .irp    register, \registers
        mov     \at + place(%rsp), %\register
        .set    place, place + 8
        .endr
.endm

/* What user code wants kept, and what C is not given: rsp is the end of the frame, then the kernel stack; rax is free. */
.macro save_kept
        mov     %rax, FRAME_MESSAGE + 16 - FRAME_BYTES(%rsp)      /* number */
        mov     %gs:CPU_USER_RSP, %rax
        mov     %rax, FRAME_RSP - FRAME_BYTES(%rsp)
        movl    $ENTRY_SYSCALL, FRAME_VECTOR - FRAME_BYTES(%rsp)
        mov     %rbx, 40 - FRAME_BYTES(%rsp)
        mov     %rbp, 32 - FRAME_BYTES(%rsp)
        mov     %r12, 24 - FRAME_BYTES(%rsp)
        mov     %r13, 16 - FRAME_BYTES(%rsp)
        mov     %r14, 8 - FRAME_BYTES(%rsp)
        mov     %r15, 0 - FRAME_BYTES(%rsp)
        mov     %gs:CPU_STACK, %rsp
.endm

/* Back to after SYSCALL: rsp is the frame, which begins with r15. */
.macro resume_frame
        load    0, r15, r14, r13, r12, rbp, rbx
        load    FRAME_MESSAGE, r10, rdi, rax, rsi, rdx, r8, r9
        mov     FRAME_RIP(%rsp), %rcx
        mov     FRAME_RFLAGS(%rsp), %r11
        mov     FRAME_RSP(%rsp), %rsp
.endm

        .text
        if_kpti(.section .entry, "ax")
/* rcx is rip, r11 rflags, rsp the user's; SFMASK has turned interrupts off. */
        .globl  entry_system_call
        .balign 64
entry_system_call:
        swapgs
        mov     %rsp, %gs:CPU_USER_RSP
        if_kpti(kpti_enter %rsp)
        mov     %gs:CPU_RSP0, %rsp
        mov     %rcx, FRAME_RIP - FRAME_BYTES(%rsp)
        mov     %r11, FRAME_RFLAGS - FRAME_BYTES(%rsp)
        mov     END_TASK(%rsp), %r11
        sub     TASK_NATIVE(%r11), %rcx
        cmp     TASK_NATIVE_BYTES(%r11), %rcx
        jae     foreign
        test    %r10, %r10
        jz      answer
        mov     %r10, FRAME_MESSAGE - FRAME_BYTES(%rsp)
        mov     %r10, %rcx                      /* a slot: how far its page is, and place in it (cap.h) */
        shr     $6, %rcx
        cmp     $512, %rcx
        jae     refuse
        mov     TASK_SLOTS(%r11), %r11
        mov     (%r11,%rcx,8), %rcx
        and     $63, %r10d
        shl     $6, %r10d
        lea     cap_zero_page(%rcx,%r10), %rcx
        cmpb    $DOOR, CAP_KIND(%rcx)
        jne     object
        save_kept
        call    kernel_call             /* in common it does not come back */
        jmp     entry_resume

object: cmpb    $NOTHING, CAP_KIND(%rcx)
        je      refuse
        save_kept
        call    *invoke_how(%rip)

/* rax: the frame to resume. */
        .globl  entry_resume
entry_resume:
        mov     %rax, %rsp
        cmpl    $ENTRY_SYSCALL, FRAME_VECTOR(%rsp)
        jne     by_iret
        resume_frame
        if_kpti(kpti_leave)
        swapgs
        sysretq

answer: save_kept
        call    kernel_answer
        jmp     entry_resume

/* arch_hand_over: rsp: the frame to resume; r11: the thread that has run until now. Needs FSGSBASE. */
        .globl  entry_resume_handed
entry_resume_handed:
        swapgs
        rdgsbase %rcx
        mov     %rcx, THREAD_GS_BASE(%r11)
        mov     FRAME_GS_BASE(%rsp), %rcx
        wrgsbase %rcx
        resume_frame
        if_kpti(swapgs; kpti_leave; swapgs)
        sysretq

/* No capability: a status, and no words. */
refuse:
        movq    $0, END_PROGRESS(%rsp)          /* of the invocation that had begun before its capability went */
        movq    $0, END_ITEMS_TO(%rsp)
        mov     $ENTRY_REFUSED, %edi
        .irp    register, esi, edx, r8d, r9d, r10d, eax
        xor     %\register, %\register
        .endr
        mov     FRAME_RIP - FRAME_BYTES(%rsp), %rcx
        mov     FRAME_RFLAGS - FRAME_BYTES(%rsp), %r11
        mov     %gs:CPU_USER_RSP, %rsp
        if_kpti(kpti_leave)
        swapgs
        sysretq

/* A system call of another system: the task's runtime takes it, with every register as it is; single steps end. */
foreign:
        cmpq    $0, END_UPCALL(%rsp)
        je      nobodys
        mov     END_UTCB(%rsp), %rcx
        mov     FRAME_RIP - FRAME_BYTES(%rsp), %r11
        mov     %r11, UTCB_REFLECT(%rcx)        /* rip, rflags, rsp */
        mov     %gs:CPU_USER_RSP, %r11
        mov     %r11, UTCB_REFLECT + 16(%rcx)
        mov     FRAME_RFLAGS - FRAME_BYTES(%rsp), %r11
        mov     %r11, UTCB_REFLECT + 8(%rcx)
        mov     END_UPCALL(%rsp), %rcx
        and     END_RUNTIME_FLAGS(%rsp), %r11d
        mov     END_UPCALL_STACK(%rsp), %rsp
        if_kpti(kpti_leave)
        swapgs
        sysretq

nobodys:                                        /* an exception */
        mov     FRAME_RIP - FRAME_BYTES(%rsp), %rcx
        mov     FRAME_RFLAGS - FRAME_BYTES(%rsp), %r11
        push    $USER_SS
        push    %gs:CPU_USER_RSP
        push    %r11
        push    $USER_CS
        push    %rcx
        push    $0
        push    $ENTRY_FOREIGN
        push_registers
        mov     %rsp, %rdi
        jmp     enter_c

/* A rip outside user space would make IRET fault inside the kernel: it becomes an address that is never mapped, and the
 * fault is the user's. */
by_iret:
        movabs  $USER_END, %rdx
        testb   $3, FRAME_CS(%rsp)
        jz      to_idle
        cmp     %rdx, FRAME_RIP(%rsp)
        jb      1f
        mov     %rdx, FRAME_RIP(%rsp)
1:      pop_registers
        add     $16, %rsp               /* vector, error */
        if_kpti(kpti_leave_frame)
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
        if_kpti(kpti_take_frame)
        push_registers
        testl   $HAS_SMAP, cpu_features(%rip)   /* interrupts leave AC as the user set it */
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
        if_kpti(kpti_enter %rax)
        mov     %rsp, %rdi
        call    trap_kernel_bug

/* May come anywhere, also between SYSCALL and swapgs: touches nothing. */
        .globl  entry_nmi
entry_nmi:
        iretq

        .section .note.GNU-stack, "", @progbits
