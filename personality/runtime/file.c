/* SPDX-License-Identifier: BSD-2-Clause */
/* file.c: reading and writing. Payload goes through the thread's window, 16 KB at a time: the program's memory to the window is
 * copied here, the window to the file by whoever owns the file. A short transfer ends the call, as on Linux. */
#include "calls.h"
#include "file.h"
#include "pm.h"
#include "signals.h"

static bool is_deaf(const struct thread *t, u32 number)
{
    return (t->mask & SIGNAL_BIT(number)) || process()->action[number].handler == SIG_IGNORE;
}

u32 file_bold(const struct thread *t, u64 fd)
{
    u32 number = (u32)fd & VFS_BOLD ? VFS_HERE : (u32)fd;      /* no such descriptor either way */
    return is_deaf(t, SIGTTOU) ? number | VFS_BOLD : number;
}

/* As Linux: who would not hear SIGTTIN gets EIO. */
bool file_background(struct thread *t, i64 *err)
{
    if (*err != -VFS_TTIN && *err != -VFS_TTOU)
        return false;
    if (*err == -VFS_TTIN && is_deaf(t, SIGTTIN)) {
        *err = -EIO;
        return false;
    }
    *err = ASK(pm_background(&t->pm, *err == -VFS_TTIN ? SIGTTIN : SIGTTOU));
    if (*err == 0 && signal_due(t))
        *err = -EINTERRUPTED;
    return *err == 0;
}

i64 file_path(struct thread *t, u64 from, u32 at, bool empty, struct l4_bytes *path)
{
    u8 *to = t->vfs.window + at;
    i64 length = user_string((char *)to, from, PATH_MAX);
    if (length < 0)
        return length;
    *path = l4_bytes(to, (u32)length);
    return length == 0 && !empty ? -ENOENT : 0;
}

i64 file_signal(struct thread *t, i64 err)
{
    u32 number = err == -EPIPE ? SIGPIPE : err == -VFS_XFSZ ? SIGXFSZ : 0;
    if (number && signal_disposition(number) != DISPOSED_IGNORE) {
        struct pm_signal what = { .number = number, .code = SI_USER, .pid = process()->pid, .uid = process()->uid };
        struct linux_siginfo own = { .number = (i32)number, .code = SI_USER, .sent = { process()->pid, process()->uid, 0 } };
        if (!signal_to_self(t, &own))
            pm_kill(&t->pm, (i32)process()->pid, t->tid, &what);
    }
    return err == -VFS_XFSZ ? -EFBIG : err;
}

/* ---- where payload lies in the program: one range or an iovec ---- */
struct spans {
    u64 next, count;                /* iovec entries to come */
    u64 at, left;                   /* of the current one */
};

static struct spans spans_one(u64 at, u64 bytes) { return (struct spans){ 0, 0, at, bytes }; }

/* The next range, at most `most` bytes of it; 0 bytes at the end. False: EFAULT. */
static bool spans_take(struct spans *s, u64 most, u64 *at, u64 *bytes)
{
    while (s->left == 0 && s->count) {
        struct linux_iovec v;
        if (!user_get(&v, s->next, sizeof v))
            return false;
        s->next += sizeof v;
        s->count--;
        s->at = v.base;
        s->left = v.bytes;
    }
    *at = s->at;
    *bytes = s->left < most ? s->left : most;
    s->at += *bytes;
    s->left -= *bytes;
    return true;
}

/* The sum of an iovec's lengths; checks it whole, as Linux does before anything moves. */
static i64 iovec_total(u64 iov, u64 count, struct spans *s)
{
    u64 total = 0;
    if (count > IOV_MAX)
        return -EINVAL;
    for (u64 i = 0; i < count; i++) {
        struct linux_iovec v;
        if (!user_get(&v, iov + i * sizeof v, sizeof v))
            return -EFAULT;
        if ((i64)v.bytes < 0 || (i64)(total += v.bytes) < 0)
            return -EINVAL;
        if (!user_range(v.base, v.bytes))
            return -EFAULT;
    }
    *s = (struct spans){ iov, count, 0, 0 };
    return (i64)total;
}

/* Fill the window from the program. */
static i64 gather(struct thread *t, struct spans *s, u64 bytes)
{
    u64 done = 0, at, part;
    while (done < bytes) {
        if (!spans_take(s, bytes - done, &at, &part) || !user_get(t->vfs.window + done, at, part))
            return done ? (i64)done : -EFAULT;
        if (part == 0)
            break;
        done += part;
    }
    return (i64)done;
}

static i64 scatter(struct spans *s, struct l4_bytes data)
{
    u64 done = 0, at, part;
    while (done < data.length) {
        if (!spans_take(s, data.length - done, &at, &part) || !user_put(at, data.at + done, part))
            return -EFAULT;
        if (part == 0)
            break;
        done += part;
    }
    return (i64)done;
}

/* offset: NULL at the file's position. */
static i64 read_spans(struct thread *t, u32 fd, struct spans s, u64 total, const u64 *offset)
{
    u64 done = 0;
    i64 err = 0;
    do {
        struct l4_bytes data = { 0 };
        u32 most = total - done < WINDOW ? (u32)(total - done) : WINDOW;
        err = offset ? ASK(vfs_read_at(&t->vfs, fd, *offset + done, most, &data))
                     : WAIT_FILE(t, vfs_read(&t->vfs, fd, most | (done ? VFS_MORE : 0), &data));
        if (!err)
            err = scatter(&s, data);
        if (err < 0)
            break;
        done += data.length;
        if (data.length < most)
            break;
    } while (done < total);
    return done ? (i64)done : err;
}

static i64 write_spans(struct thread *t, u32 fd, struct spans s, u64 total, const u64 *offset)
{
    u64 done = 0;
    i64 err;
    do {
        u32 wrote = 0;
        err = gather(t, &s, total - done < WINDOW ? total - done : WINDOW);
        if (err < 0)
            break;
        u32 filled = (u32)err, sent = 0;
        do {
            struct l4_bytes data = l4_bytes(t->vfs.window, filled - sent);
            if (sent)
                __builtin_memmove(t->vfs.window, t->vfs.window + wrote, data.length);
            err = offset ? ASK(vfs_write_at(&t->vfs, fd, *offset + done, data, &wrote))
                         : WAIT_FILE(t, vfs_write(&t->vfs, file_bold(t, fd), data, &wrote));
            if (err)
                goto out;
            sent += wrote;
            done += wrote;
        } while (sent < filled && wrote);
        if (sent < filled || !filled)
            break;
    } while (done < total);
out:
    if (!done || err == -EPIPE)     /* at the limit of a file's size the part that fits is all */
        err = file_signal(t, err);
    return done ? (i64)done : err;
}

i64 sys_read(struct thread *t, const u64 *a)
{
    return user_range(a[1], a[2]) ? read_spans(t, file_number(a[0]), spans_one(a[1], a[2]), a[2], NULL) : -EFAULT;
}

i64 sys_write(struct thread *t, const u64 *a)
{
    return user_range(a[1], a[2]) ? write_spans(t, file_number(a[0]), spans_one(a[1], a[2]), a[2], NULL) : -EFAULT;
}

i64 sys_pread64(struct thread *t, const u64 *a)
{
    if ((i64)a[3] < 0)
        return -EINVAL;
    return user_range(a[1], a[2]) ? read_spans(t, file_number(a[0]), spans_one(a[1], a[2]), a[2], &a[3]) : -EFAULT;
}

i64 sys_pwrite64(struct thread *t, const u64 *a)
{
    if ((i64)a[3] < 0)
        return -EINVAL;
    return user_range(a[1], a[2]) ? write_spans(t, file_number(a[0]), spans_one(a[1], a[2]), a[2], &a[3]) : -EFAULT;
}

i64 sys_readv(struct thread *t, const u64 *a)
{
    struct spans s;
    i64 total = iovec_total(a[1], a[2], &s);
    return total < 0 ? total : read_spans(t, file_number(a[0]), s, (u64)total, NULL);
}

i64 sys_writev(struct thread *t, const u64 *a)
{
    struct spans s;
    i64 total = iovec_total(a[1], a[2], &s);
    return total < 0 ? total : write_spans(t, file_number(a[0]), s, (u64)total, NULL);
}

/* ---- sendfile: window to window, the program's memory is not touched ---- */
static i64 send_all(struct thread *t, u32 out, u32 bytes, u32 *sent)
{
    for (*sent = 0; *sent < bytes; ) {
        u32 wrote = 0;
        i64 err = WAIT_FILE(t, vfs_write(&t->vfs, file_bold(t, out), l4_bytes(t->vfs.window, bytes - *sent), &wrote));
        if (err)
            return err;
        *sent += wrote;
        __builtin_memmove(t->vfs.window, t->vfs.window + wrote, bytes - *sent);
    }
    return 0;
}

i64 sys_sendfile(struct thread *t, const u64 *a)
{
    u32 out = file_number(a[0]), in = file_number(a[1]);
    u64 offset = 0, done = 0;
    i64 err = 0;
    if (a[2] && !user_get(&offset, a[2], sizeof offset))
        return -EFAULT;
    struct vfs_result file;
    err = ASK(vfs_stat_file(t->vfs.gate, in, &file));
    if (err)
        return err;
    if ((file.file.mode & S_IFMT) != S_IFREG)
        return -EINVAL;             /* as Linux without splice: callers fall back */
    while (!err && done < a[3]) {
        struct l4_bytes data;
        u32 most = a[3] - done < WINDOW ? (u32)(a[3] - done) : WINDOW, sent;
        err = a[2] ? ASK(vfs_read_at(&t->vfs, in, offset, most, &data)) : ASK(vfs_read(&t->vfs, in, most, &data));
        if (err || data.length == 0)
            break;
        err = send_all(t, out, data.length, &sent);
        done += sent;
        offset += sent;
        u64 at;
        if (!a[2] && sent < data.length)
            vfs_seek(&t->vfs, in, (i64)sent - (i64)data.length, 1, &at);
    }
    if (a[2] && !user_put(a[2], &offset, sizeof offset))
        return -EFAULT;
    if (!done || err == -EPIPE)     /* at the limit of a file's size the part that fits is all */
        err = file_signal(t, err);
    return done ? (i64)done : err;
}
