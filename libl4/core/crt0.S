/* SPDX-License-Identifier: BSD-2-Clause */
/* crt0.S: where keeper or the kernel enters a program: rsp is the end of the stack block, rdi the startup page or 0. */
    .section .text.start, "ax"
    .globl _start
_start:
    xorl %ebp, %ebp
    call l4_begin_program
    ud2
    .section .note.GNU-stack, "", @progbits
