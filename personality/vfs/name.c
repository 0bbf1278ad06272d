/* SPDX-License-Identifier: BSD-2-Clause */
/* name.c: names made, removed and moved. The order of checks is that of Linux's fs/namei.c: the path, what is there
 * already, then the permission. */
#include "vfsd.h"

enum { NO_REPLACE = 1, EXCHANGE = 2, PERMISSIONS = 07777, RENAME_KEY = 1 };

static l4_err_t may_create(const struct walk *w) { return permit(w->who, &w->here.node, MAY_WRITE | MAY_EXEC); }

/* Whether a name may go from a directory: Linux's may_delete. */
static l4_err_t may_delete(
    const struct process *p, const struct fs_node *directory, const struct place *victim, bool directory_too)
{
    l4_err_t err = permit(p, directory, MAY_WRITE | MAY_EXEC);
    if (err) {
        return err;
    }
    bool sticky =
        directory->mode & S_ISVTX && p->who.fsuid != victim->node.uid && p->who.fsuid != directory->uid && !is_root(p);
    if (sticky) {
        return VFS_PERM;
    }
    if (directory_too) {
        return is_directory(&victim->node) ? L4_OK : VFS_NOTDIR;
    }
    return is_directory(&victim->node) ? VFS_ISDIR : L4_OK;
}

static bool is_mounted(const struct walk *w, const struct place *at) { return at->mount != w->here.mount; }

/* ---- made ---- */
static u32 group_for(const struct walk *w)
{
    return w->here.node.mode & S_ISGID ? w->here.node.gid : w->who->who.fsgid;
}

l4_err_t do_make_directory(struct vfsd_tx tx, u64 label, u32 directory, u32 mode, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    l4_err_t err = p ? walk_new(&w, p, directory, path, true) : VFS_SRCH;
    if (!err) {
        err = may_create(&w);
    }
    if (err) {
        return err;
    }
    struct make_directory_op *op = make_directory_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->mount = w.here.mount;
    mode = (mode & 01777 & ~p->umask) | S_IFDIR | (w.here.node.mode & S_ISGID);
    return l4_later(make_directory_op_send_create(
        tx, op, mount_fs(op->mount), w.here.node.inode, mode, p->who.fsuid, group_for(&w), 0, 0, 0, 0, walk_name(&w)));
}

struct l4_next make_directory_create(
    struct vfsd_tx tx, const struct make_directory_op *op, l4_err_t err, const struct fs_node *made)
{
    return err ? make_directory_op_answer(tx, op, err)
               : make_directory_op_send_release(tx, op, mount_fs(op->mount), made->inode, 1);
}

struct l4_next make_directory_release(struct vfsd_tx tx, const struct make_directory_op *op, l4_err_t err)
{
    return make_directory_op_answer(tx, op, L4_OK);
}

l4_err_t do_make_node(struct vfsd_tx tx, u64 label, u32 directory, u32 mode, u32 device, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
    bool is_device = type == S_IFCHR || type == S_IFBLK;
    if (!p) {
        return VFS_SRCH;
    }
    if (!is_device && type != S_IFREG && type != S_IFIFO && type != S_IFSOCK) {
        return type == S_IFDIR ? VFS_PERM : VFS_INVAL;
    }
    l4_err_t err = walk_new(&w, p, directory, path, false);
    if (!err) {
        err = may_create(&w);
    }
    if (!err && is_device && !is_root(p)) {
        err = VFS_PERM;
    }
    struct make_node_op *op = err ? NULL : make_node_op_new(tx);
    if (!op) {
        return err ? err : VFS_AGAIN;
    }
    op->mount = w.here.mount;
    return l4_later(make_node_op_send_create(tx, op, mount_fs(op->mount), w.here.node.inode,
        (mode & PERMISSIONS & ~p->umask) | type, p->who.fsuid, group_for(&w), is_device ? device : 0, 0, 0, 0,
        walk_name(&w)));
}

struct l4_next make_node_create(
    struct vfsd_tx tx, const struct make_node_op *op, l4_err_t err, const struct fs_node *made)
{
    return err ? make_node_op_answer(tx, op, err)
               : make_node_op_send_release(tx, op, mount_fs(op->mount), made->inode, 1);
}

struct l4_next make_node_release(struct vfsd_tx tx, const struct make_node_op *op, l4_err_t err)
{
    return make_node_op_answer(tx, op, L4_OK);
}

l4_err_t do_symlink(struct vfsd_tx tx, u64 label, u32 directory, struct l4_bytes target, struct l4_bytes path)
{
    struct walk w;
    const struct process *p = process_of(label);
    if (!p || target.length == 0) {
        return p ? VFS_NOENT : VFS_SRCH;
    }
    l4_err_t err = walk_new(&w, p, directory, path, false);
    if (!err) {
        err = may_create(&w);
    }
    struct symlink_op *op = err ? NULL : symlink_op_new(tx);
    if (!op) {
        return err ? err : VFS_AGAIN;
    }
    op->mount = w.here.mount;
    return l4_later(symlink_op_send_create(tx, op, mount_fs(op->mount), w.here.node.inode, S_IFLNK | 0777, p->who.fsuid,
        group_for(&w), 0, window_of(target.at), window_from(target.at), target.length, walk_name(&w)));
}

struct l4_next symlink_create(struct vfsd_tx tx, const struct symlink_op *op, l4_err_t err, const struct fs_node *made)
{
    return err ? symlink_op_answer(tx, op, err) : symlink_op_send_release(tx, op, mount_fs(op->mount), made->inode, 1);
}

struct l4_next symlink_release(struct vfsd_tx tx, const struct symlink_op *op, l4_err_t err)
{
    return symlink_op_answer(tx, op, L4_OK);
}

/* What is to get another name, found by path, or by its descriptor if the path is empty. */
static l4_err_t link_source(const struct process *p, u32 from, u32 flags, struct l4_bytes old, struct place *source)
{
    struct walk w;
    if (old.length == 0 && flags & AT_EMPTY_PATH) {
        const struct file *f = descriptor_file(p, from);
        if (!f || !is_root(p)) {
            return f ? VFS_NOENT : VFS_BADF;
        }
        *source = (struct place){ .mount = f->mount };
        return file_stat(f, &source->node);
    }
    l4_err_t err = walk(&w, p, from, old, flags & AT_SYMLINK_FOLLOW);
    *source = w.here;
    return err;
}

/* As with Linux's fs.protected_hardlinks, which Debian sets: others may only link to a plain file that they may read and write. */
static l4_err_t may_link(const struct process *p, const struct fs_node *n)
{
    bool runs_as_group = (n->mode & (S_ISGID | 010)) == (S_ISGID | 010);
    if (is_root(p) || p->who.fsuid == n->uid) {
        return L4_OK;
    }
    bool is_safe = is_regular(n) && !(n->mode & S_ISUID) && !runs_as_group && permit(p, n, MAY_READ | MAY_WRITE) == L4_OK;
    return is_safe ? L4_OK : VFS_PERM;
}

l4_err_t do_link(struct vfsd_tx tx, u64 label, u32 from, u32 to, u32 flags, struct l4_bytes old, struct l4_bytes new)
{
    struct walk w;
    struct place source;
    const struct process *p = process_of(label);
    if (!p || flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) {
        return p ? VFS_INVAL : VFS_SRCH;
    }
    l4_err_t err = link_source(p, from, flags, old, &source);
    if (!err) {
        err = walk_new(&w, p, to, new, false);
    }
    if (!err && source.mount != w.here.mount) {
        err = VFS_XDEV;
    }
    if (!err) {
        err = may_link(p, &source.node);
    }
    if (!err) {
        err = may_create(&w);
    }
    if (!err && (is_directory(&source.node) || magic_of(source.mount, &source.node))) {
        err = VFS_PERM;
    }
    if (!err && source.node.links == 0) {
        err = VFS_NOENT;
    }
    struct link_op *op = err ? NULL : link_op_new(tx);
    if (!op) {
        return err ? err : VFS_AGAIN;
    }
    op->mount = w.here.mount;
    return l4_later(
        link_op_send_name(tx, op, mount_fs(op->mount), w.here.node.inode, source.node.inode, walk_name(&w)));
}

struct l4_next link_name(struct vfsd_tx tx, const struct link_op *op, l4_err_t err)
{
    return link_op_answer(tx, op, err);
}

/* ---- removed ---- */
static l4_err_t unlink_check(const struct walk *w, struct place *victim, bool directory_too)
{
    if (w->last != LAST_NAME) {
        return !directory_too        ? VFS_ISDIR
               : w->last == LAST_UP  ? VFS_NOTEMPTY
               : w->last == LAST_DOT ? VFS_INVAL
                                     : VFS_BUSY;
    }
    l4_err_t err = walk_peek(w, victim);
    if (err) {
        return err;
    }
    if (!directory_too && w->slash) {
        return is_directory(&victim->node) ? VFS_ISDIR : VFS_NOTDIR;
    }
    err = may_delete(w->who, &w->here.node, victim, directory_too);
    return err ? err : is_mounted(w, victim) ? VFS_BUSY : magic_of(victim->mount, &victim->node) ? VFS_PERM : L4_OK;
}

l4_err_t do_unlink(struct vfsd_tx tx, u64 label, u32 directory, u32 flags, struct l4_bytes path)
{
    struct walk w;
    struct place victim;
    bool directory_too = flags & AT_REMOVEDIR;
    const struct process *p = process_of(label);
    l4_err_t err = p ? walk_begin(&w, p, directory, path) : VFS_SRCH;
    if (!err) {
        err = walk_parent(&w);
    }
    if (!err) {
        err = unlink_check(&w, &victim, directory_too);
    }
    struct unlink_op *op = err ? NULL : unlink_op_new(tx);
    if (!op) {
        return err ? err : VFS_AGAIN;
    }
    op->mount = w.here.mount;
    return l4_later(unlink_op_send_name(tx, op, mount_fs(op->mount), w.here.node.inode, directory_too, walk_name(&w)));
}

struct l4_next unlink_name(struct vfsd_tx tx, const struct unlink_op *op, l4_err_t err)
{
    return unlink_op_answer(tx, op, err);
}

/* ---- moved ---- */
/* Whether `inode` is `at` or above it. */
static bool is_above(u64 inode, const struct walk *at)
{
    u64 here = at->here.node.inode;
    for (u32 deep = 0; deep < 4096; deep++) {
        struct fs_node up;
        if (here == inode) {
            return true;
        }
        if (here == mount_root(at->here.mount) ||
            fs_lookup(mount_door(at->here.mount), here, l4_text(".."), &up) != L4_OK) {
            return false;
        }
        here = up.inode;
    }
    return false;
}

/* What both names must be; `*there`: something has the new one. */
static l4_err_t rename_names(
    const struct walk *from, const struct walk *to, u32 flags, struct place *old, struct place *new, bool *there)
{
    l4_err_t err = walk_peek(from, old);
    if (err) {
        return err;
    }
    err = walk_peek(to, new);
    *there = err == L4_OK;
    if (err && err != FS_NOENT) {
        return err;
    }
    if (*there ? (flags & NO_REPLACE) : (flags & EXCHANGE)) {
        return *there ? VFS_EXIST : VFS_NOENT;
    }
    if (flags & EXCHANGE && !is_directory(&new->node) && to->slash) {
        return VFS_NOTDIR;
    }
    if (!is_directory(&old->node) && (from->slash || (!(flags & EXCHANGE) && to->slash))) {
        return VFS_NOTDIR;
    }
    if (is_directory(&old->node) && is_above(old->node.inode, to)) {
        return VFS_INVAL;
    }
    if (*there && is_directory(&new->node) && is_above(new->node.inode, from)) {
        return flags & EXCHANGE ? VFS_INVAL : VFS_NOTEMPTY;
    }
    return L4_OK;
}

/* Linux's vfs_rename, up to the file system. `*same`: both names are one inode's, nothing is to be done. */
static l4_err_t rename_permit(const struct walk *from, const struct walk *to, u32 flags, const struct place *old,
    const struct place *new, bool there, bool *same)
{
    const struct process *p = from->who;
    bool is_dir = is_directory(&old->node), other = from->here.node.inode != to->here.node.inode;
    *same = there && old->node.inode == new->node.inode && old->mount == new->mount;
    if (*same) {
        return L4_OK;
    }
    l4_err_t err = may_delete(p, &from->here.node, old, is_dir);
    if (!err) {
        err = !there ? may_create(to)
                     : may_delete(p, &to->here.node, new, flags & EXCHANGE ? is_directory(&new->node) : is_dir);
    }
    if (!err && other && is_dir) {
        err = permit(p, &old->node, MAY_WRITE);
    }
    if (!err && other && flags & EXCHANGE && is_directory(&new->node)) {
        err = permit(p, &new->node, MAY_WRITE);
    }
    return err ? err : is_mounted(from, old) || (there && is_mounted(to, new)) ? VFS_BUSY : L4_OK;
}

l4_err_t do_rename(
    struct vfsd_tx tx, u64 label, u32 from, u32 to, u32 flags, struct l4_bytes old_path, struct l4_bytes new_path)
{
    struct walk a, b;
    struct place old, new;
    bool there, same;
    const struct process *p = process_of(label);
    if (!p || flags & ~(u32)(NO_REPLACE | EXCHANGE) || flags == (NO_REPLACE | EXCHANGE)) {
        return p ? VFS_INVAL : VFS_SRCH;
    }
    l4_err_t err = walk_begin(&a, p, from, old_path);
    if (!err) {
        err = walk_parent(&a);
    }
    if (!err) {
        err = walk_begin(&b, p, to, new_path);
    }
    if (!err) {
        err = walk_parent(&b);
    }
    if (err) {
        return err;
    }
    if (a.here.mount != b.here.mount) {
        return VFS_XDEV;
    }
    if (a.last != LAST_NAME) {
        return VFS_BUSY;
    }
    if (b.last != LAST_NAME) {
        return flags & NO_REPLACE ? VFS_EXIST : VFS_BUSY;
    }
    err = rename_names(&a, &b, flags, &old, &new, &there);
    if (!err) {
        err = rename_permit(&a, &b, flags, &old, &new, there, &same);
    }
    if (err || same) {
        return err;
    }
    struct rename_op *op = rename_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->mount = a.here.mount;
    op->flags = flags;
    op->directory = b.here.node.inode;
    op->length = b.length;
    memcpy(op->name, b.name, b.length);
    return l4_later(rename_op_send_stage(tx, op, mount_fs(op->mount), RENAME_KEY, a.here.node.inode, walk_name(&a)));
}

struct l4_next rename_stage(struct vfsd_tx tx, const struct rename_op *op, l4_err_t err)
{
    if (err) {
        return rename_op_answer(tx, op, err);
    }
    return rename_op_send_name(
        tx, op, mount_fs(op->mount), RENAME_KEY, op->directory, op->flags, l4_bytes(op->name, op->length));
}

struct l4_next rename_name(struct vfsd_tx tx, const struct rename_op *op, l4_err_t err)
{
    return rename_op_answer(tx, op, err);
}
