/* SPDX-License-Identifier: BSD-2-Clause */
/* filled.S: see filled.h. Registers are numbered as there; rdi is the struct until it is filled, too. */
#include "filled.h"

.macro each_but_rdi action, offset
        .set    place, \offset
        .irp    register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        .ifnc   \register, rdi
        \action %\register
        .endif
        .set    place, place + 8
        .endr
.endm
.macro load register
        mov     place(%rdi), \register
.endm
.macro store register
        mov     \register, place(%rdi)
.endm

.macro state instruction, old, offset           /* eax, edx are lost */
        mov     $7, %eax
        xor     %edx, %edx
        cmpq    $0, FILLED_HAS_XSAVE(%rdi)
        je      1f
        \instruction \offset(%rdi)
        jmp     2f
1:      \old    \offset(%rdi)
2:
.endm

        .text
        .globl  filled_run
filled_run:
        .irp    register, rbx, rbp, r12, r13, r14, r15
        push    %\register
        .endr
        pushq   FILLED_SPINS(%rdi)
        push    %rdi
        state   xrstor, fxrstor, FILLED_STATE_IN
        each_but_rdi load, FILLED_IN
        mov     FILLED_IN + 40(%rdi), %rdi
        cmpq    $0, 8(%rsp)
        jne     3f
        syscall
        jmp     4f
3:      decq    8(%rsp)
        jnz     3b
4:      xchg    %rdi, (%rsp)
        each_but_rdi store, FILLED_OUT
        state   xsave, fxsave, FILLED_STATE_OUT
        pop     %rax
        mov     %rax, FILLED_OUT + 40(%rdi)
        pop     %rax
        .irp    register, r15, r14, r13, r12, rbp, rbx
        pop     %\register
        .endr
        ret

        .globl  filled_start
filled_start:
        push    %rdi
        lea     filled_at_start(%rip), %rdi
        each_but_rdi store, FILLED_OUT
        state   xsave, fxsave, FILLED_STATE_OUT
        pop     %rax
        mov     %rax, FILLED_OUT + 40(%rdi)
        call    filled_started

        .section .note.GNU-stack, "", @progbits
