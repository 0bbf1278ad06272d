/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs.c: the file system in memory: its table of methods. */
#include "tmpfs.h"

enum { TMPFS_MAGIC = 0x01021994 };

static l4_err_t do_statfs(u64 label, struct fs_space *now)
{
    struct vm_totals memory = { 0 };
    l4_err_t err = vm_total((cap_t)l4_volatile.door[TMPFSD_USES_VM], &memory);
    u64 limit = err ? 0 : memory.file_limit, left = err || memory.file_pages > limit ? 0 : limit - memory.file_pages;
    *now = (struct fs_space){
        .type = TMPFS_MAGIC, .block = L4_PAGE_SIZE, .blocks = limit, .free = left < memory.free ? left : memory.free, .files = TMPFSD_NODES,
        .free_files = TMPFSD_NODES - tmpfsd_state()->node_table.live, .name = FS_NAME,
    };
    return L4_OK;
}

static l4_err_t do_sync(struct tmpfsd_tx tx, u64 label) { return L4_OK; }

static l4_err_t do_control(struct tmpfsd_tx tx, u64 label, u64 inode, u32 uid, u32 bytes, u32 window, u32 from, u32 *done)
{
    *done = 0;
    return bytes ? FS_INVAL : L4_OK;        /* there are no such files here */
}

static const struct tmpfsd_ops ops = {
    .hooks.start = do_start,
    .lookup = do_lookup, .stat = do_stat, .read = do_read, .list = do_list, .readlink = do_readlink, .statfs = do_statfs,
    .write = do_write, .create = do_create, .link = do_link, .unlink = do_unlink, .stage = do_stage, .rename = do_rename,
    .truncate = do_truncate, .change = do_change, .hold = do_hold, .release = do_release, .sync = do_sync, .control = do_control,
    .load_head = load_head, .load_rest = load_rest, .load_more = load_more, .load_drop = load_drop,
    .hold_adopt = hold_adopt, .hold_room = hold_room,
    .write_adopt = write_adopt, .write_room = write_room, .write_make = write_make, .write_move = write_move, .write_grow = write_grow,
    .truncate_adopt = truncate_adopt, .truncate_room = truncate_room, .truncate_make = truncate_make, .truncate_move = truncate_move, .truncate_resize = truncate_resize,
    .bury_drop = bury_drop,
};

void l4_main(void) { tmpfsd_serve(&ops); }
