/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer.c: bytes between files and windows. A file system copies straight into or out of the caller's window;
 * reading is a retry call down inside the handler, writing an op. */
#include "vfsd.h"

enum { ENTRY_MOST = 280 };

/* The open file behind a number, with what a transfer needs of it. */
static const struct file *file_for(u64 label, u32 fd, u32 may, l4_err_t *err)
{
    const struct process *p = process_of(label);
    const struct file *f = p ? descriptor_file(p, fd) : NULL;
    bool program = f && fd == VFS_PROGRAM && may == VFSD_READ;
    *err = !f || (!program && (f->what == VFSD_PATH || !(f->may & may))) ? VFS_BADF : L4_OK;
    return f;
}

static u32 less(u64 a, u64 b) { return (u32)(a < b ? a : b); }

l4_err_t do_read(struct vfsd_tx tx, u64 label, u32 fd, u32 most, u8 *data, u32 *length)
{
    l4_err_t err;
    const struct file *f = file_for(label, fd, VFSD_READ, &err);
    bool more = most & VFS_MORE;
    most = less(most & ~VFS_MORE, VFS_DATA);
    if (err) {
        return err;
    }
    switch (f->what) {
    case VFSD_REGULAR:
        err = fs_read(mount_door(f->mount), f->inode, f->position, most, window_of(data), window_from(data), length);
        if (!err && *length) {
            file_set_position(tx, f, f->position + *length);
        }
        return err;
    case VFSD_DIRECTORY:
        return VFS_ISDIR;
    case VFSD_PIPE:
        return pipe_read(tx, f, most, more, data, length);
    case VFSD_TERMINAL:
        return most ? terminal_read(tx, process_of(label), f, most, more, data) : L4_OK;
    case VFSD_DEVICE:
        device_read(f->device, data, most, length);
        return L4_OK;
    default:
        return VFS_BADF;
    }
}

l4_err_t do_read_at(u64 label, u32 fd, u64 offset, u32 most, u8 *data, u32 *length)
{
    l4_err_t err;
    const struct file *f = file_for(label, fd, VFSD_READ, &err);
    most = less(most & ~VFS_MORE, VFS_DATA);
    if (f && (f->what == VFSD_PIPE || f->what == VFSD_TERMINAL)) {
        return VFS_SPIPE;
    }
    if (err) {
        return err;
    }
    if (f->what == VFSD_DIRECTORY) {
        return VFS_ISDIR;
    }
    if (f->what == VFSD_DEVICE) {
        device_read(f->device, data, most, length);
        return L4_OK;
    }
    return fs_read(mount_door(f->mount), f->inode, offset, most, window_of(data), window_from(data), length);
}

/* What RLIMIT_FSIZE leaves of a transfer. */
static l4_err_t size_permit(const struct process *p, u64 at, u32 *bytes)
{
    if (at >= p->who.size) {
        return VFS_XFSZ;
    }
    *bytes = less(*bytes, p->who.size - at);
    return L4_OK;
}

/* The end of the file as far as a limit needs it. */
static l4_err_t size_check(const struct process *p, const struct file *f, u64 at, u32 *bytes)
{
    struct fs_node node;
    if (p->who.size == ~0ul) {
        return L4_OK;
    }
    if (f->flags & O_APPEND) {
        l4_err_t err = file_stat(f, &node);
        if (err) {
            return err;
        }
        at = node.size;
    }
    return size_permit(p, at, bytes);
}

/* What is left of the mode of an open file that is written: for root, who keeps all, nobody need ask. */
static u32 file_stripped(const struct process *p, const struct file *f)
{
    struct fs_node node;
    return is_root(p) || file_stat(f, &node) != L4_OK ? 0 : mode_stripped(p, &node);
}

static l4_err_t write_regular(struct vfsd_tx tx, const struct process *p, const struct file *f, struct l4_bytes data)
{
    u32 bytes = data.length, window = window_of(data.at), from = window_from(data.at);
    if (mount_is_proc(f->mount)) {
        struct order_op *order = order_op_new(tx);
        if (!order) {
            return VFS_AGAIN;
        }
        order->file = file_ref(f);
        return l4_later(order_op_send_text(tx, order, mount_fs(f->mount), f->inode, p->who.fsuid, bytes, window, from));
    }
    l4_err_t err = size_check(p, f, f->position, &bytes);
    if (err) {
        return err;
    }
    struct write_op *op = write_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->file = file_ref(f);
    op->strip = file_stripped(p, f);
    return l4_later(write_op_send_data(
        tx, op, mount_fs(f->mount), f->inode, f->position, f->flags & O_APPEND, bytes, window, from));
}

l4_err_t do_write(struct vfsd_tx tx, u64 label, u32 fd, struct l4_bytes data, u32 *done)
{
    l4_err_t err;
    const struct file *f = file_for(label, fd & ~(u32)VFS_BOLD, VFSD_WRITE, &err);
    if (err) {
        return err;
    }
    switch (f->what) {
    case VFSD_REGULAR:
        return data.length ? write_regular(tx, process_of(label), f, data) : L4_OK;
    case VFSD_PIPE:
        return pipe_write(tx, f, data, done);
    case VFSD_TERMINAL:
        return data.length ? terminal_write(tx, process_of(label), f, data, fd & VFS_BOLD) : L4_OK;
    case VFSD_DEVICE:
        *done = data.length;
        return f->device == DEVICE_FULL && data.length ? VFS_NOSPC : L4_OK;
    default:
        return VFS_BADF;
    }
}

struct l4_next write_data(struct vfsd_tx tx, const struct write_op *op, l4_err_t err, u32 done, u64 at, u64 size)
{
    const struct file *f = file_at(op->file);
    if (err || !f) {
        return write_op_answer(tx, op, err, done);
    }
    file_set_position(tx, f, at + done);
    write_op_set_bytes(tx, op, done);
    if (op->strip) {
        return write_op_send_strip(tx, op, mount_fs(f->mount), f->inode, FS_MODE, op->strip & 07777, 0, 0, 0, 0, false);
    }
    return write_op_answer(tx, op, L4_OK, done);
}

struct l4_next write_strip(struct vfsd_tx tx, const struct write_op *op, l4_err_t err, const struct fs_node *now)
{
    return write_op_answer(tx, op, L4_OK, op->bytes);
}

struct l4_next order_text(struct vfsd_tx tx, const struct order_op *op, l4_err_t err, u32 done)
{
    return order_op_answer(tx, op, err, done);
}

l4_err_t do_write_at(struct vfsd_tx tx, u64 label, u32 fd, u64 offset, struct l4_bytes data, u32 *done)
{
    l4_err_t err;
    const struct process *p = process_of(label);
    const struct file *f = file_for(label, fd, VFSD_WRITE, &err);
    u32 bytes = data.length;
    if (f && (f->what == VFSD_PIPE || f->what == VFSD_TERMINAL)) {
        return VFS_SPIPE;
    }
    if (err) {
        return err;
    }
    if (f->what == VFSD_DEVICE) {
        *done = bytes;
        return f->device == DEVICE_FULL && bytes ? VFS_NOSPC : L4_OK;
    }
    if (f->what != VFSD_REGULAR) {
        return VFS_BADF;
    }
    err = bytes ? size_check(p, f, offset, &bytes) : L4_OK;
    if (err || !bytes) {
        return err;
    }
    struct write_at_op *op = write_at_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->file = file_ref(f);
    op->strip = file_stripped(p, f);
    return l4_later(write_at_op_send_data(tx, op, mount_fs(f->mount), f->inode, offset, f->flags & O_APPEND, bytes,
        window_of(data.at), window_from(data.at)));
}

struct l4_next write_at_data(struct vfsd_tx tx, const struct write_at_op *op, l4_err_t err, u32 done, u64 at, u64 size)
{
    const struct file *f = file_at(op->file);
    if (err || !f || !op->strip) {
        return write_at_op_answer(tx, op, err, done);
    }
    write_at_op_set_bytes(tx, op, done);
    return write_at_op_send_strip(tx, op, mount_fs(f->mount), f->inode, FS_MODE, op->strip & 07777, 0, 0, 0, 0, false);
}

struct l4_next write_at_strip(struct vfsd_tx tx, const struct write_at_op *op, l4_err_t err, const struct fs_node *now)
{
    return write_at_op_answer(tx, op, L4_OK, op->bytes);
}

/* ---- the position ---- */
enum { FROM_START = 0, FROM_HERE = 1, FROM_END = 2, FROM_DATA = 3, FROM_HOLE = 4 };

static l4_err_t seek_regular(const struct file *f, i64 offset, u32 from, i64 *at)
{
    struct fs_node node;
    l4_err_t err = from >= FROM_END ? file_stat(f, &node) : L4_OK;
    if (err) {
        return err;
    }
    switch (from) {
    case FROM_START:
        *at = offset;
        return L4_OK;
    case FROM_HERE:
        return __builtin_add_overflow((i64)f->position, offset, at) ? VFS_OVERFLOW : L4_OK;
    case FROM_END:
        return __builtin_add_overflow((i64)node.size, offset, at) ? VFS_OVERFLOW : L4_OK;
    default:
        *at = from == FROM_HOLE ? (i64)node.size : offset;
        return offset < 0 || offset >= (i64)node.size ? VFS_NXIO : L4_OK;
    }
}

l4_err_t do_seek(struct vfsd_tx tx, u64 label, u32 fd, i64 offset, u32 from, u64 *to)
{
    i64 at = 0;
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f || f->what == VFSD_PATH) {
        return VFS_BADF;
    }
    if (from > FROM_HOLE) {
        return VFS_INVAL;
    }
    if (f->what == VFSD_PIPE || f->what == VFSD_TERMINAL) {
        return VFS_SPIPE;
    }
    if (f->what == VFSD_DEVICE) {
        *to = 0;
        return L4_OK;
    }
    if (f->what == VFSD_DIRECTORY && from > FROM_HERE) {
        return VFS_INVAL;
    }
    l4_err_t err = seek_regular(f, offset, from, &at);
    if (err) {
        return err;
    }
    if (at < 0) {
        return VFS_INVAL;
    }
    if ((u64)at != f->position) {
        file_set_position(tx, f, (u64)at);
    }
    *to = (u64)at;
    return L4_OK;
}

/* ---- directories ---- */
static l4_err_t entries_read(const struct file *f, u64 *cookie, u32 most, u8 *entries, u32 *length)
{
    struct fs_node node;
    if (mount_is_proc(f->mount)) {
        l4_err_t err = file_stat(f, &node);
        if (err) {
            return err;
        }
        if (magic_of(f->mount, &node) == MAGIC_FDS) {
            return magic_list(&node, cookie, most, entries, length);
        }
    }
    u64 next = *cookie;
    cap_t door = mount_door(f->mount);
    u32 window = window_of(entries), from = window_from(entries);
    l4_err_t err = fs_list(door, f->inode, *cookie, most, window, from, length, &next);
    if (!err && *length == 0 && most < ENTRY_MOST) {
        err = fs_list(door, f->inode, *cookie, ENTRY_MOST, window, from, length, &next);
        return err ? err : *length ? VFS_INVAL : L4_OK;
    }
    *cookie = next;
    return err;
}

l4_err_t do_list(struct vfsd_tx tx, u64 label, u32 fd, u32 most, u8 *entries, u32 *length)
{
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f || f->what == VFSD_PATH) {
        return VFS_BADF;
    }
    if (f->what != VFSD_DIRECTORY) {
        return VFS_NOTDIR;
    }
    u64 cookie = f->position;
    l4_err_t err = entries_read(f, &cookie, less(most, VFS_DATA), entries, length);
    if (!err && cookie != f->position) {
        file_set_position(tx, f, cookie);
    }
    return err;
}

/* ---- memory ---- */
l4_err_t do_map(
    struct vfsd_tx tx, u64 label, u32 fd, u64 offset, u64 address, u64 bytes, u32 protection, u32 how, u64 *at)
{
    struct fs_node node;
    const struct process *p = process_of(label);
    const struct file *f = p ? descriptor_file(p, fd) : NULL;
    bool program = f && fd == VFS_PROGRAM, shared = how & VM_SHARED;
    if (!f || (f->what == VFSD_PATH && !program)) {
        return VFS_BADF;
    }
    bool may_write = f->may & VFSD_WRITE && f->may & VFSD_READ;
    if (!program && (!(f->may & VFSD_READ) || (shared && protection & VM_W && !may_write))) {
        return VFS_ACCESS;
    }
    l4_err_t err =
        f->what == VFSD_PIPE || f->what == VFSD_TERMINAL || f->what == VFSD_DEVICE ? VFS_NODEV : file_stat(f, &node);
    if (err || !is_regular(&node) || !node.object) {
        return err ? err : VFS_NODEV;
    }
    struct map_op *op = map_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    op->file = file_ref(f);
    u32 most = VM_R | VM_X | (!shared || may_write ? VM_W : 0);
    return l4_later(
        map_op_send_object(tx, op, label, node.object, offset, address, bytes, protection, how, most, f->inode));
}

struct l4_next map_object(struct vfsd_tx tx, const struct map_op *op, l4_err_t err, u64 at)
{
    return map_op_answer(tx, op, err, at);
}

/* ---- sync ---- */
enum { FILE_SYSTEMS = 4 };

/* The next file system after `fs` that is mounted; FILE_SYSTEMS: none. */
static u32 fs_after(u32 fs)
{
    while (++fs < FILE_SYSTEMS && !l4_volatile.door[VFSD_USES_FS + fs]) {
    }
    return fs < FILE_SYSTEMS ? fs : FILE_SYSTEMS;
}

l4_err_t do_sync(struct vfsd_tx tx, u64 label, u32 fd)
{
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_HERE ? descriptor_file(p, fd) : NULL;
    if (fd != VFS_HERE && (!f || f->what == VFSD_PATH)) {
        return VFS_BADF;
    }
    if (f && f->what != VFSD_REGULAR && f->what != VFSD_DIRECTORY) {
        return VFS_INVAL;
    }
    struct sync_op *op = sync_op_new(tx);
    if (!op) {
        return VFS_AGAIN;
    }
    u32 first = f ? mount_fs(f->mount) : 0;
    op->last = f ? FILE_SYSTEMS : 0;
    return l4_later(sync_op_send_fs(tx, op, first));
}

struct l4_next sync_fs(struct vfsd_tx tx, const struct sync_op *op, l4_err_t err)
{
    u32 next = op->last == FILE_SYSTEMS ? FILE_SYSTEMS : fs_after(op->last);
    if (next == FILE_SYSTEMS) {
        return sync_op_answer(tx, op, err == FS_NOSYS ? L4_OK : err);
    }
    sync_op_set_last(tx, op, next);
    return sync_op_send_fs(tx, op, next);
}
