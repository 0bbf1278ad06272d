/* SPDX-License-Identifier: BSD-2-Clause */
/* seen.h: a picture of the kernel's whole state in plain arrays: names instead of pointers (objects by id, capabilities
 * by task and slot, pages by task and address), so that what the kernel has and what the model says can be compared.
 * Both fill a struct seen: peek.c from the kernel's structures, the model by carrying out what a step means.
 * INVARIANT sorted: objects by id, capabilities by task and slot, pages by task and address. */
#pragma once
#include <abi/ipc.h>
#include <abi/object.h>

enum { SEEN_IDS = 40, SEEN_OBJECTS = 160, SEEN_CAPS = 4096, SEEN_PAGES = 8192, SEEN_CAP_PAGES = 512 };

/* Ids in an order that counts. */
struct seen_ids {
    u64 count;
    u64 id[SEEN_IDS];
};

struct seen_cap {
    u64 task, slot;
    u64 object;                 /* of a kept reply: its caller, or 0 */
    u64 label;
    u64 parent_task, parent_slot;   /* 0: the root of its object */
    u64 keeper;                 /* kept replies: the thread that must answer */
    u64 incarnation, kind, rights;
};

/* A page of memory, or a port: the page ports_at + 4096 * port. */
struct seen_page {
    u64 task, at, frame;
    u64 parent_task, parent_at; /* parent_task 0: a root */
    u64 order, rights, uncached;
};

enum seen_state { SEEN_STOPPED, SEEN_READY, SEEN_SENDING, SEEN_AWAITING, SEEN_RECEIVING, SEEN_HALTED };
enum seen_origin { SEEN_CALL, SEEN_FAULT, SEEN_EXCEPTION };

struct seen_thread {
    u64 state, priority, fpu, kicked;
    u64 task, utcb_at;          /* 0: unbound */
    u64 origin;                 /* of a wait */
    u64 gate, send_label, send_rights;      /* while sending, the last two also while held */
    u64 held;                   /* the gate that its message was sent to, while that is on the way to a monitor, or there */
    u64 partner;                /* while awaiting: who received the message */
    u64 kept_task, kept_slot;   /* while awaiting: the kept reply that answers it */
    u64 caller;                 /* whom it owes an answer */
    u64 timed, deadline;
    u64 fault[4];               /* tag and words of the message that the kernel sends for it, while it waits for that */
    u64 slice_ns, slice_end_ns;     /* slice_end_ns: of the slice that it was preempted in; 0: it begins a new one */
    u64 budget_ns, budget_period_ns;        /* equal: none */
    u64 budget_left_ns, budget_end_ns;      /* of the period that ends then */
    u64 traced, counted, instructions;      /* counted: its trap flag is the kernel's; instructions: left to run, 0: no end */
    u64 rests;                  /* it is ready but has spent its budget, until `deadline` */
    u64 pager, exception;
    u64 upcall_system_call, upcall_kick, upcall_exception, upcall_stack;
    struct seen_ids gates, irqs, pending;
    struct l4_registers registers;
    struct l4_utcb utcb;
};

struct seen_object {
    u64 id, kind, factory;      /* factory 0: the root factory, which nobody made */
    char name[16];
    u64 limit, used;                                        /* factory */
    u64 native, native_end, leave, leave_end;               /* task */
    u64 cap_pages[SEEN_CAP_PAGES / 64];                     /* task: pages of its capability table that are there */
    u64 server;                                             /* gate; its bands, least urgent first: */
    struct seen_ids band[4];
    u64 monitor, monitored;                                 /* gate: whom each message goes to first; whose monitor it is */
    u64 receiver, irq_label, irq_pending, level, masked, line;  /* irq; line + 1, 0: software */
    struct seen_thread thread;
};

struct seen {
    u64 settled;                /* nothing is half done: no object dying, no tree marked, no invocation to be run again */
    u64 objects, caps, pages;
    u64 count;                  /* objects that the kernel counts */
    u64 current;                /* the running thread, 0: idle */
    struct seen_ids ready;      /* the most urgent first, in their order */
    u64 slice_end_ns;
    u64 trace_home;             /* the task whose memory the trace ring is, 0: none */
    u64 metered, metered_ns;    /* the thread with a budget that has run since then, or 0 */
    struct seen_object object[SEEN_OBJECTS];
    struct seen_cap cap[SEEN_CAPS];
    struct seen_page page[SEEN_PAGES];
};

/* What the kernel's things cost, as its own memory.c rounds them, and where ports begin. */
struct seen_costs {
    u64 object[L4_KINDS], node, root_node, fpu;
    u64 top, table[3];          /* top-level table; tables below entries of 512 GB, 1 GB, 2 MB */
    u64 cap_directory, cap_page;
    u64 ports_at, root_factory;
};

/* ---- peek.c: the only file that looks into the kernel's structures ---- */
/* False: it does not fit. */
bool peek(struct seen *seen);
void peek_costs(struct seen_costs *costs);
/* Finish what is half done and nobody works on any more, as an idle CPU does; after that nothing is. */
void peek_settle(void);
/* The kernel's own invariants, all of them (kernel/check). */
void peek_check(void);
