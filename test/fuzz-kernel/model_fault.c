/* SPDX-License-Identifier: BSD-2-Clause */
/* model_fault.c: page faults ask the pager; what it refuses and other exceptions go to the thread's upcall, else to its
 * exception gate, else it halts. Kicks and foreign system calls enter the runtime. */
#include "model.h"
#include "machine.h"

enum { DEBUG = 1, PAGE_FAULT = 14, PROTECTION = 13, FOREIGN = 256, RED_ZONE = 128, RUNTIME_STACK = 64 * 1024 };
enum { USER_FLAGS = 0x250dd5, ALWAYS_FLAGS = 0x202 };

void sanitize(struct l4_registers *r)
{
    r->rip = r->rip < L4_USER_END ? r->rip : L4_USER_END;
    r->rflags = (r->rflags & USER_FLAGS) | ALWAYS_FLAGS;
    r->fs_base = r->fs_base < L4_USER_END ? r->fs_base : 0;
    r->gs_base = r->gs_base < L4_USER_END ? r->gs_base : 0;
    r->rcx = r->r11 = 0;        /* lost by SYSCALL: not compared */
}

/* ---- reflection ---- */
static bool lies_in(u64 at, u64 start, u64 end) { return at - start < end - start; }

bool is_native(const struct seen_thread *t)
{
    const struct seen_object *task = object_find(t->task);
    return lies_in(t->registers.rip, task->native, task->native_end);
}

static void save_place(struct seen_thread *t)
{
    t->utcb.reflect_rip = t->registers.rip;
    t->utcb.reflect_rflags = t->registers.rflags;
    t->utcb.reflect_rsp = t->registers.rsp;
}

/* A program that takes single steps takes none in its runtime; who is counted does. */
static void enter(struct seen_thread *t, u64 rip, u64 rsp)
{
    t->registers.rip = rip;
    t->registers.rsp = rsp;
    t->registers.rflags &= t->counted ? ~0ul : ~(u64)TRAP_FLAG;
}

static void raise(u64 thread, u64 vector, u64 error, u64 address, bool *runs_on);

void reflect_call(u64 self)
{
    struct seen_thread *t = thread_find(self);
    bool runs_on;
    if (!t->upcall_system_call) {
        raise(self, FOREIGN, 0, 0, &runs_on);
        return;
    }
    save_place(t);
    enter(t, t->upcall_system_call, t->upcall_stack);
}

static void to_kick_upcall(struct seen_thread *t, u32 *leaving)
{
    const struct seen_object *task = object_find(t->task);
    if (!t->upcall_kick)
        return;
    if (!is_native(t))
        save_place(t);
    else if (lies_in(t->registers.rip, task->leave, task->leave_end))
        *leaving = 2;
    else
        return;
    enter(t, t->upcall_kick, t->upcall_stack);
}

void kick(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    bool waits = t->state >= SEEN_SENDING && t->state <= SEEN_RECEIVING, is_call = t->origin == SEEN_CALL;
    bool ends = waits && (!is_call || !(t->utcb.kick_mask & 1));
    t->utcb.kicked = 1;
    t->kicked = !ends || !is_call;
    if (ends)
        abort_wait(thread, L4_KICKED);
    to_kick_upcall(t, &t->utcb.kicked);
}

bool takes_kick(struct seen_thread *t)
{
    if (!t->kicked || !t->utcb.kicked || t->utcb.kick_mask & 1)
        return false;
    t->kicked = 0;
    return true;
}

void tell_lost(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    if (!t->utcb.tell_lost)
        return;
    const struct seen_page *page = page_lookup(t->task, t->utcb.tell_lost);
    bool is_readable = page && !page->uncached && t->utcb.tell_lost < L4_USER_END;
    const u64 *word = is_readable ? machine_word(page->frame + (t->utcb.tell_lost - page->at)) : NULL;
    if (word && !*word)
        return;
    t->utcb.lost = 1;
    to_kick_upcall(t, &t->utcb.lost);
}

/* ---- exceptions ---- */
static const struct seen_cap *door_in(const struct seen_thread *t, u64 slot)
{
    const struct seen_cap *cap = cap_lookup(t->task, slot);
    return cap && cap->kind == L4_DOOR ? cap : NULL;
}

/* Its registers stay as they are. Who called it and is not kept gets no answer. */
static void halt(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    t->origin = SEEN_CALL;
    t->state = SEEN_HALTED;
    t->held = t->send_label = t->send_rights = 0;
    if (t->caller)
        abort_wait(t->caller, L4_PEER_RESTARTED);
}

static void message_for(struct seen_thread *t, u64 protocol, u64 word0, u64 word1, u64 word2)
{
    t->fault[0] = l4_tag((u32)protocol << 8 | 1, 3, 0);
    t->fault[1] = word0;
    t->fault[2] = word1;
    t->fault[3] = word2;
}

static void upcall(struct seen_thread *t)
{
    u64 block = (t->upcall_stack - 1) & ~(RUNTIME_STACK - 1ul);
    bool inside = t->registers.rsp - block < RUNTIME_STACK;
    struct l4_registers *r = &t->registers;
    t->utcb.exception = (struct l4_exception){ t->fault[1], t->fault[2], t->fault[3], *r };
    enter(t, t->upcall_exception, is_native(t) && inside ? (r->rsp - RED_ZONE) & ~15ul : t->upcall_stack);
}

static void raise(u64 thread, u64 vector, u64 error, u64 address, bool *runs_on)
{
    struct seen_thread *t = thread_find(thread);
    const struct seen_cap *door = door_in(t, t->exception);
    message_for(t, L4_PROTOCOL_EXCEPTION, vector, error, address);
    *runs_on = t->upcall_exception != 0;
    if (t->upcall_exception)
        upcall(t);
    else if (door)
        send_for(thread, SEEN_EXCEPTION, door);
    else
        halt(thread);
}

void fault_enter_model(u64 self, u64 vector, u64 error, u64 address, bool ports_are_new)
{
    struct seen_thread *t = thread_find(self);
    const struct seen_cap *door = door_in(t, t->pager);
    u64 at = vector == PAGE_FAULT ? address : 0;
    bool runs_on;
    if (vector == DEBUG && t->counted) {
        t->registers.rflags &= ~(u64)TRAP_FLAG;
        if (t->instructions && !--t->instructions)
            thread_pause(self);
        return;
    }
    if (vector == PAGE_FAULT && door && at < L4_USER_END) {
        message_for(t, L4_PROTOCOL_PAGER, at, error, t->registers.rip);
        send_for(self, SEEN_FAULT, door);
        return;
    }
    if (vector != PROTECTION || !ports_are_new)
        raise(self, vector, error, at, &runs_on);
}

void fault_over(u64 thread)
{
    struct seen_thread *t = thread_find(thread);
    t->origin = SEEN_CALL;
    wake(thread);
    tell_lost(thread);
}

void fault_answer(u64 thread, u64 tag, u64 word, const struct l4_utcb *handler)
{
    struct seen_thread *t = thread_find(thread);
    bool was_exception = t->origin == SEEN_EXCEPTION, is_resolved = l4_tag_status(tag) == L4_OK, runs_on = true;
    if (!is_resolved && was_exception) {
        halt(thread);
        return;
    }
    if (!is_resolved)
        raise(thread, PAGE_FAULT, t->fault[2], t->fault[1], &runs_on);
    if (!runs_on)
        return;
    if (was_exception && word & 1) {
        t->registers = handler->exception.registers;
        sanitize(&t->registers);
    }
    fault_over(thread);
}
