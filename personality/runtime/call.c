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
        if (t->number < PENDING_CALLS && tally()->missing[t->number] < 255)
            tally()->missing[t->number]++;
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

/* For --strace and the counts. */
static void call_begins(struct thread *t)
{
    if (process()->strace)
        strace_enter(t);
    if (process()->counting)
        counts_made(t->number);
}

static void call_ends(struct thread *t, i64 result)
{
    if (process()->counting && result < 0 && result != -EINTERRUPTED)
        counts_failed((u32)t->rax);
    if (process()->strace)
        strace_leave(t, result);
}

void runtime_call(struct thread *t)
{
    t->number = (u32)t->rax;        /* as on Linux, which looks at half of the register */
    t->restart = RESTART_NEVER;
    u16 watched = process()->watched;
    if (__builtin_expect(watched, 0))
        call_begins(t);
    i64 result = dispatch(t, t->args);
    if (__builtin_expect(watched, 0))
        call_ends(t, result);
    if (t->taken.number && !thread_utcb(t)->kicked)     /* one came while the call waited */
        thread_utcb(t)->kicked = 1;
    if (t->number == ~0ul)          /* sigreturn: every register is the frame's */
        return;
    t->number = ~0ul;
    if (__builtin_expect(result == -EINTERRUPTED, 0))
        interrupted(t);
    else
        t->at.rax = (u64)result;
}
