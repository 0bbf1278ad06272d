/* SPDX-License-Identifier: BSD-2-Clause */
/* futex.c: futexes between the threads of this process. Each thread waits at one futex at most, so the table has an entry a slot;
 * a waiter sleeps on its own irq object, which whoever wakes it rings.
 * INVARIANT futex: under futex_lock, an entry with bits and not woken belongs to a thread that sleeps or is about to. */
#include "calls.h"
#include "irq.h"
#include "lock.h"
#include "pm.h"
#include "user.h"
#include "vm.h"
#include <process.h>

enum { WAIT_OP = 0, WAKE_OP = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_AND_OP = 5, WAIT_BITSET = 9, WAKE_BITSET = 10,
       FUTEX_COMMAND = 0x7f, FUTEX_PRIVATE = 0x80, FUTEX_REALTIME = 0x100, ANY = -1 };

/* Wake up to `most` that wait at `address` for one of `bits`; move up to `moves` of the others to `to`. Caller: futex_lock. */
static i64 wake_locked(u64 address, u32 bits, u32 most, u64 to, u32 moves)
{
    i64 done = 0;
    for (u32 i = 0; i < VM_THREADS; i++) {
        struct futex_waiter *w = &process()->futex[i];
        if (w->address != address || w->woken || !(w->bits & bits))
            continue;
        if (most) {
            most--;
            w->woken = true;
            irq_ring(PROCESS_THREAD + 4 * i + 1);
        } else if (moves) {
            moves--;
            w->address = to;
        } else {
            break;
        }
        done++;
    }
    return done;
}

i64 futex_wake(struct thread *t, u64 address, u32 most)
{
    lock_take(t, &process()->futex_lock);
    i64 woken = wake_locked(address, (u32)ANY, most, 0, 0);
    lock_give(&process()->futex_lock);
    return woken;
}

/* word[0] address, word[1] value, word[2] bits. */
static i64 wait_until(struct thread *t, struct restart_block *block)
{
    struct futex_waiter *me = &process()->futex[t->slot];
    i64 result = 0;
    lock_take(t, &process()->futex_lock);
    i64 value = user_word((const u32 *)block->word[0]);
    if (value == (i64)(u32)block->word[1])
        *me = (struct futex_waiter){ block->word[0], t->slot, (u32)block->word[2], false };
    else
        result = value < 0 ? -EFAULT : -EAGAIN;
    lock_give(&process()->futex_lock);
    if (result)
        return result;
    do {
        result = wait_for_ring(t, block->deadline);
    } while (result == 0 && !__atomic_load_n(&me->woken, __ATOMIC_ACQUIRE));
    lock_take(t, &process()->futex_lock);
    if (me->woken)
        result = 0;
    me->bits = 0;
    lock_give(&process()->futex_lock);
    if (result == -EINTERRUPTED && block->deadline == ~0ul)
        t->restart = RESTART_AUTO;      /* nothing to remember: made anew even after a handler that wants that */
    else if (result == -EINTERRUPTED)
        t->block = *block;
    return result;
}

/* The timeout of WAIT is relative, of WAIT_BITSET absolute, on the clock that the flag says. */
static i64 deadline_of(u64 at, u32 op, u64 *deadline)
{
    struct linux_timespec time;
    *deadline = ~0ul;
    if (!at)
        return 0;
    if (!user_get(&time, at, sizeof time))
        return -EFAULT;
    if (!timespec_is_valid(&time))
        return -EINVAL;
    u64 ns = timespec_ns(&time), offset = op & FUTEX_REALTIME ? kip()->boot_seconds * NS : 0;
    *deadline = (op & FUTEX_COMMAND) == WAIT_OP ? time_after(ns) : ns > offset ? ns - offset : 0;
    return 0;
}

static i64 requeue(struct thread *t, const u64 *a, bool compare)
{
    i64 result = 0;
    if ((i32)a[2] < 0 || (i32)a[3] < 0)
        return -EINVAL;
    lock_take(t, &process()->futex_lock);
    if (compare) {
        i64 value = user_word((const u32 *)a[0]);
        result = value < 0 ? -EFAULT : (u32)value != (u32)a[5] ? -EAGAIN : 0;
    }
    if (!result)
        result = wake_locked(a[0], (u32)ANY, (u32)a[2], a[4], (u32)a[3]);
    lock_give(&process()->futex_lock);
    return result;
}

/* FUTEX_WAKE_OP: change *second as the code says, wake at the first, and at the second if its old value compares. */
static i64 apply(u64 at, u32 code, i64 *old)
{
    u32 op = code >> 28 & 7, argument = code >> 12 & 0xfff, seen, new;
    if (argument & 0x800)
        argument |= 0xfffff000;
    if (code >> 31)
        argument = 1u << (argument & 31);
    do {
        *old = user_word((const u32 *)at);
        if (*old < 0)
            return -EFAULT;
        seen = (u32)*old;
        new = op == 0 ? argument : op == 1 ? seen + argument : op == 2 ? seen | argument : op == 3 ? seen & ~argument : seen ^ argument;
        *old = user_exchange((u32 *)at, seen, new);
        if (*old < 0)
            return -EFAULT;
    } while ((u32)*old != seen);
    return op > 4 ? -ENOSYS : 0;
}

static bool compares(i32 value, u32 code)
{
    i32 with = (i32)(code << 20) >> 20;
    switch (code >> 24 & 15) {
    case 0: return value == with;
    case 1: return value != with;
    case 2: return value < with;
    case 3: return value <= with;
    case 4: return value > with;
    default: return value >= with;
    }
}

static i64 wake_and_op(struct thread *t, const u64 *a)
{
    i64 old = 0;
    if (a[4] & 3 || !user_range(a[4], 4))
        return -EINVAL;
    lock_take(t, &process()->futex_lock);
    i64 result = apply(a[4], (u32)a[5], &old);
    if (!result) {
        result = wake_locked(a[0], (u32)ANY, (u32)a[2], 0, 0);
        if (compares((i32)old, (u32)a[5]))
            result += wake_locked(a[4], (u32)ANY, (u32)a[3], 0, 0);
    }
    lock_give(&process()->futex_lock);
    return result;
}

i64 sys_futex(struct thread *t, const u64 *a)
{
    u32 op = (u32)a[1], command = op & FUTEX_COMMAND, bits = command == WAIT_BITSET || command == WAKE_BITSET ? (u32)a[5] : (u32)ANY;
    struct restart_block block = { wait_until, 0, { a[0], (u32)a[2], bits } };
    i64 err;
    if (a[0] & 3)
        return -EINVAL;
    if (!user_range(a[0], 4))
        return -EFAULT;
    switch (command) {
    case WAIT_OP:
    case WAIT_BITSET:
        err = bits ? deadline_of(a[3], op, &block.deadline) : -EINVAL;
        return err ? err : wait_until(t, &block);
    case WAKE_OP:
    case WAKE_BITSET:
        if (!bits)
            return -EINVAL;
        lock_take(t, &process()->futex_lock);
        err = wake_locked(a[0], bits, (u32)a[2], 0, 0);
        lock_give(&process()->futex_lock);
        return err;
    case REQUEUE:
    case CMP_REQUEUE:
        return requeue(t, a, command == CMP_REQUEUE);
    case WAKE_AND_OP:
        return wake_and_op(t, a);
    default:
        return -ENOSYS;
    }
}

/* ---- robust lists: a dead owner's locks are marked and passed on (Linux: kernel/futex/core.c, exit_robust_list) ---- */
enum { OWNER_DIED = 0x40000000, TID_MASK = 0x3fffffff, WAITERS_THERE = 0x80000000, LIST_MOST = 2048 };

static void lock_of_dead(struct thread *t, u64 at)
{
    i64 value = at & 3 || !user_range(at, 4) ? -1 : user_word((const u32 *)at);
    while (value >= 0 && ((u32)value & TID_MASK) == t->tid) {
        u32 new = ((u32)value & WAITERS_THERE) | OWNER_DIED;
        i64 seen = user_exchange((u32 *)at, (u32)value, new);
        if (seen == value) {
            if (new & WAITERS_THERE)
                futex_wake(t, at, 1);
            return;
        }
        value = seen;
    }
}

void futex_thread_ends(struct thread *t)
{
    struct { u64 next; i64 offset; u64 pending; } head;
    if (t->robust && user_get(&head, t->robust, sizeof head)) {
        u64 at = head.next & ~1ul;
        for (u32 i = 0; i < LIST_MOST && at && at != t->robust; i++) {
            u64 next;
            if (at != head.pending)
                lock_of_dead(t, at + (u64)head.offset);
            if (!user_get(&next, at, sizeof next))
                break;
            at = next & ~1ul;
        }
        if (head.pending)
            lock_of_dead(t, (head.pending & ~1ul) + (u64)head.offset);
    }
    u32 zero = 0;
    if (t->clear_tid && user_put(t->clear_tid, &zero, sizeof zero))
        futex_wake(t, t->clear_tid, 1);
}

static struct thread *thread_of(u32 tid)
{
    for (u32 i = 0; i < VM_THREADS; i++) {
        struct thread *other = (struct thread *)(VM_RUNTIME_THREADS + i * VM_BLOCK + VM_BLOCK_THREAD);
        if (process()->threads >> i & 1 && other->tid == tid)
            return other;
    }
    return NULL;
}

/* Of this process; nobody here can look into another one. */
i64 sys_get_robust_list(struct thread *t, const u64 *a)
{
    u32 tid = (u32)a[0];
    struct thread *of = tid ? thread_of(tid) : t;
    u64 size = 24;
    if (!of) {
        i64 err = (i32)tid < 0 ? -ESRCH : ASK(pm_kill(&t->pm, 0, (i32)tid, &(struct pm_signal){ 0 }));
        return err ? err : -EPERM;
    }
    return user_put(a[2], &size, sizeof size) && user_put(a[1], &of->robust, sizeof of->robust) ? 0 : -EFAULT;
}

i64 sys_set_robust_list(struct thread *t, const u64 *a)
{
    if (a[1] != 24)
        return -EINVAL;
    t->robust = a[0];
    return 0;
}

i64 sys_set_tid_address(struct thread *t, const u64 *a)
{
    t->clear_tid = a[0];
    return t->tid;
}
