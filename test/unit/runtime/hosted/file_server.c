/* SPDX-License-Identifier: BSD-2-Clause */
/* file_server.c: vfs, faked by the host's files; descriptors have the same numbers. */
#define _GNU_SOURCE
#include "hosted.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "vfs.h"

int host_map_flags(u64 how, u64 *address);

static int fd_of(u64 file) { return (u32)file == VFS_PROGRAM ? PROGRAM_FD : (int)(u32)file; }

/* The path of `length` bytes at `at` in the window, with a zero. */
static const char *path_at(u64 length, u32 at)
{
    static char paths[2][VFS_PATH + 1];
    char *path = paths[at != 0];
    memcpy(path, machine.window + at, length <= VFS_PATH ? length : VFS_PATH);
    path[length <= VFS_PATH ? length : VFS_PATH] = 0;
    /* the program's own file, as vfs resolves it */
    return strcmp(path, "/proc/self/exe") == 0 ? "/proc/self/fd/1000" : path;
}

static l4_err_t result(struct request *r, i64 value)
{
    r->word[0] = (u64)value;
    return value < 0 ? host_error() : L4_OK;
}

static l4_err_t status(i64 value) { return value < 0 ? host_error() : L4_OK; }

static u64 ns(struct timespec t) { return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec; }

static l4_err_t put_stat(struct request *r, int err, const struct stat *s)
{
    struct vfs_result out = { .mount = (u32)s->st_dev };
    if (err)
        return host_error();
    out.file = (struct fs_node){ .inode = s->st_ino, .size = (u64)s->st_size, .blocks = (u64)s->st_blocks, .mode = s->st_mode, .links = (u32)s->st_nlink,
        .uid = s->st_uid, .gid = s->st_gid, .device = (u32)s->st_rdev, .atime = ns(s->st_atim), .mtime = ns(s->st_mtim), .ctime = ns(s->st_ctim) };
    memcpy(r->word, &out, sizeof out);
    return L4_OK;
}

/* The files of the system that the host has not: the words of the first process, and its streams. -1: an ordinary path. */
static int open_own(const char *path)
{
    if (strcmp(path, "/etc/axo/start") == 0)
        return dup(START_FD);
    for (int i = 0; i < 3; i++) {
        if (strcmp(path, (const char *const[]){ "/dev/axo/in", "/dev/axo/out", "/dev/axo/err" }[i]) == 0)
            return dup(STREAM_FD + i);
    }
    return -1;
}

static l4_err_t open_now(struct request *r)
{
    u64 flags = r->word[1];
    const char *path = path_at(r->word[3], 0);
    int own = open_own(path);
    if (own >= 0)
        return result(r, own);
    bool exec = flags & 0x40000000;
    int fd = openat((int)(u32)r->word[0], path, (int)(flags & ~0x40000000ul), (mode_t)r->word[2]);
    struct stat s;
    if (fd >= 0 && exec && (fstat(fd, &s) || !S_ISREG(s.st_mode) || faccessat((int)(u32)r->word[0], path, X_OK, AT_EACCESS))) {
        close(fd);
        errno = EACCES;
        fd = -1;
    }
    return result(r, fd);
}

static l4_err_t ioctl_now(struct request *r)
{
    u8 argument[64];
    memcpy(argument, &r->word[4], r->word[3] <= 64 ? r->word[3] : 64);
    u64 out = r->word[1] == TCGETS ? 36 : r->word[1] == TIOCGWINSZ ? 8 : r->word[1] == TIOCGPGRP || r->word[1] == FIONREAD ? 4 : 0;
    int value = ioctl((int)(u32)r->word[0], r->word[1], argument);
    r->word[0] = (u64)value;
    r->word[1] = out;
    memcpy(&r->word[4], argument, 64);
    return status(value);
}

static l4_err_t map_now(struct request *r)
{
    u64 address = r->word[2];
    int flags = host_map_flags(r->word[5], &address);
    void *at = mmap((void *)address, r->word[3], (int)r->word[4], flags, fd_of(r->word[0]), (off_t)r->word[1]);
    r->word[0] = (u64)at;
    return at == MAP_FAILED ? host_error() : L4_OK;
}

static l4_err_t poll_now(struct request *r)
{
    u64 count = r->word[1], deadline = r->word[0];
    struct pollfd *answer = (struct pollfd *)(machine.window + 8 * VFS_POLLS);
    struct timespec now, wait = { 0, 0 };
    memcpy(answer, machine.window, 8 * count);
    clock_gettime(CLOCK_MONOTONIC, &now);
    u64 rest = deadline > ns(now) ? deadline - ns(now) : 0;
    wait = (struct timespec){ (time_t)(rest / 1000000000), (long)(rest % 1000000000) };
    r->word[1] = count;
    return result(r, ppoll(answer, count, deadline == ~0ul ? NULL : &wait, NULL));
}

static l4_err_t utimes_now(struct request *r)
{
    struct timespec t[2];
    for (u32 i = 0; i < 2; i++)
        t[i] = (struct timespec){ (time_t)(r->word[2 + i] / 1000000000), r->word[1] & 1u << i ? (long)(r->word[2 + i] % 1000000000)
                                  : r->word[1] & 4u << i ? UTIME_NOW : UTIME_OMIT };
    bool itself = r->word[5] == 0;
    return status(itself ? futimens((int)(u32)r->word[0], t)
                         : utimensat((int)(u32)r->word[0], path_at(r->word[5], 0), t, (int)r->word[4] & AT_SYMLINK_NOFOLLOW));
}

static l4_err_t statfs_now(struct request *r)
{
    struct statfs s;
    if (r->word[1] ? statfs(path_at(r->word[1], 0), &s) : fstatfs((int)(u32)r->word[0], &s))
        return host_error();
    struct fs_space out = { (u64)s.f_type, (u64)s.f_bsize, s.f_blocks, s.f_bfree, s.f_files, s.f_ffree, (u32)s.f_namelen, (u32)s.f_flags };
    memcpy(r->word, &out, sizeof out);
    return L4_OK;
}

static l4_err_t names(struct request *r)
{
    int directory = (int)(u32)r->word[0];
    struct stat s;
    i64 n;
    switch (0x20200 | r->method) {
    case VFS_METHOD_STAT:
        return put_stat(r, fstatat(directory, path_at(r->word[2], 0), &s, (int)r->word[1] & AT_SYMLINK_NOFOLLOW), &s);
    case VFS_METHOD_STAT_FILE:
        return put_stat(r, directory == AT_FDCWD ? stat(".", &s) : fstat(fd_of(r->word[0]), &s), &s);
    case VFS_METHOD_ACCESS:
        return status(faccessat(directory, path_at(r->word[3], 0), (int)r->word[1], (int)r->word[2]));
    case VFS_METHOD_READLINK:
        n = readlinkat(directory, path_at(r->word[1], 0), (char *)machine.window + VFS_PATH, VFS_PATH);
        return result(r, n);
    case VFS_METHOD_MAKE_DIRECTORY:
        return status(mkdirat(directory, path_at(r->word[2], 0), (mode_t)r->word[1]));
    case VFS_METHOD_MAKE_NODE:
        return status(mknodat(directory, path_at(r->word[3], 0), (mode_t)r->word[1], r->word[2]));
    case VFS_METHOD_UNLINK:
        return status(unlinkat(directory, path_at(r->word[2], 0), (int)r->word[1]));
    case VFS_METHOD_RENAME:
        return status(renameat2(directory, path_at(r->word[3], 0), (int)(u32)r->word[1], path_at(r->word[4], VFS_PATH), (u32)r->word[2]));
    case VFS_METHOD_LINK:
        return status(linkat(directory, path_at(r->word[3], 0), (int)(u32)r->word[1], path_at(r->word[4], VFS_PATH), (int)r->word[2]));
    case VFS_METHOD_SYMLINK:
        return status(symlinkat(path_at(r->word[1], 0), directory, path_at(r->word[2], VFS_PATH)));
    case VFS_METHOD_CHMOD:
        return status(r->word[3] ? fchmodat(directory, path_at(r->word[3], 0), (mode_t)r->word[1], 0) : fchmod(directory, (mode_t)r->word[1]));
    case VFS_METHOD_CHOWN:
        return status(r->word[4] ? fchownat(directory, path_at(r->word[4], 0), (u32)r->word[1], (u32)r->word[2], (int)r->word[3])
                                 : fchown(directory, (u32)r->word[1], (u32)r->word[2]));
    case VFS_METHOD_UTIMES:
        return utimes_now(r);
    case VFS_METHOD_TRUNCATE_PATH:
        return status(truncate(path_at(r->word[1], 0), (off_t)r->word[0]));
    case VFS_METHOD_STATFS:
        return statfs_now(r);
    case VFS_METHOD_CHDIR:
        return status(r->word[1] ? chdir(path_at(r->word[1], 0)) : fchdir(directory));
    case VFS_METHOD_GETCWD:
        n = syscall(SYS_getcwd, machine.window, VFS_PATH);
        return result(r, n < 0 ? n : n - 1);
    case VFS_METHOD_UMASK:
        return result(r, umask((mode_t)r->word[0]));
    default:
        return L4_NO_METHOD;
    }
}

static l4_err_t read_now(struct request *r)
{
    u32 most = (u32)r->word[1];
    if (most & VFS_MORE) {
        struct pollfd ready = { fd_of(r->word[0]), POLLIN, 0 };
        if (poll(&ready, 1, 0) == 0)
            return VFS_AGAIN;
    }
    return result(r, read(fd_of(r->word[0]), machine.window, most & ~(u32)VFS_MORE));
}

l4_err_t vfs_serve(struct request *r)
{
    int fd = fd_of(r->word[0]), two[2];
    switch (0x20200 | r->method) {
    case VFS_METHOD_OPEN:
        return open_now(r);
    case VFS_METHOD_CLOSE:
        return status(close(fd));
    case VFS_METHOD_DUP:
        if (!r->word[2])
            return result(r, fcntl(fd, r->word[3] & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, (int)r->word[1]));
        return result(r, fd == (int)r->word[1] ? dup2(fd, fd) : dup3(fd, (int)r->word[1], (int)r->word[3]));
    case VFS_METHOD_PIPE:
        if (pipe2(two, (int)r->word[0]))
            return host_error();
        r->word[0] = (u64)two[0], r->word[1] = (u64)two[1];
        return L4_OK;
    case VFS_METHOD_CONTROL:
        return result(r, fcntl(fd, (int)r->word[1], r->word[2]));
    case VFS_METHOD_CLOSE_RANGE:
        return status(syscall(SYS_close_range, r->word[0], r->word[1], r->word[2]));
    case VFS_METHOD_READ:
        return read_now(r);
    case VFS_METHOD_WRITE:
        return result(r, write(fd, machine.window, r->word[1]));
    case VFS_METHOD_READ_AT:
        return result(r, pread(fd, machine.window, r->word[2], (off_t)r->word[1]));
    case VFS_METHOD_WRITE_AT:
        return result(r, pwrite(fd, machine.window, r->word[2], (off_t)r->word[1]));
    case VFS_METHOD_SEEK:
        return result(r, lseek(fd, (off_t)r->word[1], (int)r->word[2]));
    case VFS_METHOD_LIST:
        return result(r, syscall(SYS_getdents64, fd, machine.window, r->word[1]));
    case VFS_METHOD_IOCTL:
        return ioctl_now(r);
    case VFS_METHOD_MAP:
        return map_now(r);
    case VFS_METHOD_TRUNCATE:
        return status(ftruncate(fd, (off_t)r->word[1]));
    case VFS_METHOD_SYNC:
        return status((u32)fd == VFS_HERE ? 0 : fsync(fd));
    case VFS_METHOD_POLL:
        return poll_now(r);
    case VFS_METHOD_LOCK:
        return status(flock(fd, (int)r->word[1]));
    default:
        return names(r);
    }
}
