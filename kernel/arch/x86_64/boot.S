/* SPDX-License-Identifier: BSD-2-Clause */
/* boot.S: where the loader enters the kernel: rdi is the boot record's physical address, interrupts are off, the page
 * tables are those of <abi/boot.h>. */
#include "cpu.h"

        .text
        .globl  boot_entry
boot_entry:
        mov     $boot_stack_end, %rsp
        xor     %ebp, %ebp
        movabs  $DIRECT_MAP, %rax
        add     %rax, %rdi
        call    kernel_main
        jmp     entry_resume

        .section .stack, "aw", @nobits
        .globl  boot_stack_end, fault_stack_end
        .skip   STACK_BYTES
boot_stack_end:
        if_kpti(.section .bss.entry, "aw", @nobits; .balign 4096)
        .skip   FAULT_STACK_BYTES
fault_stack_end:

        .section .note.GNU-stack, "", @progbits
