/* SPDX-License-Identifier: BSD-2-Clause */
/* file.c: open files. One lives as long as descriptors, processes (working directory, root, program) or ops hold it.
 * Its inode is held at its file system from `open` on; the op `sweep` lets inodes of closed files go, one after the
 * other.
 *
 * INVARIANT held: file.open != 0  =>  its file system counts one holder of file.inode for it.
 * INVARIANT sweep: closing or dying is not empty  <=>  state.sweeping and the op exists. */
#include "vfsd.h"

void file_hold(struct vfsd_tx tx, const struct file *f) { file_set_holders(tx, f, f->holders + 1); }

l4_err_t file_stat(const struct file *f, struct fs_node *node)
{
    if (f->what == VFSD_PIPE && !f->open) {
        pipe_node(pipe_at(f->tube), node);
        return L4_OK;
    }
    return fs_stat(mount_door(f->mount), f->inode, node);
}

bool inode_is_written(u32 mount, u64 inode)
{
    for (const struct file *f = file_following(NULL); f; f = file_following(f)) {
        if (f->what == VFSD_REGULAR && f->may & VFSD_WRITE && f->holders && f->inode == inode && f->mount == mount) {
            return true;
        }
    }
    return false;
}

bool inode_is_run(u32 mount, u64 inode)
{
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        const struct file *f = file_at(p->program);
        if (f && f->inode == inode && f->mount == mount) {
            return true;
        }
    }
    return false;
}

/* ---- the end of an open file ---- */
enum { PIECE = 1500 };

/* Send the next message of the sweep: an inode to release, or, when chunks alone are left, one that releases
 * nothing. */
static struct l4_next sweep_on(struct vfsd_tx tx, const struct sweep_op *op)
{
    while (dying_first() && l4_undo_log()->top < PIECE) {
        const struct chunk *c = dying_first();
        dying_remove(tx, c);
        chunk_close(tx, c, ~0u);
        chunk_free(tx, c);
    }
    const struct file *f = closing_first();
    if (f) {
        sweep_op_set_file(tx, op, file_ref(f));
        return sweep_op_send_drop(tx, op, mount_fs(f->mount), f->inode, 1);
    }
    sweep_op_set_file(tx, op, 0);
    if (dying_first()) {
        return sweep_op_send_drop(tx, op, 0, FS_ROOT, 0);
    }
    vfsd_set_sweeping(tx, false);
    return sweep_op_done(tx, op);
}

struct l4_next sweep_drop(struct vfsd_tx tx, const struct sweep_op *op, l4_err_t err)
{
    const struct file *f = file_at(op->file);
    if (f) {
        closing_remove(tx, f);
        file_free(tx, f);
    }
    return sweep_on(tx, op);
}

/* What is in the lists is looked at once the first message is answered. */
static void sweep_begin(struct vfsd_tx tx, const struct file *f)
{
    if (vfsd_state()->sweeping) {
        return;
    }
    struct sweep_op *op = sweep_op_new(tx);
    op->file = f ? file_ref(f) : 0;
    vfsd_set_sweeping(tx, true);
    sweep_op_send_drop(tx, op, f ? mount_fs(f->mount) : 0, f ? f->inode : FS_ROOT, f ? 1 : 0);
}

void sweep_chunk(struct vfsd_tx tx, const struct chunk *c)
{
    dying_add(tx, c);
    sweep_begin(tx, NULL);
}

void file_drop(struct vfsd_tx tx, const struct file *f)
{
    file_set_holders(tx, f, f->holders - 1);
    if (f->holders) {
        return;
    }
    if (f->what == VFSD_PIPE) {
        pipe_close(tx, f);
    }
    if (f->locks) {
        file_set_locks(tx, f, 0);
        locked_wake(tx, 1);
    }
    if (f->open) {
        closing_add(tx, f);
        sweep_begin(tx, f);
    } else {
        file_free(tx, f);
    }
}
