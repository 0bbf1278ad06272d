/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.c: what is known of files, without change. */
#include "vfsd.h"

enum { PIPE_MAGIC = 0x50495045 };

static const struct file *file_or_here(const struct process *p, u32 fd)
{
    return fd == VFS_HERE ? file_at(p->directory) : descriptor_file(p, fd);
}

l4_err_t do_stat_file(u64 label, u32 fd, struct vfs_result *found)
{
    const struct process *p = process_of(label);
    const struct file *f = p ? file_or_here(p, fd) : NULL;
    if (!f) {
        return p ? VFS_BADF : VFS_SRCH;
    }
    found->mount = f->mount;
    return file_stat(f, &found->file);
}

l4_err_t do_stat(u64 label, u32 directory, u32 flags, struct l4_bytes path, struct vfs_result *found)
{
    struct walk w;
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    if (path.length == 0 && flags & AT_EMPTY_PATH) {
        return do_stat_file(label, directory, found);
    }
    l4_err_t err = walk(&w, p, directory, path, !(flags & AT_SYMLINK_NOFOLLOW));
    if (!err) {
        *found = (struct vfs_result){ w.here.node, w.here.mount };
    }
    return err;
}

l4_err_t do_access(u64 label, u32 directory, u32 mode, u32 flags, struct l4_bytes path)
{
    struct walk w;
    struct fs_node node;
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    struct process as = *p;
    if (!(flags & AT_EACCESS)) {
        as.who.fsuid = p->who.uid;
        as.who.fsgid = p->who.gid;
    }
    if (path.length == 0 && flags & AT_EMPTY_PATH) {
        const struct file *f = file_or_here(p, directory);
        l4_err_t err = f ? file_stat(f, &node) : VFS_BADF;
        return err ? err : permit(&as, &node, mode);
    }
    l4_err_t err = walk(&w, &as, directory, path, !(flags & AT_SYMLINK_NOFOLLOW));
    return err ? err : permit(&as, &w.here.node, mode);
}

static l4_err_t link_read(const struct process *p, u32 mount, const struct fs_node *node, u8 *target, u32 *length)
{
    u32 window = window_of(target);
    return magic_of(mount, node) ? magic_text(p, node, window, target, length)
                                 : fs_readlink(mount_door(mount), node->inode, window, window_from(target), length);
}

l4_err_t do_readlink(u64 label, u32 directory, struct l4_bytes path, u8 *target, u32 *length)
{
    struct walk w;
    struct fs_node node;
    const struct process *p = process_of(label);
    if (!p) {
        return VFS_SRCH;
    }
    if (path.length == 0) {
        const struct file *f = directory == VFS_HERE ? NULL : descriptor_file(p, directory);
        l4_err_t err = f ? file_stat(f, &node) : directory == VFS_HERE ? VFS_NOENT : VFS_BADF;
        return err ? err : is_link(&node) ? link_read(p, f->mount, &node, target, length) : VFS_NOENT;
    }
    l4_err_t err = walk(&w, p, directory, path, false);
    return err ? err : is_link(&w.here.node) ? link_read(p, w.here.mount, &w.here.node, target, length) : VFS_INVAL;
}

l4_err_t do_statfs(u64 label, u32 directory, struct l4_bytes path, struct fs_space *found)
{
    struct walk w;
    const struct process *p = process_of(label);
    u32 mount;
    if (!p) {
        return VFS_SRCH;
    }
    if (path.length == 0) {
        const struct file *f = directory == VFS_HERE ? NULL : descriptor_file(p, directory);
        if (!f) {
            return directory == VFS_HERE ? VFS_NOENT : VFS_BADF;
        }
        mount = f->mount;
    } else {
        l4_err_t err = walk(&w, p, directory, path, true);
        if (err) {
            return err;
        }
        mount = w.here.mount;
    }
    if (mount == NODE_PIPES) {
        *found = (struct fs_space){ .type = PIPE_MAGIC, .block = PIPE_BUF, .name = FS_NAME };
        return L4_OK;
    }
    return fs_statfs(mount_door(mount), found);
}
