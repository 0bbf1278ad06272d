/* SPDX-License-Identifier: BSD-2-Clause */
/* open.c: open files and make them. The handler walks and checks; the op holds the inode (or creates it), cuts it
 * off for O_TRUNC, and gives the descriptor at its end. Until then the op is the file's only holder. */
#include "vfsd.h"

enum {
    O_KNOWN_PATH = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC,
    O_ONCE = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC
};

/* ---- what a file becomes ---- */
static struct file *file_make(struct vfsd_tx tx, const struct place *at, const struct walk *w, u32 flags)
{
    struct file *f = file_new(tx);
    if (!f) {
        return NULL;
    }
    u32 access = flags & O_ACCMODE;
    f->holders = 1;
    f->what = flags & O_PATH ? VFSD_PATH : is_directory(&at->node) ? VFSD_DIRECTORY : VFSD_REGULAR;
    f->may = flags & O_PATH       ? 0
             : access == 3        ? 0
             : access == O_RDWR   ? VFSD_READ | VFSD_WRITE
             : access == O_WRONLY ? VFSD_WRITE
                                  : VFSD_READ;
    f->flags = (flags & ~(u32)(O_ONCE | O_EXECUTE | O_CLOEXEC)) | (flags & O_PATH ? 0 : O_LARGEFILE);
    f->mount = at->mount;
    f->inode = at->node.inode;
    f->mode = at->node.mode;
    f->parent = w->parent;
    if (w->parent) {
        f->name_length = w->length;
        memcpy(names(tx, f), w->name, w->length);
    }
    return f;
}

/* Give the descriptor; the file's holder becomes it. */
static l4_err_t descriptor_give(struct vfsd_tx tx, u64 client, const struct file *f, u32 flags, u32 *fd)
{
    const struct process *p = process_of(client);
    l4_err_t err = p ? descriptor_find_for(p, flags, fd) : VFS_SRCH;
    if (!err && !descriptor_set(tx, p, *fd, f, flags & O_CLOEXEC)) {
        err = VFS_NFILE;
    }
    return err;
}

/* ---- steps ---- */
static struct l4_next opened(struct vfsd_tx tx, const struct open_op *op)
{
    u32 fd = 0;
    l4_err_t err = descriptor_give(tx, op->client, file_at(op->file), op->flags, &fd);
    if (err) {
        file_drop(tx, file_at(op->file));
    }
    return open_op_answer(tx, op, err, fd);
}

struct l4_next open_hold(struct vfsd_tx tx, const struct open_op *op, l4_err_t err, const struct fs_node *now)
{
    const struct file *f = file_at(op->file);
    if (err) {
        file_drop(tx, f);
        return open_op_answer(tx, op, err, 0);
    }
    file_set_open(tx, f, 1);
    if (op->flags & O_TRUNC && (now->size || op->strip)) {
        return open_op_send_truncate(tx, op, mount_fs(f->mount), f->inode, 0);
    }
    return opened(tx, op);
}

struct l4_next open_truncate(struct vfsd_tx tx, const struct open_op *op, l4_err_t err)
{
    if (err) {
        file_drop(tx, file_at(op->file));
        return open_op_answer(tx, op, err, 0);
    }
    const struct file *f = file_at(op->file);
    if (op->strip) {
        return open_op_send_strip(tx, op, mount_fs(f->mount), f->inode, FS_MODE, op->strip & 07777, 0, 0, 0, 0, false);
    }
    return opened(tx, op);
}

struct l4_next open_strip(struct vfsd_tx tx, const struct open_op *op, l4_err_t err, const struct fs_node *now)
{
    return opened(tx, op);
}

struct l4_next create_create(struct vfsd_tx tx, const struct create_op *op, l4_err_t err, const struct fs_node *made)
{
    u32 fd = 0;
    const struct file *f = file_at(op->file);
    if (!err) {
        struct file *e = file_edit(tx, f);
        e->inode = made->inode;
        e->mode = made->mode;
        e->open = 1;
        err = descriptor_give(tx, op->client, f, op->flags, &fd);
    }
    if (err) {
        file_drop(tx, f);
    }
    return create_op_answer(tx, op, err, fd);
}

/* ---- the handler ---- */
static l4_err_t create(struct vfsd_tx tx, const struct walk *w, u32 flags, u32 mode)
{
    const struct process *p = w->who;
    if (magic_of(w->here.mount, &w->here.node)) {
        return VFS_NOENT;
    }
    l4_err_t err = permit(p, &w->here.node, MAY_WRITE | MAY_EXEC);
    if (err) {
        return err;
    }
    u32 gid = w->here.node.mode & S_ISGID ? w->here.node.gid : p->who.fsgid;
    mode = (mode & 07777 & ~p->umask) | S_IFREG;
    if (mode & S_ISGID && mode & 010 && w->here.node.mode & S_ISGID && !is_root(p) && !in_group(p, gid)) {
        mode &= ~(u32)S_ISGID;
    }
    struct create_op *op = create_op_new(tx);
    struct place made = { .mount = w->here.mount, .node = { .mode = mode } };
    struct walk at = *w;
    at.parent = w->here.node.inode;
    struct file *f = op ? file_make(tx, &made, &at, flags) : NULL;
    if (!f) {
        return VFS_NFILE;
    }
    op->client = p->client;
    op->file = file_ref(f);
    op->flags = flags;
    return l4_later(create_op_send_create(
        tx, op, mount_fs(made.mount), w->here.node.inode, mode, p->who.fsuid, gid, 0, 0, 0, 0, walk_name(w)));
}

/* Linux's may_open: what kind it is, then the permission, then who else uses it. */
static l4_err_t may_open(const struct process *p, const struct place *at, u32 flags, u32 mask)
{
    u32 type = at->node.mode & S_IFMT;
    if (type == S_IFLNK) {
        return VFS_LOOP;
    }
    if (flags & O_EXECUTE && type != S_IFREG) {
        return VFS_ACCESS;
    }
    if (type == S_IFDIR && mask & MAY_WRITE) {
        return VFS_ISDIR;
    }
    l4_err_t err = permit(p, &at->node, mask);
    if (err) {
        return err;
    }
    if (flags & O_NOATIME && p->who.fsuid != at->node.uid && !is_root(p)) {
        return VFS_PERM;
    }
    if (type == S_IFSOCK) {
        return VFS_NXIO;
    }
    if (type == S_IFREG && mask & MAY_WRITE && inode_is_run(at->mount, at->node.inode)) {
        return VFS_TXTBSY;
    }
    return flags & O_EXECUTE && inode_is_written(at->mount, at->node.inode) ? VFS_TXTBSY : L4_OK;
}

/* The open end of a pipe that a link of /proc leads to. */
static l4_err_t open_pipe(
    struct vfsd_tx tx, const struct process *p, u64 label, const struct place *at, u32 flags, u32 *fd)
{
    struct walk nowhere = { .parent = 0 };
    struct file *f = file_make(tx, at, &nowhere, flags);
    if (!f) {
        return VFS_NFILE;
    }
    f->what = flags & O_PATH ? VFSD_PATH : VFSD_PIPE;
    f->tube = at->file->tube;
    if (f->what == VFSD_PATH) {
        return VFS_NXIO;
    }
    l4_err_t err = fifo_open(tx, p, label, at, flags, f);
    return err ? err : descriptor_give(tx, p->client, f, flags, fd);
}

static l4_err_t device_open(struct vfsd_tx tx, const struct process *p, const struct place *at, struct file *f)
{
    u32 line = 0;
    l4_err_t err = VFS_NXIO;
    if ((at->node.mode & S_IFMT) != S_IFCHR) {
        return err;
    }
    enum device_kind kind = device_kind(p, at->node.device, &line, &err);
    f->what = kind == DEVICE_TERMINAL ? VFSD_TERMINAL : VFSD_DEVICE;
    f->device = kind == DEVICE_TERMINAL ? line : kind;
    return kind == DEVICE_NONE ? err : L4_OK;
}

static l4_err_t open_there(struct vfsd_tx tx, u64 label, struct walk *w, u32 flags, u32 mask, u32 *fd)
{
    const struct process *p = w->who;
    const struct place *at = &w->here;
    l4_err_t err = flags & O_PATH ? L4_OK : may_open(p, at, flags, mask);
    if (err) {
        return err;
    }
    if (at->mount == NODE_PIPES) {
        return open_pipe(tx, p, label, at, flags, fd);
    }
    struct open_op *op = open_op_new(tx);
    struct file *f = op ? file_make(tx, at, w, flags) : NULL;
    if (!f) {
        return VFS_NFILE;
    }
    u32 type = at->node.mode & S_IFMT;
    if (!(flags & O_PATH) && type != S_IFREG && type != S_IFDIR) {
        err = type == S_IFIFO ? fifo_open(tx, p, label, at, flags, f) : device_open(tx, p, at, f);
        flags &= ~(u32)O_TRUNC;
    }
    if (err) {
        return err;
    }
    op->client = label;
    op->file = file_ref(f);
    op->flags = flags;
    op->strip = flags & O_TRUNC ? mode_stripped(p, &at->node) : 0;
    return l4_later(open_op_send_hold(tx, op, mount_fs(f->mount), f->inode));
}

/* Find what is to be opened, or the directory where it is to be made (`*missing`). */
static l4_err_t open_walk(
    struct walk *w, const struct process *p, u32 directory, struct l4_bytes path, u32 flags, bool *missing)
{
    bool follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    *missing = false;
    if (!(flags & O_CREAT)) {
        return walk(w, p, directory, path, follow);
    }
    l4_err_t err = walk_begin(w, p, directory, path);
    for (u32 again = 0; !err; again++) {
        err = again ? L4_OK : walk_parent(w);
        if (err) {
            return err;
        }
        if (w->last != LAST_NAME) {
            return walk_last(w, follow);
        }
        if (w->slash) {
            return VFS_ISDIR;
        }
        err = walk_step(w, follow, missing);
        if (err != L4_PENDING) {
            return err;
        }
        err = L4_OK;
    }
    return err;
}

l4_err_t do_open(struct vfsd_tx tx, u64 label, u32 directory, u32 flags, u32 mode, struct l4_bytes path, u32 *fd)
{
    struct walk w;
    bool missing;
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    if (flags & O_EXECUTE) {
        flags = O_EXECUTE | O_CLOEXEC;
    }
    if (flags & O_TMPFILE) {
        return (flags & O_DIRECTORY) && (flags & O_ACCMODE) != 0 ? VFS_OPNOTSUPP : VFS_INVAL;
    }
    flags = flags & O_PATH ? flags & O_KNOWN_PATH : flags;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        return VFS_INVAL;
    }
    u32 access = flags & O_ACCMODE;
    u32 mask = flags & O_EXECUTE    ? MAY_EXEC
               : access == 3        ? MAY_READ | MAY_WRITE
               : access == O_RDWR   ? MAY_READ | MAY_WRITE
               : access == O_WRONLY ? MAY_WRITE
                                    : MAY_READ;
    mask |= flags & O_TRUNC ? MAY_WRITE : 0;
    if (path.length == 0) {
        return VFS_NOENT;
    }
    l4_err_t err = descriptor_find_for(p, flags, fd);
    if (!err && !table_has_room(p, vfsd_state()->file_table.live, ROOM_OF(file))) {
        return VFS_NFILE;
    }
    if (!err) {
        err = open_walk(&w, p, directory, path, flags, &missing);
    }
    if (err) {
        return err;
    }
    if (missing) {
        return create(tx, &w, flags, mode);
    }
    if (flags & O_CREAT && flags & O_EXCL) {
        return VFS_EXIST;
    }
    if (flags & O_CREAT && is_directory(&w.here.node)) {
        return VFS_ISDIR;
    }
    if (flags & O_DIRECTORY && !is_directory(&w.here.node)) {
        return VFS_NOTDIR;
    }
    return open_there(tx, label, &w, flags, mask, fd);
}
