/* SPDX-License-Identifier: BSD-2-Clause */
/* kpti.h: built with AXO_KPTI, user mode runs on page tables in which there is nothing of the kernel but the way in.
 * Without it nothing here makes an instruction, and a reader may pass over it.
 *
 * The kernel reaches users' memory through the direct map alone, so it runs on cpu_kernel_root, whoever's thread it is;
 * a task's table, this_cpu->root, is for user mode. Both have kernel.ld's segments entry_text and entry_data (the
 * loader has made the tables for that): entry.S; IDT, struct arch_cpu with GDT, TSS and the stack `trap`, the stack of
 * NMI and double fault, cpu_kernel_root. CR3 is written last on the way out, and first on the way in, when no register
 * but rsp is free.
 * INVARIANT trap: every exception but those two pushes to the end of `trap`, on whichever table; what is there is of
 * the one that is being entered or left, and interrupts are off. */
#pragma once

#ifdef AXO_KPTI
#define if_kpti(...) __VA_ARGS__
#else
#define if_kpti(...)
#endif
#define KPTI (0 if_kpti(+ 1))
#define ENTRY_DATA if_kpti(__attribute__((section(".bss.entry"))))

#ifdef __ASSEMBLER__
/* Afterwards all the kernel is there. */
.macro kpti_enter by
        mov     cpu_kernel_root(%rip), \by
        mov     \by, %cr3
.endm

/* ss, rsp, rflags, cs, rip, error, vector: to the end of the thread's frame. */
.macro kpti_take_frame
        kpti_enter %rsp
        mov     %gs:CPU_RSP0, %rsp
        .irp    word, 1, 2, 3, 4, 5, 6, 7
        push    %gs:CPU_TRAP_END - 8 * \word
        .endr
.endm

/* Before SWAPGS and SYSRET: every register is the user's. */
.macro kpti_leave
        mov     %rsp, %gs:CPU_USER_RSP
        mov     %gs:CPU_ROOT, %rsp
        mov     %rsp, %cr3
        mov     %gs:CPU_USER_RSP, %rsp
.endm

/* Before SWAPGS and IRET: rsp is where the frame's rip is. */
.macro kpti_leave_frame
        .irp    word, 5, 4, 3, 2, 1
        pop     %gs:CPU_TRAP_END - 8 * \word
        .endr
        mov     %gs:CPU_ROOT, %rsp
        mov     %rsp, %cr3
        mov     %gs:CPU_SELF, %rsp
        lea     CPU_TRAP_END - 40(%rsp), %rsp
.endm
#endif
