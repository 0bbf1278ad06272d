/* SPDX-License-Identifier: BSD-2-Clause */
/* fail.S: crash routines, linked into every program. Keeper moves a service's stopped thread to one of them when a person or a test
 * orders a defect; section .note.fail tells it where they are, in the order of `enum way` in keeper.idl. */
    .section .text.fail, "ax"
/* Leaves as l4_exit does (panic.h). */
fail_exit:
    movabs $0x00746978652d346c, %rax
    xorl %edi, %edi
    ud2
fail_null:
    xorl %eax, %eax
    movq (%rax), %rax
fail_loop:
    jmp fail_loop
/* The PCI bridge's address port: no service of ours holds it without holding all of PCI. */
fail_port:
    movw $0xcf8, %dx
    inl %dx, %eax
    jmp fail_loop

    .section .note.fail, "a"
    .globl l4_fail_routines
    .balign 8
l4_fail_routines:
    .quad fail_exit, fail_null, fail_loop, fail_port
    .section .note.GNU-stack, "", @progbits
