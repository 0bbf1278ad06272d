/* SPDX-License-Identifier: BSD-2-Clause */
/* node.c: inodes: what stat says, their life, and what chmod, chown and utimes change. */
#include "tmpfs.h"

struct node *node_make(struct tmpfsd_tx tx, u32 mode, u32 uid, u32 gid)
{
    struct node *n = node_new(tx);
    if (n) {
        n->mode = mode;
        n->uid = uid;
        n->gid = gid;
        n->atime = n->mtime = n->ctime = l4_wall();
        n->size = (mode & S_IFMT) == S_IFDIR ? 2 * ENTRY_SIZE : 0;
        l4_hook();
    }
    return n;
}

void node_stat(const struct node *n, struct fs_node *now)
{
    u64 pages = is_regular(n) ? pages_of(n->size) : is_link(n) && n->size >= LINK_SHORT ? 1 : 0;
    *now = (struct fs_node){
        .inode = node_ref(n), .size = n->size, .blocks = pages * (L4_PAGE_SIZE / 512), .mode = n->mode, .links = n->links, .uid = n->uid,
        .gid = n->gid, .device = n->device, .object = n->object, .atime = n->atime, .mtime = n->mtime, .ctime = n->ctime,
    };
}

void node_touch(struct tmpfsd_tx tx, const struct node *n)
{
    u64 now = l4_wall();
    node_set_mtime(tx, n, now);
    node_set_ctime(tx, n, now);
}

void node_links(struct tmpfsd_tx tx, const struct node *n, int more)
{
    node_set_links(tx, n, n->links + (u32)more);
    node_set_ctime(tx, n, l4_wall());
}

/* ---- the end ---- */
/* A directory that lost its name holds the one it was in, for "..". */
static void node_end(struct tmpfsd_tx tx, const struct node *n)
{
    const struct node *parent = is_directory(n) ? node_at(n->parent) : NULL;
    text_free(tx, n->target);
    node_free(tx, n);
    if (parent) {
        node_set_holds(tx, parent, parent->holds - 1);
        if (!parent->links && !parent->holds) {
            dead_add(tx, parent);
        }
    }
}

/* End the dead, up to the first that has an object to be given back. That one, if there is any. What one transaction does not get to
 * waits for the next death. */
static const struct node *dead_end(struct tmpfsd_tx tx)
{
    const struct node *n;
    for (u32 i = 0; (n = dead_first()) && !n->object && i < 64; i++) {
        dead_remove(tx, n);
        node_end(tx, n);
    }
    return n && n->object ? n : NULL;
}

void node_settle(struct tmpfsd_tx tx, const struct node *n)
{
    if (n->links || n->holds) {
        return;
    }
    dead_add(tx, n);
    if (bury_op_following(NULL)) {
        return;
    }
    n = dead_end(tx);
    if (n) {
        struct bury_op *op = bury_op_new(tx);
        op->node = node_ref(n);
        bury_op_send_drop(tx, op, n->object);
    }
}

struct l4_next bury_drop(struct tmpfsd_tx tx, const struct bury_op *op, l4_err_t err)
{
    const struct node *n = node_at(op->node);
    dead_remove(tx, n);
    node_end(tx, n);
    n = dead_end(tx);
    if (!n) {
        return bury_op_done(tx, op);
    }
    bury_op_set_node(tx, op, node_ref(n));
    return bury_op_send_drop(tx, op, n->object);
}

/* ---- methods ---- */
l4_err_t do_stat(u64 label, u64 inode, struct fs_node *now)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    node_stat(n, now);
    return L4_OK;
}

l4_err_t do_release(struct tmpfsd_tx tx, u64 label, u64 inode, u32 times)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (n->holds < times) {
        return FS_INVAL;
    }
    if (times) {
        node_set_holds(tx, n, n->holds - times);
        node_settle(tx, n);
    }
    return L4_OK;
}

static u32 ids_cleared(u32 mode)
{
    bool group = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    return mode & ~(u32)(S_ISUID | (group ? S_ISGID : 0));
}

l4_err_t do_change(struct tmpfsd_tx tx, u64 label, u64 inode, u32 which, u32 mode, u32 uid, u32 gid, u64 atime, u64 mtime, bool clear_ids,
                   struct fs_node *now)
{
    const struct node *from = node_at((u32)inode);
    if (!from) {
        return FS_NOENT;
    }
    struct node *n = node_edit(tx, from);
    if (which & FS_MODE) {
        n->mode = (n->mode & S_IFMT) | (mode & 07777);
    }
    n->uid = which & FS_OWNER ? uid : n->uid;
    n->gid = which & FS_GROUP ? gid : n->gid;
    if (which & (FS_OWNER | FS_GROUP) && clear_ids && !is_directory(n)) {
        n->mode = ids_cleared(n->mode);
    }
    n->atime = which & FS_ATIME ? atime : n->atime;
    n->mtime = which & FS_MTIME ? mtime : n->mtime;
    n->ctime = l4_wall();
    l4_hook();
    node_stat(n, now);
    return L4_OK;
}
