/* SPDX-License-Identifier: BSD-2-Clause */
/* sequence.S: the sequences, and labels for the table in sequence.c. Between `access` and `told` no other instruction may stand. */
    .text

/* edi port, sil value, rdx sent, rcx now */
    .globl sequence_send, sequence_send_told
    .type sequence_send, @function
sequence_send:
    mov %rdx, %r8
    mov %edi, %edx
    mov %esi, %eax
    out %al, %dx
sequence_send_told:
    mov %rcx, (%r8)
    ret
    .size sequence_send, . - sequence_send

/* edi port, rsi entry, dl mark */
    .globl sequence_receive, sequence_receive_told
    .type sequence_receive, @function
sequence_receive:
    movzbl %dl, %eax
    shl $8, %eax
    mov %edi, %edx
    in %dx, %al
sequence_receive_told:
    mov %ax, (%rsi)
    ret
    .size sequence_receive, . - sequence_receive
    .section .note.GNU-stack, "", @progbits
