/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c: a page fault first asks the pager; what it refuses, and every other exception, goes to the thread's own
 * upcall, else to its exception gate; a thread with neither is halted. If a handler dies, the thread runs
 * on: a fault comes again, a trap (int3, a single step, a foreign system call) is lost. */
#include "fault.h"
#include "ipc.h"
#include "print.h"
#include "reflect.h"
#include "sched.h"
#include "task.h"
#include "watch.h"

enum { FAULT_METHOD = L4_PROTOCOL_PAGER << 8 | 1, RAISE_METHOD = L4_PROTOCOL_EXCEPTION << 8 | 1 };

static const struct cap *handler_of(const struct thread *t, cap_t slot)
{
    const struct cap *cap = cap_find(&t->task->caps, slot);
    return cap->kind == L4_DOOR ? cap : NULL;
}

/* It stays where the exception was. Kept replies are aborted when somebody stops or destroys it, in steps: it could run on. */
static bool halt(struct thread *t)
{
    const u64 *exception = t->fault.word;
    const struct frame *f = &t->frame;
    print("kernel: thread %lu (%s) of task %lu (%s) halted by exception %lu, error %lx, ", t->object.id, t->object.name,
          t->task->object.id, t->task->object.name, exception[0], exception[1]);
    print("address %lx, rip %lx, rsp %lx\n", exception[2], f->rip, f->rsp);
    sched_come_back(0);
    t->hot = (t->hot & THREAD_LASTING) | THREAD_HALTED;
    if (t->caller != &thread_nobody)
        ipc_abort(t->caller, L4_PEER_RESTARTED);
    return false;
}

/* An exception that neither pager nor machine resolves: upcall, exception gate, or halt. True: `t` runs on, in its
 * upcall; else it is blocked or halted. `t` is running, or waits for an answer that has come. */
static bool raise(struct thread *t, u64 vector, u64 error, u64 address)
{
    const struct cap *door = handler_of(t, t->exception);
    t->fault = (struct message){ 0, l4_tag(RAISE_METHOD, 3, 0), 0, { vector, error, address, 0 } };
    if (reflect_exception(t))
        return true;
    if (!door)
        return halt(t);
    ipc_call_for(t, door, THREAD_EXCEPTION);
    return false;
}

static bool page_fault(struct thread *t, vaddr_t at)
{
    const struct cap *door = handler_of(t, t->pager);
    if (!door || !arch_is_user_address(at))
        return false;
    t->fault = (struct message){ 0, l4_tag(FAULT_METHOD, 3, 0), 0, { at, t->frame.error, t->frame.rip, 0 } };
    ipc_call_for(t, door, THREAD_FAULT);
    return true;
}

void fault_enter(struct thread *self)
{
    u64 vector = self->frame.vector;
    vaddr_t at = vector == VECTOR_PAGE_FAULT ? arch_fault_address() : 0;
    if (vector == VECTOR_PAGE_FAULT ? page_fault(self, at) : vector == VECTOR_PROTECTION ? arch_ports_load(self) :
            vector == VECTOR_DEBUG && watch_count(self))
        return;
    raise(self, vector, self->frame.error, at);
}

void fault_resolved(struct thread *t, u64 word, const struct l4_utcb *handler)
{
    if (t->hot & THREAD_EXCEPTION && word & 1)
        arch_registers_set(t, &handler->exception.registers);
}

void fault_ended(struct thread *t)
{
    t->hot &= ~(u32)THREAD_CALLED_FOR;
    thread_wake(t);
    reflect_lost(t);
}

void fault_answered(struct thread *t, u64 tag, u64 word, const struct l4_utcb *handler)
{
    bool runs_on = true;
    if (l4_tag_status(tag) == L4_OK)
        fault_resolved(t, word, handler);
    else if (t->hot & THREAD_EXCEPTION)
        runs_on = halt(t);
    else
        runs_on = raise(t, VECTOR_PAGE_FAULT, t->fault.word[1], t->fault.word[0]);
    if (runs_on)
        fault_ended(t);
}
