/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.h: a thread of execution: its registers, what it waits for, and who waits for it.
 *
 *   stopped -> ready -> sending    (in a gate's band, until its server receives)
 *                    -> awaiting   (its server, or whoever keeps the reply, must answer)
 *                    -> receiving  (an open receive)
 *                    -> halted     (an exception that nobody handles)
 *
 * INVARIANT senders:  t is in a band of t->at_gate <=> state is SENDING.
 * INVARIANT reply:    state is AWAITING <=> either t->partner->caller == t or t->kept_in names the capability that
 * answers t; kept_in is NULL in any other state.
 * INVARIANT pending:  irq in t->pending_irqs <=> irq->pending && irq->receiver == t. If there is one, or a sender at a
 * gate of t's, or one of these has a monitor, THREAD_PENDING is set.
 * INVARIANT held:     with THREAD_HELD t is SENDING or AWAITING; no item of its message has been taken, but by a `pass`
 * between two steps (RESTART), which goes on there. */
#pragma once
#include "arch.h"
#include "object.h"
#include "timeout.h"


enum thread_state {
    THREAD_STOPPED, THREAD_READY, THREAD_SENDING, THREAD_AWAITING, THREAD_RECEIVING, THREAD_HALTED,
    THREAD_STATE = 7,               /* mask of the state in the hot word; above it, what is rare: */
    THREAD_TIMED = 1 << 8,          /* a timeout is armed */
    THREAD_KICKED = 1 << 9,         /* a kick is latched that has ended no wait yet */
    THREAD_PENDING = 1 << 10,       /* an irq or a sender may wait to be received */
    THREAD_FAULT = 1 << 11,         /* it waits because the kernel calls its pager, */
    THREAD_EXCEPTION = 1 << 12,     /* or its exception handler, */
    THREAD_RESTARTED = 1 << 13,     /* it is in an invocation of several steps */
    THREAD_BUDGET = 1 << 14,        /* it may run only so long in each period */
    THREAD_TRACED = 1 << 15,        /* what it does is written down (watch.c), */
    THREAD_COUNTED = 1 << 16,       /* or its instructions are counted */
    THREAD_HELD = 1 << 17,          /* its message, whose label says which gate it was sent to, goes to a monitor or is there */
    THREAD_CALLED_FOR = THREAD_FAULT | THREAD_EXCEPTION,    /* with the words in `fault` */
    THREAD_SEEN_OFF = THREAD_BUDGET | THREAD_TRACED | THREAD_COUNTED,       /* sched.c looks each time that it goes on */
    THREAD_LASTING = THREAD_KICKED | THREAD_PENDING | THREAD_SEEN_OFF,     /* outlive a wait */
};

/* `ns` of every period of `period_ns`; `left_ns` of the one that ends at `end_ns`. */
struct budget {
    u64 ns, period_ns, left_ns, end_ns;
};

struct thread_upcall {
    vaddr_t system_call, stack, kick, exception;
};

struct thread {
    struct object object;
    struct frame frame __attribute__((aligned(16)));    /* entry.S pushes into it */
    char frame_end[0];
    struct task *task;              /* NULL: unbound */
    struct l4_utcb *utcb;           /* kernel's view; NULL: unbound */
    struct thread_upcall upcall;
    u32 hot;                        /* enum thread_state and flags: one compare on the direct path */
    u8 priority;                    /* 0 to 63, higher is more urgent */
    u8 send_rights;                 /* of the door used, while sending or held */
    u64 send_label;
    vaddr_t utcb_at;                /* the task's view; without one of no meaning */
    u64 fs_base, gs_base;
    paddr_t root;                   /* its task's page table */
    struct fpu_area *fpu;           /* NULL: may not use the FPU */

    struct list queue;              /* ready queue or gate band */
    struct gate *at_gate;           /* while sending */
    struct thread *partner;         /* while awaiting: who must answer; else of no meaning */
    struct thread *caller;          /* implicit reply right: who waits for this thread's answer, or thread_nobody */
    struct cap *kept_in;            /* while awaiting: the kept reply capability that answers this thread, or NULL */
    struct list kept;               /* kept replies (cap.in_thread) that this thread must answer */
    struct list gates;              /* gate.in_server */
    struct list irqs;               /* irq.in_receiver */
    struct list pending_irqs;       /* irq.in_pending */
    struct timeout timeout;
    struct message fault;           /* to pager or exception handler; words of the latter: vector, error, address */
    u64 progress;                   /* of an invocation that is restarted */
    u64 items_to;                   /* id of the thread that a restarted transfer goes to, 0: none is under way */
    u32 items_done;                 /* items before this one are there */
    u32 runtime_flags;              /* those of rflags that its runtime is entered with */

    struct budget budget;           /* with THREAD_BUDGET */
    u64 instructions;               /* with THREAD_COUNTED: left to run, 0: no end */
    u64 slice_ns;
    u64 slice_end_ns;               /* of the slice in which somebody more urgent came; 0: it begins a new one */
    u32 pager, exception;           /* slots of its task; 0: none */
    struct list in_task;            /* task->threads */
};

static inline struct thread *thread_of(struct object *object) { return container_of(object, struct thread, object); }
static inline enum thread_state thread_state(const struct thread *t) { return t->hot & THREAD_STATE; }

extern struct thread thread_nobody;        /* stands where there is no thread: it is stopped, for ever */

l4_err_t thread_init(struct object *object);
l4_err_t thread_destroy_step(struct object *object, u32 *budget);

/* It waits for somebody: it can be aborted. */
static inline bool thread_waits(const struct thread *t)
{
    return thread_state(t) >= THREAD_SENDING && thread_state(t) <= THREAD_RECEIVING;
}
static inline bool thread_is_stopped(const struct thread *t)
{
    return thread_state(t) == THREAD_STOPPED || thread_state(t) == THREAD_HALTED;
}

/* Take a blocked thread out of whatever it waits for and make it ready. Its registers are the caller's business. */
void thread_wake(struct thread *t);
/* Set what an invocation returns: status and no words. Returns the status. */
l4_err_t thread_return(struct thread *t, l4_err_t status);
/* Stop `t` wherever it is; whatever it waited for ends with `peer_restarted`. Who waits for its answer is
 * reply_abort_step's. */
void thread_halt(struct thread *t);
/* One step, while *budget lasts, of stopping `t` and taking it out of its task (whose destruction has begun, or another bind
 * follows): RESTART until done. */
l4_err_t thread_unbind_step(struct thread *t, u32 *budget);
