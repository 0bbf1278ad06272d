/* SPDX-License-Identifier: BSD-2-Clause */
/* descriptor.c: numbers of open files. A process has up to 1,024 of them, in chunks of 32, and one chunk for execve.
 *
 * INVARIANT number: chunk.files[i] != 0  <=>  bit i of chunk.used; and the file is in use and counts this descriptor among its holders.
 * The log holds 4,000 words; who has many descriptors open leaves whole chunks to the op `sweep`, which closes them one
 * by one. */
#include "vfsd.h"

enum { F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, FD_CLOEXEC = 1 };
enum { LOG_ENOUGH = 1500, RANGE_CLOEXEC = 4 };
enum { SETTABLE = O_APPEND | O_NONBLOCK | O_NOATIME | 040000 | 020000 };

const struct file *descriptor_file(const struct process *p, u32 fd)
{
    if (fd == VFS_PROGRAM) {
        return file_at(p->program);
    }
    const struct chunk *c = fd < CHUNK * CHUNKS ? chunk_at(p->chunks[fd / CHUNK]) : NULL;
    return c ? file_at(c->files[fd % CHUNK]) : NULL;
}

static u32 limit_of(const struct process *p) { return p->who.files < DESCRIPTORS ? p->who.files : DESCRIPTORS; }

static l4_err_t find_free(const struct process *p, u32 from, u32 end, u32 *fd)
{
    for (u32 i = from; i < end; i = (i / CHUNK + 1) * CHUNK) {
        const struct chunk *c = chunk_at(p->chunks[i / CHUNK]);
        u32 free = ~(c ? c->used : 0) & (~0u << i % CHUNK);
        if (free) {
            *fd = i / CHUNK * CHUNK + (u32)__builtin_ctz(free);
            return *fd < end ? L4_OK : VFS_MFILE;
        }
    }
    return VFS_MFILE;
}

/* The lowest free number from `from` on. */
l4_err_t descriptor_find(const struct process *p, u32 from, u32 *fd) { return find_free(p, from, limit_of(p), fd); }

l4_err_t descriptor_find_for(const struct process *p, u32 flags, u32 *fd)
{
    return flags & O_EXECUTE ? find_free(p, DESCRIPTORS, CHUNK * CHUNKS, fd) : descriptor_find(p, 0, fd);
}

_Static_assert(offsetof(struct chunk, marks) % 8 == 0 && offsetof(struct chunk, used) == offsetof(struct chunk, marks) + 4, "one word");

/* Number `k` of a chunk; `file` 0: it is free. */
static void entry_set(struct vfsd_tx tx, const struct chunk *c, u32 k, u32 file, bool cloexec)
{
    struct chunk *e = &vfsd_writable()->chunk[chunk_ref(c) - 1];
    u32 bit = 1u << k;
    l4_keep((const u64 *)c->files + k / 2, 1);
    e->files[k] = file;
    l4_hook();
    l4_keep(&c->marks, 1);
    e->marks = cloexec ? c->marks | bit : c->marks & ~bit;
    e->used = file ? c->used | bit : c->used & ~bit;
    l4_hook();
}

/* The number takes one of the file's holders over. False: no chunk is left. */
bool descriptor_set(struct vfsd_tx tx, const struct process *p, u32 fd, const struct file *f, bool cloexec)
{
    const struct chunk *c = chunk_at(p->chunks[fd / CHUNK]);
    if (!c) {
        c = chunk_new(tx);
        if (!c) {
            return false;
        }
        process_edit(tx, p)->chunks[fd / CHUNK] = chunk_ref(c);
        l4_hook();
    }
    entry_set(tx, c, fd % CHUNK, file_ref(f), cloexec);
    return true;
}

void chunk_close(struct vfsd_tx tx, const struct chunk *c, u32 which)
{
    for (u32 left = which & c->used; left; left &= left - 1) {
        u32 k = (u32)__builtin_ctz(left), file = c->files[k];
        entry_set(tx, c, k, 0, false);
        file_drop(tx, file_at(file));
    }
}

/* Move these descriptors of a chunk to one that `sweep` closes. */
static bool chunk_leave(struct vfsd_tx tx, const struct chunk *c, u32 which)
{
    struct chunk *left = chunk_new(tx);
    if (!left) {
        return false;
    }
    left->used = which & c->used;
    for (u32 bits = left->used; bits; bits &= bits - 1) {
        u32 k = (u32)__builtin_ctz(bits);
        left->files[k] = c->files[k];
        entry_set(tx, c, k, 0, false);
    }
    l4_hook();
    sweep_chunk(tx, left);
    return true;
}

/* Close some numbers of a chunk, or have `sweep` do it. True: the process has the chunk no more. */
static bool chunk_close_some(struct vfsd_tx tx, const struct chunk *c, u32 which)
{
    bool all = !(c->used & ~which), full = l4_undo_log()->top >= LOG_ENOUGH;
    if (all && full) {
        sweep_chunk(tx, c);
    } else if (!full || !chunk_leave(tx, c, which)) {
        chunk_close(tx, c, which);
    }
    if (all && !full) {
        chunk_free(tx, c);
    }
    return all;
}

void descriptors_close(struct vfsd_tx tx, const struct process *p, u32 first, u32 last, bool marked)
{
    struct process *e = NULL;
    for (u32 i = first / CHUNK; i < CHUNKS && i <= last / CHUNK; i++) {
        const struct chunk *c = chunk_at(p->chunks[i]);
        if (!c) {
            continue;
        }
        u32 which = marked ? c->marks : c->used;
        which &= first > i * CHUNK ? ~0u << (first - i * CHUNK) : ~0u;
        which &= last < i * CHUNK + CHUNK - 1 ? ~0u >> (CHUNK - 1 - last % CHUNK) : ~0u;
        if (which && chunk_close_some(tx, c, which)) {
            e = e ? e : process_edit(tx, p);
            e->chunks[i] = 0;
        }
    }
}

l4_err_t do_close(struct vfsd_tx tx, u64 label, u32 fd)
{
    const struct process *p = process_of(label);
    if (!p || fd == VFS_PROGRAM || !descriptor_file(p, fd)) {
        return VFS_BADF;
    }
    descriptors_close(tx, p, fd, fd, false);
    return L4_OK;
}

l4_err_t do_dup(struct vfsd_tx tx, u64 label, u32 fd, u32 to, bool exactly, u32 flags, u32 *made)
{
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f || (exactly && to >= limit_of(p))) {
        return VFS_BADF;
    }
    *made = to;
    if (exactly && fd == to) {
        return L4_OK;
    }
    if (!exactly && to >= limit_of(p)) {
        return VFS_INVAL;
    }
    l4_err_t err = exactly ? L4_OK : descriptor_find(p, to, made);
    if (err) {
        return err;
    }
    file_hold(tx, f);
    descriptors_close(tx, p, *made, *made, false);
    return descriptor_set(tx, p, *made, f, flags & O_CLOEXEC) ? L4_OK : VFS_NOMEM;
}

static void mark_set(struct vfsd_tx tx, const struct process *p, u32 fd, bool on)
{
    const struct chunk *c = chunk_at(p->chunks[fd / CHUNK]);
    u32 bit = 1u << fd % CHUNK;
    chunk_set_marks(tx, c, on ? c->marks | bit : c->marks & ~bit);
}

l4_err_t do_control(struct vfsd_tx tx, u64 label, u32 fd, u32 command, u64 argument, u64 *value)
{
    const struct process *p = process_of(label);
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f) {
        return VFS_BADF;
    }
    bool is_place = f->what == VFSD_PATH;
    switch (command) {
    case F_GETFD:
        *value = chunk_at(p->chunks[fd / CHUNK])->marks >> fd % CHUNK & 1;
        return L4_OK;
    case F_SETFD:
        mark_set(tx, p, fd, argument & FD_CLOEXEC);
        return L4_OK;
    case F_GETFL:
        *value = f->flags;
        return L4_OK;
    case F_SETFL:
        if (is_place) {
            return VFS_BADF;
        }
        file_set_flags(tx, f, (f->flags & ~(u32)SETTABLE) | ((u32)argument & SETTABLE));
        return L4_OK;
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
        if (f->what != VFSD_PIPE) {
            return VFS_BADF;
        }
        return pipe_resize(tx, f, command == F_SETPIPE_SZ ? argument : 0, value);
    }
    return is_place ? VFS_BADF : VFS_INVAL;
}

l4_err_t do_close_range(struct vfsd_tx tx, u64 label, u32 first, u32 last, u32 flags)
{
    const struct process *p = process_of(label);
    if (!p || flags & ~(u32)RANGE_CLOEXEC || first > last) {
        return VFS_INVAL;
    }
    last = last < DESCRIPTORS ? last : DESCRIPTORS - 1;
    if (!(flags & RANGE_CLOEXEC)) {
        descriptors_close(tx, p, first, last, false);
        return L4_OK;
    }
    for (u32 fd = first; fd <= last; fd++) {
        if (descriptor_file(p, fd)) {
            mark_set(tx, p, fd, true);
        }
    }
    return L4_OK;
}

/* ---- flock: a lock belongs to the open file ---- */
enum { LOCK_SHARED = 1, LOCK_EXCLUSIVE = 2, LOCK_NO_WAIT = 4, LOCK_FREE = 8 };

static bool lock_is_barred(const struct file *f, u32 kind)
{
    for (const struct file *o = file_following(NULL); o; o = file_following(o)) {
        if (o != f && o->locks && o->inode == f->inode && o->mount == f->mount &&
            (kind == LOCK_EXCLUSIVE || o->locks == LOCK_EXCLUSIVE)) {
            return true;
        }
    }
    return false;
}

l4_err_t do_lock(struct vfsd_tx tx, u64 label, u32 fd, u32 operation)
{
    const struct process *p = process_of(label);
    u32 kind = operation & ~(u32)LOCK_NO_WAIT;
    if (kind != LOCK_SHARED && kind != LOCK_EXCLUSIVE && kind != LOCK_FREE) {
        return VFS_INVAL;
    }
    const struct file *f = p && fd != VFS_PROGRAM ? descriptor_file(p, fd) : NULL;
    if (!f || f->what == VFSD_PATH || (kind != LOCK_FREE && !f->may)) {
        return VFS_BADF;
    }
    if (kind == LOCK_FREE) {
        file_set_locks(tx, f, 0);
        locked_wake(tx, 1);
        return L4_OK;
    }
    if (lock_is_barred(f, kind)) {
        return operation & LOCK_NO_WAIT ? VFS_AGAIN : locked_wait(1);
    }
    file_set_locks(tx, f, kind);
    locked_wake(tx, 1);
    return L4_OK;
}
