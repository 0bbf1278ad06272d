/* SPDX-License-Identifier: BSD-2-Clause */
/* rsd_kill.c: kills rs at every step of every order. Keeper and ds below are played: two services, the second one refuses. */
#include "rsd_kill.h"

#include <string.h>

enum { SERIAL = 0x6c6169726573, DISK = 0x6b736964, NONE = 0x656e6f6e };     /* "serial", "disk", "none" */
#define NAMED(name, bytes) [0] = (bytes), [4] = (name)

static void done(struct l4_message *m) { *m = (struct l4_message){ .number = m->number }; }

/* The first service is up and in its third incarnation, the second one died for the fourth time. */
static void answer_look(struct l4_message *m)
{
    union { u64 word[10]; struct keeper_status status; } now = { { 0 } };
    u32 n = (u32)m->word[0];
    if (n > 2) {
        m->tag = KEEPER_NO_SERVICE;
        return;
    }
    now.status = (struct keeper_status){ .state = n == 1 ? KEEPER_UP : KEEPER_DEAD, .incarnation = 3, .defects = 2 * n, .in_a_row = 2 * n,
                                         .wanted = true, .last = KEEPER_EXCEPTION };
    memcpy(now.status.name, n == 1 ? "serial" : "disk", 5);
    *m = (struct l4_message){ .tag = (sizeof now.status / 8) << L4_TAG_WORDS_SHIFT };
    memcpy(m->word, now.word, sizeof m->word);
    memcpy(&l4_utcb()->mr[L4_REGISTER_WORDS], &now.word[L4_REGISTER_WORDS], sizeof now - sizeof m->word);
}

static void answer_find(struct l4_message *m)
{
    u64 name = l4_utcb()->mr[4];
    if (name == NONE) {
        m->tag = KEEPER_NO_SERVICE;
        return;
    }
    *m = (struct l4_message){ .tag = 1ul << L4_TAG_WORDS_SHIFT, .word = { name == SERIAL ? 1 : 2 } };
}

static void answer_order(struct l4_message *m)
{
    if (m->word[0] == 2) {
        m->tag = KEEPER_IS_DOWN;
    } else {
        done(m);
    }
}

static void answer_memory(struct l4_message *m)
{
    *m = m->word[0] > 2 ? (struct l4_message){ .tag = KEEPER_NO_SERVICE }
                        : (struct l4_message){ .tag = 3ul << L4_TAG_WORDS_SHIFT, .word = { 1 << 20, 1 << 16, 1 << 12 } };
}

static void answer_suspect(struct l4_message *m) { *m = (struct l4_message){ .tag = 2ul << L4_TAG_WORDS_SHIFT, .word = { m->word[0] } }; }

static const struct world_rule below[] = {
    { KEEPER_METHOD_SUSPECT, false, answer_suspect }, { KEEPER_METHOD_MEMORY, false, answer_memory },
    { KEEPER_METHOD_LOOK, false, answer_look }, { KEEPER_METHOD_FIND, false, answer_find },
    { KEEPER_METHOD_START, true, answer_order }, { KEEPER_METHOD_STOP, true, answer_order },
    { KEEPER_METHOD_RESTART, true, answer_order }, { KEEPER_METHOD_KILL, true, answer_order },
    { KEEPER_METHOD_UPDATE, true, answer_order }, { DS_METHOD_SET_NUMBER, true, done },
    { 0 },
};

static const struct kill_request requests[] = {
    { .method = RSD_KILL_UP, .words = 5, .word = { NAMED(SERIAL, 6) } },
    { .name = "refused", .method = RSD_KILL_UP, .words = 5, .word = { NAMED(DISK, 4) }, .expect = RS_REFUSED },
    { .name = "nobody", .method = RSD_KILL_UP, .words = 5, .word = { NAMED(NONE, 4) }, .expect = RS_NO_SERVICE },
    { .method = RSD_KILL_DOWN, .words = 5, .word = { NAMED(SERIAL, 6) } },
    { .name = "refused", .method = RSD_KILL_DOWN, .words = 5, .word = { NAMED(DISK, 4) }, .expect = RS_REFUSED },
    { .method = RSD_KILL_REFRESH, .words = 5, .word = { NAMED(SERIAL, 6) } },
    { .method = RSD_KILL_RESTART, .words = 5, .word = { NAMED(SERIAL, 6) } },
    { .name = "refused", .method = RSD_KILL_RESTART, .words = 5, .word = { NAMED(DISK, 4) }, .expect = RS_REFUSED },
    { .method = RSD_KILL_UPDATE, .words = 7, .word = { NAMED(SERIAL, 6), [1] = 7, [6] = 0x326c6169726573 } },
    { .method = RSD_KILL_KILL, .words = 5, .word = { NAMED(SERIAL, 6), [1] = RS_LOOP } },
    { .method = RSD_KILL_COMPLAIN, .words = 5, .word = { NAMED(SERIAL, 6) } },
    { .method = RSD_KILL_LIST, .word = { 2 } },
    { .method = RSD_KILL_MEMORY, .word = { 1 } },
    { .name = "of nobody", .method = RSD_KILL_MEMORY, .word = { 1000 }, .expect = RS_NO_SERVICE },
    { .method = RSD_KILL_SHOW, .words = 5, .word = { NAMED(DISK, 4) } },
    { .name = "behind the last", .method = RSD_KILL_LIST, .word = { 3 }, .expect = RS_NO_SERVICE },
    { 0 },
};

int main(int count, char **words) { return kill_main(count, words, &rsd_kill, requests, below, NULL); }
