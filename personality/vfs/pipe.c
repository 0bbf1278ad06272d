/* SPDX-License-Identifier: BSD-2-Clause */
/* pipe.c: pipes and FIFOs: a ring of up to 64 KB. Free ring space is outside undo: what is written there counts once
 * `fill` does.
 *
 * INVARIANT ends: readers and writers count the open files of each side, one that is both in both. A pipe without
 * any is free. */
#include "vfsd.h"

enum { FIFO_READER = 1, FIFO_WRITER = 2, WANTS = 64 };

/* An end went, or there is other room. */
static void pipe_changed(struct vfsd_tx tx, u32 ref)
{
    filled_wake(tx, ref);
    drained_wake(tx, ref);
    pollers_wake(tx);
}

l4_err_t pipe_read(struct vfsd_tx tx, const struct file *f, u32 most, bool more, u8 *data, u32 *length)
{
    const struct pipe *p = pipe_at(f->tube);
    u32 n = most < p->fill ? most : p->fill;
    if (most == 0) {
        return L4_OK;
    }
    if (n == 0) {
        if (p->writers == 0) {
            return L4_OK;
        }
        return more || f->flags & O_NONBLOCK ? VFS_AGAIN : filled_wait(f->tube);
    }
    u32 first = n < RING - p->head ? n : RING - p->head;
    memcpy(data, ring_const(p) + p->head, first);
    memcpy(data + first, ring_const(p), n - first);
    struct pipe *e = pipe_edit(tx, p);
    e->head = (e->head + n) % RING;
    e->fill -= n;
    *length = n;
    drained_wake(tx, f->tube);
    pollers_wake(tx);
    return L4_OK;
}

l4_err_t pipe_write(struct vfsd_tx tx, const struct file *f, struct l4_bytes data, u32 *done)
{
    const struct pipe *p = pipe_at(f->tube);
    if (data.length == 0) {
        return L4_OK;
    }
    if (p->readers == 0) {
        return VFS_PIPE;
    }
    u32 room = p->room - p->fill, n = data.length < room ? data.length : room;
    if (n == 0 || (n < data.length && data.length <= PIPE_BUF)) {
        return f->flags & O_NONBLOCK ? VFS_AGAIN : drained_wait(f->tube);
    }
    u32 at = (p->head + p->fill) % RING, first = n < RING - at ? n : RING - at;
    memcpy(ring(tx, p) + at, data.at, first);
    memcpy(ring(tx, p), data.at + first, n - first);
    pipe_set_fill(tx, p, p->fill + n);
    *done = n;
    filled_wake(tx, f->tube);
    pollers_wake(tx);
    return L4_OK;
}

void pipe_close(struct vfsd_tx tx, const struct file *f)
{
    const struct pipe *p = pipe_at(f->tube);
    struct pipe *e = pipe_edit(tx, p);
    u32 ref = f->tube;
    e->readers -= f->may & VFSD_READ ? 1 : 0;
    e->writers -= f->may & VFSD_WRITE ? 1 : 0;
    if (!e->readers && !e->writers) {
        pipe_free(tx, p);
    }
    pipe_changed(tx, ref);
}

u32 pipe_poll(const struct file *f)
{
    const struct pipe *p = pipe_at(f->tube);
    u32 events = 0;
    if (f->may & VFSD_READ) {
        events |= p->fill ? POLLIN | POLLRDNORM : 0;
        events |= p->writers ? 0 : POLLHUP;
    }
    if (f->may & VFSD_WRITE) {
        events |= p->room - p->fill >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
        events |= p->readers ? 0 : POLLERR;
    }
    return events;
}

void pipe_node(const struct pipe *p, struct fs_node *node)
{
    *node = (struct fs_node){ .inode = p->inode, .mode = S_IFIFO | 0600, .links = 1, .uid = p->uid, .gid = p->gid,
                              .atime = p->made, .mtime = p->made, .ctime = p->made };
}

/* Linux rounds up to a power of two of pages; 0 asks. */
l4_err_t pipe_resize(struct vfsd_tx tx, const struct file *f, u64 bytes, u64 *now)
{
    const struct pipe *p = pipe_at(f->tube);
    if (bytes) {
        u32 room = PIPE_BUF;
        while (room < bytes && room < RING) {
            room *= 2;
        }
        if (room < bytes) {
            return VFS_PERM;
        }
        if (room < p->fill) {
            return VFS_BUSY;
        }
        pipe_set_room(tx, p, room);
        pipe_changed(tx, f->tube);
    }
    *now = p->room;
    return L4_OK;
}

static struct pipe *pipe_make(struct vfsd_tx tx, const struct process *who)
{
    bool room = table_has_room(who, vfsd_state()->pipe_table.live, ROOM_OF(pipe)) && table_has_room(who, vfsd_state()->file_table.live, ROOM_OF(file));
    struct pipe *p = room ? pipe_new(tx) : NULL;
    if (p) {
        vfsd_set_pipes(tx, vfsd_state()->pipes + 1);
        p->inode = vfsd_state()->pipes;
        p->room = RING;
        p->uid = who->who.fsuid;
        p->gid = who->who.fsgid;
        p->made = time_now();
    }
    return p;
}

static struct file *end_make(struct vfsd_tx tx, const struct pipe *p, u32 may, u32 flags)
{
    struct file *f = file_new(tx);
    if (f) {
        f->what = VFSD_PIPE;
        f->holders = 1;
        f->may = may;
        f->flags = flags;
        f->tube = pipe_ref(p);
        f->mount = NODE_PIPES;
        f->inode = p->inode;
        f->mode = S_IFIFO | 0600;
    }
    return f;
}

l4_err_t do_pipe(struct vfsd_tx tx, u64 label, u32 flags, u32 *reader, u32 *writer)
{
    const struct process *p = process_of(label);
    if (!p || flags & ~(u32)(O_CLOEXEC | O_NONBLOCK)) {
        return VFS_INVAL;
    }
    struct pipe *made = pipe_make(tx, p);
    u32 kept = flags & O_NONBLOCK;
    struct file *out = made ? end_make(tx, made, VFSD_READ, kept) : NULL;
    struct file *in = out ? end_make(tx, made, VFSD_WRITE, kept | O_WRONLY) : NULL;
    if (!in) {
        return VFS_NFILE;
    }
    made->readers = made->writers = 1;
    l4_err_t err = descriptor_find(p, 0, reader);
    if (!err && !descriptor_set(tx, p, *reader, out, flags & O_CLOEXEC)) {
        err = VFS_NFILE;
    }
    if (!err) {
        err = descriptor_find(p, 0, writer);
    }
    if (!err && !descriptor_set(tx, p, *writer, in, flags & O_CLOEXEC)) {
        err = VFS_NFILE;
    }
    return err;
}

/* ---- FIFOs: opening one end waits for the other ---- Who waits has changed nothing, so that its counterpart would
 * not see it: this list is how. It is a hint and may be lost: whoever waits runs again then and is noted again. */
static struct want { u64 client, inode; u32 mount, side; } want[WANTS] L4_VOLATILE_ZERO;

static void want_drop(u64 client)
{
    for (u32 i = 0; i < WANTS; i++) {
        if (want[i].client == client) {
            want[i].client = 0;
        }
    }
}

static void want_note(u64 client, const struct place *at, u32 side)
{
    for (u32 i = 0; i < WANTS; i++) {
        if (!want[i].client) {
            want[i] = (struct want){ client, at->node.inode, at->mount, side };
            return;
        }
    }
}

static bool is_wanted(const struct place *at, u32 side)
{
    for (u32 i = 0; i < WANTS; i++) {
        if (want[i].client && process_of(want[i].client) && want[i].mount == at->mount &&
            want[i].inode == at->node.inode && want[i].side == side) {
            return true;
        }
    }
    return false;
}

static const struct pipe *fifo_find(const struct place *at)
{
    for (const struct pipe *p = pipe_following(NULL); p; p = pipe_following(p)) {
        if (p->mount == at->mount && p->inode == at->node.inode) {
            return p;
        }
    }
    return NULL;
}

/* `f` becomes an end of the pipe at `at` (or of the one that it has). */
l4_err_t fifo_open(
    struct vfsd_tx tx, const struct process *p, u64 label, const struct place *at, u32 flags, struct file *f)
{
    const struct pipe *is = f->tube ? pipe_at(f->tube) : fifo_find(at);
    bool reads = f->may & VFSD_READ, writes = f->may & VFSD_WRITE, waits = !(flags & O_NONBLOCK) && !f->tube;
    want_drop(label);
    if (!reads && !writes) {            /* access mode 3: it would be no end of the pipe */
        return VFS_INVAL;
    }
    if (!f->tube && reads != writes) {
        u32 others = !is ? 0 : reads ? is->writers : is->readers;
        bool comes = others || is_wanted(at, reads ? FIFO_WRITER : FIFO_READER);
        if (!comes && writes && !waits) {
            return VFS_NXIO;
        }
        if (!comes && waits) {
            want_note(label, at, reads ? FIFO_READER : FIFO_WRITER);
            return opened_wait(1);
        }
    }
    struct pipe *e = is ? pipe_edit(tx, is) : pipe_make(tx, p);
    if (!e) {
        return VFS_NFILE;
    }
    if (!is) {
        e->mount = at->mount;
        e->inode = at->node.inode;
    }
    e->readers += reads;
    e->writers += writes;
    f->what = VFSD_PIPE;
    f->tube = pipe_ref(e);
    opened_wake(tx, 1);
    pollers_wake(tx);
    return L4_OK;
}
