/* SPDX-License-Identifier: BSD-2-Clause */
/* directory.c: a process's working directory, root and umask. Directories are open files of the sort `path`. */
#include "vfsd.h"

/* The place of a working directory or root, not yet held at its file system. */
static struct file *place_make(struct vfsd_tx tx, const struct place *at)
{
    struct file *f = file_new(tx);
    if (f) {
        f->what = VFSD_PATH;
        f->flags = O_PATH;
        f->holders = 1;
        f->mount = at->mount;
        f->inode = at->node.inode;
        f->mode = at->node.mode;
    }
    return f;
}

static l4_err_t directory_find(const struct process *p, struct l4_bytes path, struct walk *w)
{
    l4_err_t err = walk(w, p, VFS_HERE, path, true);
    if (!err && !is_directory(&w->here.node)) {
        err = VFS_NOTDIR;
    }
    return err ? err : permit(p, &w->here.node, MAY_EXEC);
}

static void directory_change(struct vfsd_tx tx, const struct process *p, const struct file *to)
{
    const struct file *old = file_at(p->directory);
    process_set_directory(tx, p, file_ref(to));
    file_drop(tx, old);
}

static l4_err_t chdir_file(struct vfsd_tx tx, const struct process *p, u32 fd)
{
    struct fs_node node;
    const struct file *f = fd == VFS_HERE ? file_at(p->directory) : descriptor_file(p, fd);
    l4_err_t err = f ? file_stat(f, &node) : VFS_BADF;
    if (!err && !is_directory(&node)) {
        err = VFS_NOTDIR;
    }
    if (!err) {
        err = permit(p, &node, MAY_EXEC);
    }
    if (!err) {
        file_hold(tx, f);
        directory_change(tx, p, f);
    }
    return err;
}

l4_err_t do_chdir(struct vfsd_tx tx, u64 label, u32 directory, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    if (path.length == 0) {
        return directory == VFS_HERE ? VFS_NOENT : chdir_file(tx, p, directory);
    }
    l4_err_t err = directory_find(p, path, &w);
    if (err) {
        return err;
    }
    struct chdir_op *op = chdir_op_new(tx);
    struct file *f = op ? place_make(tx, &w.here) : NULL;
    if (!f) {
        return VFS_NOMEM;
    }
    op->client = label;
    op->file = file_ref(f);
    return l4_later(chdir_op_send_hold(tx, op, mount_fs(f->mount), f->inode));
}

struct l4_next chdir_hold(struct vfsd_tx tx, const struct chdir_op *op, l4_err_t err, const struct fs_node *now)
{
    const struct process *p = process_of(op->client);
    const struct file *f = file_at(op->file);
    if (!err) {
        file_set_open(tx, f, 1);
    }
    if (err || !p) {
        file_drop(tx, f);
    } else {
        directory_change(tx, p, f);
    }
    return chdir_op_answer(tx, op, err);
}

l4_err_t do_chroot(struct vfsd_tx tx, u64 label, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    l4_err_t err = p ? directory_find(p, path, &w) : VFS_SRCH;
    if (!err && p->who.euid != 0) {
        err = VFS_PERM;
    }
    if (err) {
        return err;
    }
    struct chroot_op *op = chroot_op_new(tx);
    struct file *f = op ? place_make(tx, &w.here) : NULL;
    if (!f) {
        return VFS_NOMEM;
    }
    op->client = label;
    op->file = file_ref(f);
    return l4_later(chroot_op_send_hold(tx, op, mount_fs(f->mount), f->inode));
}

struct l4_next chroot_hold(struct vfsd_tx tx, const struct chroot_op *op, l4_err_t err, const struct fs_node *now)
{
    const struct process *p = process_of(op->client);
    const struct file *f = file_at(op->file);
    if (!err) {
        file_set_open(tx, f, 1);
    }
    if (err || !p) {
        file_drop(tx, f);
    } else {
        const struct file *old = file_at(p->root);
        process_set_root(tx, p, op->file);
        file_drop(tx, old);
    }
    return chroot_op_answer(tx, op, err);
}

l4_err_t do_getcwd(u64 label, u8 *path, u32 *length)
{
    const struct process *p = process_of(label);
    return p ? path_text(p, file_at(p->directory), window_of(path), path, length) : VFS_SRCH;
}

l4_err_t do_umask(struct vfsd_tx tx, u64 label, u32 mask, u32 *was)
{
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    *was = p->umask;
    process_set_umask(tx, p, mask & 0777);
    return L4_OK;
}
