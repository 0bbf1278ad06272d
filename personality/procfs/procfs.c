/* SPDX-License-Identifier: BSD-2-Clause */
/* procfs.c: the table of methods, and those that nobody may use here. */
#include "procfs.h"

enum { PROC_MAGIC = 0x9fa0 };

static l4_err_t do_statfs(u64 label, struct fs_space *now)
{
    *now = (struct fs_space){ .type = PROC_MAGIC, .block = L4_PAGE_SIZE, .name = FS_NAME };
    return L4_OK;
}

/* Nothing is counted: an inode is what it says for as long as its process lives. */
static l4_err_t do_hold(struct procfsd_tx tx, u64 label, u64 inode, struct fs_node *now) { return do_stat(label, inode, now); }
static l4_err_t do_release(struct procfsd_tx tx, u64 label, u64 inode, u32 times) { return L4_OK; }
static l4_err_t do_sync(struct procfsd_tx tx, u64 label) { return L4_OK; }
/* `> /proc/axo/control` cuts it off first. */
static l4_err_t do_truncate(struct procfsd_tx tx, u64 label, u64 inode, u64 size) { return inode_is_control(inode) ? L4_OK : FS_PERM; }

static l4_err_t do_write(struct procfsd_tx tx, u64 label, u64 inode, u64 offset, bool append, u32 bytes, u32 window, u32 from, u32 *done, u64 *at,
                         u64 *size)
{
    return FS_IO;
}

static l4_err_t do_create(struct procfsd_tx tx, u64 label, u64 directory, u32 mode, u32 uid, u32 gid, u32 device, u32 window, u32 from,
                          u32 target_bytes, struct l4_bytes name, struct fs_node *made)
{
    struct fs_node found;
    l4_err_t err = do_lookup(label, directory, name, &found);
    return err == L4_OK ? FS_EXIST : err;
}

static l4_err_t do_link(struct procfsd_tx tx, u64 label, u64 directory, u64 inode, struct l4_bytes name) { return FS_PERM; }

static l4_err_t do_unlink(struct procfsd_tx tx, u64 label, u64 directory, bool directory_too, struct l4_bytes name)
{
    struct fs_node found;
    l4_err_t err = do_lookup(label, directory, name, &found);
    return err == L4_OK ? FS_PERM : err;
}

static l4_err_t do_stage(struct procfsd_tx tx, u64 label, u32 key, u64 directory, struct l4_bytes name) { return FS_PERM; }
static l4_err_t do_rename(struct procfsd_tx tx, u64 label, u32 key, u64 directory, u32 flags, struct l4_bytes name) { return FS_PERM; }

static l4_err_t do_change(struct procfsd_tx tx, u64 label, u64 inode, u32 which, u32 mode, u32 uid, u32 gid, u64 atime, u64 mtime, bool clear_ids,
                          struct fs_node *now)
{
    return FS_PERM;
}

static const struct procfsd_ops ops = {
    .fs_lookup = do_lookup, .fs_stat = do_stat, .fs_read = do_read, .fs_list = do_list, .fs_readlink = do_readlink, .fs_statfs = do_statfs,
    .fs_write = do_write, .fs_create = do_create, .fs_link = do_link, .fs_unlink = do_unlink, .fs_stage = do_stage, .fs_rename = do_rename,
    .fs_truncate = do_truncate, .fs_change = do_change, .fs_hold = do_hold, .fs_release = do_release, .fs_sync = do_sync,
    .fs_control = do_control,
    .census_tell = do_tell, .census_alive = do_alive, .census_load = do_load,
    .order_up = order_answered, .order_down = order_answered, .order_refresh = order_answered, .order_restart = order_answered,
    .order_update = order_answered, .order_kill = order_answered,
};

void l4_main(void) { procfsd_serve(&ops); }
