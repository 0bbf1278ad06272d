/* SPDX-License-Identifier: BSD-2-Clause */
/* descriptor.c: calls about descriptors and open files, without payload. */
#include "calls.h"
#include "file.h"

i64 sys_close(struct thread *t, const u64 *a)
{
    return ASK(vfs_close(&t->vfs, file_number(a[0])));
}

static i64 dup_to(struct thread *t, u64 from, u64 to, bool exactly, u64 flags)
{
    u32 made;
    i64 err = ASK(vfs_dup(&t->vfs, file_number(from), (u32)to, exactly, (u32)flags, &made));
    return err ? err : made;
}

i64 sys_dup(struct thread *t, const u64 *a) { return dup_to(t, a[0], 0, false, 0); }
i64 sys_dup2(struct thread *t, const u64 *a) { return dup_to(t, a[0], a[1], true, 0); }

i64 sys_dup3(struct thread *t, const u64 *a)
{
    if (a[2] & ~(u64)O_CLOEXEC || (u32)a[0] == (u32)a[1])
        return -EINVAL;
    return dup_to(t, a[0], a[1], true, a[2]);
}

static i64 make_pipe(struct thread *t, u64 to, u64 flags)
{
    u32 fd[2];
    i64 err = ASK(vfs_pipe(&t->vfs, (u32)flags, &fd[0], &fd[1]));
    if (err)
        return err;
    if (user_put(to, fd, sizeof fd))
        return 0;
    vfs_close(&t->vfs, fd[0]);
    vfs_close(&t->vfs, fd[1]);
    return -EFAULT;
}

i64 sys_pipe(struct thread *t, const u64 *a) { return make_pipe(t, a[0], 0); }

i64 sys_pipe2(struct thread *t, const u64 *a)
{
    return a[1] & ~(u64)(O_CLOEXEC | O_NONBLOCK) ? -EINVAL : make_pipe(t, a[0], a[1]);
}

i64 sys_fcntl(struct thread *t, const u64 *a)
{
    u64 value = 0;
    if ((u32)a[1] == F_DUPFD || (u32)a[1] == F_DUPFD_CLOEXEC)
        return dup_to(t, a[0], a[2], false, (u32)a[1] == F_DUPFD ? 0 : O_CLOEXEC);
    i64 err = ASK(vfs_control(&t->vfs, file_number(a[0]), (u32)a[1], a[2], &value));
    return err ? err : (i64)value;
}

i64 sys_close_range(struct thread *t, const u64 *a)
{
    return (u32)a[0] > (u32)a[1] ? -EINVAL : ASK(vfs_close_range(&t->vfs, (u32)a[0], (u32)a[1], (u32)a[2]));
}

i64 sys_flock(struct thread *t, const u64 *a)
{
    return WAIT(t, &t->vfs, VFS_PROTOCOL, vfs_lock(&t->vfs, file_number(a[0]), (u32)a[1]));
}

i64 sys_lseek(struct thread *t, const u64 *a)
{
    u64 at;
    i64 err = ASK(vfs_seek(&t->vfs, file_number(a[0]), (i64)a[1], (u32)a[2], &at));
    return err ? err : (i64)at;
}

i64 sys_getdents64(struct thread *t, const u64 *a)
{
    struct l4_bytes entries;
    i64 err = ASK(vfs_list(&t->vfs, file_number(a[0]), (u32)a[2] < WINDOW ? (u32)a[2] : WINDOW, &entries));
    return err ? err : user_put(a[1], entries.at, entries.length) ? (i64)entries.length : -EFAULT;
}

i64 sys_ftruncate(struct thread *t, const u64 *a)
{
    return (i64)a[1] < 0 ? -EINVAL : file_signal(t, ASK(vfs_truncate(&t->vfs, file_number(a[0]), a[1])));
}

i64 sys_fsync(struct thread *t, const u64 *a) { return ASK(vfs_sync(&t->vfs, file_number(a[0]))); }

i64 sys_sync(struct thread *t, const u64 *a)
{
    vfs_sync(&t->vfs, VFS_HERE);
    return 0;
}

/* Advice about reading ahead: nothing to do where all files are in memory, but the descriptor is checked. */
i64 sys_fadvise64(struct thread *t, const u64 *a)
{
    struct vfs_result file;
    return (u32)a[3] > 5 ? -EINVAL : ASK(vfs_stat_file(t->vfs.gate, file_number(a[0]), &file));
}

/* ---- ioctl: how many bytes each request brings and takes ---- */
struct request { u32 number; u8 in, out; };
static const struct request requests[] = {
    { 0x5401, 0, 36 },                                          /* TCGETS */
    { 0x5402, 36, 0 }, { 0x5403, 36, 0 }, { 0x5404, 36, 0 },    /* TCSETS, TCSETSW, TCSETSF */
    { 0x540f, 0, 4 }, { 0x5410, 4, 0 },                         /* TIOCGPGRP, TIOCSPGRP */
    { 0x5413, 0, 8 }, { 0x5414, 8, 0 },                         /* TIOCGWINSZ, TIOCSWINSZ */
    { 0x541b, 0, 4 }, { 0x5421, 4, 0 },                         /* FIONREAD, FIONBIO */
    { 0x5429, 0, 4 }, { 0x5430, 0, 4 }, { 0x5431, 4, 0 },       /* TIOCGSID, TIOCGPTN, TIOCSPTLCK */
};

static const struct request *request_find(u32 number)
{
    for (u32 i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (requests[i].number == number)
            return &requests[i];
    }
    return NULL;
}

i64 sys_ioctl(struct thread *t, const u64 *a)
{
    u8 in[64];
    const struct request *request = request_find((u32)a[1]);
    struct l4_bytes bytes = l4_bytes(in, request ? request->in : 0), out = { 0 };
    u64 value = 0;
    if (bytes.length && !user_get(in, a[2], bytes.length))
        return -EFAULT;
    i64 err = WAIT_FILE(t, vfs_ioctl(&t->vfs, file_bold(t, a[0]), (u32)a[1], a[2], bytes, &value, &out));
    if (err)
        return err;
    return out.length && !user_put(a[2], out.at, out.length) ? -EFAULT : (i64)value;
}
