/* SPDX-License-Identifier: BSD-2-Clause */
/* directory.c: entries: looked up, made, linked, removed. The order of checks is Linux's. */
#include "tmpfs.h"

const struct node *directory_at(u64 inode, l4_err_t *err)
{
    const struct node *n = node_at((u32)inode);
    *err = !n ? FS_NOENT : !is_directory(n) ? FS_NOTDIR : !n->links ? FS_NOENT : L4_OK;
    return *err == L4_OK ? n : NULL;
}

l4_err_t do_lookup(u64 label, u64 directory, struct l4_bytes name, struct fs_node *found)
{
    const struct node *d = node_at((u32)directory);
    if (!d || name.length == 0) {
        return FS_NOENT;
    }
    if (!is_directory(d)) {
        return FS_NOTDIR;
    }
    const struct node *n = d;
    if (!name_is_special(name)) {
        const struct name *e = name_find(node_ref(d), name);
        n = e ? node_at(e->inode) : NULL;
    } else if (name.length == 2) {
        n = node_at(d->parent);
    }
    if (!n) {
        return FS_NOENT;
    }
    node_stat(n, found);
    return L4_OK;
}

l4_err_t do_readlink(u64 label, u64 inode, u32 window, u32 from, u32 *done)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (!is_link(n) || !window_is_good(window, from, n->size)) {
        return FS_INVAL;
    }
    text_copy(n->target, window_at(window, from), (u32)n->size);
    *done = (u32)n->size;
    return L4_OK;
}

/* ---- making ---- */
struct node *entry_make(struct tmpfsd_tx tx, const struct node *directory, u32 mode, u32 uid, u32 gid, struct l4_bytes name)
{
    struct node *n = node_make(tx, mode, uid, gid);
    if (!n || name_add(tx, directory, n, name) != L4_OK) {
        return NULL;
    }
    n->links = 1;
    if (is_directory(n)) {
        n->links = 2;
        n->parent = node_ref(directory);
        node_links(tx, directory, 1);
    }
    l4_hook();
    return n;
}

static bool type_is_good(u32 mode)
{
    u32 type = mode & S_IFMT;
    return type == S_IFREG || type == S_IFDIR || type == S_IFLNK || type == S_IFIFO || type == S_IFSOCK || type == S_IFCHR || type == S_IFBLK;
}

l4_err_t do_create(struct tmpfsd_tx tx, u64 label, u64 directory, u32 mode, u32 uid, u32 gid, u32 device, u32 window, u32 from,
                   u32 target_bytes, struct l4_bytes name, struct fs_node *made)
{
    l4_err_t err;
    const struct node *d = directory_at(directory, &err);
    bool link = (mode & S_IFMT) == S_IFLNK;
    if (!d) {
        return err;
    }
    if (name.length == 0 || !type_is_good(mode) || (link && (!target_bytes || target_bytes > 4095 || !window_is_good(window, from, target_bytes)))) {
        return FS_INVAL;
    }
    if (name_is_special(name) || name_find(node_ref(d), name)) {
        return FS_EXIST;
    }
    struct node *n = entry_make(tx, d, mode, uid, gid, name);
    if (!n) {
        return FS_NOSPC;
    }
    if (link) {
        n->target = text_make(tx, window_at(window, from), target_bytes);
        n->size = target_bytes;
        if (!n->target) {
            return FS_NOSPC;
        }
    } else if ((mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK) {
        n->device = device;
    }
    n->holds = 1;
    l4_hook();
    node_stat(n, made);
    return L4_OK;
}

l4_err_t do_link(struct tmpfsd_tx tx, u64 label, u64 directory, u64 inode, struct l4_bytes name)
{
    l4_err_t err;
    const struct node *d = directory_at(directory, &err), *n = node_at((u32)inode);
    if (!d || name.length == 0) {
        return d ? FS_NOENT : err;
    }
    if (name_is_special(name) || name_find(node_ref(d), name)) {
        return FS_EXIST;
    }
    if (!n || !n->links) {
        return FS_NOENT;
    }
    if (is_directory(n)) {
        return FS_PERM;
    }
    err = name_add(tx, d, n, name);
    if (err == L4_OK) {
        node_links(tx, n, 1);
    }
    return err;
}

/* ---- removing ---- */
void entry_remove(struct tmpfsd_tx tx, const struct name *e)
{
    const struct node *n = node_at(e->inode), *directory = node_at(e->directory);
    name_remove(tx, e);
    node_links(tx, n, is_directory(n) ? -2 : -1);
    if (is_directory(n)) {
        node_links(tx, directory, -1);
        node_set_holds(tx, directory, directory->holds + 1);       /* as long as `n` lives, for its ".." */
    }
    node_settle(tx, n);
}

l4_err_t do_unlink(struct tmpfsd_tx tx, u64 label, u64 directory, bool directory_too, struct l4_bytes name)
{
    l4_err_t err;
    const struct node *d = directory_at(directory, &err);
    if (!d || name.length == 0) {
        return d ? FS_NOENT : err;
    }
    if (name_is_special(name)) {
        return !directory_too ? FS_ISDIR : name.length == 2 ? FS_NOTEMPTY : FS_INVAL;
    }
    const struct name *e = name_find(node_ref(d), name);
    if (!e) {
        return FS_NOENT;
    }
    const struct node *n = node_at(e->inode);
    if (is_directory(n) != directory_too) {
        return directory_too ? FS_NOTDIR : FS_ISDIR;
    }
    if (directory_too && entries_of_first(n)) {
        return FS_NOTEMPTY;
    }
    entry_remove(tx, e);
    return L4_OK;
}
