/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c: a page fault first asks the pager; what it refuses, and every other exception, goes to the thread's own upcall, else to
 * its exception gate; a thread with neither is halted. A handler's death only means that the thread faults again. */
#include "fault.h"
#include "ipc.h"
#include "print.h"
#include "reflect.h"
#include "sched.h"
#include "task.h"

enum { FAULT_METHOD = L4_PROTOCOL_PAGER << 8 | 1, RAISE_METHOD = L4_PROTOCOL_EXCEPTION << 8 | 1 };

static const struct cap *handler_of(const struct thread *t, cap_t slot)
{
    const struct cap *cap = cap_find(&t->task->caps, slot);
    return cap->kind == L4_DOOR ? cap : NULL;
}

static void call_handler(struct thread *t, enum thread_origin origin, const struct cap *door, struct message m)
{
    t->origin = (u8)origin;
    t->fault = m;
    ipc_call_for(t, door);
}

static void halt(struct thread *t, u64 vector, u64 error, u64 address)
{
    const struct frame *f = &t->frame;
    print("kernel: thread %lu (%s) of task %lu (%s) halted by exception %lu, error %lx, address %lx, rip %lx, rsp %lx\n", t->object.id,
          t->object.name, t->task->object.id, t->task->object.name, vector, error, address, f->rip, f->rsp);
    thread_halt(t);
    t->hot = THREAD_HALTED;
}

bool fault_raise(struct thread *t, u64 vector, u64 error, u64 address)
{
    if (reflect_exception(t, vector, error, address))
        return true;
    const struct cap *door = handler_of(t, t->exception);
    if (door)
        call_handler(t, ORIGIN_EXCEPTION, door,
                     (struct message){ .tag = l4_tag(RAISE_METHOD, 3, 0), .word = { vector, error, address } });
    else
        halt(t, vector, error, address);
    return false;
}

static bool page_fault(struct thread *t)
{
    const struct cap *door = handler_of(t, t->pager);
    if (!door || !arch_is_user_address(t->fault_address))
        return false;
    call_handler(t, ORIGIN_FAULT, door,
                 (struct message){ .tag = l4_tag(FAULT_METHOD, 3, 0), .word = { t->fault_address, t->frame.error, t->frame.rip } });
    return true;
}

void fault_enter(struct thread *self)
{
    u64 vector = self->frame.vector;
    self->fault_address = vector == VECTOR_PAGE_FAULT ? arch_fault_address() : 0;
    if (vector == VECTOR_PAGE_FAULT ? page_fault(self) : vector == VECTOR_PROTECTION && arch_ports_load(self))
        return;
    fault_raise(self, vector, self->frame.error, self->fault_address);
}

void fault_answered(struct thread *t, u64 tag, u64 word, const struct l4_utcb *handler)
{
    enum thread_origin origin = (enum thread_origin)t->origin;
    const struct message m = t->fault;
    if (l4_tag_status(tag) == L4_OK) {
        t->origin = ORIGIN_CALL;
        if (origin == ORIGIN_EXCEPTION && (word & 1))
            arch_registers_set(t, &handler->exception.registers);
        thread_wake(t);
    } else if (origin == ORIGIN_EXCEPTION) {
        halt(t, m.word[0], m.word[1], m.word[2]);
    } else if (fault_raise(t, VECTOR_PAGE_FAULT, m.word[1], m.word[0])) {
        t->origin = ORIGIN_CALL;
        thread_wake(t);
    }
}
