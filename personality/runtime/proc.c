/* SPDX-License-Identifier: BSD-2-Clause */
/* proc.c: processes and threads begin, wait and end.
 * fork: the parent leaves in its struct thread all that the child needs, vm copies it, and the child's thread starts in
 * runtime_forked on the copy. A vfork child shares the program's memory but has a runtime of its own. */
#include "calls.h"
#include "irq.h"
#include "../linux/clone.h"
#include "pm.h"
#include "proc.h"
#include "rseq.h"
#include "thread.h"
#include "time.h"
#include "user.h"
#include "wait.h"
#include <process.h>

/* Where the runtime stack of a process's first thread begins, which has block 0, whichever thread forks. */
static u64 first_stack(const struct thread *t) { return ((u64)t & ~(u64)(VM_BLOCK - 1)) - t->slot * VM_BLOCK + VM_BLOCK; }

/* What the child does with itself; in thread->block over the fork. */
static void remember(struct thread *t, u64 flags, u64 stack, u64 child_tid, u64 tls, u64 parent_tid)
{
    t->block = (struct restart_block){ .again = NULL, .deadline = flags, .word = { stack, child_tid, tls, parent_tid } };
}

/* CLONE_PARENT_SETTID: the word is written before the child runs, since both may use it for CLONE_CHILD_CLEARTID: an end that was
 * overwritten would be waited for for ever. So whoever can writes first: the child in memory that it shares. */
static void tell_parent(u64 flags, u64 parent_tid, u32 tid)
{
    if (flags & CLONE_PARENT_SETTID)
        user_put(parent_tid, &tid, sizeof tid);
}

static void begin_child(struct thread *t)
{
    u64 flags = t->block.deadline, stack = t->block.word[0], child_tid = t->block.word[1];
    t->at.rax = 0;
    if (stack)
        t->at.rsp = stack;
    if (flags & CLONE_SETTLS)
        t->at.fs_base = t->block.word[2];
    t->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
    if (flags & CLONE_VM)
        tell_parent(flags, t->block.word[3], t->tid);
    if (flags & CLONE_CHILD_SETTID)
        user_put(child_tid, &t->tid, sizeof t->tid);
    t->number = ~0ul;
    t->restart = RESTART_NEVER;
    t->robust = t->left = t->ready = 0;
    t->taken.number = 0;
    t->mask_saved = false;
    mask_set(t, t->mask);           /* it may have another slot than its parent */
    t->block.again = NULL;
    if (flags & CLONE_VM)
        t->rseq = 0;                /* its area is its maker's */
    rseq_set(t, t->rseq, t->rseq_signature);
    if (flags & CLONE_CLEAR_SIGHAND)
        signal_forget_handlers(t);
    thread_set_base(PROCESS_THREAD + 4 * t->slot, t->at.fs_base, t->at.gs_base);
    fpu_load(t);
}

static i64 fork_process(struct thread *t, u32 how)
{
    u32 pid = 0;
    fpu_save(t);
    i64 err = ASK(pm_fork(&t->pm, how, runtime_header.child, first_stack(t), &pid));
    return err ? err : pid;
}

void runtime_forked(struct thread *t)
{
    struct pm_self me;
    t->slot = 0;
    thread_begin(t);
    if (pm_self(t->pm.gate, t->slot, &me))
        runtime_die(t, SIGSEGV);
    struct process *p = process();
    p->pid = t->tid = me.pid;
    ids_parent_forget();
    p->threads = 1;
    p->futex_lock = p->lock = mm()->lock = 0;
    if (p->counting)
        counts_forget();
    __builtin_memset(p->futex, 0, sizeof p->futex);
    p->random[0] ^= me.seed0;
    p->random[1] ^= me.seed1;
    begin_child(t);
    runtime_leave(t);
}

i64 sys_fork(struct thread *t, const u64 *a)
{
    remember(t, 0, 0, 0, 0, 0);
    return fork_process(t, PM_PLAIN);
}

i64 sys_vfork(struct thread *t, const u64 *a)
{
    remember(t, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);
    return fork_process(t, PM_VFORK);
}

/* ---- threads ---- */
/* The new thread copies what it needs from its maker, which waits for that. */
static i64 make_thread(struct thread *t)
{
    u32 tid = 0, slot;
    fpu_save(t);
    t->vforking = true;
    i64 err;
    while ((err = ASK(pm_make_thread(&t->pm, runtime_header.thread_start, (u64)t, &tid, &slot))) == -EAGAIN &&
           process()->threads != (1u << VM_THREADS) - 1)
        wait_for_ring(t, time_ns());        /* one is on its way out, and pm has not heard it yet */
    if (err)
        return err;
    while (__atomic_load_n(&t->vforking, __ATOMIC_ACQUIRE))
        wait_for_ring(t, ~0ul);
    return tid;
}

void runtime_cloned(struct thread *t, const struct thread *maker)
{
    struct pm_self me;
    u32 slot = (u32)(((u64)t - VM_RUNTIME_THREADS) / VM_BLOCK);
    t->slot = slot;
    t->at = maker->at;
    t->full = maker->full;
    t->mask = maker->mask;
    t->block = maker->block;
    __builtin_memcpy(t->fpu, maker->fpu, sizeof t->fpu);
    t->altstack = (struct linux_stack){ 0, 0, 0 };
    thread_begin(t);
    struct thread *writable = (struct thread *)(VM_RUNTIME_THREADS + maker->slot * VM_BLOCK + VM_BLOCK_THREAD);
    t->tid = pm_self(t->pm.gate, t->slot, &me) ? 0 : me.tid;
    begin_child(t);
    __atomic_or_fetch(&process()->threads, 1u << slot, __ATOMIC_RELAXED);
    __atomic_store_n(&writable->vforking, false, __ATOMIC_RELEASE);
    irq_ring(PROCESS_THREAD + 4 * maker->slot + 1);
    runtime_leave(t);
}

static bool is_thread(u64 flags)
{
    u64 all = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES;
    return (flags & all) == all;
}

/* `c` is as Linux has it after the checks of clone3's own; its stack is the end of the stack, as clone has it. */
static i64 begin_clone(struct thread *t, const struct linux_clone *c)
{
    u64 flags = c->flags;
    if (flags & CLONE_UNKNOWN)
        return -EINVAL;
    if (flags & CLONE_SETTLS && c->tls >= USER_END)
        return -EPERM;
    remember(t, flags, c->stack, c->child_tid, c->tls, c->parent_tid);
    i64 result;
    if (is_thread(flags))
        result = make_thread(t);
    else if (flags & (CLONE_THREAD | CLONE_SIGHAND) || (c->exit_signal && c->exit_signal != SIGCHLD) || (flags & CLONE_VM && !(flags & CLONE_VFORK)))
        return -EINVAL;
    else
        result = fork_process(t, (flags & CLONE_VFORK ? PM_VFORK : PM_PLAIN) | (c->exit_signal ? 0 : PM_SILENT));
    if (result > 0 && !(flags & CLONE_VM))
        tell_parent(flags, c->parent_tid, (u32)result);
    return result;
}

i64 sys_clone(struct thread *t, const u64 *a)
{
    struct linux_clone c = { .flags = (u32)a[0] & ~(u32)CLONE_SIGNAL, .exit_signal = a[0] & CLONE_SIGNAL, .stack = a[1], .parent_tid = a[2],
                             .child_tid = a[3], .tls = a[4] };
    return begin_clone(t, &c);
}

/* What a later version of the struct has must be 0. */
static i64 get_clone(struct linux_clone *c, u64 from, u64 bytes)
{
    u8 rest[256];
    *c = (struct linux_clone){ 0 };
    if (bytes > L4_PAGE_SIZE)
        return -E2BIG;
    if (bytes < CLONE_ARGS_FIRST)
        return -EINVAL;
    for (u64 at = sizeof *c; at < bytes; at += sizeof rest) {
        u64 part = bytes - at < sizeof rest ? bytes - at : sizeof rest;
        if (!user_get(rest, from + at, part))
            return -EFAULT;
        for (u64 i = 0; i < part; i++)
            if (rest[i])
                return -E2BIG;
    }
    return user_get(c, from, bytes < sizeof *c ? bytes : sizeof *c) ? 0 : -EFAULT;
}

static bool clone_is_valid(const struct linux_clone *c)
{
    u64 both = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;
    return c->set_tid_count <= CLONE_ARGS_PIDS && !c->set_tid == !c->set_tid_count && c->exit_signal <= SIGNALS
        && !(c->flags & (CLONE_UNKNOWN3 | CLONE_DETACHED | (CLONE_SIGNAL & ~CLONE_NEWTIME))) && (c->flags & both) != both
        && !(c->flags & (CLONE_THREAD | CLONE_PARENT) && c->exit_signal) && !c->stack == !c->stack_bytes
        && user_range(c->stack, c->stack_bytes);
}

/* Nobody may choose numbers of processes. */
i64 sys_clone3(struct thread *t, const u64 *a)
{
    struct linux_clone c;
    i64 err = get_clone(&c, a[0], a[1]);
    if (err)
        return err;
    if (!clone_is_valid(&c))
        return -EINVAL;
    if (c.set_tid)
        return -EPERM;
    c.stack += c.stack_bytes;
    return begin_clone(t, &c);
}

/* ---- the end ---- */
void runtime_die(struct thread *t, u32 status)
{
    if (process()->strace)
        strace_ended(t, status);
    if (process()->counting)
        counts_tell(t);
    for (;;)
        pm_exit(&t->pm, status);
}

i64 sys_exit_group(struct thread *t, const u64 *a)
{
    runtime_die(t, ((u32)a[0] & 0xff) << 8);
}

i64 sys_exit(struct thread *t, const u64 *a)
{
    u32 left = __atomic_and_fetch(&process()->threads, ~(1u << t->slot), __ATOMIC_ACQ_REL);
    if (left == 0)
        runtime_die(t, ((u32)a[0] & 0xff) << 8);
    futex_thread_ends(t);
    if (process()->strace)
        strace_ended(t, ((u32)a[0] & 0xff) << 8);
    for (;;)
        pm_exit_thread(&t->pm, ((u32)a[0] & 0xff) << 8);
}

/* ---- wait ---- */
enum { WNOHANG = 1, WUNTRACED = 2, WCONTINUED = 8 };
#define WAIT_THREADS 0xe0000000u        /* __WNOTHREAD, __WALL, __WCLONE: no difference here */

i64 sys_wait4(struct thread *t, const u64 *a)
{
    struct pm_child child = { 0 };
    u32 options = (u32)a[2] & ~WAIT_THREADS;
    if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED))
        return -EINVAL;
    if ((i32)a[0] == INT32_MIN)
        return -ESRCH;
    i64 err = WAIT(t, &t->pm, PM_PROTOCOL, pm_wait(&t->pm, (i32)a[0], options, &child));
    if (err || child.pid == 0)
        return err;
    struct linux_rusage use = { { (i64)(child.user_us / 1000000), (i64)(child.user_us % 1000000) },
                                { (i64)(child.system_us / 1000000), (i64)(child.system_us % 1000000) }, { 0 } };
    if ((a[1] && !user_put(a[1], &child.status, sizeof child.status)) || (a[3] && !user_put(a[3], &use, sizeof use)))
        return -EFAULT;
    return child.pid;
}

enum { P_ALL = 0, P_PID = 1, P_PGID = 2, WEXITED = 4, WNOWAIT = 0x1000000, CLD_EXITED = 1, CLD_CONTINUED = 6 };

/* What wait4 has in one word: an exit status or the signal. */
static i32 status_of(const struct pm_child *child)
{
    return child->why == CLD_CONTINUED ? SIGCONT : child->why == CLD_EXITED ? child->status >> 8 & 0xff
        : (child->status & 0xff) == 0x7f ? child->status >> 8 & 0xff : child->status & 0x7f;
}

i64 sys_waitid(struct thread *t, const u64 *a)
{
    struct pm_child child = { 0 };
    u32 options = (u32)a[3] & ~WAIT_THREADS, kind = (u32)a[0];
    i32 id = (i32)a[1];
    if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | WEXITED | WNOWAIT) || !(options & (WUNTRACED | WCONTINUED | WEXITED)))
        return -EINVAL;
    if (kind > P_PGID || (kind == P_PID && id <= 0) || (kind == P_PGID && id < 0))
        return -EINVAL;
    options = (options & ~(u32)WEXITED) | (options & WEXITED ? 0 : PM_WAIT_NO_END);
    id = kind == P_ALL ? -1 : kind == P_PID ? id : -id;
    i64 err = WAIT(t, &t->pm, PM_PROTOCOL, pm_wait(&t->pm, id, options, &child));
    if (err)
        return err;
    struct linux_siginfo info = { 0 };
    struct linux_rusage use = { { (i64)(child.user_us / 1000000), (i64)(child.user_us % 1000000) },
                                { (i64)(child.system_us / 1000000), (i64)(child.system_us % 1000000) }, { 0 } };
    if (child.pid) {
        info.number = SIGCHLD;
        info.code = (i32)child.why;
        info.child.pid = child.pid;
        info.child.uid = child.uid;
        info.child.status = status_of(&child);
    }
    bool is_told = (!a[2] || user_put(a[2], &info, sizeof info)) && (!a[4] || !child.pid || user_put(a[4], &use, sizeof use));
    return is_told ? 0 : -EFAULT;
}
