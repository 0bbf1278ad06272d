/* SPDX-License-Identifier: BSD-2-Clause */
/* name.c: calls that take paths. The older forms are the newer ones at the working directory. */
#include "calls.h"
#include "file.h"
#include "time.h"

#define HERE VFS_HERE

/* With AT_EMPTY_PATH an empty path is the descriptor itself. */
static bool may_be_empty(u64 flags) { return flags & AT_EMPTY_PATH; }

static i64 open_at(struct thread *t, u32 directory, u64 path, u64 flags, u64 mode)
{
    struct l4_bytes name;
    u32 file = 0;
    i64 err = file_path(t, path, 0, false, &name);
    if (!err)
        err = WAIT_FILE(t, vfs_open(&t->vfs, directory, (u32)flags & ~(u32)O_EXECUTE, (u32)mode & 07777, name, &file));
    return err ? err : file;
}

i64 sys_open(struct thread *t, const u64 *a) { return open_at(t, HERE, a[0], a[1], a[2]); }
i64 sys_creat(struct thread *t, const u64 *a) { return open_at(t, HERE, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]); }
i64 sys_openat(struct thread *t, const u64 *a) { return open_at(t, file_number(a[0]), a[1], a[2], a[3]); }

/* ---- what a file is ---- */
static i64 put_stat(u64 to, const struct vfs_result *found)
{
    const struct fs_node *n = &found->file;
    struct linux_stat s = {
        .dev = found->mount, .ino = n->inode, .nlink = n->links, .mode = n->mode, .uid = n->uid, .gid = n->gid, .rdev = n->device,
        .size = (i64)n->size, .blksize = 4096, .blocks = (i64)n->blocks,
        .atime = timespec_of(n->atime), .mtime = timespec_of(n->mtime), .ctime = timespec_of(n->ctime),
    };
    return user_put(to, &s, sizeof s) ? 0 : -EFAULT;
}

static i64 stat_at(struct thread *t, u32 directory, u64 path, u64 to, u64 flags)
{
    struct l4_bytes name;
    struct vfs_result found;
    if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | 0x800))
        return -EINVAL;
    i64 err = file_path(t, path, 0, may_be_empty(flags), &name);
    if (!err && name.length == 0)
        err = ASK(vfs_stat_file(t->vfs.gate, directory, &found));
    else if (!err)
        err = ASK(vfs_stat(&t->vfs, directory, (u32)flags, name, &found));
    return err ? err : put_stat(to, &found);
}

i64 sys_stat(struct thread *t, const u64 *a) { return stat_at(t, HERE, a[0], a[1], 0); }
i64 sys_lstat(struct thread *t, const u64 *a) { return stat_at(t, HERE, a[0], a[1], AT_SYMLINK_NOFOLLOW); }
i64 sys_newfstatat(struct thread *t, const u64 *a) { return stat_at(t, file_number(a[0]), a[1], a[2], a[3]); }

i64 sys_fstat(struct thread *t, const u64 *a)
{
    struct vfs_result found;
    if ((i32)a[0] < 0)
        return -EBADF;
    i64 err = ASK(vfs_stat_file(t->vfs.gate, file_number(a[0]), &found));
    return err ? err : put_stat(a[1], &found);
}

static i64 put_statfs(u64 to, const struct fs_space *s)
{
    struct linux_statfs f = {
        .type = s->type, .bsize = s->block, .blocks = s->blocks, .bfree = s->free, .bavail = s->free, .files = s->files,
        .ffree = s->free_files, .namelen = s->name, .frsize = s->block, .flags = s->flags,
    };
    return user_put(to, &f, sizeof f) ? 0 : -EFAULT;
}

i64 sys_statfs(struct thread *t, const u64 *a)
{
    struct l4_bytes name;
    struct fs_space space;
    i64 err = file_path(t, a[0], 0, false, &name);
    if (!err)
        err = ASK(vfs_statfs(&t->vfs, HERE, name, &space));
    return err ? err : put_statfs(a[1], &space);
}

i64 sys_fstatfs(struct thread *t, const u64 *a)
{
    struct fs_space space;
    i64 err = ASK(vfs_statfs(&t->vfs, file_number(a[0]), l4_bytes(NULL, 0), &space));
    return err ? err : put_statfs(a[1], &space);
}

static i64 access_at(struct thread *t, u32 directory, u64 path, u64 mode, u64 flags)
{
    struct l4_bytes name;
    if (mode & ~7ul || flags & ~(u64)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    i64 err = file_path(t, path, 0, may_be_empty(flags), &name);
    return err ? err : ASK(vfs_access(&t->vfs, directory, (u32)mode, (u32)flags, name));
}

i64 sys_access(struct thread *t, const u64 *a) { return access_at(t, HERE, a[0], a[1], 0); }
i64 sys_faccessat(struct thread *t, const u64 *a) { return access_at(t, file_number(a[0]), a[1], a[2], 0); }
i64 sys_faccessat2(struct thread *t, const u64 *a) { return access_at(t, file_number(a[0]), a[1], a[2], a[3]); }

static i64 readlink_at(struct thread *t, u32 directory, u64 path, u64 to, i64 room)
{
    struct l4_bytes name, target;
    if (room <= 0)
        return -EINVAL;
    i64 err = file_path(t, path, 0, true, &name);
    if (!err && name.length == 0 && directory == HERE)
        err = -ENOENT;
    if (!err)
        err = ASK(vfs_readlink(&t->vfs, directory, name, &target));
    if (err)
        return err;
    i64 length = target.length < room ? target.length : room;
    return user_put(to, target.at, (u64)length) ? length : -EFAULT;
}

i64 sys_readlink(struct thread *t, const u64 *a) { return readlink_at(t, HERE, a[0], a[1], (i32)a[2]); }
i64 sys_readlinkat(struct thread *t, const u64 *a) { return readlink_at(t, file_number(a[0]), a[1], a[2], (i32)a[3]); }

/* ---- names made and removed ---- */
/* One path and a call to vfs with it as `name`. */
#define WITH_PATH(t, path, empty, stub) ({                                              \
        struct l4_bytes name;                                                           \
        i64 path_err = file_path(t, path, 0, empty, &name);                             \
        path_err ? path_err : ASK(stub); })

static i64 mkdir_at(struct thread *t, u32 directory, u64 path, u64 mode)
{
    return WITH_PATH(t, path, false, vfs_make_directory(&t->vfs, directory, (u32)mode & 01777, name));
}
i64 sys_mkdir(struct thread *t, const u64 *a) { return mkdir_at(t, HERE, a[0], a[1]); }
i64 sys_mkdirat(struct thread *t, const u64 *a) { return mkdir_at(t, file_number(a[0]), a[1], a[2]); }

static i64 mknod_at(struct thread *t, u32 directory, u64 path, u64 mode, u64 device)
{
    return WITH_PATH(t, path, false, vfs_make_node(&t->vfs, directory, (u32)mode, (u32)device, name));
}
i64 sys_mknod(struct thread *t, const u64 *a) { return mknod_at(t, HERE, a[0], a[1], a[2]); }
i64 sys_mknodat(struct thread *t, const u64 *a) { return mknod_at(t, file_number(a[0]), a[1], a[2], a[3]); }

static i64 unlink_at(struct thread *t, u32 directory, u64 path, u64 flags)
{
    return flags & ~(u64)AT_REMOVEDIR ? -EINVAL : WITH_PATH(t, path, false, vfs_unlink(&t->vfs, directory, (u32)flags, name));
}
i64 sys_unlink(struct thread *t, const u64 *a) { return unlink_at(t, HERE, a[0], 0); }
i64 sys_rmdir(struct thread *t, const u64 *a) { return unlink_at(t, HERE, a[0], AT_REMOVEDIR); }
i64 sys_unlinkat(struct thread *t, const u64 *a) { return unlink_at(t, file_number(a[0]), a[1], a[2]); }

static i64 two_paths(struct thread *t, u64 first, u64 second, bool empty, struct l4_bytes path[2])
{
    i64 err = file_path(t, first, 0, empty, &path[0]);
    return err ? err : file_path(t, second, SECOND_PATH, false, &path[1]);
}

static i64 rename_at(struct thread *t, u32 from, u64 old, u32 to, u64 new, u64 flags)
{
    struct l4_bytes path[2];
    if (flags & ~3ul || flags == 3)
        return -EINVAL;
    i64 err = two_paths(t, old, new, false, path);
    return err ? err : ASK(vfs_rename(&t->vfs, from, to, (u32)flags, path[0], path[1]));
}
i64 sys_rename(struct thread *t, const u64 *a) { return rename_at(t, HERE, a[0], HERE, a[1], 0); }
i64 sys_renameat(struct thread *t, const u64 *a) { return rename_at(t, file_number(a[0]), a[1], file_number(a[2]), a[3], 0); }
i64 sys_renameat2(struct thread *t, const u64 *a) { return rename_at(t, file_number(a[0]), a[1], file_number(a[2]), a[3], a[4]); }

static i64 link_at(struct thread *t, u32 from, u64 old, u32 to, u64 new, u64 flags)
{
    struct l4_bytes path[2];
    if (flags & ~(u64)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    i64 err = two_paths(t, old, new, may_be_empty(flags), path);
    return err ? err : ASK(vfs_link(&t->vfs, from, to, (u32)flags, path[0], path[1]));
}
i64 sys_link(struct thread *t, const u64 *a) { return link_at(t, HERE, a[0], HERE, a[1], 0); }
i64 sys_linkat(struct thread *t, const u64 *a) { return link_at(t, file_number(a[0]), a[1], file_number(a[2]), a[3], a[4]); }

static i64 symlink_at(struct thread *t, u64 target, u32 directory, u64 new)
{
    struct l4_bytes path[2];
    i64 err = two_paths(t, target, new, false, path);
    return err ? err : ASK(vfs_symlink(&t->vfs, directory, path[0], path[1]));
}
i64 sys_symlink(struct thread *t, const u64 *a) { return symlink_at(t, a[0], HERE, a[1]); }
i64 sys_symlinkat(struct thread *t, const u64 *a) { return symlink_at(t, a[0], file_number(a[1]), a[2]); }

/* ---- attributes ---- */
static i64 chmod_at(struct thread *t, u32 directory, u64 path, u64 mode)
{
    return WITH_PATH(t, path, false, vfs_chmod(&t->vfs, directory, (u32)mode & 07777, 0, name));
}
i64 sys_chmod(struct thread *t, const u64 *a) { return chmod_at(t, HERE, a[0], a[1]); }
i64 sys_fchmodat(struct thread *t, const u64 *a) { return chmod_at(t, file_number(a[0]), a[1], a[2]); }
i64 sys_fchmod(struct thread *t, const u64 *a)
{
    return ASK(vfs_chmod(&t->vfs, file_number(a[0]), (u32)a[1] & 07777, AT_EMPTY_PATH, l4_bytes(NULL, 0)));
}

static i64 chown_at(struct thread *t, u32 directory, u64 path, u64 uid, u64 gid, u64 flags)
{
    if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return WITH_PATH(t, path, may_be_empty(flags), vfs_chown(&t->vfs, directory, (u32)uid, (u32)gid, (u32)flags, name));
}
i64 sys_chown(struct thread *t, const u64 *a) { return chown_at(t, HERE, a[0], a[1], a[2], 0); }
i64 sys_lchown(struct thread *t, const u64 *a) { return chown_at(t, HERE, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW); }
i64 sys_fchownat(struct thread *t, const u64 *a) { return chown_at(t, file_number(a[0]), a[1], a[2], a[3], a[4]); }
i64 sys_fchown(struct thread *t, const u64 *a)
{
    return ASK(vfs_chown(&t->vfs, file_number(a[0]), (u32)a[1], (u32)a[2], AT_EMPTY_PATH, l4_bytes(NULL, 0)));
}

enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe };

/* What vfs.utimes is to do with one time: 1 set, 4 now, 0 nothing; -1: a bad time. */
static i32 time_kind(const struct linux_timespec *t)
{
    return t->nanoseconds == UTIME_NOW ? 4 : t->nanoseconds == UTIME_OMIT ? 0 : (u64)t->nanoseconds < NS ? 1 : -1;
}

i64 sys_utimensat(struct thread *t, const u64 *a)
{
    struct linux_timespec times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    if (a[2] && !user_get(times, a[2], sizeof times))
        return -EFAULT;
    if (a[3] & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) || time_kind(&times[0]) < 0 || time_kind(&times[1]) < 0)
        return -EINVAL;
    u32 which = (u32)time_kind(&times[0]) | (u32)time_kind(&times[1]) << 1, directory = file_number(a[0]);
    u64 at = timespec_ns(&times[0]), mt = timespec_ns(&times[1]);
    if (which == 0)
        return 0;
    if (a[1] == 0)
        return ASK(vfs_utimes(&t->vfs, directory, which, at, mt, AT_EMPTY_PATH, l4_bytes(NULL, 0)));
    return WITH_PATH(t, a[1], may_be_empty(a[3]), vfs_utimes(&t->vfs, directory, which, at, mt, (u32)a[3], name));
}

i64 sys_truncate(struct thread *t, const u64 *a)
{
    return (i64)a[1] < 0 ? -EINVAL : file_signal(t, WITH_PATH(t, a[0], false, vfs_truncate_path(&t->vfs, a[1], name)));
}

/* ---- the process's directories ---- */
i64 sys_chdir(struct thread *t, const u64 *a) { return WITH_PATH(t, a[0], false, vfs_chdir(&t->vfs, HERE, name)); }
i64 sys_fchdir(struct thread *t, const u64 *a) { return ASK(vfs_chdir(&t->vfs, file_number(a[0]), l4_bytes(NULL, 0))); }
i64 sys_chroot(struct thread *t, const u64 *a) { return WITH_PATH(t, a[0], false, vfs_chroot(&t->vfs, name)); }

i64 sys_umask(struct thread *t, const u64 *a)
{
    u32 was;
    i64 err = ASK(vfs_umask(&t->vfs, (u32)a[0] & 0777, &was));
    return err ? err : was;
}

i64 sys_getcwd(struct thread *t, const u64 *a)
{
    struct l4_bytes path;
    u8 zero = 0;
    i64 err = ASK(vfs_getcwd(&t->vfs, &path));
    if (err)
        return err;
    if (path.length + 1ul > a[1])
        return -ERANGE;
    return user_put(a[0], path.at, path.length) && user_put(a[0] + path.length, &zero, 1) ? (i64)path.length + 1 : -EFAULT;
}
