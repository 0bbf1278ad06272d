/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h: a user thread's saved registers, and the view of them as a message.
 * entry.S pushes a frame in this order, straight into the thread it interrupts: TSS.rsp0 points just past its frame. */
#pragma once
#include <abi/types.h>

/* What INVOKE carries in registers, in the order of struct frame. */
struct message {
    u64 label;              /* r10: out: capability; in: label of the door or irq */
    u64 tag;                /* rdi */
    u64 number;             /* rax */
    u64 word[4];            /* rsi rdx r8 r9 */
};

/* Without words or number; all is said, or gcc would make a string instruction of it. */
static inline struct message message_of(u64 label, u64 tag) { return (struct message){ label, tag, 0, { 0, 0, 0, 0 } }; }

struct frame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, rcx;
    struct message message;
    u64 vector;             /* enum vector: why the kernel was entered */
    u64 error;              /* the CPU's error code, or 0 */
    u64 rip, cs, rflags, rsp, ss;
};

enum { FLAG_TRAP = 0x100 };         /* in rflags: an exception after each instruction */

enum vector {
    VECTOR_DEBUG = 1, VECTOR_BREAKPOINT = 3, VECTOR_NO_FPU = 7, VECTOR_PROTECTION = 13, VECTOR_PAGE_FAULT = 14,
    VECTOR_EXCEPTIONS = 32,
    VECTOR_LINES = 0x30,            /* hardware lines 0x30 + global system interrupt */
    VECTOR_TIMER = 0xf0, VECTOR_SPURIOUS = 0xff,
    VECTOR_SYSCALL = 0x101,         /* by SYSCALL: may be left by SYSRET when rip is canonical */
    VECTOR_INT_80 = 0x80, VECTOR_FOREIGN = 0x100,       /* what the former becomes: exceptions call it 256 */
};
