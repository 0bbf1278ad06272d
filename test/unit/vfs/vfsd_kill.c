/* SPDX-License-Identifier: BSD-2-Clause */
/* vfsd_kill.c: kills vfs at every step of every method, and of the ops that they begin. Below lies model.c, frozen:
 * what a file system answers does not depend on how often it was asked. Process 7 (MODEL_LABEL) has the pipe 0, 1,
 * the file "a" 2 (read and write), the directory "d" 3, the console 4. */
#include <string.h>
#include "client.h"

#define AS .label = MODEL_LABEL
#define PM .label = MODEL_PM
#define NAMED(text) .window = text, .window_bytes = sizeof(text) - 1

/* Words of an identity: pid, group 7, session 7, all ids `uid`. */
static struct kill_request with_identity(struct kill_request r, u32 first, u32 pid, u32 uid)
{
    struct vfs_identity who = { .pid = pid,
        .group = 7,
        .session = MODEL_PID,
        .uid = uid,
        .euid = uid,
        .fsuid = uid,
        .gid = uid,
        .egid = uid,
        .fsgid = uid,
        .files = 64,
        .size = ~0ul };
    memcpy(&r.word[first], &who, sizeof who);
    r.words = first + sizeof who / 8;
    return r;
}

static void send(u32 method, const char *path, u64 a, u64 b, u64 c, u64 d)
{
    kill_send(&(struct kill_request){
        .method = method, AS, .word = { a, b, c, d }, .window = path, .window_bytes = path ? (u32)strlen(path) : 0 });
}

static void open_as(const char *path, u32 flags) { send(VFSD_KILL_OPEN, path, VFS_HERE, flags, 0644, strlen(path)); }

static void prepare(void)
{
    model_reset(true);
    model_add(1, "a", 0106755, 1000, "hello");
    model_add(1, "d", 0040777, 1000, NULL);
    model_add(1, "l", 0120777, 1000, "d");
    struct kill_request admit = with_identity(
        (struct kill_request){ .method = VFSD_KILL_ADMIT, PM, .word = { MODEL_LABEL } }, 1, MODEL_PID, 1000);
    kill_send(&admit);
    send(VFSD_KILL_PIPE, NULL, 0, 0, 0, 0);
    open_as("a", 2);
    open_as("d", 0200000);
    open_as("dev/console", 2);
}

static void as_root(void)
{
    struct kill_request r = with_identity(
        (struct kill_request){ .method = VFSD_KILL_IDENTIFY, PM, .word = { MODEL_LABEL } }, 1, MODEL_PID, 0);
    kill_send(&r);
}

static void filled(void)
{
    for (u32 i = 0; i < 4; i++) {
        send(VFSD_KILL_WRITE, NULL, 1, 16384, 0, 0);
    }
}

static void text(void) { send(VFSD_KILL_WRITE, NULL, 1, 100, 0, 0); }
static void no_reader(void) { send(VFSD_KILL_CLOSE, NULL, 0, 0, 0, 0); }
static void typed(void) { model_typed = 5; }
static void control(void)
{
    as_root();
    open_as("proc/7/stat", 1);
}

static void executed(void)
{
    kill_send(&(struct kill_request){ .method = VFSD_KILL_EXEC, PM, .word = { MODEL_LABEL, 2 } });
}
static void locked(void)
{
    open_as("a", 0);
    send(VFSD_KILL_LOCK, NULL, 2, 2, 0, 0);
}

/* More descriptors than one transaction can close: of one file, marked, and some of files of their own between them. */
static void very_many(void)
{
    struct kill_request r = with_identity(
        (struct kill_request){ .method = VFSD_KILL_IDENTIFY, PM, .word = { MODEL_LABEL } }, 1, MODEL_PID, 1000);
    struct vfs_identity who;
    memcpy(&who, &r.word[1], sizeof who);
    who.files = 1024;
    memcpy(&r.word[1], &who, sizeof who);
    kill_send(&r);
    for (u32 i = 0; i < 275; i++) {
        send(VFSD_KILL_DUP, NULL, 2, 0, false, 02000000);
        if (i % 64 == 0) {
            open_as("a", 02000000);
        }
    }
}
/* Who waits at the pipe, in another thread of the same process. */
static const struct kill_request reader = { .method = VFSD_KILL_READ, AS, .word = { 0, 60 } };
static const struct kill_request writer = { .method = VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("world") };
static const struct kill_request poller = { .method = VFSD_KILL_POLL, AS, .word = { ~0ul, 1 }, .window = "\0\0\0\0\1\0\0", .window_bytes = 8 };
static const struct kill_request locker = { .method = VFSD_KILL_LOCK, AS, .word = { 5, 2 } };

static struct kill_request requests[] = {
    { .method = VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 0, 0, 1 }, NAMED("a") },
    { "by a link, marked", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 02000000, 0, 3 }, NAMED("l/.") },
    { "made", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 0102, 0644, 5 }, NAMED("d/new") },
    { "cut off", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 01001, 0, 1 }, NAMED("a") },
    { "not there", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 0, 0, 1 }, NAMED("z"), .expect = VFS_NOENT },
    { "through /proc", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 0, 0, 15 }, NAMED("/proc/self/fd/2") },
    { "a pipe through /proc", VFSD_KILL_OPEN, AS, .word = { VFS_HERE, 0, 0, 15 }, NAMED("/proc/self/fd/0") },
    { .method = VFSD_KILL_CLOSE, AS, .word = { 2 } },
    { "a pipe's end", VFSD_KILL_CLOSE, AS, .word = { 1 } },
    { .method = VFSD_KILL_DUP, AS, .word = { 2, 0, false, 0 } },
    { "over another", VFSD_KILL_DUP, AS, .word = { 2, 3, true, 02000000 } },
    { .method = VFSD_KILL_PIPE, AS, .word = { 02004000 } },
    { .method = VFSD_KILL_CONTROL, AS, .word = { 2, 2, 1 } },
    { "flags", VFSD_KILL_CONTROL, AS, .word = { 2, 4, 04000 } },
    { "size of a pipe", VFSD_KILL_CONTROL, AS, .word = { 0, 1031, 8192 } },
    { .method = VFSD_KILL_CLOSE_RANGE, AS, .word = { 0, 3, 0 } },
    { "marks", VFSD_KILL_CLOSE_RANGE, AS, .word = { 1, 50, 4 } },
    { .method = VFSD_KILL_READ, AS, .word = { 2, 3 } },
    { "a pipe", VFSD_KILL_READ, AS, .word = { 0, 60 }, .prepare = text },
    { "parks", VFSD_KILL_READ, AS, .word = { 0, 60 }, .expect = L4_PENDING },
    { "a terminal", VFSD_KILL_READ, AS, .word = { 4, 60 }, .prepare = typed },
    { "a terminal without input", VFSD_KILL_READ, AS, .word = { 4, 60 }, .expect = L4_PENDING },
    { .method = VFSD_KILL_WRITE, AS, .word = { 2, 5 }, NAMED("world") },
    { "a pipe", VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("world") },
    { "a full pipe", VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("world"), .expect = L4_PENDING, .prepare = filled },
    { "nobody reads", VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("world"), .expect = VFS_PIPE, .prepare = no_reader },
    { "a terminal", VFSD_KILL_WRITE, AS, .word = { 4, 5 }, NAMED("world") },
    { "a control file", VFSD_KILL_WRITE, AS, .word = { 5, 5 }, NAMED("world"), .prepare = control },
    { "a pipe that is read", VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("hello"), .steps = true, .peer = &reader },
    { "a pipe that is polled", VFSD_KILL_WRITE, AS, .word = { 1, 5 }, NAMED("hello"), .steps = true, .peer = &poller },
    { "a full pipe that is written", VFSD_KILL_READ, AS, .word = { 0, 6000 }, .steps = true, .prepare = filled, .peer = &writer },
    { "the end of a pipe that is read", VFSD_KILL_CLOSE, AS, .word = { 1 }, .steps = true, .peer = &reader },
    { "the end of a pipe that is written", VFSD_KILL_CLOSE, AS, .word = { 0 }, .steps = true, .prepare = filled, .peer = &writer },
    { "that somebody waits for", VFSD_KILL_LOCK, AS, .word = { 2, 8 }, .steps = true, .prepare = locked, .peer = &locker },
    { .method = VFSD_KILL_READ_AT, AS, .word = { 2, 1, 3 } },
    { .method = VFSD_KILL_WRITE_AT, AS, .word = { 2, 1, 3 }, NAMED("abc") },
    { .method = VFSD_KILL_SEEK, AS, .word = { 2, 3, 0 } },
    { .method = VFSD_KILL_LIST, AS, .word = { 3, 1000 } },
    { .method = VFSD_KILL_IOCTL, AS, .words = 9, .word = { 4, 0x5402, 0, 36 } },
    { "window size", VFSD_KILL_IOCTL, AS, .words = 5, .word = { 4, 0x5414, 0, 8 } },
    { "foreground", VFSD_KILL_IOCTL, AS, .words = 5, .word = { 4, 0x5410, 0, 4, 7 } },
    { "asked", VFSD_KILL_IOCTL, AS, .words = 4, .word = { 4, 0x5401, 0, 0 } },
    { "no terminal", VFSD_KILL_IOCTL, AS, .words = 4, .word = { 2, 0x5401, 0, 0 }, .expect = VFS_NOTTY },
    { "flush", VFSD_KILL_IOCTL, AS, .words = 4, .word = { 4, 0x540b, 0, 0 } },
    { "drain", VFSD_KILL_IOCTL, AS, .words = 4, .word = { 4, 0x5409, 1, 0 } },
    { "given up", VFSD_KILL_IOCTL, AS, .words = 4, .word = { 4, 0x5422, 0, 0 } },
    { .method = VFSD_KILL_MAP, AS, .words = 6, .word = { 2, 0, 0x10000, 4096, 1, 0 } },
    { .method = VFSD_KILL_TRUNCATE, AS, .word = { 2, 3 } },
    { .method = VFSD_KILL_SYNC, AS, .word = { 2 } },
    { "all", VFSD_KILL_SYNC, AS, .word = { VFS_HERE } },
    { .method = VFSD_KILL_POLL, AS, .word = { 0, 1 }, .window = "\2\0\0\0\1\0\0", .window_bytes = 8 },
    { "parks", VFSD_KILL_POLL, AS, .word = { ~0ul, 1 }, .window = "\0\0\0\0\1\0\0", .window_bytes = 8,
        .expect = L4_PENDING },
    { .method = VFSD_KILL_STAT, AS, .word = { VFS_HERE, 0, 1 }, NAMED("l") },
    { .method = VFSD_KILL_STAT_FILE, AS, .word = { 2 } },
    { .method = VFSD_KILL_ACCESS, AS, .word = { VFS_HERE, 4, 0, 1 }, NAMED("a") },
    { .method = VFSD_KILL_READLINK, AS, .word = { VFS_HERE, 1 }, NAMED("l") },
    { "of /proc", VFSD_KILL_READLINK, AS, .word = { VFS_HERE, 14 }, NAMED("/proc/self/exe"), .prepare = executed },
    { .method = VFSD_KILL_MAKE_DIRECTORY, AS, .word = { VFS_HERE, 0755, 5 }, NAMED("d/new") },
    { "there already", VFSD_KILL_MAKE_DIRECTORY, AS, .word = { VFS_HERE, 0755, 1 }, NAMED("d"), .expect = VFS_EXIST },
    { .method = VFSD_KILL_MAKE_NODE, AS, .word = { VFS_HERE, 0100644, 0, 5 }, NAMED("d/new") },
    { .method = VFSD_KILL_SYMLINK, AS, .words = 3, .word = { VFS_HERE, 1, 5 }, .window = NULL },
    { .method = VFSD_KILL_UNLINK, AS, .word = { VFS_HERE, 0, 1 }, NAMED("a"), .prepare = as_root },
    { .method = VFSD_KILL_RENAME, AS, .words = 5, .word = { VFS_HERE, VFS_HERE, 0, 1, 5 }, .prepare = as_root },
    { .method = VFSD_KILL_LINK, AS, .words = 5, .word = { VFS_HERE, VFS_HERE, 0, 1, 5 } },
    { .method = VFSD_KILL_CHMOD, AS, .word = { VFS_HERE, 0600, 0, 1 }, NAMED("a") },
    { .method = VFSD_KILL_CHOWN, AS, .words = 5, .word = { VFS_HERE, 1000, VFS_NOBODY, 0, 1 }, NAMED("a") },
    { .method = VFSD_KILL_UTIMES, AS, .words = 6, .word = { VFS_HERE, 3, 1, 2, 0, 1 }, NAMED("a") },
    { .method = VFSD_KILL_TRUNCATE_PATH, AS, .word = { 3, 1 }, NAMED("a") },
    { .method = VFSD_KILL_STATFS, AS, .word = { VFS_HERE, 1 }, NAMED("a") },
    { .method = VFSD_KILL_CHDIR, AS, .word = { VFS_HERE, 1 }, NAMED("d") },
    { "by descriptor", VFSD_KILL_CHDIR, AS, .word = { 3, 0 } },
    { .method = VFSD_KILL_GETCWD, AS },
    { .method = VFSD_KILL_UMASK, AS, .word = { 077 } },
    { .method = VFSD_KILL_CHROOT, AS, .word = { 1 }, NAMED("d"), .prepare = as_root },
    { .method = VFSD_KILL_LOCK, AS, .word = { 2, 1 } },
    { "waits", VFSD_KILL_LOCK, AS, .word = { 5, 2 }, .expect = L4_PENDING, .prepare = locked },
    { .method = VFSD_KILL_ADMIT, PM, .word = { MODEL_OTHER } },
    { .method = VFSD_KILL_FORK, PM, .word = { MODEL_LABEL, MODEL_OTHER } },
    { .method = VFSD_KILL_EXEC, PM, .word = { MODEL_LABEL, 2 } },
    { "again", VFSD_KILL_EXEC, PM, .word = { MODEL_LABEL, 3 }, .prepare = executed },
    { .method = VFSD_KILL_EXIT, PM, .word = { MODEL_LABEL } },
    { "with very many descriptors", VFSD_KILL_EXIT, PM, .word = { MODEL_LABEL }, .steps = true, .prepare = very_many },
    { "all but the last of very many", VFSD_KILL_CLOSE_RANGE, AS, .word = { 10, 265, 0 }, .steps = true, .prepare = very_many },
    { .method = VFSD_KILL_IDENTIFY, PM, .word = { MODEL_LABEL } },
    { 0 },
};

/* Two paths, the second where the window has its place. */
static u8 two[VFS_PATH + 8];

int main(int count, char **words)
{
    two[0] = 'a';
    memcpy(two + VFS_PATH, "d/new", 5);
    for (struct kill_request *r = requests; r->method; r++) {
        u32 first = r->method == VFSD_KILL_FORK ? 2 : 1;
        if (r->method == VFSD_KILL_ADMIT || r->method == VFSD_KILL_FORK || r->method == VFSD_KILL_IDENTIFY) {
            *r = with_identity(*r, first, 8, 1000);
        }
        if (r->method == VFSD_KILL_SYMLINK || r->method == VFSD_KILL_RENAME || r->method == VFSD_KILL_LINK) {
            r->window = two;
            r->window_bytes = sizeof two;
        }
    }
    return kill_main(count, words, &vfsd_kill, requests, model_rules, prepare);
}
