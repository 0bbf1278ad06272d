/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c: the path of what is open, made from the end to the start. A directory's names are found in its parents, so
 * they are right after any rename; another file's name is where it was opened, with " (deleted)" when it is no
 * longer there. */
#include "vfsd.h"

struct text {
    const struct process *who;
    u8 *to;                 /* VFS_PATH bytes; what is made lies at its end */
    u32 at, window;
};

static l4_err_t text_put(struct text *t, const void *from, u32 bytes)
{
    if (bytes > t->at) {
        return VFS_NAMETOOLONG;
    }
    t->at -= bytes;
    memcpy(t->to + t->at, from, bytes);
    return L4_OK;
}

/* The name of `inode` in a directory: read through the part of the window behind `to`, where nothing else lies now. */
static l4_err_t entry_find(struct text *t, u32 mount, u64 directory, u64 inode)
{
    enum { ROOM = 4096 };
    u32 from = window_from(t->to) == SCRATCH ? SCRATCH - ROOM : SCRATCH, done;
    u64 cookie = 0;
    const u8 *entries = window_at(t->window, from);
    for (;;) {
        l4_err_t err = fs_list(mount_door(mount), directory, cookie, ROOM, t->window, from, &done, &cookie);
        if (err || done == 0) {
            return err ? err : VFS_NOENT;
        }
        for (u32 i = 0; i + 20 <= done; ) {
            u64 number;
            u16 size;
            memcpy(&number, entries + i, 8);
            memcpy(&size, entries + i + 16, 2);
            if (size < 20 || i + size > done) {
                return VFS_IO;
            }
            const u8 *name = entries + i + 19;
            u32 length = (u32)strnlen((const char *)name, size - 19);
            bool dots = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
            if (number == inode && !dots) {
                l4_err_t bad = text_put(t, name, length);
                return bad ? bad : text_put(t, "/", 1);
            }
            i += size;
        }
    }
}

static l4_err_t directory_text(struct text *t, u32 mount, u64 inode)
{
    const struct file *root = file_at(t->who->root);
    while (mount != root->mount || inode != root->inode) {
        struct fs_node up;
        while (inode == mount_root(mount) && mount_at(mount)->on) {
            const struct mount *m = mount_at(mount);
            inode = m->covered;
            mount = m->on;
        }
        if (inode == mount_root(mount)) {
            break;          /* outside of the root: as far as there is a name */
        }
        l4_err_t err = fs_lookup(mount_door(mount), inode, l4_text(".."), &up);
        if (!err) {
            err = entry_find(t, mount, up.inode, inode);
        }
        if (err) {
            return err;
        }
        inode = up.inode;
    }
    return L4_OK;
}

static l4_err_t file_text(struct text *t, const struct file *f)
{
    struct fs_node there;
    struct l4_bytes name = l4_bytes(names_const(f), f->name_length);
    bool is_there = fs_lookup(mount_door(f->mount), f->parent, name, &there) == L4_OK && there.inode == f->inode;
    l4_err_t err = is_there ? L4_OK : text_put(t, " (deleted)", 10);
    if (!err) {
        err = text_put(t, name.at, name.length);
    }
    if (!err) {
        err = text_put(t, "/", 1);
    }
    if (!err) {
        err = directory_text(t, f->mount, f->parent);
    }
    return err;
}

static void pipe_text(const struct file *f, u8 *to, u32 *length)
{
    u8 digit[20];
    u32 count = 0;
    u64 n = pipe_at(f->tube)->inode;
    memcpy(to, "pipe:[", 6);
    *length = 6;
    do {
        digit[count++] = (u8)('0' + n % 10);
        n /= 10;
    } while (n);
    while (count) {
        to[(*length)++] = digit[--count];
    }
    to[(*length)++] = ']';
}

l4_err_t path_text(const struct process *who, const struct file *f, u32 window, u8 *to, u32 *length)
{
    struct text t = { who, to, VFS_PATH, window };
    if (f->what == VFSD_PIPE && !f->open) {
        pipe_text(f, to, length);
        return L4_OK;
    }
    bool by_name = (f->mode & S_IFMT) != S_IFDIR && f->name_length;
    l4_err_t err = by_name ? file_text(&t, f) : directory_text(&t, f->mount, f->inode);
    if (!err && t.at == VFS_PATH) {
        err = text_put(&t, "/", 1);
    }
    if (err) {
        return err;
    }
    *length = VFS_PATH - t.at;
    memmove(to, to + t.at, *length);
    return L4_OK;
}
