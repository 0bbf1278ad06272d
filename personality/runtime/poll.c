/* SPDX-License-Identifier: BSD-2-Clause */
/* poll.c: poll, ppoll, select, pselect. All of them are one call to vfs with an absolute deadline. The kernel's struct pollfd
 * and vfs's are the same eight bytes. */
#include "calls.h"
#include "file.h"
#include "time.h"

_Static_assert(sizeof(struct vfs_poll) == sizeof(struct linux_pollfd), "copied as they are");
enum { FD_SETS = 3, SET_WORDS = VFS_POLLS / 64 };
enum { POLL_READ = POLLIN | 0x40 | 0x80 | 0x10 | 8, POLL_WRITE = POLLOUT | 0x100 | 0x200 | 8, POLL_EXCEPT = 2 };

static struct vfs_poll *questions(struct thread *t) { return (struct vfs_poll *)t->vfs.window; }

/* ms as poll counts them. */
static u64 deadline_of_ms(i32 ms) { return ms < 0 ? ~0ul : ms == 0 ? 0 : time_after((u64)ms * 1000000); }

/* 0, or an errno; a missing timespec is no deadline. */
static i64 deadline_of(u64 timespec, u64 *deadline)
{
    struct linux_timespec wait;
    *deadline = ~0ul;
    if (!timespec)
        return 0;
    if (!user_get(&wait, timespec, sizeof wait))
        return -EFAULT;
    if (!timespec_is_valid(&wait))
        return -EINVAL;
    *deadline = timespec_ns(&wait) ? time_after(timespec_ns(&wait)) : 0;
    return 0;
}

/* Block the signals that `set` says until the call is over (or its handler has run). */
static i64 swap_mask(struct thread *t, u64 set, u64 bytes)
{
    u64 mask;
    if (!set)
        return 0;
    if (bytes != sizeof mask)
        return -EINVAL;
    if (!user_get(&mask, set, sizeof mask))
        return -EFAULT;
    t->saved_mask = t->mask;
    t->mask_saved = true;
    mask_set(t, mask & ~SIGNALS_UNBLOCKABLE);
    signal_recheck(t);
    return 0;
}

/* Without a signal the mask comes back at once; with one runtime_kicked restores it or the handler's frame keeps it. */
static void swap_back(struct thread *t, i64 result)
{
    if (t->mask_saved && result != -EINTERRUPTED) {
        t->mask_saved = false;
        mask_set(t, t->saved_mask);
        signal_recheck(t);
    }
}

static i64 ask(struct thread *t, u64 deadline, u32 count, const struct vfs_poll **answered)
{
    u32 ready = 0, answers = 0;
    i64 err = WAIT(t, &t->vfs, VFS_PROTOCOL, vfs_poll(&t->vfs, deadline, questions(t), count, &ready, answered, &answers));
    return err ? err : answers == count ? (i64)ready : -EIO;
}

/* word[0] pollfds, word[1] their number. */
static i64 poll_until(struct thread *t, struct restart_block *block)
{
    u64 bytes = block->word[1] * sizeof(struct vfs_poll);
    const struct vfs_poll *answered = NULL;
    if (!user_get(questions(t), block->word[0], bytes))
        return -EFAULT;
    i64 result = ask(t, block->deadline, (u32)block->word[1], &answered);
    if (result == -EINTERRUPTED)
        t->block = *block;
    return result < 0 ? result : user_put(block->word[0], answered, bytes) ? result : -EFAULT;
}

i64 sys_poll(struct thread *t, const u64 *a)
{
    struct restart_block block = { poll_until, deadline_of_ms((i32)a[2]), { a[0], (u32)a[1] } };
    return (u32)a[1] > VFS_POLLS ? -EINVAL : poll_until(t, &block);
}

i64 sys_ppoll(struct thread *t, const u64 *a)
{
    struct restart_block block = { poll_until, 0, { a[0], (u32)a[1] } };
    if ((u32)a[1] > VFS_POLLS)
        return -EINVAL;
    i64 err = deadline_of(a[2], &block.deadline);
    if (!err)
        err = swap_mask(t, a[3], a[4]);
    if (err)
        return err;
    err = poll_until(t, &block);
    swap_back(t, err);
    return err;
}

/* ---- select ---- */
struct sets { u64 word[FD_SETS][SET_WORDS]; };
static const u16 wanted[FD_SETS] = { POLLIN, POLLOUT, POLL_EXCEPT }, counts[FD_SETS] = { POLL_READ, POLL_WRITE, POLL_EXCEPT };

static bool is_set(const struct sets *s, u32 which, u32 fd) { return s->word[which][fd / 64] >> fd % 64 & 1; }

/* One question for each descriptor that is in some set; their number. */
static u32 questions_of(struct thread *t, const struct sets *sets, u32 fds)
{
    u32 count = 0;
    for (u32 fd = 0; fd < fds; fd++) {
        u16 events = 0;
        for (u32 which = 0; which < FD_SETS; which++)
            events |= is_set(sets, which, fd) ? wanted[which] : 0;
        if (events)
            questions(t)[count++] = (struct vfs_poll){ .file = (i32)fd, .events = events };
    }
    return count;
}

/* The answers as sets; how many bits are in them. */
static i64 sets_of(const struct vfs_poll *answered, u32 count, struct sets *sets)
{
    i64 bits = 0;
    struct sets asked = *sets;
    __builtin_memset(sets, 0, sizeof *sets);
    for (u32 i = 0; i < count; i++) {
        u32 fd = (u32)answered[i].file;
        if (answered[i].got & POLLNVAL)
            return -EBADF;
        for (u32 which = 0; which < FD_SETS && fd < VFS_POLLS; which++) {
            if (is_set(&asked, which, fd) && (answered[i].got & counts[which])) {
                sets->word[which][fd / 64] |= 1ul << fd % 64;
                bits++;
            }
        }
    }
    return bits;
}

static i64 select_until(struct thread *t, u32 fds, const u64 *at, u64 deadline)
{
    struct sets sets = { 0 };
    const struct vfs_poll *answered = NULL;
    u64 bytes = (fds + 63) / 64 * 8;
    for (u32 which = 0; which < FD_SETS; which++) {
        if (at[which] && !user_get(sets.word[which], at[which], bytes))
            return -EFAULT;
    }
    u32 count = questions_of(t, &sets, fds);
    i64 result = ask(t, deadline, count, &answered);
    if (result >= 0)
        result = sets_of(answered, count, &sets);
    for (u32 which = 0; result >= 0 && which < FD_SETS; which++) {
        if (at[which] && !user_put(at[which], sets.word[which], bytes))
            return -EFAULT;
    }
    return result;
}

i64 sys_select(struct thread *t, const u64 *a)
{
    u64 deadline = ~0ul;
    struct linux_timeval wait;
    if (a[0] > VFS_POLLS)
        return -EINVAL;
    if (a[4]) {
        if (!user_get(&wait, a[4], sizeof wait))
            return -EFAULT;
        if (wait.seconds < 0 || wait.microseconds < 0)
            return -EINVAL;
        struct linux_timespec ns = { wait.seconds + wait.microseconds / 1000000, wait.microseconds % 1000000 * 1000 };
        deadline = timespec_ns(&ns) ? time_after(timespec_ns(&ns)) : 0;
    }
    return select_until(t, (u32)a[0], a + 1, deadline);
}

i64 sys_pselect6(struct thread *t, const u64 *a)
{
    u64 deadline, mask[2] = { 0, 0 };
    if (a[0] > VFS_POLLS)
        return -EINVAL;
    if (a[5] && !user_get(mask, a[5], sizeof mask))
        return -EFAULT;
    i64 err = deadline_of(a[4], &deadline);
    if (!err)
        err = swap_mask(t, mask[0], mask[1]);
    if (err)
        return err;
    err = select_until(t, (u32)a[0], a + 1, deadline);
    swap_back(t, err);
    return err;
}
