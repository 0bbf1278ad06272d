/* SPDX-License-Identifier: BSD-2-Clause */
/* signal.c: signals on their way into the program. pm's pending set is the truth; a kick only says: look.
 * The runtime looks when it leaves and utcb->kicked is set, and when a wait was kicked. One signal is taken at a time, remembered in
 * thread->taken, and delivered on the way out; several stack up their frames, as on Linux. */
#include "pm.h"
#include "rseq.h"
#include "signals.h"
#include "wait.h"

enum { KICK_OWN = 4 };                  /* in utcb->kicked, beside what the kernel sets */

static const u64 ignored_by_default =
    SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT);
static const u64 stopping =
    SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);

enum disposition signal_disposition(u32 number)
{
    u64 handler = process()->action[number].handler;
    if (handler == SIG_IGNORE)
        return DISPOSED_IGNORE;
    if (handler != SIG_DEFAULT)
        return DISPOSED_CAUGHT;
    return ignored_by_default & SIGNAL_BIT(number) ? DISPOSED_IGNORE
        : stopping & SIGNAL_BIT(number) ? DISPOSED_STOP : DISPOSED_END;
}

void signal_info(struct linux_siginfo *info, const struct pm_signal *from)
{
    *info = (struct linux_siginfo){ .number = (i32)from->number, .code = from->code };
    if (from->number == SIGCHLD && from->code > 0) {
        info->child.pid = from->pid;
        info->child.uid = from->uid;
        info->child.status = (i32)from->value;
    } else {
        info->sent.pid = from->pid;
        info->sent.uid = from->uid;
        info->sent.value = from->value;
    }
}

bool signal_due(struct thread *t)
{
    thread_utcb(t)->kicked = 0;
    ids_parent_forget();
    while (!t->ready && !t->taken.number) {
        struct pm_signal what;
        enum pm_disposition act;
        if (pm_take(&t->pm, t->mask, &what, &act, &t->left) != L4_OK || what.number == 0 || what.number > SIGNALS)
            return false;
        if (signal_disposition(what.number) != DISPOSED_IGNORE)
            signal_info(&t->taken, &what);
    }
    return true;
}

void signal_forget_handlers(struct thread *t)
{
    for (u32 i = 1; i <= SIGNALS; i++) {
        struct linux_sigaction *action = &process()->action[i];
        if (action->handler == SIG_IGNORE || action->handler == SIG_DEFAULT)
            continue;
        action->handler = SIG_DEFAULT;
        pm_dispose(&t->pm, i, PM_DEFAULT, 0);
    }
}

void signal_recheck(struct thread *t)
{
    if (t->left & ~t->mask)
        thread_utcb(t)->kicked = 1;
}

/* Look on the way out, but do not ask pm for that, unless it has kicked, too. */
static void kick_self(struct thread *t)
{
    u32 none = 0;
    __atomic_compare_exchange_n(&thread_utcb(t)->kicked, &none, KICK_OWN, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A fault cannot wait: where it is blocked or ignored it ends the program. */
void signal_raise(struct thread *t, const struct linux_siginfo *info)
{
    u32 number = (u32)info->number;
    if ((t->mask & SIGNAL_BIT(number)) || process()->action[number].handler == SIG_IGNORE) {
        process()->action[number].handler = SIG_DEFAULT;
        mask_set(t, t->mask & ~SIGNAL_BIT(number));
    }
    t->taken = *info;
    t->ready = 1;
    kick_self(t);
}

bool signal_to_self(struct thread *t, const struct linux_siginfo *info)
{
    u64 bit = SIGNAL_BIT(info->number);
    if (t->taken.number || bit & (t->mask | stopping | SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGCONT))
        || signal_disposition((u32)info->number) != DISPOSED_CAUGHT)
        return false;
    t->taken = *info;
    kick_self(t);
    return true;
}

void signal_end(struct thread *t, u32 number)
{
    runtime_die(t, number);
}

/* The call that was cut short begins again: rip - 2 is its `syscall`. */
static void call_again(struct thread *t, u64 number)
{
    t->at.rip -= 2;
    t->at.rax = number;
    t->full = 1;
}

static void settle_call(struct thread *t, bool handled, u64 flags)
{
    enum { NR_RESTART_SYSCALL = 219 };
    enum restart restart = t->restart;
    t->restart = RESTART_NEVER;
    if (restart == RESTART_NEVER)
        return;
    if (restart == RESTART_AUTO && (!handled || (flags & SA_RESTART)))
        call_again(t, t->rax);
    else if (restart == RESTART_NO_HANDLER && !handled)
        call_again(t, t->rax);
    else if (restart == RESTART_BLOCK && !handled)
        call_again(t, NR_RESTART_SYSCALL);
}

/* The program cannot go on. Where its handler for that cannot begin, either, that is the end. */
static void force_fault(struct thread *t, u32 before)
{
    if (before == SIGSEGV)
        signal_end(t, SIGSEGV);
    signal_raise(t, &(struct linux_siginfo){ .number = SIGSEGV, .code = SI_KERNEL });
}

static void run_handler(struct thread *t, const struct linux_siginfo *info)
{
    struct linux_sigaction *entry = &process()->action[info->number], action = *entry;
    settle_call(t, true, action.flags);
    if (!rseq_settle(t))
        force_fault(t, (u32)info->number);
    if (!(action.flags & SA_RESTORER) || !frame_build(t, &action, info)) {
        force_fault(t, (u32)info->number);
        return;
    }
    t->mask_saved = false;
    u64 itself = action.flags & SA_NODEFER ? 0 : SIGNAL_BIT(info->number);
    mask_set(t, t->mask | (action.mask & ~SIGNALS_UNBLOCKABLE) | itself);
    if (action.flags & SA_RESETHAND) {
        entry->handler = SIG_DEFAULT;
        pm_dispose(&t->pm, (u32)info->number, PM_DEFAULT, 0);
    }
}

/* Whether there is one to deliver. `ask`: pm may have some that it has not spoken of. */
static bool next_signal(struct thread *t, bool *ask)
{
    if (t->ready || t->taken.number)
        return true;
    if (!*ask && !(t->left & ~t->mask))
        return false;
    *ask = false;
    return signal_due(t);
}

static void take_signals(struct thread *t)
{
    bool handled = false, ask = __atomic_exchange_n(&thread_utcb(t)->kicked, 0, __ATOMIC_RELAXED) != KICK_OWN;
    while (next_signal(t, &ask)) {
        struct linux_siginfo info = t->taken;
        t->taken.number = 0;
        t->ready = 0;
        if (process()->strace)
            strace_taken(t, &info);
        switch (signal_disposition((u32)info.number)) {
        case DISPOSED_CAUGHT:
            run_handler(t, &info);
            handled = true;
            break;
        case DISPOSED_STOP:
            WAIT(t, &t->pm, PM_PROTOCOL, pm_stop(&t->pm, (u32)info.number));
            break;
        case DISPOSED_END:
            signal_end(t, (u32)info.number);
        case DISPOSED_IGNORE:
            break;
        }
    }
    settle_call(t, handled, 0);
    if (t->mask_saved) {
        t->mask_saved = false;
        mask_set(t, t->saved_mask);
        signal_recheck(t);
    }
}

/* For a signal, or because others had the CPU. */
void runtime_kicked(struct thread *t)
{
    thread_utcb(t)->kick_mask = 1;
    if (thread_utcb(t)->kicked)
        take_signals(t);
    if (!rseq_settle(t))
        force_fault(t, 0);
}
