/* SPDX-License-Identifier: BSD-2-Clause */
/* proc.c: what in /proc vfs alone knows: who asks, and which files a process has open. procfs has the names; a node
 * of it with `object` not 0 is one of these (enum magic), of the process whose number is in `device` (0: whoever
 * asks). The directory of descriptors is listed and looked up here; links to open files lead to the file itself, not
 * to what its path means by now. */
#include "vfsd.h"
#include <l4/format.h>

u32 magic_of(u32 mount, const struct fs_node *node)
{
    return mount_is_proc(mount) && !is_regular(node) ? node->object : 0;
}

static const struct process *subject(const struct process *who, const struct fs_node *node)
{
    return node->device ? process_of_pid(node->device) : who;
}

/* Another's descriptors are for root and for who runs as the same user. */
static l4_err_t subject_permit(const struct process *who, const struct process *of)
{
    return !of ? VFS_NOENT : is_root(who) || who == of || who->who.fsuid == of->who.uid ? L4_OK : VFS_ACCESS;
}

/* A number without sign or needless zeros; ~0: none. */
static u32 number_of(struct l4_bytes name)
{
    u32 n = 0;
    if (name.length == 0 || name.length > 6 || (name.at[0] == '0' && name.length > 1)) {
        return ~0u;
    }
    for (u32 i = 0; i < name.length; i++) {
        if (name.at[i] < '0' || name.at[i] > '9') {
            return ~0u;
        }
        n = 10 * n + name.at[i] - '0';
    }
    return n;
}

static u64 fd_inode(const struct fs_node *fds, u32 fd) { return fds->inode << 12 | (1u << 11) | (fd & 2047); }

/* The link of descriptor `fd`, in the directory `fds`. `size` keeps the number. */
static void fd_node(const struct fs_node *fds, const struct file *f, u32 fd, struct fs_node *node)
{
    *node = *fds;
    node->inode = fd_inode(fds, fd);
    node->mode = S_IFLNK | 0100 | (f->may & VFSD_READ ? 0400 : 0) | (f->may & VFSD_WRITE ? 0200 : 0);
    node->links = 1;
    node->size = 64;
    node->blocks = fd;
    node->object = MAGIC_FD;
}

l4_err_t magic_lookup(const struct fs_node *fds, struct l4_bytes name, struct fs_node *found)
{
    const struct process *p = process_of_pid(fds->device);
    u32 fd = number_of(name);
    const struct file *f = p && fd != ~0u ? descriptor_file(p, fd) : NULL;
    if (!f) {
        return VFS_NOENT;
    }
    fd_node(fds, f, fd, found);
    return L4_OK;
}

l4_err_t magic_file(const struct process *who, const struct fs_node *link, const struct file **file)
{
    const struct process *p = subject(who, link);
    l4_err_t err = subject_permit(who, p);
    if (err) {
        return err;
    }
    switch (link->object) {
    case MAGIC_EXE:
        *file = file_at(p->program);
        break;
    case MAGIC_CWD:
        *file = file_at(p->directory);
        break;
    case MAGIC_ROOT:
        *file = file_at(p->root);
        break;
    case MAGIC_FD:
        *file = descriptor_file(p, (u32)link->blocks);
        break;
    default:
        *file = NULL;
    }
    return *file ? L4_OK : VFS_NOENT;
}

static void number_put(u8 *to, u32 *length, u32 n)
{
    u8 digit[10];
    u32 count = 0;
    do {
        digit[count++] = (u8)('0' + n % 10);
        n /= 10;
    } while (n);
    while (count) {
        to[(*length)++] = digit[--count];
    }
}

l4_err_t magic_text(const struct process *who, const struct fs_node *link, u32 window, u8 *to, u32 *length)
{
    const struct file *f;
    *length = 0;
    if (link->object == MAGIC_SELF || link->object == MAGIC_THREAD) {
        number_put(to, length, who->who.pid);
        if (link->object == MAGIC_THREAD) {
            memcpy(to + *length, "/task/", 6);
            *length += 6;
            number_put(to, length, who->who.pid);
        }
        return L4_OK;
    }
    l4_err_t err = magic_file(who, link, &f);
    return err ? err : path_text(who, f, window, to, length);
}

/* ---- struct linux_dirent64 ---- */
static bool entry_put(u64 inode, u64 next, u8 type, struct l4_bytes name, u32 most, u8 *to, u32 *length)
{
    u32 bytes = (19 + name.length + 1 + 7) & ~7u;
    if (*length + bytes > most) {
        return false;
    }
    u8 *at = to + *length;
    u16 size = (u16)bytes;
    memset(at, 0, bytes);
    memcpy(at, &inode, 8);
    memcpy(at + 8, &next, 8);
    memcpy(at + 16, &size, 2);
    at[18] = type;
    memcpy(at + 19, name.at, name.length);
    *length += bytes;
    return true;
}

/* The descriptors of a process; the cookie counts them, after "." and "..". */
l4_err_t magic_list(const struct fs_node *fds, u64 *cookie, u32 most, u8 *to, u32 *length)
{
    enum { TYPE_DIRECTORY = 4, TYPE_LINK = 10 };
    const struct process *p = process_of_pid(fds->device);
    *length = 0;
    if (!p) {
        return VFS_NOENT;
    }
    for (; *cookie < 2 + DESCRIPTORS; ++*cookie) {
        u32 at = (u32)*cookie, bytes = 0;
        u8 name[12];
        bool fits = true;
        if (at < 2) {
            fits = entry_put(fds->inode, at + 1, TYPE_DIRECTORY, l4_text(at ? ".." : "."), most, to, length);
        } else if (descriptor_file(p, at - 2)) {
            number_put(name, &bytes, at - 2);
            fits = entry_put(fd_inode(fds, at - 2), at + 1, TYPE_LINK, l4_bytes(name, bytes), most, to, length);
        }
        if (!fits) {
            return *length ? L4_OK : VFS_INVAL;
        }
    }
    return L4_OK;
}
