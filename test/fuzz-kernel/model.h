/* SPDX-License-Identifier: BSD-2-Clause */
/* model.h: what the kernel's methods, messages and faults mean, carried out on plain arrays: each as one step from its
 * beginning to its end, without restarts, marks, caches or pointers. Nothing of it is the kernel's. */
#pragma once
#include <abi/error.h>
#include <abi/fpage.h>
#include "seen.h"

/* What the model is. */
extern struct seen model;
extern struct seen_costs model_costs;

/* What cannot be known from outside and is taken from the kernel's picture after the step: the ids of new objects, the
 * answers of debug.snapshot, and the order of threads that become ready together by a death. */
extern const struct seen *model_oracle;
/* Some order of this step is nobody's promise. */
extern bool model_any_order;

/* ---- model_step.c: a step of the running thread or of the machine, and then who runs next ---- */
void model_system_call(void);
void model_exception(u64 vector, u64 error, u64 address, bool ports_are_new);
void model_timer(void);
void model_line(u32 line);
void model_spurious(void);
/* ---- model_differs.c: whether the two differ; if so, says how. Before that takes over what is nobody's promise ---- */
bool model_differs(const struct seen *kernel);

/* ---- model_base.c: arrays, names, quota ---- */
struct seen_object *object_find(u64 id);                /* NULL: none */
struct seen_object *object_add(u64 kind, u64 factory);  /* with the id that the kernel gave it */
void object_drop(u64 id);
struct seen_thread *thread_find(u64 id);
struct seen_cap *cap_lookup(u64 task, u64 slot);        /* NULL: empty */
struct seen_cap *cap_add(struct seen_cap cap);
void cap_drop(u64 task, u64 slot);
struct seen_page *page_lookup(u64 task, u64 at);        /* the page that `at` lies in */
struct seen_page *page_from(u64 task, u64 at);          /* the first page at or behind it, or that it lies in */
struct seen_page *page_add(struct seen_page page);
void page_drop(struct seen_page *page);
void ids_add(struct seen_ids *ids, u64 id);
void ids_remove(struct seen_ids *ids, u64 id);
bool ids_have(const struct seen_ids *ids, u64 id);
bool quota_charge(u64 factory, u64 bytes);
void quota_credit(u64 factory, u64 bytes);
/* Bytes of page tables that an entry needs before it can be, or that go with it if it is not there any more. */
u64 table_bytes(u64 task, u64 at, u64 order);
u64 utcb_page_users(u64 task, u64 at);                  /* UTCBs in the page of `at` */

/* ---- model_map.c: who derived what from whom ---- */
enum model_how { MODEL_MAP, MODEL_COPY, MODEL_GRANT };
/* An empty slot to write into. */
l4_err_t cap_make_room(u64 task, u64 slot);
l4_err_t map_flexpage(u64 to, u64 from, u64 fpage, u64 to_base, u32 rights, enum model_how how, u64 *mapped);
l4_err_t unmap_flexpage(u64 task, u64 fpage, u32 rights, bool derived_only, u64 *changed);
/* Remove a capability with all below it; objects whose root goes die. Returns how many went. */
u64 cap_remove(u64 task, u64 slot, bool derived_only);
u64 pages_remove_all(u64 task);

/* ---- model_die.c: the ends of objects ---- */
void object_die(u64 id);
void thread_pause(u64 id);          /* stopped, and nothing else */
void thread_stop_it(u64 id);        /* and what waits for it */
void thread_leave(u64 id);          /* its task */
void thread_unwatch(struct seen_thread *t);
void fpu_drop(struct seen_object *thread);
void gate_leave(struct seen_object *gate);
void monitor_leave(struct seen_object *gate);   /* it has no monitor any more */
void irq_leave(struct seen_object *irq);

/* ---- model_ipc.c ---- */
struct model_message {
    u64 label, tag, number, word[4];
};
struct model_message registers_message(const struct seen_thread *t);
void set_message(struct seen_thread *t, struct model_message m);
void set_status(struct seen_thread *t, l4_err_t status);
l4_err_t send_call(u64 self, const struct seen_cap *door);
l4_err_t send_answer(u64 self, u64 caller);
l4_err_t receive(u64 self);
void serve_next(u64 server);
void pass_on(u64 monitor, u64 caller);          /* what it holds for its monitor goes to the gate that it was sent to */
void abort_wait(u64 thread, l4_err_t status);
void reply_drop(struct seen_cap *kept);         /* its caller, if any, is told */
void reply_over(u64 caller);                    /* nobody owes it an answer any more */
void irq_rings(struct seen_object *irq);
/* The kernel sends fault[] for `self` through the door in a slot of its task. */
void send_for(u64 self, u64 origin, const struct seen_cap *door);

/* ---- model_fault.c: faults, exceptions, kicks, reflection ---- */
void fault_enter_model(u64 self, u64 vector, u64 error, u64 address, bool ports_are_new);
void fault_over(u64 thread);
void fault_answer(u64 thread, u64 tag, u64 word, const struct l4_utcb *handler);
bool is_native(const struct seen_thread *t);
void reflect_call(u64 self);
void kick(u64 thread);
void tell_lost(u64 thread);
bool takes_kick(struct seen_thread *t);         /* a latched kick ends this wait before it begins */
void sanitize(struct l4_registers *r);

/* ---- model_sched.c ---- */
void wake(u64 thread);
void ready_remove(u64 thread);
void set_schedule(u64 thread, u64 priority);        /* or another budget: it queues anew */
void yield_to(u64 thread);
void forget_running(u64 thread);
void tick(u64 now_ns);
void run_next(u64 now_ns);
/* It goes back to user mode: who is counted has the trap flag then. */
void see_off(u64 thread);
enum { TRAP_FLAG = 0x100 };

/* ---- model_call.c: methods ---- */
void invoke_kernel_object(u64 self, const struct seen_cap *cap);
