/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c: threads: made, driven, kicked, taken apart.
 * What a thread does is derived from the state: it runs if lwp_runs. `drive` makes it so, however often it is asked
 * to.
 * A thread that never ran, or runs since it was made, is `fresh`: starting it is harmless if it runs and right if it
 * does not. Once it has been stopped only resuming is right, so lwp_pause clears `fresh` in the transaction whose
 * effect stops it. */
#include <thread.h>
#include "processes.h"

static bool lwp_runs(const struct lwp *l)
{
    const struct proc *p = proc_at(l->of);
    return p->state == PM_RUNNING && l->stage == LWP_ALIVE && !p->executing;
}

static cap_t lwp_cap(const struct lwp *l)
{
    return PROCESS_THREADS_AT_PM + PROCESS_THREADS * proc_place(proc_at(l->of)) + l->slot;
}

/* ---- effects: errors say that it is so already, or that the thread is gone ---- */
void thread_drive(u32 which)
{
    const struct lwp *l = lwp_at(which);
    if (!l || l->stage == LWP_MAKING) {
        return;
    }
    if (!lwp_runs(l)) {
        thread_stop(lwp_cap(l));
    } else if (l->fresh) {
        thread_start(lwp_cap(l), l->entry, l->stack, l->argument);
    } else {
        thread_resume(lwp_cap(l));
    }
}

void thread_kicked(u32 which)
{
    const struct lwp *l = lwp_at(which);
    if (l && l->stage == LWP_ALIVE) {
        thread_kick(lwp_cap(l));
    }
}

void threads_drive(struct pmd_tx tx, const struct proc *p)
{
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        pmd_after_drive(tx, lwp_ref(l));
    }
}

void threads_kick(struct pmd_tx tx, const struct proc *p)
{
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        pmd_after_kick(tx, lwp_ref(l));
    }
}

/* It may have run until now. */
static void lwp_pause(struct pmd_tx tx, const struct lwp *l)
{
    if (l->stage != LWP_MAKING && l->fresh) {
        lwp_set_fresh(tx, l, false);
    }
    pmd_after_drive(tx, lwp_ref(l));
}

void threads_pause(struct pmd_tx tx, const struct proc *p)
{
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        lwp_pause(tx, l);
    }
}

/* ---- records ---- */
u32 call_slot(void) { return (u16)(pmd_slot_id(l4_undo_log()->slot) - 1); }

const struct lwp *lwp_at_slot(const struct proc *p, u32 slot)
{
    const struct lwp *l = threads_first(p);
    while (l && l->slot != slot) {
        l = threads_next(l);
    }
    return l;
}

const struct lwp *call_thread(const struct proc *p)
{
    const struct lwp *l = lwp_at_slot(p, call_slot());
    return l && l->stage == LWP_ALIVE ? l : NULL;
}

u64 lwp_stack(u32 slot) { return VM_RUNTIME_THREADS + (slot + 1ul) * VM_BLOCK; }

struct lwp *lwp_make(struct pmd_tx tx, const struct proc *p, u32 slot, u32 tid)
{
    struct lwp *l = lwp_new(tx);
    if (l) {
        *l = (struct lwp){
            .of = proc_ref(p), .slot = slot, .tid = tid, .stage = LWP_MAKING, .fresh = true, .stack = lwp_stack(slot)
        };
        threads_add(tx, p, l);
    }
    return l;
}

void lwp_drop(struct pmd_tx tx, const struct lwp *l)
{
    const struct proc *p = proc_at(l->of);
    notes_drop(tx, p, l);
    threads_remove(tx, p, l);
    lwp_free(tx, l);
}

void threads_drop(struct pmd_tx tx, const struct proc *p)
{
    for (const struct lwp *l; (l = threads_first(p));) {
        lwp_drop(tx, l);
    }
}

u32 threads_count(const struct proc *p)
{
    u32 n = 0;
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        n += l->stage == LWP_ALIVE || l->stage == LWP_MAKING;
    }
    return n;
}

/* ---- make_thread ---- */
/* Some thread has ended, and its slot is free when it is taken apart. */
static bool slot_comes_free(const struct proc *p)
{
    const struct lwp *l = threads_first(p);
    while (l && l->stage != LWP_ENDING) {
        l = threads_next(l);
    }
    return l;
}

METHOD(make_thread, u64 entry, u64 argument, u32 *tid, u32 *slot)
{
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    u32 free = 0;
    while (free < PROCESS_THREADS && lwp_at_slot(me, free)) {
        free++;
    }
    if (free == PROCESS_THREADS) {
        return slot_comes_free(me) ? turn_wait(TURN) : PM_AGAIN;
    }
    struct thread_op *op = me->executing ? NULL : thread_op_new(tx);
    if (!op) {
        return turn_wait(TURN);
    }
    struct lwp *l = lwp_make(tx, me, free, pid_new(tx));
    if (!l) {
        return PM_AGAIN;
    }
    l->entry = entry;
    l->argument = argument;
    proc_busy(tx, me, 1);
    op->of = proc_ref(me);
    op->made = lwp_ref(l);
    return l4_later(thread_op_send_block(tx, op, me->label, free));
}

static struct l4_next thread_end(struct pmd_tx tx, const struct thread_op *op, l4_err_t err)
{
    const struct proc *p = proc_at(op->of);
    const struct lwp *l = lwp_at(op->made);
    u32 tid = l->tid, slot = l->slot;
    proc_busy(tx, p, -1);
    if (err) {
        lwp_drop(tx, l);
    } else {
        lwp_set_stage(tx, l, LWP_ALIVE);
        pmd_after_drive(tx, lwp_ref(l));
    }
    struct l4_next next = thread_op_answer(tx, op, err, tid, slot);
    turn_over(tx);
    return next;
}

CASE(thread, block)
{
    const struct proc *p = proc_at(thread->of);
    return err ? thread_end(tx, thread, PM_NOMEM)
               : thread_op_send_thread(tx, thread, proc_place(p), lwp_at(thread->made)->slot);
}

CASE(thread, thread)
{
    const struct proc *p = proc_at(thread->of);
    return err ? thread_op_send_unblock(tx, thread, p->label, lwp_at(thread->made)->slot)
               : thread_end(tx, thread, L4_OK);
}

CASE(thread, unblock) { return thread_end(tx, thread, PM_NOMEM); }

/* ---- exit_thread ---- */
METHOD(exit_thread, u32 status)
{
    const struct proc *me = caller(label);
    const struct lwp *l = me ? call_thread(me) : NULL;
    if (!l) {
        return PM_SRCH;
    }
    if (threads_count(me) == 1) {
        proc_end(tx, me, status);
        return L4_OK;
    }
    lwp_set_stage(tx, l, LWP_ENDING);
    pmd_after_drive(tx, lwp_ref(l));
    retire_next(tx);
    return L4_OK;
}

/* A thread that ended and whose process stays and lets it be taken apart; NULL: none. */
static const struct lwp *ended(void)
{
    for (const struct lwp *l = lwp_following(NULL); l; l = lwp_following(l)) {
        const struct proc *p = proc_at(l->of);
        if (l->stage == LWP_ENDING && proc_is_live(p) && !p->executing) {
            return l;
        }
    }
    return NULL;
}

static struct l4_next retire_thread_of(struct pmd_tx tx, const struct retire_op *op, const struct lwp *l)
{
    const struct proc *p = proc_at(l->of);
    retire_op_set_of(tx, op, l->of);
    retire_op_set_gone(tx, op, lwp_ref(l));
    proc_busy(tx, p, 1);
    return retire_op_send_thread(tx, op, proc_place(p), l->slot);
}

void retire_next(struct pmd_tx tx)
{
    const struct lwp *l = ended();
    const struct retire_op *op = l ? retire_op_new(tx) : NULL;
    if (op) {
        retire_thread_of(tx, op, l);
    }
}

CASE(retire, thread)
{
    return retire_op_send_block(tx, retire, proc_at(retire->of)->label, lwp_at(retire->gone)->slot);
}

CASE(retire, block)
{
    proc_busy(tx, proc_at(retire->of), -1);
    lwp_drop(tx, lwp_at(retire->gone));
    const struct lwp *l = ended();
    struct l4_next next = l ? retire_thread_of(tx, retire, l) : retire_op_done(tx, retire);
    turn_over(tx);
    return next;
}
