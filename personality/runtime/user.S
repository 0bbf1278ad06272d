/* SPDX-License-Identifier: BSD-2-Clause */
/* user.S: every instruction of the runtime that touches the program's memory. Leaf functions that leave the stack and the
 * callee-saved registers alone: an exception between user_code and user_code_end that the pager refused goes on at user_fault, which
 * returns -1 from whichever of them it was. The caller has checked that the range lies below RUNTIME_BASE. */
        .text
        .global user_code, user_code_end, user_fault
user_code:

/* i64 user_copy(void *to, const void *from, u64 bytes): 0, or -1. */
        .global user_copy
user_copy:
        mov %rdx, %rcx
        shr $3, %rcx
        rep movsq
        mov %edx, %ecx
        and $7, %ecx
        rep movsb
        xor %eax, %eax
        ret

/* i64 user_clear(void *at, u64 bytes): 0, or -1. */
        .global user_clear
user_clear:
        xor %eax, %eax
        mov %rsi, %rcx
        shr $3, %rcx
        rep stosq
        mov %esi, %ecx
        and $7, %ecx
        rep stosb
        ret

/* i64 user_text(char *to, const char *from, u64 room): copy up to and with the zero; its length, `room` if there is none, or -1. */
        .global user_text
user_text:
        xor %eax, %eax
1:      cmp %rdx, %rax
        je 2f
        mov (%rsi,%rax), %cl
        mov %cl, (%rdi,%rax)
        test %cl, %cl
        je 2f
        inc %rax
        jmp 1b
2:      ret

/* i64 user_word(const u32 *at): the word, or -1. */
        .global user_word
user_word:
        mov (%rdi), %eax
        ret

/* i64 user_long(const u64 *at): the eight bytes, or -1. */
        .global user_long
user_long:
        mov (%rdi), %rax
        ret

/* i64 user_exchange(u32 *at, u32 old, u32 new): what was there, exchanged if it was `old`; or -1. */
        .global user_exchange
user_exchange:
        mov %esi, %eax
        lock cmpxchg %edx, (%rdi)
        ret

/* i64 user_xsave(void *area): all components of XCR0, standard format, into an area whose header is zero; 0 or -1. */
        .global user_xsave
user_xsave:
        mov $-1, %eax
        mov $-1, %edx
        xsave64 (%rdi)
        xor %eax, %eax
        ret

        .global user_fxsave
user_fxsave:
        fxsave64 (%rdi)
        xor %eax, %eax
        ret

/* i64 user_xrstor(const void *area): 0, or -1 where the area is one that the CPU refuses. */
        .global user_xrstor
user_xrstor:
        mov $-1, %eax
        mov $-1, %edx
        xrstor64 (%rdi)
        xor %eax, %eax
        ret

        .global user_fxrstor
user_fxrstor:
        fxrstor64 (%rdi)
        xor %eax, %eax
        ret

user_code_end:
user_fault:
        mov $-1, %rax
        ret
        .section .note.GNU-stack, "", @progbits
