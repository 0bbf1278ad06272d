/* SPDX-License-Identifier: BSD-2-Clause */
/* machine_user.S: the three threads of machine.c. Threads 1 and 2 may use the FPU; thread 1's task has port 0x71.
 * Calls by number in r10 (machine.c, enum call); `check` compares rsi with what is wanted. */

.macro do number
        mov     $\number, %r10
        syscall
.endm

.macro check wanted
        movabs  $\wanted, %rdx
        do      4
.endm

        .section .rodata
        .globl  machine_programs
        .balign 1024
machine_programs:
        .skip   1024                    /* there is no thread 0 */

one:    mov     $0x1111, %eax
        movq    %rax, %xmm0
        fld1
        test    %ebx, %ebx              /* FSGSBASE */
        jz      1f
        mov     $0x5555, %eax
        wrfsbase %rax
1:      do      2
        movq    %xmm0, %rsi
        check   0x1111
        test    %ebx, %ebx
        jz      1f
        rdfsbase %rsi
        check   0x5555
1:      in      $0x71, %al              /* refused once, then loaded */
        do      3
        in      $0x71, %al              /* still loaded, but closed by the switches: refused once */
        do      5                       /* taken away: refused, loaded, refused for good */
        xor     %eax, %eax
        in      $0x71, %al
        movzx   %al, %esi
        check   0xee
        movq    $0x4242, 0x400800
        do      6
        mov     %fs:0, %rsi
        check   0x4242
        do      2
        mov     %fs:0, %rsi
        check   0x4242
        movq    %xmm0, %rsi
        check   0x1111
        fstpt   -16(%rsp)
        mov     -16(%rsp), %rsi
        check   0x8000000000000000      /* the mantissa of 1.0 */
        do      7
        ud2
        .org    one + 0x200             /* here machine.c moves us, with all registers set */
        mov     %rcx, %rbx
        mov     %r11, %rbp
        pushf
        pop     %rsi
        and     $0x23300, %esi
        check   0x200
        mov     %rbx, %rsi
        check   0x77
        mov     %rbp, %rsi
        check   0x88
        do      8
        ud2
        .org    one + 0x300             /* and here after an address outside user space */
        do      9
        ud2

        .org    one + 1024
two:    movq    %xmm0, %rsi             /* nothing of thread 1's */
        check   0
        mov     $0x2222, %eax
        movq    %rax, %xmm0
        do      1
        movq    %xmm0, %rsi
        check   0x2222
        do      1
        ud2

        .org    two + 1024
three:  movq    %xmm0, %rsi             /* no FPU: skipped */
        xor     %eax, %eax
        in      $0x71, %al              /* no ports, though thread 1's are in the TSS */
        movzx   %al, %esi
        check   0xee
        do      1
        ud2
        .org    three + 1024

        .section .note.GNU-stack, "", @progbits
