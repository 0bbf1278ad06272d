/* SPDX-License-Identifier: BSD-2-Clause */
/* test_linux.c: the same operations on tmpfs and on a fresh directory of the host: errors, names, bytes and links must agree. First the
 * start is killed at every step: the root that comes out of it must be the same.
 *
 *     test_linux [OPERATIONS [SEED]] */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "tmpfsd_kill.h"

enum { HANDLES = 6, BYTES = 200000, PART = 16384, DIR_MODE = 0040755, REG_MODE = 0100644, LINK_MODE = 0120777 };

static u64 seed = 1;
static struct handle { int fd; u64 inode; } handles[HANDLES];
static char said[256];
static u8 ours[BYTES], theirs[BYTES];

static u32 pick(u32 n)
{
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (u32)(seed >> 33) % n;
}

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "after %s: %s\n", said, what);
        abort();
    }
}

/* ---- calls of tmpfs: 0 or an errno ---- */
static const struct world_answer *answer;

static int call(u32 method, u32 fixed, const u64 *word, const char *name)
{
    static u64 number = 1000;
    const struct kill_method *m = &tmpfsd_methods[method];
    u64 w[L4_WORDS_MAX] = { 0 };
    u32 length = name ? (u32)strlen(name) : 0, tail = fixed + 1 < 4 ? 4 : fixed + 1, words = fixed;
    memcpy(w, word, 8 * fixed);
    if (name) {
        w[fixed] = length;
        memcpy(&w[tail], name, length);
        words = tail + (length + 7) / 8;
    }
    struct l4_message message = { .tag = l4_tag(m->tag, words, 0) | (u64)m->rights << L4_TAG_RIGHTS_SHIFT, .label = 0x10003,
                                  .number = m->once ? ++number << 16 : 0, .word = { w[0], w[1], w[2], w[3] } };
    must(world_deliver(&message, w), world_crash());
    answer = world_answer_to(message.label, message.number);
    must(answer != NULL, "no answer");
    must(l4_tag_status(answer->tag) >= 0, "a refusal");
    return l4_tag_status(answer->tag);
}
#define CALL(method, name, ...) call(TMPFSD_KILL_##method, sizeof((u64[]){ __VA_ARGS__ }) / 8, (u64[]){ __VA_ARGS__ }, name)

static struct fs_node node_of(void)
{
    struct fs_node n;
    memcpy(&n, answer->word, sizeof n);
    return n;
}

/* A path without links: its inode. */
static int resolve(const char *path, u64 *inode)
{
    char part[256];
    *inode = FS_ROOT;
    while (*path) {
        u32 n = (u32)strcspn(path, "/");
        memcpy(part, path, n);
        part[n] = 0;
        path += n + (path[n] == '/');
        int err = CALL(LOOKUP, part, *inode);
        if (err) {
            return err;
        }
        *inode = answer->word[0];
    }
    return 0;
}

static int parent_of(const char *path, u64 *parent, const char **name)
{
    char head[512] = "";
    const char *slash = strrchr(path, '/');
    memcpy(head, path, slash ? (size_t)(slash - path) : 0);
    *name = slash ? slash + 1 : path;
    int err = resolve(head, parent);
    err = err ? err : CALL(STAT, NULL, *parent);
    return err ? err : (node_of().mode & S_IFMT) == S_IFDIR ? 0 : ENOTDIR;
}

/* ---- paths ---- */
static const char *const directories[] = { "", "e/", "k/", "e/k/", "k/e/" };
static const char *const names[] = {
    "e", "k", "a", "b", "c", "x.of.twentyfour.letters", "more.than.twenty-four.letters.are.in.here",
    "a0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
};

static void path_pick(char *to, bool plain)
{
    u32 skip = plain ? 2 : 0, count = sizeof names / sizeof names[0];
    sprintf(to, "%s%s", directories[pick(5)], names[skip + pick(count - skip)]);
}

static int native(int result) { return result < 0 ? errno : 0; }

static void agree(int host, int mine)
{
    if (host != mine) {
        fprintf(stderr, "%s: Linux %d, tmpfs %d\n", said, host, mine);
        abort();
    }
}

/* ---- bytes ---- */
static u64 inode_read(u64 inode, u8 *to)
{
    u64 done = 0;
    for (;;) {
        must(CALL(READ, NULL, inode, done, PART, 1, 0) == 0, "read fails");
        u64 n = answer->word[0];
        memcpy(to + done, memory_window(1), n);
        done += n;
        if (n < PART) {
            return done;
        }
    }
}

static void bytes_agree(int fd, u64 inode)
{
    u64 size = inode_read(inode, ours);
    must((u64)pread(fd, theirs, BYTES, 0) == size, "sizes differ");
    must(memcmp(ours, theirs, size) == 0, "bytes differ");
}

/* ---- operations ---- */
static void one_make(void)
{
    char path[300];
    const char *name;
    u64 parent;
    u32 kind = pick(4);
    path_pick(path, kind == 2);
    static const char target[] = "a target that is longer than one piece of text can be, by some letters";
    u32 bytes = 1 + pick(sizeof target - 1);
    char link[100] = "";
    memcpy(link, target, bytes);
    memcpy(memory_window(0), target, bytes);
    sprintf(said, "make %.100s of kind %u", path, kind);
    int host = native(kind == 0 ? mkdir(path, 0755) : kind == 2 ? symlink(link, path) : mknod(path, S_IFREG | 0644, 0));
    int mine = parent_of(path, &parent, &name);
    u64 mode = kind == 0 ? DIR_MODE : kind == 2 ? LINK_MODE : REG_MODE;
    mine = mine ? mine : CALL(CREATE, name, parent, mode, 0, 0, 0, 0, 0, kind == 2 ? bytes : 0);
    agree(host, mine);
    if (!mine) {
        must(CALL(RELEASE, NULL, answer->word[0], 1) == 0, "release fails");
    }
}

static void one_remove(void)
{
    char path[300];
    const char *name;
    u64 parent;
    u32 rmdir_too = pick(3) == 0;
    path_pick(path, false);
    sprintf(said, "%s %.100s", rmdir_too ? "rmdir" : "unlink", path);
    int host = native(rmdir_too ? rmdir(path) : unlink(path)), mine = parent_of(path, &parent, &name);
    agree(host, mine ? mine : CALL(UNLINK, name, parent, rmdir_too));
}

static void one_rename(void)
{
    char from[300], to[300];
    const char *old, *name;
    u64 old_parent, parent;
    u32 flags = pick(4) ? 0 : 1 + pick(2);
    path_pick(from, false);
    path_pick(to, false);
    struct stat s;
    bool is_link = lstat(from, &s) == 0 && S_ISLNK(s.st_mode), was_link = lstat(to, &s) == 0 && S_ISLNK(s.st_mode);
    if (is_link || (was_link && flags == 2)) {
        return;         /* a link could become part of a path */
    }
    sprintf(said, "rename %.60s to %.60s %u", from, to, flags);
    int host = native(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags)), mine = parent_of(from, &old_parent, &old);
    mine = mine ? mine : parent_of(to, &parent, &name);
    mine = mine ? mine : CALL(STAGE, old, 3, old_parent);
    agree(host, mine ? mine : CALL(RENAME, name, 3, parent, flags));
}

static void one_link(void)
{
    char from[300], to[300];
    const char *name;
    u64 inode, parent;
    path_pick(from, false);
    path_pick(to, true);
    sprintf(said, "link %.60s to %.60s", from, to);
    int host = native(link(from, to)), mine = resolve(from, &inode);
    mine = mine ? mine : parent_of(to, &parent, &name);
    agree(host, mine ? mine : CALL(LINK, name, parent, inode));
}

static void handle_close(struct handle *h)
{
    if (h->fd >= 0) {
        close(h->fd);
        h->fd = -1;
        must(CALL(RELEASE, NULL, h->inode, 1) == 0, "release fails");
    }
}

static void one_open(void)
{
    char path[300];
    struct stat s;
    struct handle *h = &handles[pick(HANDLES)];
    path_pick(path, false);
    handle_close(h);
    sprintf(said, "open %.100s", path);
    if (lstat(path, &s) == 0 && S_ISREG(s.st_mode)) {
        h->fd = open(path, O_RDWR);
        must(resolve(path, &h->inode) == 0 && CALL(HOLD, NULL, h->inode) == 0, "hold fails");
    }
}

static void one_write(void)
{
    struct handle *h = &handles[pick(HANDLES)];
    if (h->fd < 0) {
        return;
    }
    u32 bytes = pick(4) ? pick(300) : pick(PART + 1), append = pick(2);
    u64 at = pick(3) ? pick(6000) : pick(BYTES - PART), size = (u64)lseek(h->fd, 0, SEEK_END);
    if (size + PART > BYTES) {
        return;
    }
    memset(memory_window(0), 1 + (int)pick(255), bytes);
    sprintf(said, "write %u bytes at %lu of %lu", bytes, append ? size : at, size);
    must(pwrite(h->fd, memory_window(0), bytes, (off_t)(append ? size : at)) == bytes, "the host does not write");
    must(CALL(WRITE, NULL, h->inode, at, append, bytes, 0, 0) == 0 && answer->word[0] == bytes, "write fails");
    bytes_agree(h->fd, h->inode);
}

static void one_truncate(void)
{
    struct handle *h = &handles[pick(HANDLES)];
    u64 size = pick(3) ? pick(6000) : pick(BYTES);
    if (h->fd < 0) {
        return;
    }
    sprintf(said, "truncate to %lu", size);
    must(ftruncate(h->fd, (off_t)size) == 0 && CALL(TRUNCATE, NULL, h->inode, size) == 0, "truncate fails");
    bytes_agree(h->fd, h->inode);
}

/* ---- looking ---- */
static void node_agrees(const char *path, const struct fs_node *n)
{
    struct stat s;
    must(lstat(path, &s) == 0 && (s.st_mode & S_IFMT) == (n->mode & S_IFMT), "types differ");
    must(S_ISDIR(s.st_mode) || s.st_nlink == n->links, "links differ");
    must(S_ISDIR(s.st_mode) || (u64)s.st_size == n->size, "sizes differ");
    if (S_ISLNK(s.st_mode)) {
        must(CALL(READLINK, NULL, n->inode, 0, 0) == 0 && readlink(path, (char *)theirs, BYTES) == (ssize_t)answer->word[0]
                 && memcmp(theirs, memory_window(0), answer->word[0]) == 0, "targets differ");
    }
}

static u32 tree_agrees(const char *path, u64 inode);

/* Each name of tmpfs is one of the host's; as many there are. */
static u32 entries_agree(const char *path, u64 inode)
{
    u64 cookie = 0;
    u32 found = 0, below = 0;
    u8 list[PART];
    for (;;) {
        must(CALL(LIST, NULL, inode, cookie, 300, 2, 0) == 0, "list fails");
        u32 done = (u32)answer->word[0];
        cookie = answer->word[1];
        memcpy(list, memory_window(2), done);
        for (u32 at = 0; at < done; found++) {
            struct dirent64 *d = (struct dirent64 *)(list + at);
            char whole[700];
            at += d->d_reclen;
            if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) {
                continue;
            }
            snprintf(whole, sizeof whole, "%s%s%.255s", path, *path ? "/" : "", d->d_name);
            must(CALL(STAT, NULL, d->d_ino) == 0, "stat fails");
            struct fs_node n = node_of();
            node_agrees(whole, &n);
            below += (n.mode & S_IFMT) == S_IFDIR ? tree_agrees(whole, d->d_ino) : 1;
        }
        if (!done) {
            return found | below << 16;
        }
    }
}

static u32 tree_agrees(const char *path, u64 inode)
{
    DIR *d = opendir(*path ? path : ".");
    u32 names_there = 0, here = entries_agree(path, inode);
    while (readdir(d)) {
        names_there++;
    }
    closedir(d);
    must(names_there == (u16)here, "names differ");
    return 1 + (here >> 16);
}

/* ---- the start ---- */
static u64 points_left;
static bool cut;

static void point(void)
{
    if (points_left && !--points_left) {
        cut = true;
        *(volatile char *)8 = 0;        /* the incarnation ends here */
    }
}

static void image_agrees(void)
{
    u64 inode;
    must(resolve("d/f", &inode) == 0 && inode == INODE_FILE && CALL(STAT, NULL, inode) == 0, "the image's file is not there");
    struct fs_node n = node_of();
    must(n.links == 2 && n.size == IMAGE_FILE_BYTES && n.mode == 0106755 && n.mtime == 5, "the image's file is another");
    must(CALL(HOLD, NULL, inode) == 0 && inode_read(inode, ours) == IMAGE_FILE_BYTES, "the image's file cannot be read");
    for (u32 i = 0; i < IMAGE_FILE_BYTES; i++) {
        must(ours[i] == memory_file_byte(i), "the image's bytes are others");
    }
    must(CALL(TRUNCATE, NULL, inode, 6000) == 0 && inode_read(inode, ours) == 6000 && !ours[5000] && !ours[5999], "junk after the image's file");
    must(resolve("dev/null", &inode) == 0 && CALL(STAT, NULL, inode) == 0 && node_of().device == 0x103, "no /dev/null");
    must(CALL(STAT, NULL, INODE_D) == 0 && node_of().mtime == 3, "the directory's time is another");
    must(memory_objects() == 1, "objects are left");
}

static struct world_server server;

static void start_killed(void)
{
    u32 kills = 0;
    for (u64 at = 1;; at++, kills++) {
        sprintf(said, "a start that is killed at point %lu", at);
        world_reset();
        world_point = point;
        points_left = at;
        cut = false;
        bool up = world_start();
        points_left = 0;
        must(up == !cut && (up || world_start()), world_crash());
        image_agrees();
        if (!cut) {
            break;
        }
    }
    world_point = NULL;
    printf("the first start, killed at %u points, leaves the same root\n", kills);
}

static void fresh(void)
{
    u64 inode;
    world_reset();
    must(world_start(), world_crash());
    sprintf(said, "the start");
    must(CALL(UNLINK, "l", 1, 0) == 0 && CALL(UNLINK, "f", INODE_D, 0) == 0 && CALL(UNLINK, "same", INODE_D, 0) == 0 && CALL(UNLINK, "other", INODE_D, 0) == 0, "cannot empty the root");
    must(CALL(UNLINK, "d", 1, 1) == 0 && resolve("dev", &inode) == 0, "cannot empty the root");
    must(CALL(STAGE, "dev", 0, 1) == 0 && CALL(RENAME, "devices", 0, 1, 0) == 0, "cannot move /dev");
}

int main(int count, char **words)
{
    static void (*const operations[])(void) = { one_make, one_make, one_make, one_remove, one_remove, one_rename, one_rename, one_link, one_open,
                                                one_write, one_write, one_truncate };
    char folder[] = "/tmp/tmpfs-XXXXXX", line[64];
    u32 total = count > 1 ? (u32)atoi(words[1]) : 20000;
    seed = count > 2 ? strtoul(words[2], NULL, 0) : 1;
    server = tmpfsd_kill.world;
    server.rules = memory_rules;
    world_init(&server);
    start_killed();
    fresh();
    must(mkdtemp(folder) && chdir(folder) == 0 && mkdir("devices", 0755) == 0, "no directory to compare with");
    umask(0);
    for (u32 i = 0; i < HANDLES; i++) {
        handles[i].fd = -1;
    }
    for (u32 i = 0; i < total; i++) {
        operations[pick(sizeof operations / sizeof operations[0])]();
        if (i % 64 == 0) {
            must(CALL(UNLINK, "dev", 1, 0) == ENOENT, "a name that is gone is there");
        }
        if (i % 512 == 0) {
            must(world_start(), world_crash());
        }
    }
    for (u32 i = 0; i < HANDLES; i++) {
        handle_close(&handles[i]);
    }
    /* the devices are tmpfs's alone */
    must(CALL(STAGE, "devices", 0, 1) == 0 && rmdir("devices") == 0, "cannot compare");
    u64 inode;
    must(resolve("devices", &inode) == 0, "the devices are gone");
    DIR *d = opendir(".");
    closedir(d);
    for (u32 i = 0; i < 12; i++) {
        static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty", "console", "fd", "stdin", "stdout", "stderr" };
        if (i < 11) {
            must(CALL(UNLINK, devices[i], inode, 0) == 0, "a device is gone");
        }
    }
    u64 axo;
    must(resolve("devices/axo", &axo) == 0 && CALL(UNLINK, "in", axo, 0) == 0 && CALL(UNLINK, "out", axo, 0) == 0
             && CALL(UNLINK, "err", axo, 0) == 0 && CALL(UNLINK, "axo", inode, 1) == 0 && CALL(UNLINK, "devices", 1, 1) == 0, "devices are left");
    printf("%u operations: %u files and directories agree\n", total, tree_agrees("", FS_ROOT));
    must(world_start(), world_crash());
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return chdir("/") || system(line);
}
