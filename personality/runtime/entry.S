/* SPDX-License-Identifier: BSD-2-Clause */
/* entry.S: the ways from the program into the runtime and back.
 *
 * In:  a system call, a kick or an exception starts here on the empty runtime stack (rsp = end of the thread's block; an exception
 *      inside the runtime starts below what is there). Everything that the program had goes to thread->at at once.
 * Out: between leave_at_once and leave_end nothing but this thread's memory is read and nothing is changed but registers: a kick there
 *      starts over at runtime_kick, and the way out is gone again. What tells the two kicks apart is reflect_rip: the runtime
 *      sets it to -1 when it has copied it, and the kernel writes it whenever it comes from the program.
 *      C has kept rbx, rbp and r12 to r15: they are loaded only where the stack was given up or every register counts.
 * Back at once: a call whose answer is a word of struct process changes nothing but rax, so nothing is saved. A kick on its way out finds
 *      reflect_rip as the kernel left it, and the program where it is about to be.
 * The first page of the image is its header, for keeper (native range) and pm (where to start). */

.set BLOCK,         0x10000
.set THREAD,        0x1000              /* struct thread in the block */
.set AT_RAX,        0                   /* struct l4_registers is the first thing in it */
.set AT_RBX,        8
.set AT_RCX,        16
.set AT_RDX,        24
.set AT_RSI,        32
.set AT_RDI,        40
.set AT_RBP,        48
.set AT_R8,         56
.set AT_R9,         64
.set AT_R10,        72
.set AT_R11,        80
.set AT_R12,        88
.set AT_R13,        96
.set AT_R14,        104
.set AT_R15,        112
.set AT_RIP,        120
.set AT_RFLAGS,     128
.set AT_RSP,        136
.set THREAD_FULL,   160
.set THREAD_IRET,   168
.set THREAD_RAX,    208
.set THREAD_ARGS,   216
.set PROCESS_WATCHED, 48                /* of struct process, whose words from 0 to 15 `words` names */
.set UTCB_KICKED,   568                 /* kicked and lost, two words; checked in offsets.c */
.set UTCB_RIP,      576
.set UTCB_RFLAGS,   584
.set UTCB_RSP,      592

        .section .text.header, "ax"
        .global runtime_header
runtime_header:
        .quad 0x656d69746e757261        /* RUNTIME_MAGIC */
        .quad runtime_end
        .quad leave_at_once, leave_end
        .quad runtime_start, runtime_child, runtime_thread_start
        .quad 0

/* Calls that are answered by a word of struct process: its index by the call's number, 0: another call. A word that has its highest bit
 * is not known, or is no plain answer. */
        .section .rodata, "a"
words:
        .macro word number, index
        .org words + \number
        .byte \index
        .endm
        word 39, 1                      /* getpid */
        word 102, 4                     /* getuid */
        word 104, 8                     /* getgid */
        word 107, 5                     /* geteuid */
        word 108, 9                     /* getegid */
        word 110, 2                     /* getppid */
words_end:

        .text
        .macro save_all base
        mov %rax, THREAD+AT_RAX(\base)
        mov %rbx, THREAD+AT_RBX(\base)
        mov %rdx, THREAD+AT_RDX(\base)
        mov %rsi, THREAD+AT_RSI(\base)
        mov %rdi, THREAD+AT_RDI(\base)
        mov %rbp, THREAD+AT_RBP(\base)
        mov %r8,  THREAD+AT_R8(\base)
        mov %r9,  THREAD+AT_R9(\base)
        mov %r10, THREAD+AT_R10(\base)
        mov %r12, THREAD+AT_R12(\base)
        mov %r13, THREAD+AT_R13(\base)
        mov %r14, THREAD+AT_R14(\base)
        mov %r15, THREAD+AT_R15(\base)
        .endm
        .macro save_place base
        mov UTCB_RIP(\base), %rax
        mov UTCB_RFLAGS(\base), %rdx
        mov UTCB_RSP(\base), %rsi
        mov %rax, THREAD+AT_RIP(\base)
        mov %rdx, THREAD+AT_RFLAGS(\base)
        mov %rsi, THREAD+AT_RSP(\base)
        movq $-1, UTCB_RIP(\base)
        .endm

/* A Linux system call. rcx and r11 are lost, as on Linux, and read as rip and flags afterwards. */
        .global runtime_call_entry
        .p2align 4
saved_call:
        lea -BLOCK(%rsp), %rcx
        save_all %rcx
        mov %rax, THREAD+THREAD_RAX(%rcx)
        mov %rdi, THREAD+THREAD_ARGS(%rcx)
        mov %rsi, THREAD+THREAD_ARGS+8(%rcx)
        mov %rdx, THREAD+THREAD_ARGS+16(%rcx)
        mov %r10, THREAD+THREAD_ARGS+24(%rcx)
        mov %r8,  THREAD+THREAD_ARGS+32(%rcx)
        mov %r9,  THREAD+THREAD_ARGS+40(%rcx)
        save_place %rcx
        mov %rax, THREAD+AT_RCX(%rcx)
        mov %rdx, THREAD+AT_R11(%rcx)
        movq $0, THREAD+THREAD_FULL(%rcx)
        cld
        lea THREAD(%rcx), %rdi
        call runtime_call
        lea THREAD-BLOCK(%rsp), %rdi
        jmp leave

/* A kick, or the CPU was lost: in the program, anywhere, so every register counts; or on the way out, where thread->at holds them already. */
        .global runtime_kick_entry
runtime_kick_entry:
        push %rcx
        lea 8-BLOCK(%rsp), %rcx
        cmpq $-1, UTCB_RIP(%rcx)
        je 1f
        save_all %rcx
        save_place %rcx
        pop %rax
        mov %rax, THREAD+AT_RCX(%rcx)
        mov %r11, THREAD+AT_R11(%rcx)
        movq $1, THREAD+THREAD_FULL(%rcx)
        push %rax
1:      add $8, %rsp
        cld
kicked:
        lea THREAD-BLOCK(%rsp), %rdi
        call runtime_kicked
        lea THREAD-BLOCK(%rsp), %rdi
        jmp leave

/* An exception, of the program or of the runtime. Does not come back: it leaves, or resumes the runtime. */
        .global runtime_exception_entry
runtime_exception_entry:
        cld
        lea -1(%rsp), %rdi
        and $-BLOCK, %rdi
        add $THREAD, %rdi
        call runtime_exception
        ud2

/* void runtime_leave(struct thread *): back to the program as thread->at says. The stack is given up. */
        .global runtime_leave
runtime_leave:
        lea BLOCK-THREAD(%rdi), %rsp
        mov AT_RBX(%rdi), %rbx
        mov AT_RBP(%rdi), %rbp
        mov AT_R12(%rdi), %r12
        mov AT_R13(%rdi), %r13
        mov AT_R14(%rdi), %r14
        mov AT_R15(%rdi), %r15
        jmp leave

runtime_call_entry:
        cmp $(words_end - words), %eax
        jae saved_call
        lea words(%rip), %rcx
        mov %eax, %r11d
        movzbl (%rcx,%r11), %r11d
        test %r11d, %r11d
        jz saved_call
        lea runtime_process(%rip), %rcx
        cmpw $0, PROCESS_WATCHED(%rcx)
        jne saved_call
        mov (%rcx,%r11,4), %r11d
        test %r11d, %r11d
        js saved_call
        lea -BLOCK(%rsp), %rcx
        mov %r11, %rax
leave_at_once:
        cmpq $0, UTCB_KICKED(%rcx)
        jne runtime_kick_entry
        mov UTCB_RFLAGS(%rcx), %r11
        lea UTCB_RFLAGS(%rcx), %rsp
        popfq
        mov UTCB_RSP(%rcx), %rsp
        mov UTCB_RIP(%rcx), %rcx
        jmp *%rcx
leave:
        cmpq $0, UTCB_KICKED-THREAD(%rdi)
        jne kicked
        mov AT_RDX(%rdi), %rdx
        mov AT_RSI(%rdi), %rsi
        mov AT_R8(%rdi), %r8
        mov AT_R9(%rdi), %r9
        mov AT_R10(%rdi), %r10
        mov AT_RAX(%rdi), %rax
        cmpq $0, THREAD_FULL(%rdi)
        jne 1f
        mov %rdi, %r11
        mov AT_RDI(%rdi), %rdi
        lea AT_RFLAGS(%r11), %rsp
        popfq
        mov AT_RSP(%r11), %rsp
        mov AT_RIP(%r11), %rcx
        mov AT_RFLAGS(%r11), %r11
        jmp *%rcx
1:      mov AT_RBX(%rdi), %rbx
        mov AT_RBP(%rdi), %rbp
        mov AT_R12(%rdi), %r12
        mov AT_R13(%rdi), %r13
        mov AT_R14(%rdi), %r14
        mov AT_R15(%rdi), %r15
        mov AT_RIP(%rdi), %rcx
        mov %rcx, THREAD_IRET(%rdi)
        mov %cs, %ecx
        mov %rcx, THREAD_IRET+8(%rdi)
        mov AT_RFLAGS(%rdi), %rcx
        mov %rcx, THREAD_IRET+16(%rdi)
        mov AT_RSP(%rdi), %rcx
        mov %rcx, THREAD_IRET+24(%rdi)
        mov %ss, %ecx
        mov %rcx, THREAD_IRET+32(%rdi)
        mov AT_RCX(%rdi), %rcx
        mov AT_R11(%rdi), %r11
        lea THREAD_IRET(%rdi), %rsp
        mov AT_RDI(%rdi), %rdi
        iretq
leave_end:

/* void runtime_resume(const struct l4_registers *): go on inside the runtime, at the fixup of a failed copy. */
        .global runtime_resume
runtime_resume:
        mov AT_RBX(%rdi), %rbx
        mov AT_RBP(%rdi), %rbp
        mov AT_R12(%rdi), %r12
        mov AT_R13(%rdi), %r13
        mov AT_R14(%rdi), %r14
        mov AT_R15(%rdi), %r15
        mov AT_RIP(%rdi), %rcx
        mov AT_RSP(%rdi), %rsp
        jmp *%rcx

/* Where pm starts the thread of a new program (rdi = 0 the first process, 2 after execve) ... */
        .global runtime_start
runtime_start:
        xor %ebp, %ebp
        mov %rdi, %rsi
        lea THREAD-BLOCK(%rsp), %rdi
        call runtime_main
        ud2
/* ... the thread of a fork's child, on a copy of its parent's block ... */
runtime_child:
        xor %ebp, %ebp
        lea THREAD-BLOCK(%rsp), %rdi
        call runtime_forked
        ud2
/* ... and another thread of the process. rdi: the struct thread that made it. */
runtime_thread_start:
        xor %ebp, %ebp
        mov %rdi, %rsi
        lea THREAD-BLOCK(%rsp), %rdi
        call runtime_cloned
        ud2
        .section .note.GNU-stack, "", @progbits
