/* SPDX-License-Identifier: BSD-2-Clause */
/* resend.S: send again what the UTCB remembers, until no server dies of holding it. Called from l4_call's cold path only.
 * In: nothing. Out: rdi tag, rsi rdx r8 r9 words, r10 label, rax number, as `syscall` leaves them. rcx and r11 are lost;
 * every other register is kept. The UTCB is at the bottom of the 64 KB stack block. */

.set UTCB_SENT_CAP,    504      /* struct l4_utcb: checked in resend_offsets.c */
.set UTCB_SENT_TAG,    512
.set UTCB_SENT_NUMBER, 520
.set PEER_RESTARTED,   -3

.macro resend number:vararg
0:      mov %rsp, %rcx
        and $~0xffff, %rcx
        mov 0(%rcx), %rsi
        mov 8(%rcx), %rdx
        mov 16(%rcx), %r8
        mov 24(%rcx), %r9
        mov UTCB_SENT_CAP(%rcx), %r10
        mov UTCB_SENT_TAG(%rcx), %rdi
        \number
        syscall
        cmp $PEER_RESTARTED, %edi
        je 0b
        ret
.endm

        .text
        .global l4_resend
        .type l4_resend, @function
l4_resend:
        resend xor %eax, %eax
        .size l4_resend, . - l4_resend

        .global l4_resend_numbered
        .type l4_resend_numbered, @function
l4_resend_numbered:
        resend mov UTCB_SENT_NUMBER(%rcx), %rax
        .size l4_resend_numbered, . - l4_resend_numbered

        .section .note.GNU-stack, "", @progbits
