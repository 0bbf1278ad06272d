/* SPDX-License-Identifier: BSD-2-Clause */
/* sigreturn.S: void host_sigreturn(u64 frame): give the frame to the host's rt_sigreturn; it must come up at host_landing, which
 * notes the registers in host_landed (rbx, r15, rsp, flags) and goes back to the caller. */
        .text
        .global host_sigreturn, host_landing
host_sigreturn:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rsp, saved(%rip)
        lea 8(%rdi), %rsp
        mov $15, %eax
        syscall
        ud2
host_landing:
        mov %rbx, host_landed(%rip)
        mov %r15, host_landed+8(%rip)
        mov %rsp, host_landed+16(%rip)
        pushfq
        popq host_landed+24(%rip)
        mov saved(%rip), %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret
        .bss
saved:  .skip 8
        .section .note.GNU-stack, "", @progbits
