/* SPDX-License-Identifier: BSD-2-Clause */
/* call.c: a reflected system call: from its number to its handler and back. */
#include "calls.h"
#include "rseq.h"
#include "wait.h"

enum { X32_BIT = 0x40000000 };

/* Calls that are answered here end here; while a server answered, others may have run. */
#define DONE_here return result
#define DONE_retry break
#define DONE_once break

/* The switch is made by the compiler into a jump table without relocations: the image is position bound and has no data. */
static i64 dispatch(struct thread *t, const u64 *a)
{
    i64 result;
    switch (t->number) {
#define CALL(number, name, handler, arguments, restart, recovery) case number: result = handler(t, a); DONE_##recovery;
#include "calls.def"
#undef CALL
    default:
        if (t->number < PENDING_CALLS && process()->missing[t->number] < 255)
            process()->missing[t->number]++;
        return -ENOSYS;
    }
    rseq_waited(t);
    return result;
}

/* A signal ended the call: what happens to it is known when a handler runs or none does (signal.c). The handler may have said what
 * the table cannot. */
static void interrupted(struct thread *t)
{
    const struct call *call = call_find(t->rax);
    t->restart = t->restart ? t->restart : call ? call->restart : RESTART_NEVER;
    t->at.rax = (u64)-EINTR;
    thread_utcb(t)->kicked = 1;
}

void runtime_call(struct thread *t)
{
    t->rax = t->at.rax;
    t->number = (u32)t->rax;        /* as on Linux, which looks at half of the register */
    if (t->slot == 0)
        mm()->shown.blocked = t->mask;      /* whoever asks sees it while this thread waits in a call */
    t->restart = RESTART_NEVER;
    u64 a[6] = { t->at.rdi, t->at.rsi, t->at.rdx, t->at.r10, t->at.r8, t->at.r9 };
    if (process()->strace) {
        __builtin_memcpy(t->args, a, sizeof a);
        strace_enter(t);
    }
    if (process()->counting)
        counts_made(t->number);
    i64 result = dispatch(t, a);
    if (process()->counting && result < 0 && result != -EINTERRUPTED)
        counts_failed((u32)t->rax);
    if (process()->strace)
        strace_leave(t, result);
    if (t->taken.number)            /* one came while the call waited */
        thread_utcb(t)->kicked = 1;
    if (t->number == ~0ul)          /* sigreturn: every register is the frame's */
        return;
    t->number = ~0ul;
    if (result == -EINTERRUPTED)
        interrupted(t);
    else
        t->at.rax = (u64)result;
}
