/* SPDX-License-Identifier: BSD-2-Clause */
/* signal.c: pending signals: latched, taken, dropped. The state is the truth, a kick a hint that the runtime should
 * look.
 * SIGKILL, SIGSTOP and SIGCONT act here; everything else is what the runtime makes of it. Signals that are ignored by
 * default are latched like others, since they may be blocked and waited for: the runtime drops them.
 * INVARIANT notes: a note's signal is pending at its target; a pending signal without a note came from nobody
 * (SI_KERNEL). */
#include "processes.h"

static u64 bits(u32 a, u32 b, u32 c, u32 d) { return signal_bit(a) | signal_bit(b) | signal_bit(c) | signal_bit(d); }
static u64 stopping(void) { return bits(SIG_STOP, SIG_TSTP, SIG_TTIN, SIG_TTOU); }
static u64 ignored_by_default(void) { return bits(SIG_CHLD, SIG_CONT, SIG_URG, SIG_WINCH); }

/* ---- notes ---- */
static const struct note *note_find(const struct proc *p, u32 to, u32 number)
{
    const struct note *n = notes_first(p);
    while (n && (n->to != to || n->what.number != number)) {
        n = notes_next(n);
    }
    return n;
}

static void note_drop(struct pmd_tx tx, const struct proc *p, const struct note *n)
{
    notes_remove(tx, p, n);
    note_free(tx, n);
}

static u32 notes_count(const struct proc *p)
{
    u32 count = 0;
    for (const struct note *n = notes_first(p); n; n = notes_next(n)) {
        count++;
    }
    return count;
}

/* False: there is no room. */
static bool note_add(struct pmd_tx tx, const struct proc *p, u32 to, const struct pm_signal *what)
{
    struct note *n = notes_count(p) < SIGNALS_QUEUED ? note_new(tx) : NULL;
    if (n) {
        n->what = *what;
        n->to = to;
        notes_add(tx, p, n);
    }
    return n != NULL;
}

void notes_drop(struct pmd_tx tx, const struct proc *p, const struct lwp *thread)
{
    for (const struct note *n = notes_first(p), *next; n; n = next) {
        next = notes_next(n);
        if (!thread || n->to == lwp_ref(thread)) {
            note_drop(tx, p, n);
        }
    }
}

void signals_flush(struct pmd_tx tx, const struct proc *p, u64 set)
{
    if (p->pending & set) {
        proc_set_pending(tx, p, p->pending & ~set);
    }
    for (const struct lwp *l = threads_first(p); l; l = threads_next(l)) {
        if (l->pending & set) {
            lwp_set_pending(tx, l, l->pending & ~set);
        }
    }
    for (const struct note *n = notes_first(p), *next; n; n = next) {
        next = notes_next(n);
        if (set & signal_bit(n->what.number)) {
            note_drop(tx, p, n);
        }
    }
}

/* ---- sending ---- */
/* From others process 1 gets only what it has a handler for, as on Linux. It may end itself, for it is the command of
 * `axo run --exec`, whose status tells so. */
static bool is_dropped(const struct proc *p, const struct pm_signal *what)
{
    u32 number = what->number;
    u64 bit = signal_bit(number);
    if (p->pid == FIRST_PID && !((p->caught | p->ignored) & bit) && what->pid != FIRST_PID) {
        return true;
    }
    return number != SIG_KILL && number != SIG_STOP && p->ignored & bit;
}

static l4_err_t latch(struct pmd_tx tx, const struct proc *p, const struct lwp *thread, const struct pm_signal *what)
{
    u32 number = what->number;
    u64 bit = signal_bit(number), set = thread ? thread->pending : p->pending;
    if (number < SIG_REALTIME && set & bit) {
        return L4_OK;
    }
    if (what->code != CODE_KERNEL && !note_add(tx, p, thread ? lwp_ref(thread) : 0, what) && number >= SIG_REALTIME &&
        what->code != CODE_USER) {
        return PM_AGAIN;
    }
    if (thread) {
        lwp_set_pending(tx, thread, set | bit);
        pmd_after_kick(tx, lwp_ref(thread));
        return L4_OK;
    }
    proc_set_pending(tx, p, set | bit);
    threads_kick(tx, p);
    return L4_OK;
}

/* SIGCONT and the stop signals cancel each other, delivered or not. */
static void cancel_opposites(struct pmd_tx tx, const struct proc *p, u32 number)
{
    if (stopping() & signal_bit(number)) {
        signals_flush(tx, p, signal_bit(SIG_CONT));
    } else if (number == SIG_CONT) {
        signals_flush(tx, p, stopping());
        if (p->stops | p->halted) {
            proc_set_stops(tx, p, 0);
            proc_set_halted(tx, p, 0);
        }
        proc_continue(tx, p);
    }
}

l4_err_t signal_send(struct pmd_tx tx, const struct proc *p, const struct lwp *thread, const struct pm_signal *what)
{
    if (!proc_is_live(p) && p->state != PM_EMBRYO) {
        return L4_OK;
    }
    cancel_opposites(tx, p, what->number);
    if (is_dropped(p, what)) {
        return L4_OK;
    }
    if (what->number == SIG_KILL) {
        proc_end(tx, p, SIG_KILL);
    } else if (what->number == SIG_STOP) {
        proc_stop(tx, p, SIG_STOP);
    } else {
        return latch(tx, p, thread, what);
    }
    return L4_OK;
}

void group_signal(struct pmd_tx tx, u32 group, u32 number)
{
    struct pm_signal what = { .number = number, .code = CODE_KERNEL };
    for (const struct proc *p = proc_following(NULL); p; p = proc_following(p)) {
        if (p->group == group) {
            signal_send(tx, p, NULL, &what);
        }
    }
}

void child_signal(struct pmd_tx tx, const struct proc *child, u32 why, u32 status)
{
    const struct proc *parent = proc_at(child->parent);
    struct pm_signal what = {
        .number = SIG_CHLD, .code = (i32)why, .pid = child->pid, .uid = child->ids.uid, .value = status
    };
    signal_send(tx, parent, NULL, &what);
}

/* ---- what the runtime asks ---- */
METHOD(dispose, u32 number, enum pm_disposition to, u32 flags)
{
    enum { NO_CHILD_STOPS = 1, NO_CHILD_WAIT = 2 };
    const struct proc *me = caller(label);
    if (!me) {
        return PM_SRCH;
    }
    if (number == 0 || number > SIG_LAST || ((number == SIG_KILL || number == SIG_STOP) && to != PM_DEFAULT)) {
        return PM_INVAL;
    }
    u64 bit = signal_bit(number);
    proc_set_ignored(tx, me, (me->ignored & ~bit) | (to == PM_IGNORE ? bit : 0));
    proc_set_caught(tx, me, (me->caught & ~bit) | (to == PM_CAUGHT ? bit : 0));
    if (number == SIG_CHLD) {
        proc_set_no_stops(tx, me, flags & NO_CHILD_STOPS);
        proc_set_no_zombies(tx, me, flags & NO_CHILD_WAIT);
    }
    if (to == PM_IGNORE || (to == PM_DEFAULT && ignored_by_default() & bit)) {
        signals_flush(tx, me, bit);
    }
    return L4_OK;
}

/* As Linux: faults first, then by number. */
static u32 first_of(u64 set)
{
    u64 faults = bits(4, 5, 7, 8) | signal_bit(11) | signal_bit(31);
    return (u32)__builtin_ctzl(set & faults ? set & faults : set) + 1;
}

/* Out of the pending set of `thread`, or of its process. */
static struct pm_signal take_from(struct pmd_tx tx, const struct proc *p, const struct lwp *thread, u32 number)
{
    u32 to = thread ? lwp_ref(thread) : 0;
    const struct note *n = note_find(p, to, number);
    struct pm_signal what = { .number = number, .code = CODE_KERNEL };
    if (n) {
        what = n->what;
        note_drop(tx, p, n);
    }
    if (note_find(p, to, number)) {
        return what; /* another one waits behind it */
    }
    if (thread) {
        lwp_set_pending(tx, thread, thread->pending & ~signal_bit(number));
    } else {
        proc_set_pending(tx, p, p->pending & ~signal_bit(number));
    }
    return what;
}

METHOD(take, u64 mask, struct pm_signal *what, enum pm_disposition *act, u64 *left)
{
    const struct proc *me = caller(label);
    const struct lwp *l = me ? call_thread(me) : NULL;
    if (!l) {
        return PM_SRCH;
    }
    *act = PM_DEFAULT;
    if (l->pending & ~mask) {
        *what = take_from(tx, me, l, first_of(l->pending & ~mask));
    } else if (me->pending & ~mask) {
        *what = take_from(tx, me, NULL, first_of(me->pending & ~mask));
    }
    if (what->number) {
        u64 bit = signal_bit(what->number);
        *act = me->caught & bit ? PM_CAUGHT : me->ignored & bit ? PM_IGNORE : PM_DEFAULT;
        if (stopping() & bit && *act == PM_DEFAULT) {
            proc_set_stops(tx, me, what->number);
        }
    }
    *left = me->pending | l->pending;
    return L4_OK;
}

LOOK(pending, u32 slot, u64 *set)
{
    const struct proc *me = caller(label);
    const struct lwp *l = me ? lwp_at_slot(me, slot) : NULL;
    if (!me) {
        return PM_SRCH;
    }
    *set = me->pending | (l ? l->pending : 0);
    return L4_OK;
}
