/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfsd_kill.c: kills tmpfs at every step of every method, of the ops that they begin, and of its first start.
 * /e is an empty directory, /g a file of 3 bytes that nobody holds, /h a file that was removed but is held. */
#include <string.h>

#include "memory.h"
#include "tmpfsd_kill.h"

enum { DIR = 0040755, REG = 0100644, LINK = 0120777 };
enum { FIRST = 22 };            /* inode of /e: those before it are the image's and the devices' */
enum { E = FIRST, G, H };

static struct kill_request create(u64 directory, u32 mode, char name)
{
    return (struct kill_request){ .method = TMPFSD_KILL_CREATE, .words = 10,
                                  .word = { directory, mode, 0, 0, 0, 0, 0, mode == LINK ? 100 : 0, 1, (u8)name } };
}

static void send(struct kill_request r) { kill_send(&r); }
static void release(u64 inode) { send((struct kill_request){ .method = TMPFSD_KILL_RELEASE, .word = { inode, 1 } }); }
static void hold(u64 inode) { send((struct kill_request){ .method = TMPFSD_KILL_HOLD, .word = { inode } }); }

static void unlink(u64 directory, bool is_directory, char name)
{
    send((struct kill_request){ .method = TMPFSD_KILL_UNLINK, .words = 5, .word = { directory, is_directory, 1, [4] = (u8)name } });
}

static void write(u64 inode, u64 at, u32 bytes)
{
    send((struct kill_request){ .method = TMPFSD_KILL_WRITE, .word = { inode, at, 0, bytes, 0, 0 } });
}

static void prepare(void)
{
    memset(memory_window(0), 'w', FS_WINDOW);
    send(create(1, DIR, 'e'));
    send(create(1, REG, 'g'));
    send(create(1, REG, 'h'));
    release(E);
    write(G, 0, 3);
    release(G);
    write(H, 0, 5000);
    unlink(1, false, 'h');
}

static void staged(u64 directory, char name)
{
    send((struct kill_request){ .method = TMPFSD_KILL_STAGE, .words = 5, .word = { 0, directory, 1, [4] = (u8)name } });
}

static void staged_g(void) { staged(1, 'g'); }
static void staged_e(void) { staged(1, 'e'); }
static void held(void) { hold(G); }
static void refuse(void) { memory_refuses = true; }
/* /d/f was held and is not any more: as long as it has its object, there is no room for another. */
static bool is_crowded(void) { return node_at(INODE_FILE)->object; }
static void crowded(void)
{
    hold(INODE_FILE);
    release(INODE_FILE);
    memory_crowded = is_crowded;
}
static void crowded_fresh(void)
{
    send(create(1, REG, 'k'));
    crowded();
}
/* All that there is is held. */
static void crowded_held(void)
{
    hold(INODE_FILE);
    memory_crowded = is_crowded;
}
static void image_held(void) { hold(INODE_FILE); }
static void long_file(void) { write(G, 0, 16384); }

/* A removed directory that is held, in a removed directory. */
static void nested(void)
{
    send(create(E, DIR, 'x'));
    unlink(E, true, 'x');
    unlink(1, true, 'e');
}

static void two_dead(void)
{
    hold(G);
    write(G, 0, 10);
    unlink(1, false, 'g');
    release(G);
}

static void replaced(void)
{
    send(create(1, REG, 'k'));
    staged(1, 'k');
}

#define RENAME(directory, flags, letter) .method = TMPFSD_KILL_RENAME, .words = 5, .word = { 0, directory, flags, 1, letter }
#define UNLINK(directory, rmdir, letter) .method = TMPFSD_KILL_UNLINK, .words = 5, .word = { directory, rmdir, 1, [4] = letter }
static struct kill_request requests[] = {
    { .method = TMPFSD_KILL_LOOKUP, .words = 5, .word = { 1, 1, [4] = 'g' } },
    { .method = TMPFSD_KILL_STAT, .word = { 1 } },
    { .method = TMPFSD_KILL_READ, .word = { G, 0, 3, 0, 0 } },
    { .method = TMPFSD_KILL_LIST, .word = { 1, 0, 4096, 0, 0 } },
    { .method = TMPFSD_KILL_READLINK, .word = { INODE_LINK, 0, 0 } },
    { .method = TMPFSD_KILL_STATFS },
    { .method = TMPFSD_KILL_WRITE, .word = { G, 1, 0, 2, 0, 0 } },
    { "over a hole", TMPFSD_KILL_WRITE, .word = { G, 9000, 0, 100, 0, 0 } },
    { "at the end", TMPFSD_KILL_WRITE, .word = { G, 0, 1, 100, 0, 0 } },
    { "the first bytes", TMPFSD_KILL_WRITE, .word = { G + 2, 0, 0, 100, 0, 0 }, .prepare = replaced },
    { "to a bigger place", TMPFSD_KILL_WRITE, .word = { G, 70000, 0, 16384, 0, 0 } },
    { "no frames", TMPFSD_KILL_WRITE, .word = { G, 5000, 0, 5, 0, 0 }, .prepare = refuse, .expect = FS_NOSPC },
    { "of the image", TMPFSD_KILL_WRITE, .word = { INODE_FILE, 5000, 0, 8192, 0, 0 } },
    { "in another's room", TMPFSD_KILL_WRITE, .word = { G + 2, 0, 0, 100, 0, 0 }, .prepare = crowded_fresh },
    { "of the image in another's room", TMPFSD_KILL_WRITE, .word = { INODE_OTHER, 50, 0, 8192, 0, 0 }, .prepare = crowded },
    { "too far", TMPFSD_KILL_WRITE, .word = { G, 1ul << 30, 0, 5, 0, 0 }, .expect = FS_FBIG },
    { .method = TMPFSD_KILL_CREATE, .words = 10, .word = { 1, REG, 5, 6, 0, 0, 0, 0, 1, 'n' } },
    { "a directory", TMPFSD_KILL_CREATE, .words = 10, .word = { E, DIR, 5, 6, 0, 0, 0, 0, 1, 'n' } },
    { "a link", TMPFSD_KILL_CREATE, .words = 10, .word = { E, LINK, 5, 6, 0, 0, 0, 300, 1, 'n' } },
    { "a long name", TMPFSD_KILL_CREATE, .words = 20, .word = { E, REG, 5, 6, 0, 0, 0, 0, 88, 'n', 'a', 'm', 'e', '2', '3', '4', '5', '6', '7', '8' } },
    { "it is there", TMPFSD_KILL_CREATE, .words = 10, .word = { 1, REG, 5, 6, 0, 0, 0, 0, 1, 'g' }, .expect = FS_EXIST },
    { .method = TMPFSD_KILL_LINK, .words = 5, .word = { E, G, 1, [4] = 'n' } },
    { "a directory", TMPFSD_KILL_LINK, .words = 5, .word = { E, INODE_D, 1, [4] = 'n' }, .expect = FS_PERM },
    { UNLINK(1, 0, 'g') },
    { "of a held file", UNLINK(1, 0, 'g'), .prepare = held },
    { "a directory", UNLINK(1, 1, 'e') },
    { "one name of two", UNLINK(INODE_D, 0, 'f') },
    { "not empty", UNLINK(1, 1, 'd'), .expect = FS_NOTEMPTY },
    { .method = TMPFSD_KILL_STAGE, .words = 5, .word = { 3, 1, 1, [4] = 'g' } },
    { "again", TMPFSD_KILL_STAGE, .words = 5, .word = { 0, 1, 1, [4] = 'e' }, .prepare = staged_g },
    { RENAME(E, 0, 'n'), .prepare = staged_g },
    { "a directory", RENAME(INODE_D, 0, 'n'), .prepare = staged_e },
    { "over a file", RENAME(1, 0, 'g'), .prepare = replaced },
    { "exchanged", RENAME(INODE_D, 2, 'f'), .prepare = staged_e },
    { "into itself", RENAME(E, 0, 'n'), .prepare = staged_e, .expect = FS_INVAL },
    { .method = TMPFSD_KILL_TRUNCATE, .word = { G, 1 } },
    { "away with pages", TMPFSD_KILL_TRUNCATE, .word = { G, 5 }, .prepare = long_file },
    { "longer", TMPFSD_KILL_TRUNCATE, .word = { G, 10000 } },
    { "much longer", TMPFSD_KILL_TRUNCATE, .word = { G, 100000 } },
    { "from nothing", TMPFSD_KILL_TRUNCATE, .word = { G + 2, 100 }, .prepare = replaced },
    { "longer than the image's", TMPFSD_KILL_TRUNCATE, .word = { INODE_FILE, 9000 } },
    { "shorter than the image's", TMPFSD_KILL_TRUNCATE, .word = { INODE_FILE, 50 } },
    { "no frames", TMPFSD_KILL_TRUNCATE, .word = { G, 10000 }, .prepare = refuse, .expect = FS_NOSPC },
    { "in another's room", TMPFSD_KILL_TRUNCATE, .word = { G + 2, 100 }, .prepare = crowded_fresh },
    { .method = TMPFSD_KILL_CHANGE, .word = { INODE_FILE, 6, 0, 7, 8, 0, 0, 1 } },
    { "mode and times", TMPFSD_KILL_CHANGE, .word = { G, 25, 0777, 7, 8, 11, 12, 0 } },
    { .method = TMPFSD_KILL_HOLD, .word = { G } },
    { "of the image", TMPFSD_KILL_HOLD, .word = { INODE_FILE } },
    { "no frames", TMPFSD_KILL_HOLD, .word = { INODE_FILE }, .prepare = refuse, .expect = FS_NOSPC },
    { "in another's room", TMPFSD_KILL_HOLD, .word = { INODE_OTHER }, .prepare = crowded },
    { "nobody has room", TMPFSD_KILL_HOLD, .word = { INODE_OTHER }, .prepare = crowded_held, .expect = FS_NOSPC },
    { .method = TMPFSD_KILL_RELEASE, .word = { INODE_FILE, 1 }, .prepare = image_held },
    { "the last of a removed file", TMPFSD_KILL_RELEASE, .word = { H, 1 } },
    { "after another", TMPFSD_KILL_RELEASE, .word = { H, 1 }, .prepare = two_dead },
    { "of removed directories", TMPFSD_KILL_RELEASE, .word = { G + 2, 1 }, .prepare = nested },
    { "too often", TMPFSD_KILL_RELEASE, .word = { G, 1 }, .expect = FS_INVAL },
    { .method = TMPFSD_KILL_SYNC },
    { .method = TMPFSD_KILL_CONTROL, .word = { G } },
    { "bytes", TMPFSD_KILL_CONTROL, .word = { G, 0, 1 }, .expect = FS_INVAL },
    { 0 },
};

int main(int count, char **words)
{
    kill_no_first_start = true;     /* the objects that hold the image are mapped memory of the test's own */
    return kill_main(count, words, &tmpfsd_kill, requests, memory_rules, prepare);
}
