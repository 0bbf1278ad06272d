/* SPDX-License-Identifier: BSD-2-Clause */
/* poll.c: poll. Whoever waits is run again whenever anything changes that somebody could wait for, and when a
 * deadline passes. */
#include "vfsd.h"
#include <l4/clock.h>

enum { ALWAYS = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };

void pollers_wake(struct vfsd_tx tx) { polled_wake(tx, 1); }

void poll_timeout(struct vfsd_tx tx) { polled_wake(tx, 1); }

static u32 events_of(const struct process *p, u32 fd)
{
    const struct file *f = descriptor_file(p, fd);
    if (!f || f->what == VFSD_PATH) {
        return POLLNVAL;
    }
    return f->what == VFSD_PIPE ? pipe_poll(f) : f->what == VFSD_TERMINAL ? terminal_poll(f) : ALWAYS;
}

/* Let the loop wake up for it. */
static void deadline_note(u64 deadline)
{
    struct l4_volatile *v = &l4_volatile;
    if (deadline != ~0ul && (!v->deadline || deadline < v->deadline)) {
        v->deadline = deadline;
    }
}

l4_err_t do_poll(struct vfsd_tx tx, u64 label, u64 deadline, const struct vfs_poll *asked, u32 count, u32 *ready,
                 struct vfs_poll *answered, u32 *length)
{
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    *ready = 0;
    for (u32 i = 0; i < count; i++) {
        struct vfs_poll q = asked[i];
        u32 always = POLLERR | POLLHUP | POLLNVAL;
        q.got = q.file < 0 ? 0 : (u16)(events_of(p, (u32)q.file) & (q.events | always));
        *ready += q.got != 0;
        answered[i] = q;
    }
    *length = count;
    if (*ready || deadline == 0 || (deadline != ~0ul && l4_now() >= deadline)) {
        return L4_OK;
    }
    deadline_note(deadline);
    return polled_wait(1);
}
