/* SPDX-License-Identifier: BSD-2-Clause */
/* reflect.c: upcalls. A foreign system call and a kick save only where the program was (utcb->reflect_*): every other
 * register is still the program's when the runtime starts. An exception saves all registers in utcb->exception.
 * This is no security boundary: what a task may do is what its capabilities allow. */
#include "reflect.h"
#include "ipc.h"
#include "task.h"
#include "transfer.h"

enum { KICK_LATCHED = 1, KICK_LEAVING = 2 };    /* utcb->kicked, utcb->lost */
enum { RED_ZONE = 128, RUNTIME_STACK = 64 * 1024 };

static bool lies_in(u64 at, const struct code_range *range) { return at - range->start < range->bytes; }

static bool is_native(const struct thread *t) { return lies_in(t->frame.rip, &t->task->native); }

static void save_place(struct thread *t)
{
    t->utcb->reflect_rip = t->frame.rip;
    t->utcb->reflect_rflags = t->frame.rflags;
    t->utcb->reflect_rsp = t->frame.rsp;
}

static void enter(struct thread *t, vaddr_t at, vaddr_t stack)
{
    t->frame.rip = at;
    t->frame.rsp = stack;
    t->frame.rflags &= t->runtime_flags;
}

/* In the program: enter the runtime at once. On the way there: enter it again. Inside: it looks before it leaves. */
static void interrupt(struct thread *t, u32 *leaving)
{
    if (!t->upcall.kick)
        return;
    if (!is_native(t))
        save_place(t);
    else if (lies_in(t->frame.rip, &t->task->leave))
        *leaving = KICK_LEAVING;
    else
        return;
    enter(t, t->upcall.kick, t->upcall.stack);
    t->frame.vector = 0;        /* left by IRET: rcx and r11 are the program's */
}

void reflect_kick(struct thread *t)
{
    bool called_for = t->hot & THREAD_CALLED_FOR, ends_wait = thread_waits(t) && (called_for || !(t->utcb->kick_mask & 1));
    t->utcb->kicked = KICK_LATCHED;
    t->hot = ends_wait && !called_for ? t->hot & ~(u32)THREAD_KICKED : t->hot | THREAD_KICKED;
    if (ends_wait)
        ipc_abort(t, L4_KICKED);
    interrupt(t, &t->utcb->kicked);
}

void reflect_tell_lost(struct thread *t)
{
    if (space_is_zero(&t->task->space, t->utcb->tell_lost))
        return;
    t->utcb->lost = KICK_LATCHED;
    interrupt(t, &t->utcb->lost);
}

/* From inside the runtime go on below where it is, so that what it has on its stack survives. */
static vaddr_t exception_stack(const struct thread *t)
{
    vaddr_t block = (t->upcall.stack - 1) & ~(vaddr_t)(RUNTIME_STACK - 1);
    bool inside = t->frame.rsp - block < RUNTIME_STACK;
    return is_native(t) && inside ? (t->frame.rsp - RED_ZONE) & ~15ul : t->upcall.stack;
}

bool reflect_exception(struct thread *t)
{
    if (!t->upcall.exception)
        return false;
    transfer_exception(t, t->utcb);
    enter(t, t->upcall.exception, exception_stack(t));
    t->frame.vector = 0;
    return true;
}
