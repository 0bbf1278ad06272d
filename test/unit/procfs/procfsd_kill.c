/* SPDX-License-Identifier: BSD-2-Clause */
/* procfsd_kill.c: kills procfs at every step of every method, and of its orders to rs. Most methods refuse everybody. */
#include <string.h>

#include <census.h>
#include <fs.h>
#include <rs.h>

#include "procfsd_kill.h"

enum { RS = 0x12000, VM = 0x20100, CONTROL = 34, PID = 7, STAT = PID << 8 | 11 };

static char *window(void) { return (char *)FS_WINDOWS; }

static i32 refusing;

static void answer_order(struct l4_message *m) { *m = (struct l4_message){ .tag = (u32)refusing }; }
static void answer_none(struct l4_message *m) { *m = (struct l4_message){ .tag = RS_NO_SERVICE }; }
static void answer_use(struct l4_message *m) { *m = (struct l4_message){ .tag = 3ul << L4_TAG_WORDS_SHIFT, .word = { 8192, 4096, 0 } }; }

static const struct world_rule below[] = {
    { RS | 1, true, answer_order }, { RS | 2, true, answer_order }, { RS | 3, true, answer_order }, { RS | 4, true, answer_order },
    { RS | 5, true, answer_order }, { RS | 6, true, answer_order }, { RS | 8, false, answer_none }, { VM | 9, false, answer_use }, { 0 },
};

static void order(const char *text) { strcpy(window(), text); }
static void prepare(void)
{
    refusing = 0;
    order("up tty\n");
}
static void down(void) { order("down tty"); }
static void refresh(void) { order("refresh  tty\n"); }
static void restart(void) { order("restart tty\n"); }
static void update(void) { order("update tty tty2\n"); }
static void kill_it(void) { order("kill tty port\n"); }
static void kill_how(void) { order("kill tty ever\n"); }
static void none(void) { refusing = RS_NO_SERVICE; }

#define ORDER(bytes) .method = PROCFSD_KILL_FS_CONTROL, .word = { CONTROL, 0, bytes, 0, 0 }
#define NEVER .never = true
static struct kill_request requests[] = {
    { .method = PROCFSD_KILL_FS_LOOKUP, .words = 5, .word = { 1, 4 } },
    { .method = PROCFSD_KILL_FS_STAT, .word = { 1 } },
    { .method = PROCFSD_KILL_FS_READ, .word = { 11, 0, 100, 0, 0 } },
    { "it is not there", PROCFSD_KILL_FS_READ, .word = { STAT, 0, 100, 0, 0 }, .expect = FS_NOENT },
    { .method = PROCFSD_KILL_FS_LIST, .word = { 1, 0, 4096, 0, 0 } },
    { .method = PROCFSD_KILL_FS_READLINK, .word = { 7, 0, 0 } },
    { .method = PROCFSD_KILL_FS_STATFS },
    { .method = PROCFSD_KILL_FS_WRITE, .word = { CONTROL }, .expect = FS_IO, NEVER },
    { .method = PROCFSD_KILL_FS_CREATE, .words = 10, .word = { 1, 0100644, [8] = 1, [9] = 'x' }, .expect = FS_NOENT, NEVER },
    { .method = PROCFSD_KILL_FS_LINK, .words = 5, .word = { 1, 11, 1, [4] = 'x' }, .expect = FS_PERM, NEVER },
    { .method = PROCFSD_KILL_FS_UNLINK, .words = 5, .word = { 1, 0, 1, [4] = 'x' }, .expect = FS_NOENT, NEVER },
    { .method = PROCFSD_KILL_FS_STAGE, .words = 5, .word = { 1, 1, 1, [4] = 'x' }, .expect = FS_PERM, NEVER },
    { .method = PROCFSD_KILL_FS_RENAME, .words = 5, .word = { 1, 1, 0, 1, [4] = 'x' }, .expect = FS_PERM, NEVER },
    { .method = PROCFSD_KILL_FS_TRUNCATE, .word = { CONTROL } },
    { .method = PROCFSD_KILL_FS_CHANGE, .word = { 11 }, .expect = FS_PERM, NEVER },
    { .method = PROCFSD_KILL_FS_HOLD, .word = { 11 } },
    { .method = PROCFSD_KILL_FS_RELEASE, .word = { 11, 1 } },
    { .method = PROCFSD_KILL_FS_SYNC },
    { ORDER(7) },
    { "down", ORDER(8), .prepare = down },
    { "refresh", ORDER(13), .prepare = refresh },
    { "restart", ORDER(12), .prepare = restart },
    { "update", ORDER(16), .prepare = update },
    { "kill", ORDER(14), .prepare = kill_it },
    { "no such way", ORDER(14), .prepare = kill_how, .expect = FS_INVAL },
    { "no such service", ORDER(7), .prepare = none, .expect = FS_NOENT },
    { "by a user", PROCFSD_KILL_FS_CONTROL, .word = { CONTROL, 1000, 7, 0, 0 }, .expect = FS_PERM },
    { .method = PROCFSD_KILL_CENSUS_TELL, .word = { PID, [6] = CENSUS_RUNNING } },
    { .method = PROCFSD_KILL_CENSUS_ALIVE, .words = 5, .word = { 1, [4] = PID } },
    { .method = PROCFSD_KILL_CENSUS_LOAD, .word = { 1, 1, 7 } },
    { 0 },
};

int main(int count, char **words)
{
    memcpy(&requests[0].word[4], "stat", 4);
    return kill_main(count, words, &procfsd_kill, requests, below, prepare);
}
