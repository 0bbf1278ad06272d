/* SPDX-License-Identifier: BSD-2-Clause */
/* change.c: modes, owners, times and sizes. */
#include "vfsd.h"

enum { PERMISSIONS = 07777, SET_ATIME = 1, SET_MTIME = 2, NOW_ATIME = 4, NOW_MTIME = 8 };

/* The file that a call is about: by path, or the descriptor itself if the path is empty. */
static l4_err_t subject(const struct process *p, u32 directory, u32 flags, struct l4_bytes path, struct place *at)
{
    struct walk w;
    l4_err_t err;
    if (path.length == 0) {
        const struct file *f = directory == VFS_HERE && flags & AT_EMPTY_PATH ? file_at(p->directory)
                             : directory == VFS_HERE ? NULL : descriptor_file(p, directory);
        if (!f || (f->what == VFSD_PATH && !(flags & AT_EMPTY_PATH))) {
            return directory == VFS_HERE ? VFS_NOENT : VFS_BADF;
        }
        *at = (struct place){ .mount = f->mount, .file = f };
        err = file_stat(f, &at->node);
    } else {
        err = walk(&w, p, directory, path, !(flags & AT_SYMLINK_NOFOLLOW));
        *at = w.here;
    }
    return err ? err : at->mount == NODE_PIPES ? VFS_PERM : L4_OK;
}

static bool is_owner(const struct process *p, const struct fs_node *n) { return is_root(p) || p->who.fsuid == n->uid; }

l4_err_t do_chmod(struct vfsd_tx tx, u64 label, u32 directory, u32 mode, u32 flags, struct l4_bytes path)
{
    struct place at;
    const struct process *p = process_of(label);
    l4_err_t err = p ? subject(p, directory, flags, path, &at) : VFS_SRCH;
    if (err) {
        return err;
    }
    if (is_link(&at.node)) {
        return VFS_OPNOTSUPP;
    }
    if (!is_owner(p, &at.node)) {
        return VFS_PERM;
    }
    mode &= PERMISSIONS;
    if (!is_root(p) && !in_group(p, at.node.gid)) {
        mode &= ~(u32)S_ISGID;
    }
    struct chmod_op *op = chmod_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->mount = at.mount;
    return l4_later(chmod_op_send_node(tx, op, mount_fs(at.mount), at.node.inode, FS_MODE, mode, 0, 0, 0, 0, false));
}

struct l4_next chmod_node(struct vfsd_tx tx, const struct chmod_op *op, l4_err_t err, const struct fs_node *now)
{
    return chmod_op_answer(tx, op, err);
}

l4_err_t do_chown(struct vfsd_tx tx, u64 label, u32 directory, u32 uid, u32 gid, u32 flags, struct l4_bytes path)
{
    struct place at;
    const struct process *p = process_of(label);
    l4_err_t err = p ? subject(p, directory, flags, path, &at) : VFS_SRCH;
    if (err) {
        return err;
    }
    bool owner = p->who.fsuid == at.node.uid;
    bool uid_may = uid == VFS_NOBODY || is_root(p) || (owner && uid == at.node.uid);
    bool gid_may = gid == VFS_NOBODY || is_root(p) || (owner && (in_group(p, gid) || gid == at.node.gid));
    if (!uid_may || !gid_may) {
        return VFS_PERM;
    }
    u32 which = (uid == VFS_NOBODY ? 0 : FS_OWNER) | (gid == VFS_NOBODY ? 0 : FS_GROUP);
    struct chown_op *op = chown_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->mount = at.mount;
    return l4_later(chown_op_send_node(
        tx, op, mount_fs(at.mount), at.node.inode, which, 0, uid, gid, 0, 0, !is_directory(&at.node)));
}

struct l4_next chown_node(struct vfsd_tx tx, const struct chown_op *op, l4_err_t err, const struct fs_node *now)
{
    return chown_op_answer(tx, op, err);
}

l4_err_t do_utimes(
    struct vfsd_tx tx, u64 label, u32 directory, u32 which, u64 atime, u64 mtime, u32 flags, struct l4_bytes path)
{
    struct place at;
    const struct process *p = process_of(label);
    l4_err_t err = p ? subject(p, directory, flags, path, &at) : VFS_SRCH;
    if (err) {
        return err;
    }
    if (!is_owner(p, &at.node)) {
        if (which != (NOW_ATIME | NOW_MTIME)) {
            return VFS_PERM;
        }
        err = permit(p, &at.node, MAY_WRITE);
        if (err) {
            return err;
        }
    }
    u32 what = (which & (SET_ATIME | NOW_ATIME) ? FS_ATIME : 0) | (which & (SET_MTIME | NOW_MTIME) ? FS_MTIME : 0);
    struct utimes_op *op = what ? utimes_op_new(tx) : NULL;
    if (!op) {
        return what ? VFS_AGAIN : L4_OK;
    }
    u64 now = time_now();
    op->mount = at.mount;
    return l4_later(utimes_op_send_node(tx, op, mount_fs(at.mount), at.node.inode, what, 0, 0, 0,
        which & NOW_ATIME ? now : atime, which & NOW_MTIME ? now : mtime, false));
}

struct l4_next utimes_node(struct vfsd_tx tx, const struct utimes_op *op, l4_err_t err, const struct fs_node *now)
{
    return utimes_op_answer(tx, op, err);
}

/* ---- sizes ---- */
l4_err_t do_truncate(struct vfsd_tx tx, u64 label, u32 fd, u64 size)
{
    struct fs_node node;
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f || f->what == VFSD_PATH) {
        return VFS_BADF;
    }
    if ((i64)size < 0 || f->what != VFSD_REGULAR || !(f->may & VFSD_WRITE)) {
        return VFS_INVAL;
    }
    if (size > p->who.size) {
        return VFS_XFSZ;
    }
    struct truncate_op *op = truncate_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->file = file_ref(f);
    op->strip = is_root(p) || file_stat(f, &node) != L4_OK ? 0 : mode_stripped(p, &node);
    return l4_later(truncate_op_send_size(tx, op, mount_fs(f->mount), f->inode, size));
}

struct l4_next truncate_size(struct vfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    const struct file *f = file_at(op->file);
    if (err || !f || !op->strip) {
        return truncate_op_answer(tx, op, err);
    }
    return truncate_op_send_strip(tx, op, mount_fs(f->mount), f->inode, FS_MODE, op->strip & 07777, 0, 0, 0, 0, false);
}

struct l4_next truncate_strip(struct vfsd_tx tx, const struct truncate_op *op, l4_err_t err, const struct fs_node *now)
{
    return truncate_op_answer(tx, op, L4_OK);
}

l4_err_t do_truncate_path(struct vfsd_tx tx, u64 label, u64 size, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    l4_err_t err = !p ? VFS_SRCH : (i64)size < 0 ? VFS_INVAL : walk(&w, p, VFS_HERE, path, true);
    if (err) {
        return err;
    }
    if (!is_regular(&w.here.node)) {
        return is_directory(&w.here.node) ? VFS_ISDIR : VFS_INVAL;
    }
    err = permit(p, &w.here.node, MAY_WRITE);
    if (err) {
        return err;
    }
    if (inode_is_run(w.here.mount, w.here.node.inode)) {
        return VFS_TXTBSY;
    }
    struct truncate_path_op *op = size > p->who.size ? NULL : truncate_path_op_new(tx);
    if (!op) {
        return size > p->who.size ? VFS_XFSZ : VFS_AGAIN;
    }
    op->mount = w.here.mount;
    op->inode = w.here.node.inode;
    op->strip = mode_stripped(p, &w.here.node);
    return l4_later(truncate_path_op_send_size(tx, op, mount_fs(w.here.mount), w.here.node.inode, size));
}

struct l4_next truncate_path_size(struct vfsd_tx tx, const struct truncate_path_op *op, l4_err_t err)
{
    if (err || !op->strip) {
        return truncate_path_op_answer(tx, op, err);
    }
    return truncate_path_op_send_strip(
        tx, op, mount_fs(op->mount), op->inode, FS_MODE, op->strip & 07777, 0, 0, 0, 0, false);
}

struct l4_next truncate_path_strip(
    struct vfsd_tx tx, const struct truncate_path_op *op, l4_err_t err, const struct fs_node *now)
{
    return truncate_path_op_answer(tx, op, L4_OK);
}
