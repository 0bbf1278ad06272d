/* SPDX-License-Identifier: BSD-2-Clause */
/* test_linux.c: the same calls to the host's Linux and to vfs over the model: results, errors and what is found
 * afterwards must agree.
 *
 *     test_linux [ROUNDS [SEED]]
 *
 * Each round starts with the same small tree in a fresh directory and makes random calls in it, as an ordinary user
 * (root leaves a few files of its own there first, when it runs this). */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/file.h>
#include <unistd.h>
#include "client.h"

enum { HANDLES = 6, CALLS = 400, USER = 65534, BYTES = 5000 };

static u64 seed;
static bool was_root;
static u32 uid;
static int nfd[HANDLES], vfd[HANDLES], base_fd;
static i64 vbase;
static u64 counts[64], fine_counts[64];
static char history[CALLS][160];
static u32 calls;

static u32 pick(u32 n)
{
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (u32)(seed >> 33) % n;
}

static const char *const paths[] = {
    "a",
    "b",
    "c",
    "d",
    "d/e",
    "d/f",
    "d/e/g",
    "l",
    "m",
    "l/e",
    "m/x",
    "d/",
    "a/",
    "l/",
    "d/..",
    "d/../a",
    "./b",
    ".",
    "..",
    "d/.",
    "d/e/..",
    "",
    "dangling",
    "loop",
    "loop/x",
    "../t/a",
    "s/theirs",
    "s/mine",
    "s",
    "r",
    "rd",
    "rd/x",
    "a/x",
    "d//e",
    "dangling/",
    "n",
    "n/o",
    "x/..",
    "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
    "4567890123456789"
    "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
    "4567890123456789",
};
static const char *name(void) { return paths[pick(sizeof paths / sizeof paths[0])]; }
static const u32 modes[] = { 0644, 0755, 0600, 0, 0777, 0444, 0222, 0111, 0500, 0700, 01777, 02755, 04755 };
static u32 a_mode(void) { return modes[pick(sizeof modes / sizeof modes[0])]; }

static i64 native(i64 result) { return result < 0 ? -errno : result; }

static void disagree(const char *what, i64 linux_said, i64 we_said)
{
    fprintf(stderr, "%s: Linux %ld, vfs %ld (seed state %lu)\n", what, linux_said, we_said, seed);
    for (u32 i = 0; i < calls; i++) {
        fprintf(stderr, "  %u %s\n", i, history[i]);
    }
    abort();
}

static void note(const char *text) { snprintf(history[calls], sizeof history[0], "%.150s", text); }
#define NOTE(...) snprintf(history[calls], sizeof history[0], __VA_ARGS__)

static void agree(u32 kind, i64 l, i64 v)
{
    size_t n = strlen(history[calls]);
    snprintf(history[calls] + n, sizeof history[0] - n, " = %ld", l);
    calls++;
    counts[kind]++;
    fine_counts[kind] += l >= 0;
    if (l != v) {
        calls--;
        disagree(history[calls++], l, v);
    }
}

/* ---- descriptors ---- */
static u32 handle(void) { return pick(HANDLES); }

static void keep(u32 h, i64 l, i64 v)
{
    if (nfd[h] >= 0) {
        close(nfd[h]);
        CALL(CLOSE, (u64)vfd[h]);
    }
    nfd[h] = (int)l;
    vfd[h] = (int)v;
}

static i64 sign(i64 r) { return r < 0 ? r : 0; }

static void one_open(void)
{
    static const u32 some[] = { O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_CLOEXEC,
        O_NONBLOCK };
    const char *path = name();
    u32 flags = pick(4), mode = a_mode(), h = handle();
    for (u32 i = pick(4); i > 0; i--) {
        flags |= some[pick(sizeof some / sizeof some[0])];
    }
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        flags &= ~(u32)O_DIRECTORY;      /* kernels differ */
    }
    if (flags & O_PATH) {
        flags &= ~3u;
    }
    NOTE("open %.40s %o %o -> h%u", path, flags, mode, h);
    i64 l = native(openat(AT_FDCWD, path, (int)flags, mode)), v = CALL(OPEN, VFS_HERE, flags, mode, PATH(path));
    agree(0, sign(l), sign(v));
    if (l >= 0) {
        keep(h, l, v);
    }
}

static void one_close(void)
{
    u32 h = handle();
    NOTE("close h%u", h);
    agree(1, native(close(nfd[h])), sign(CALL(CLOSE, (u64)(u32)vfd[h])));
    nfd[h] = vfd[h] = -1;
}

static bool is_dir_fd(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISDIR(s.st_mode);
}

static void one_read(void)
{
    u32 h = handle(), bytes = pick(3) ? pick(100) : pick(BYTES);
    u8 data[BYTES];
    if (is_dir_fd(nfd[h])) {
        return;         /* EISDIR or EINVAL: file systems differ */
    }
    NOTE("read h%u %u", h, bytes);
    i64 l = native(read(nfd[h], data, bytes)), v = CALL(READ, (u64)(u32)vfd[h], bytes);
    agree(2, l, v);
    if (l > 0 && memcmp(data, client_window(&client_main), (size_t)l)) {
        disagree("data", 0, 0);
    }
}

static void one_pread(void)
{
    u32 h = handle(), bytes = pick(100), at = pick(200);
    u8 data[BYTES];
    if (is_dir_fd(nfd[h])) {
        return;
    }
    NOTE("pread h%u %u %u", h, bytes, at);
    i64 l = native(pread(nfd[h], data, bytes, at)), v = CALL(READ_AT, (u64)(u32)vfd[h], at, bytes);
    agree(3, l, v);
    if (l > 0 && memcmp(data, client_window(&client_main), (size_t)l)) {
        disagree("data", 0, 0);
    }
}

static void fill(u32 bytes)
{
    for (u32 i = 0; i < bytes; i++) {
        client_window(&client_main)[i] = (u8)pick(256);
    }
}

static void one_write(void)
{
    u32 h = handle(), bytes = pick(3) ? pick(100) : pick(BYTES);
    fill(bytes);
    NOTE("write h%u %u", h, bytes);
    i64 l = native(write(nfd[h], client_window(&client_main), bytes));
    agree(4, l, CALL(WRITE, (u64)(u32)vfd[h], bytes));
}

static void one_pwrite(void)
{
    u32 h = handle(), bytes = pick(100), at = pick(200);
    fill(bytes);
    NOTE("pwrite h%u %u %u", h, bytes, at);
    i64 l = native(pwrite(nfd[h], client_window(&client_main), bytes, at));
    agree(5, l, CALL(WRITE_AT, (u64)(u32)vfd[h], at, bytes));
}

static void one_seek(void)
{
    u32 h = handle(), from = pick(4) == 3 ? 5 : pick(3);         /* holes are the file system's business */
    i64 offset = (i64)pick(300) - 100;
    if (is_dir_fd(nfd[h])) {
        return;
    }
    NOTE("lseek h%u %ld %u", h, offset, from);
    agree(6, native(lseek(nfd[h], offset, (int)from)), CALL(SEEK, (u64)(u32)vfd[h], (u64)offset, from));
}

static void one_dup(void)
{
    u32 h = handle(), to = handle();
    NOTE("dup h%u -> h%u", h, to);
    if (h == to) {
        return;
    }
    i64 l = native(fcntl(nfd[h], F_DUPFD, 0)), v = CALL(DUP, (u64)(u32)vfd[h], 0, false, 0);
    agree(7, sign(l), sign(v));
    if (l >= 0) {
        keep(to, l, v);
    }
}

static void one_control(void)
{
    static const u32 commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL };
    static const u32 arguments[] = { 0, 1, O_NONBLOCK, O_APPEND | O_NONBLOCK, O_NONBLOCK | O_CLOEXEC };
    u32 h = handle(), command = commands[pick(4)], argument = arguments[pick(5)];
    if (command == F_SETFL) {
        argument |= O_NONBLOCK;
    }
    NOTE("fcntl h%u %u %o", h, command, argument);
    agree(8, native(fcntl(nfd[h], (int)command, argument)), CALL(CONTROL, (u64)(u32)vfd[h], command, argument));
}

static void one_pipe(void)
{
    int fd[2];
    u32 h = pick(HANDLES - 1), flags = O_NONBLOCK | (pick(2) ? O_CLOEXEC : 0);
    NOTE("pipe h%u h%u", h, h + 1);
    i64 l = native(pipe2(fd, (int)flags)), v = CALL(PIPE, flags);
    i64 w = (i64)client_answer()[1];
    agree(9, sign(l), sign(v));
    keep(h, fd[0], v);
    keep(h + 1, fd[1], w);
}

/* ---- names ---- */
static void same_stat(const struct stat *l)
{
    struct vfs_result v;
    memcpy(&v, client_answer(), sizeof v);
    if (l->st_mode != v.file.mode || l->st_nlink != v.file.links || l->st_uid != v.file.uid) {
        disagree("mode, links or owner", (i64)l->st_mode << 32 | (i64)l->st_nlink,
            (i64)v.file.mode << 32 | (i64)v.file.links);
    }
    if (S_ISREG(l->st_mode) && (u64)l->st_size != v.file.size) {
        disagree("size", l->st_size, (i64)v.file.size);
    }
}

static void one_stat(void)
{
    const char *path = name();
    struct stat s;
    u32 flags = pick(2) ? AT_SYMLINK_NOFOLLOW : 0;
    NOTE("stat %.40s %x", path, flags);
    i64 l = native(fstatat(AT_FDCWD, path, &s, (int)flags));
    agree(10, sign(l), sign(CALL(STAT, VFS_HERE, flags, PATH(path))));
    if (l == 0 && !strstr(path, "..")) {
        same_stat(&s);
    }
}

static void one_fstat(void)
{
    u32 h = handle();
    struct stat s;
    NOTE("fstat h%u", h);
    i64 l = native(fstat(nfd[h], &s));
    agree(11, sign(l), sign(CALL(STAT_FILE, (u64)(u32)vfd[h])));
    if (l == 0 && !S_ISDIR(s.st_mode)) {
        same_stat(&s);
    }
}

static void one_mkdir(void)
{
    const char *path = name();
    u32 mode = a_mode() & 01777;
    NOTE("mkdir %.40s %o", path, mode);
    i64 l = native(mkdir(path, mode));
    agree(12, l, sign(CALL(MAKE_DIRECTORY, VFS_HERE, mode, PATH(path))));
}

static void one_unlink(void)
{
    const char *path = name();
    u32 flags = pick(2) ? AT_REMOVEDIR : 0;
    NOTE("unlink %.40s %x", path, flags);
    i64 l = native(unlinkat(AT_FDCWD, path, (int)flags));
    agree(13, l, sign(CALL(UNLINK, VFS_HERE, flags, PATH(path))));
}

static void one_rename(void)
{
    const char *from = name(), *to = name();
    u32 flags = pick(3) ? 0 : pick(4);
    NOTE("rename %.40s %.40s %u", from, to, flags);
    i64 l = native(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
    agree(14, l, sign(CALL(RENAME, VFS_HERE, VFS_HERE, flags, PATH(from), PATH2(to))));
}

static void one_link(void)
{
    const char *from = name(), *to = name();
    u32 flags = pick(2) ? AT_SYMLINK_FOLLOW : 0;
    struct stat s;
    NOTE("link %.40s %.40s %x", from, to, flags);
    if (fstatat(AT_FDCWD, from, &s, flags ? 0 : AT_SYMLINK_NOFOLLOW) == 0 && s.st_uid != uid) {
        return;         /* fs.protected_hardlinks is the host's choice */
    }
    i64 l = native(linkat(AT_FDCWD, from, AT_FDCWD, to, (int)flags));
    agree(15, l, sign(CALL(LINK, VFS_HERE, VFS_HERE, flags, PATH(from), PATH2(to))));
}

static void one_symlink(void)
{
    const char *target = name(), *path = name();
    NOTE("symlink %.40s %.40s", target, path);
    i64 l = native(symlink(target, path));
    agree(16, l, sign(CALL(SYMLINK, VFS_HERE, PATH(target), PATH2(path))));
}

static void one_readlink(void)
{
    const char *path = name();
    char text[VFS_PATH];
    NOTE("readlink %.40s", path);
    i64 l = native(readlink(path, text, sizeof text)), v = CALL(READLINK, VFS_HERE, PATH(path));
    agree(17, l, v);
    if (l > 0 && memcmp(text, client_window(&client_main) + VFS_PATH, (size_t)l)) {
        disagree("text", 0, 0);
    }
}

static void one_chmod(void)
{
    const char *path = name();
    u32 mode = a_mode();
    NOTE("chmod %.40s %o", path, mode);
    i64 l = native(chmod(path, mode));
    agree(18, l, sign(CALL(CHMOD, VFS_HERE, mode, 0, PATH(path))));
}

static void one_fchmod(void)
{
    u32 h = handle(), mode = a_mode();
    struct stat s;
    NOTE("fchmod h%u %o", h, mode);
    if (fstat(nfd[h], &s) == 0 && S_ISFIFO(s.st_mode)) {
        return;
    }
    i64 l = native(fchmod(nfd[h], mode));
    agree(19, l, sign(CALL(CHMOD, (u64)(u32)vfd[h], mode, 0, 0)));
}

static void one_access(void)
{
    const char *path = name();
    u32 mode = pick(8);
    NOTE("access %.40s %u", path, mode);
    i64 l = native(syscall(SYS_faccessat, AT_FDCWD, path, mode));
    agree(20, l, sign(CALL(ACCESS, VFS_HERE, mode, 0, PATH(path))));
}

static void one_truncate(void)
{
    const char *path = name();
    u32 size = pick(BYTES);
    NOTE("truncate %.40s %u", path, size);
    i64 l = native(truncate(path, size));
    agree(21, l, sign(CALL(TRUNCATE_PATH, size, PATH(path))));
}

static void one_ftruncate(void)
{
    u32 h = handle(), size = pick(BYTES);
    NOTE("ftruncate h%u %u", h, size);
    i64 l = native(ftruncate(nfd[h], size));
    agree(22, l, sign(CALL(TRUNCATE, (u64)(u32)vfd[h], size)));
}

static void one_chown(void)
{
    const char *path = name();
    u32 to = pick(2) ? uid : pick(2) ? (u32)-1 : 0, gid = pick(2) ? (u32)-1 : pick(2) ? getegid() : 12345;
    NOTE("chown %.40s %d %d", path, (i32)to, (i32)gid);
    i64 l = native(lchown(path, to, gid));
    agree(23, l, sign(CALL(CHOWN, VFS_HERE, to, gid, AT_SYMLINK_NOFOLLOW, PATH(path))));
}

static void one_chdir(void)
{
    static const char *const to[] = { "d", "d/e", ".", "a", "nowhere", "l", "rd" };
    const char *path = to[pick(sizeof to / sizeof to[0])];
    NOTE("chdir %s", path);
    if (pick(3)) {
        note("fchdir base");
        agree(24, native(fchdir(base_fd)), sign(CALL(CHDIR, (u64)vbase, 0)));
        return;
    }
    i64 l = native(chdir(path));
    agree(24, l, sign(CALL(CHDIR, VFS_HERE, PATH(path))));
}

static void one_getcwd(void)
{
    char path[VFS_PATH];
    note("getcwd");
    i64 l = native(syscall(SYS_getcwd, path, sizeof path)), v = client_call(&client_main, VFSD_KILL_GETCWD, 0, NULL);
    agree(25, sign(l), sign(v));
    const char *tail = l > 0 ? strstr(path, "/t") : NULL;
    if (l > 0 && tail) {
        tail = strstr(path, "/w/t");
    }
    if (tail && (strlen(tail) != (size_t)v || memcmp(tail, client_window(&client_main), (size_t)v))) {
        fprintf(stderr, "%s against %.*s\n", path, (int)v, (char *)client_window(&client_main));
        disagree("getcwd", l, v);
    }
}

/* The names of a directory, sorted, "." and ".." too. */
static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static u32 collect(const u8 *at, u32 bytes, char list[][256], u32 n)
{
    for (u32 i = 0; i < bytes; ) {
        u16 size;
        memcpy(&size, at + i + 16, 2);
        strcpy(list[n++], (const char *)at + i + 19);
        i += size;
    }
    return n;
}

static void one_list(void)
{
    static u8 data[BYTES];
    static char ours[100][256], theirs[100][256];
    u32 h = handle(), n = 0, m = 0;
    NOTE("getdents h%u", h);
    if (is_dir_fd(nfd[h])) {
        lseek(nfd[h], 0, SEEK_SET);
        CALL(SEEK, (u64)(u32)vfd[h], 0, 0);
    }
    i64 l, v;
    do {
        l = native(syscall(SYS_getdents64, nfd[h], data, sizeof data));
        n = l > 0 ? collect(data, (u32)l, theirs, n) : n;
    } while (l > 0);
    do {
        v = CALL(LIST, (u64)(u32)vfd[h], BYTES);
        m = v > 0 ? collect(client_window(&client_main), (u32)v, ours, m) : m;
    } while (v > 0);
    agree(26, l, v);
    qsort(ours, m, sizeof ours[0], by_name);
    qsort(theirs, n, sizeof theirs[0], by_name);
    for (u32 i = 0; i < n || i < m; i++) {
        if (n != m || strcmp(ours[i], theirs[i])) {
            disagree("names", n, m);
        }
    }
}

static void one_umask(void)
{
    static const u32 some[] = { 022, 0, 077, 027 };
    u32 mask = some[pick(4)];
    NOTE("umask %o", mask);
    agree(27, (i64)umask(mask), CALL(UMASK, mask));
}

static void one_poll(void)
{
    struct pollfd ask[HANDLES];
    note("poll");
    for (u32 i = 0; i < HANDLES; i++) {
        ask[i] = (struct pollfd){ nfd[i], (short)(pick(2) ? POLLIN : POLLIN | POLLOUT | POLLRDNORM), 0 };
        struct vfs_poll q = { vfd[i], (u16)ask[i].events, 0 };
        memcpy(client_window(&client_main) + 8 * i, &q, 8);
    }
    i64 l = native(poll(ask, HANDLES, 0)), v = CALL(POLL, 0, HANDLES);
    agree(28, l, v);
    for (u32 i = 0; i < HANDLES; i++) {
        struct vfs_poll got;
        memcpy(&got, client_window(&client_main) + 8192 + 8 * i, 8);
        if ((u16)ask[i].revents != got.got) {
            fprintf(stderr, "h%u ", i);
            disagree("events", ask[i].revents, got.got);
        }
    }
}

static void one_mknod(void)
{
    static const u32 types[] = { S_IFREG, 0, S_IFIFO, S_IFDIR, S_IFCHR, S_IFLNK, 0170000, S_IFSOCK };
    const char *path = name();
    u32 type = types[pick(8)], mode = a_mode();
    NOTE("mknod %.40s %o", path, type | mode);
    i64 l = native(mknod(path, type | mode, 0x103));
    agree(29, l, sign(CALL(MAKE_NODE, VFS_HERE, type | mode, 0x103, PATH(path))));
    if (l == 0 && (type == S_IFIFO || type == S_IFSOCK)) {
        unlink(path);           /* opening one might wait */
        CALL(UNLINK, VFS_HERE, 0, PATH(path));
    }
}

static void one_flock(void)
{
    static const u32 operations[] = { LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN, 3 | LOCK_NB };
    u32 h = handle(), operation = operations[pick(4)];
    NOTE("flock h%u %u", h, operation);
    i64 l = native(flock(nfd[h], (int)operation));
    agree(30, l, sign(CALL(LOCK, (u64)(u32)vfd[h], operation)));
}

static void (*const kinds[])(void) = {
    one_open,
    one_open,
    one_open,
    one_close,
    one_read,
    one_read,
    one_pread,
    one_write,
    one_write,
    one_pwrite,
    one_seek,
    one_dup,
    one_control,
    one_pipe,
    one_stat,
    one_stat,
    one_fstat,
    one_mkdir,
    one_unlink,
    one_rename,
    one_rename,
    one_link,
    one_symlink,
    one_readlink,
    one_chmod,
    one_fchmod,
    one_access,
    one_truncate,
    one_ftruncate,
    one_chown,
    one_chdir,
    one_getcwd,
    one_list,
    one_umask,
    one_poll,
    one_mknod,
    one_flock,
};

/* ---- the tree ---- */
static void make(const char *path, u32 mode, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode)) {
        perror(path);
        exit(2);
    }
    close(fd);
}

static void make_directory(const char *path, u32 mode)
{
    if (mkdir(path, 0777) || chmod(path, mode)) {
        perror(path);
        exit(2);
    }
}

static void theirs_make(u64 t)
{
    if (was_root) {
        make("r", 0600, "root's");
        make_directory("rd", 0755);
        make("rd/x", 0644, "root's");
        make_directory("s", 01777);
        make("s/theirs", 0666, "root's");
        model_add(t, "r", S_IFREG | 0600, 0, "root's");
        u64 rd = model_add(t, "rd", S_IFDIR | 0755, 0, NULL), s = model_add(t, "s", S_IFDIR | 01777, 0, NULL);
        model_add(rd, "x", S_IFREG | 0644, 0, "root's");
        model_add(s, "theirs", S_IFREG | 0666, 0, "root's");
    }
}

static void tree_make(char *at)
{
    strcpy(at, "/tmp/vfs-linux-XXXXXX");
    umask(0);
    if (!mkdtemp(at) || chdir(at)) {
        perror(at);
        exit(2);
    }
    make_directory("w", 0755);
    make_directory("w/t", 0755);
    if (was_root && (chown(at, USER, USER) || chown("w", USER, USER) || chown("w/t", USER, USER))) {
        perror(at);
        exit(2);
    }
    if (chdir("w/t")) {
        exit(2);
    }
    client_reset(uid, uid);
    u64 w = model_add(1, "w", S_IFDIR | 0755, uid, NULL), t = model_add(w, "t", S_IFDIR | 0755, uid, NULL);
    theirs_make(t);
    if (was_root && (setresgid(USER, USER, 0) || setresuid(USER, USER, 0))) {
        exit(2);
    }
    make("a", 0644, "hello");
    make_directory("d", 0755);
    if (symlink("d", "l") || symlink("nothing", "dangling") || symlink("loop", "loop")) {
        exit(2);
    }
    model_add(t, "a", S_IFREG | 0644, uid, "hello");
    model_add(t, "d", S_IFDIR | 0755, uid, NULL);
    model_add(t, "l", S_IFLNK | 0777, uid, "d");
    model_add(t, "dangling", S_IFLNK | 0777, uid, "nothing");
    model_add(t, "loop", S_IFLNK | 0777, uid, "loop");
    umask(022);
    CALL(CHDIR, VFS_HERE, PATH("/w/t"));
    base_fd = open(".", O_RDONLY);
    vbase = CALL(OPEN, VFS_HERE, 0, 0, PATH("."));
    for (u32 i = 0; i < HANDLES; i++) {
        nfd[i] = vfd[i] = -1;
    }
}

static void tree_drop(const char *at)
{
    char command[100];
    for (u32 i = 0; i < HANDLES; i++) {
        close(nfd[i]);
    }
    close(base_fd);
    if (was_root && (setresuid(0, 0, 0) || setresgid(0, 0, 0))) {
        exit(2);
    }
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", at, at);
    if (chdir("/") || system(command)) {
        exit(2);
    }
}

static void round_run(void)
{
    char at[64];
    calls = 0;
    tree_make(at);
    for (u32 i = 0; i < CALLS - 1; i++) {
        kinds[pick(sizeof kinds / sizeof kinds[0])]();
        if (i % 16 == 0 && !vfsd_server.check()) {
            disagree("an invariant is broken", 0, 0);
        }
    }
    tree_drop(at);
    CALL(CLOSE_RANGE, 0, ~0u, 0);
    CALL(CHDIR, VFS_HERE, PATH("/"));
    for (u64 i = 2; i < 512; i++) {
        if (model_holds(i)) {
            disagree("an inode is still held", 0, (i64)i);
        }
    }
}

int main(int count, char **words)
{
    u64 rounds = count > 1 ? strtoul(words[1], NULL, 0) : 60, first = count > 2 ? strtoul(words[2], NULL, 0) : 1,
        all = 0, fine = 0;
    signal(SIGPIPE, SIG_IGN);
    was_root = geteuid() == 0;
    uid = was_root ? USER : geteuid();
    if (was_root && setgroups(0, NULL)) {
        was_root = false;
    }
    for (u64 i = 0; i < rounds; i++) {
        seed = (first + i) * 0x9e3779b97f4a7c15ul;
        round_run();
    }
    for (u32 i = 0; i < 64; i++) {
        all += counts[i];
        fine += fine_counts[i];
        if (counts[i] && !fine_counts[i]) {
            printf("kind %u never succeeded\n", i);
        }
    }
    printf("%lu calls as Linux, %lu of them succeeded\n", all, fine);
    return 0;
}
