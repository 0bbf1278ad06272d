/* SPDX-License-Identifier: BSD-2-Clause */
/* procd_kill.c: kills procd at every step of every method, and of the ops that they begin. */
#include "procd_kill.h"

enum { FIRST = 0x70001, SECOND = 0x70002 };     /* labels: processes 1 and 2 */

static u32 refusing;            /* the server below that says no; a request's prepare sets it */

static void done(struct l4_message *m, u32 words, u64 w0, u64 w1)
{
    *m = (struct l4_message){ .tag = (u64)words << L4_TAG_WORDS_SHIFT, .word = { w0, w1 } };
}

static void answer_space(struct l4_message *m)
{
    if (refusing == 1) {
        m->tag = SPACE_NOMEM;
    } else {
        done(m, 2, 512, m->word[2] < 1024);     /* three chunks */
    }
}

static void answer_make(struct l4_message *m)
{
    if (refusing == 2) {
        m->tag = MAKER_QUOTA;
    } else {
        done(m, 0, 0, 0);
    }
}

static void answer_files(struct l4_message *m)
{
    if (refusing == 3) {
        m->tag = FILES_NFILE;
    } else {
        done(m, 0, 0, 0);
    }
}

static void fine(struct l4_message *m) { done(m, 0, 0, 0); }

static const struct world_rule below[] = {
    { 0x102101, true, answer_space }, { 0x102102, true, fine }, { 0x102201, true, answer_make }, { 0x102202, false, fine },
    { 0x102301, true, answer_files }, { 0 },
};

/* Process 2 is a child of process 1. Words 4 to 17 of its registers follow the first four; the name's length is word
 * 18. */
static void prepare(void)
{
    refusing = 0;
    kill_send(&(struct kill_request){ .method = PROCD_KILL_FORK, .label = FIRST, .words = 20, .word = { 1, 2, 3, 4, [18] = 5, [19] = 0x6f6c6c6568 } });
}

static void refuse_space(void) { refusing = 1; }
static void refuse_task(void) { refusing = 2; }
static void refuse_files(void) { refusing = 3; }
static void child_exits(void) { kill_send(&(struct kill_request){ .method = PROCD_KILL_EXIT, .label = SECOND, .word = { 7 } }); }
static void two(void) { prepare(); }

#define FORK .method = PROCD_KILL_FORK, .label = FIRST, .words = 20, .word = { 9, 8, 7, 6, 5, [18] = 1, [19] = 'a' }
static const struct kill_request requests[] = {
    { FORK },
    { "no frames", FORK, .prepare = refuse_space, .expect = PROC_NOMEM },
    { "no task", FORK, .prepare = refuse_task, .expect = PROC_NOMEM },
    { "no table", FORK, .prepare = refuse_files, .expect = PROC_NOMEM },
    { "no such caller", PROCD_KILL_FORK, .label = 0x70007, .words = 19, .expect = PROC_AGAIN },
    { .method = PROCD_KILL_EXIT, .label = SECOND, .word = { 3 } },
    { .method = PROCD_KILL_WAIT, .label = FIRST, .prepare = child_exits },
    { "parks", PROCD_KILL_WAIT, .label = FIRST, .expect = L4_PENDING },
    { .method = PROCD_KILL_LIST, .label = FIRST, .prepare = two },
    { 0 },
};

int main(int count, char **words)
{
    return kill_main(count, words, &procd_kill, requests, below, prepare);
}
