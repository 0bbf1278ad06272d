/* SPDX-License-Identifier: BSD-2-Clause */
/* pmd_kill.c: kills pm at every step of every method, and of the operations over keeper, vm, vfs and tty that they
 * begin.
 * Processes: 1 is there from the start; `prepare` gives it a second thread (tid 2), in whose slot the harness asks, a
 * child 3 with one (tid 4), and a child 5. Labels: generation << 16 | record + 15. */
#include "pmd_kill.h"

enum { FIRST = 0x10010, SECOND = 0x20011, THIRD = 0x30012, FIRST_PLACE = 16 };
enum {
    SIG_KILL = 9,
    SIG_TERM = 15,
    SIG_CHLD = 17,
    SIG_CONT = 18,
    SIG_STOP = 19,
    SIG_TSTP = 20,
    SIG_QUEUED = 40,
    QUEUE = -1
};
enum { NO_HANG = 1, UNTRACED = 2, CONTINUED = 8 };

/* Which method below says no; a request's prepare sets it. */
static u32 refusing;
static u32 owed;
static bool busy;       /* keeper takes no thread apart for now */

static void done(struct l4_message *m, u32 words, u64 w0, u64 w1, u64 w2)
{
    bool no = (u32)m->tag == refusing && m->word[0] != FIRST_PLACE; /* the first process is made before `prepare` */
    *m = (struct l4_message){ .tag = no ? 12 : (u64)words << L4_TAG_WORDS_SHIFT, .word = { w0, w1, w2 } };
}

static void fine(struct l4_message *m) { done(m, 0, 0, 0, 0); }
static void drop_thread(struct l4_message *m)
{
    fine(m);
    m->tag = busy ? (u64)(u32)L4_PENDING : m->tag;
}
static void make(struct l4_message *m) { done(m, 1, 0x7f8000000140, 0, 0); }
static void fork_space(struct l4_message *m)
{
    u64 at = l4_utcb()->mr[5];
    done(m, 1, at < 2 ? at + 1 : 0, 0, 0); /* three pieces */
}
static void exec_files(struct l4_message *m) { done(m, 3, 06755, 7, 8); }
static void exit_files(struct l4_message *m) { done(m, 1, (u32)m->word[0] == (u32)THIRD ? 2 : 0, 0, 0); }
static void subscribe(struct l4_message *m) { done(m, 1, 0, 0, 0); }
static void owe(struct l4_message *m)
{
    u32 signal = owed;
    owed = 0;
    done(m, 2, signal | 1ul << 32, 1, 0);
}

static const struct world_rule below[] = {
    { 0x10101, true, make },
    { 0x10102, true, fine },
    { 0x10103, true, drop_thread },
    { 0x10104, true, fine },
    { 0x10105, true, make },
    { 0x20114, true, fine },
    { 0x20115, true, fork_space },
    { 0x20116, true, fine },
    { 0x20117, true, fine },
    { 0x20118, true, fine },
    { 0x20119, true, fine },
    { 0x2011b, true, fine },
    { 0x201f1, false, subscribe },
    { 0x2023c, true, fine },
    { 0x2023d, true, fine },
    { 0x2023e, true, exec_files },
    { 0x2023f, true, exit_files },
    { 0x20240, true, fine },
    { 0x2301e, false, owe },
    { 0x2301f, true, fine },
    { 0x230f1, false, subscribe },
    { 0x22101, false, fine },
    { 0x22102, false, fine },
    { 0x22103, false, fine },
    { 0x221f1, false, subscribe },
    { 0 },
};

#define SEND(...) kill_send(&(struct kill_request){ __VA_ARGS__ })
#define KILL(pid, thread, number, code)                                                                                \
    .method = PMD_KILL_KILL, .word = { (u64)(i64)(pid), thread, (u64)(number) | (u64)(u32)(code) << 32, 77, 5 }
#define FORK(how) .method = PMD_KILL_FORK, .word = { how, 0x7f8000000180, 0x7f8001010000 }
#define THREAD .method = PMD_KILL_MAKE_THREAD, .word = { 0x7f80000001c0, 0x1234 }

static void prepare(void)
{
    refusing = owed = 0;
    busy = false;
    SEND(THREAD, .label = FIRST);
    SEND(FORK(0), .label = FIRST);
    SEND(THREAD, .label = SECOND);
    SEND(FORK(0), .label = FIRST);
}

static void no_task(void) { refusing = 0x10101; }
static void no_space(void) { refusing = 0x20115; }
static void no_thread(void) { refusing = 0x10102; }
static void no_renewal(void) { refusing = 0x10105; }
static void second_is_full(void)
{
    SEND(THREAD, .label = SECOND);
    SEND(THREAD, .label = SECOND);
}
static void second_makes_room(void)
{
    second_is_full();
    busy = true;
    SEND(.method = PMD_KILL_EXIT_THREAD, .label = SECOND, .word = { 0 });
}
static void no_files(void) { refusing = 0x2023d; }
static void no_exec(void) { refusing = 0x20116; }
static void no_program(void) { refusing = 0x2023e; }
static void no_block(void) { refusing = 0x20118; }
static void second_ends(void) { SEND(.method = PMD_KILL_EXIT, .label = SECOND, .word = { 3 << 8 }); }
static void second_stops(void) { SEND(KILL(3, 0, SIG_STOP, 0), .label = FIRST); }
static void second_went_on(void)
{
    second_stops();
    SEND(KILL(3, 0, SIG_CONT, 0), .label = FIRST);
}
static void second_has(void) { SEND(KILL(3, 0, SIG_TERM, 0), .label = FIRST); }
static void second_has_queued(void)
{
    SEND(KILL(3, 0, SIG_QUEUED, QUEUE), .label = FIRST);
    SEND(KILL(3, 0, SIG_QUEUED, QUEUE), .label = FIRST);
    SEND(KILL(3, 4, SIG_TERM, -6), .label = FIRST);
}
static void second_took_stop(void)
{
    SEND(.method = PMD_KILL_SET_GROUP, .label = FIRST, .word = { 3, 3 });
    SEND(KILL(3, 0, SIG_TSTP, 0), .label = FIRST);
    SEND(.method = PMD_KILL_TAKE, .label = SECOND);
}
static void first_cares_not(void) { SEND(.method = PMD_KILL_DISPOSE, .label = FIRST, .word = { SIG_CHLD, 1, 0 }); }
static void first_handles(void) { SEND(.method = PMD_KILL_DISPOSE, .label = FIRST, .word = { SIG_CHLD, 2, 0 }); }
static void second_has_children(void)
{
    SEND(FORK(0), .label = SECOND);
    SEND(FORK(0), .label = SECOND);
    SEND(FORK(2), .label = SECOND);
    SEND(FORK(0), .label = SECOND);
    SEND(FORK(0), .label = SECOND);
    SEND(.method = PMD_KILL_EXIT, .label = 0x50014, .word = { 1 << 8 });
}
static void vforks(void) { SEND(FORK(1), .label = SECOND, .expect = L4_PENDING); }

#define RESUID .method = PMD_KILL_IDENTIFY, .word = { 4, 5, 6, 7 }
static const struct kill_request requests[] = {
    { FORK(0), .label = FIRST },
    { .name = "a grandchild", FORK(2), .label = SECOND },
    { .name = "no task", FORK(0), .label = FIRST, .prepare = no_task, .expect = PM_NOMEM },
    { .name = "no frames", FORK(0), .label = FIRST, .prepare = no_space, .expect = PM_NOMEM },
    { .name = "no descriptors", FORK(0), .label = FIRST, .prepare = no_files, .expect = PM_NOMEM },
    { .name = "vfork", FORK(1), .label = SECOND, .expect = L4_PENDING },
    { .name = "wrong flags", FORK(8), .label = FIRST, .expect = PM_INVAL },
    { .method = PMD_KILL_EXEC, .label = SECOND, .words = 5, .word = { 3, 2, 0, 0, 0x6873 } },
    { .name = "no space",
        .method = PMD_KILL_EXEC,
        .label = SECOND,
        .words = 5,
        .word = { 3, 2, 0, 0, 0x6873 },
        .prepare = no_exec,
        .expect = PM_NOMEM },
    { .name = "no way back",
        .method = PMD_KILL_EXEC,
        .label = SECOND,
        .words = 5,
        .word = { 3, 2, 0, 0, 0x6873 },
        .prepare = no_renewal },
    { .name = "not open",
        .method = PMD_KILL_EXEC,
        .label = SECOND,
        .words = 5,
        .word = { 3, 2, 0, 0, 0x6873 },
        .prepare = no_program },
    { .name = "after vfork",
        .method = PMD_KILL_EXEC,
        .label = 0x40013,
        .words = 5,
        .word = { 3, 2, 0, 0, 0x6873 },
        .prepare = vforks },
    { THREAD, .label = SECOND },
    { .name = "four are the most", THREAD, .label = SECOND, .prepare = second_is_full, .expect = PM_AGAIN },
    { .name = "one has ended, and is still there", THREAD, .label = SECOND, .prepare = second_makes_room, .expect = L4_PENDING },
    { .name = "no block", THREAD, .label = SECOND, .prepare = no_block, .expect = PM_NOMEM },
    { .name = "no thread", THREAD, .label = SECOND, .prepare = no_thread, .expect = PM_NOMEM },
    { .method = PMD_KILL_EXIT_THREAD, .label = SECOND, .word = { 0 } },
    { .name = "by a thread's number", KILL(4, 0, SIG_TERM, 0), .label = FIRST },
    { .name = "no such thread", .method = PMD_KILL_EXIT_THREAD, .label = THIRD, .expect = PM_SRCH },
    { .method = PMD_KILL_EXIT, .label = SECOND, .word = { 3 << 8 } },
    { .name = "nobody cares", .method = PMD_KILL_EXIT, .label = SECOND, .word = { 9 }, .prepare = first_cares_not },
    { .name = "a parent with a handler",
        .method = PMD_KILL_EXIT,
        .label = SECOND,
        .word = { 9 },
        .prepare = first_handles },
    { .name = "children", .method = PMD_KILL_EXIT, .label = SECOND, .prepare = second_has_children },
    { .name = "a terminal's group is told", .method = PMD_KILL_EXIT, .label = THIRD, .word = { 0 } },
    { .name = "after vfork", .method = PMD_KILL_EXIT, .label = 0x40013, .prepare = vforks },
    { .name = "the first process", .method = PMD_KILL_EXIT, .label = FIRST, .word = { 7 << 8 } },
    { .method = PMD_KILL_WAIT, .label = FIRST, .word = { (u64)-1l, 0 }, .prepare = second_ends },
    { .name = "by its number", .method = PMD_KILL_WAIT, .label = FIRST, .word = { 3, 0 }, .prepare = second_ends },
    { .name = "parks", .method = PMD_KILL_WAIT, .label = FIRST, .word = { (u64)-1l, 0 }, .expect = L4_PENDING },
    { .name = "no end wanted",
        .method = PMD_KILL_WAIT,
        .label = FIRST,
        .word = { (u64)-1l, PM_WAIT_NO_END },
        .prepare = second_ends,
        .expect = L4_PENDING },
    { .name = "does not hang", .method = PMD_KILL_WAIT, .label = FIRST, .word = { (u64)-1l, NO_HANG } },
    { .name = "stopped",
        .method = PMD_KILL_WAIT,
        .label = FIRST,
        .word = { (u64)-1l, UNTRACED },
        .prepare = second_stops },
    { .name = "continued",
        .method = PMD_KILL_WAIT,
        .label = FIRST,
        .word = { (u64)-1l, CONTINUED },
        .prepare = second_went_on },
    { .name = "childless", .method = PMD_KILL_WAIT, .label = SECOND, .word = { (u64)-1l, 0 }, .expect = PM_CHILD },
    { .method = PMD_KILL_SELF, .label = SECOND, .word = { 1 } },
    { .method = PMD_KILL_PARENT, .label = SECOND },
    { KILL(3, 0, SIG_TERM, 0), .label = FIRST },
    { .name = "a thread", KILL(3, 4, SIG_TERM, -6), .label = FIRST },
    { .name = "queued", KILL(3, 0, SIG_QUEUED, QUEUE), .label = FIRST, .prepare = second_has_queued },
    { .name = "SIGKILL", KILL(3, 0, SIG_KILL, 0), .label = FIRST },
    { .name = "SIGSTOP", KILL(3, 0, SIG_STOP, 0), .label = FIRST },
    { .name = "SIGCONT", KILL(3, 0, SIG_CONT, 0), .label = FIRST, .prepare = second_stops },
    { .name = "everybody", KILL(-1, 0, SIG_KILL, 0), .label = FIRST },
    { .name = "the group", KILL(0, 0, SIG_TERM, 0), .label = SECOND },
    { .name = "nobody", KILL(99, 0, SIG_TERM, 0), .label = FIRST, .expect = PM_SRCH },
    { .method = PMD_KILL_DISPOSE, .label = SECOND, .word = { SIG_TERM, 1, 0 }, .prepare = second_has },
    { .method = PMD_KILL_TAKE, .label = SECOND, .word = { 0 }, .prepare = second_has },
    { .name = "one of two",
        .method = PMD_KILL_TAKE,
        .label = SECOND,
        .word = { 1ul << (SIG_TERM - 1) },
        .prepare = second_has_queued },
    { .name = "nothing", .method = PMD_KILL_TAKE, .label = SECOND, .word = { 0 } },
    { .method = PMD_KILL_STOP, .label = SECOND, .word = { SIG_TSTP }, .prepare = second_took_stop },
    { .method = PMD_KILL_BACKGROUND, .label = SECOND, .word = { 21 }, .prepare = second_took_stop },
    { .method = PMD_KILL_PENDING, .label = SECOND, .word = { 1 }, .prepare = second_has },
    { .method = PMD_KILL_TIMER, .label = SECOND, .word = { 1000000, 500 } },
    { .method = PMD_KILL_SET_GROUP, .label = FIRST, .word = { 3, 3 } },
    { .method = PMD_KILL_GROUP, .label = SECOND, .word = { 0 } },
    { .method = PMD_KILL_MAKE_SESSION, .label = SECOND },
    { RESUID, .label = SECOND },
    { .method = PMD_KILL_SET_GROUPS, .label = SECOND, .words = 6, .word = { 3, 0, 0, 0, 1 | 2ul << 32, 3 } },
    { .method = PMD_KILL_LIMITS, .label = SECOND, .word = { 0, 7, 1, 100, 200 } },
    { .method = PMD_KILL_TIMES, .label = SECOND, .word = { 0 } },
    { .method = PMD_KILL_NICE, .label = SECOND, .word = { 0, 5 } },
    { .method = PMD_KILL_SHUT_DOWN, .label = SECOND, .word = { 1 } },
    { .method = PMD_KILL_LOOK, .label = FIRST, .word = { 2 } },
    { .method = PMD_KILL_LOAD, .label = FIRST },
    { 0 },
};

int main(int count, char **words)
{
    kill_by_chance = "seed";
    return kill_main(count, words, &pmd_kill, requests, below, prepare);
}
