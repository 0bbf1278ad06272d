/* SPDX-License-Identifier: BSD-2-Clause */
/* dsd_kill.c: kills ds at every step of every method. Keys and values are short, so a word holds each. */
#include "dsd_kill.h"

enum { KEY = 0x61, OTHER = 0x62, THIRD = 0x63, ANY = 0x2a2e };     /* "a", "b", "c", ".*" */

#define KEYED(key) [0] = 1, [4] = (key)

static void prepare(void)
{
    kill_send(&(struct kill_request){ .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(KEY), [1] = 7 } });
    kill_send(&(struct kill_request){ .method = DSD_KILL_SET_TEXT, .words = 9, .word = { KEYED(OTHER), [1] = 3, [8] = 0x434241 }, .label = KILL_OTHER });
    kill_send(&(struct kill_request){ .method = DSD_KILL_BACK_UP, .words = 9, .word = { KEYED(KEY), [1] = 1, [8] = 0x5a } });
    kill_send(&(struct kill_request){ .method = DSD_KILL_SUBSCRIBE, .words = 5, .word = { [0] = 2, [4] = ANY }, .label = KILL_OTHER });
}

static void own_subscription(void)
{
    kill_send(&(struct kill_request){ .method = DSD_KILL_SUBSCRIBE, .words = 5, .word = { [0] = 2, [4] = ANY } });
}

/* A removed name that one subscriber has yet to hear of. */
static void removed(void)
{
    own_subscription();
    kill_send(&(struct kill_request){ .method = DSD_KILL_REMOVE, .words = 5, .word = { KEYED(KEY) } });
}

static void heard(void)
{
    removed();
    kill_send(&(struct kill_request){ .method = DSD_KILL_NEXT, .label = KILL_OTHER });
}

static void fill(void)
{
    for (u64 i = 0; i < 125; i++) {
        kill_send(&(struct kill_request){ .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { [0] = 2, [1] = i, [4] = 0x30 + i % 64 + ((0x41 + i / 64) << 8) } });
    }
}

static const struct kill_request requests[] = {
    { .name = "new", .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(THIRD), [1] = 9 } },
    { .name = "again", .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(KEY), [1] = 9 } },
    { .name = "of another", .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(OTHER), [1] = 9 }, .expect = DS_NOT_OWNER },
    { .name = "empty key", .method = DSD_KILL_SET_NUMBER, .words = 4, .word = { 0 }, .expect = DS_BAD_KEY },
    { .name = "with a control character", .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(7) }, .expect = DS_BAD_KEY },
    { .name = "all taken", .method = DSD_KILL_SET_NUMBER, .words = 5, .word = { KEYED(THIRD) }, .expect = DS_FULL, .prepare = fill },
    { .method = DSD_KILL_SET_TEXT, .words = 9, .word = { KEYED(THIRD), [1] = 3, [8] = 0x7a7978 } },
    { .name = "another kind", .method = DSD_KILL_SET_MEMORY, .words = 9, .word = { KEYED(KEY), [1] = 3, [8] = 0x7a7978 } },
    { .method = DSD_KILL_SET_LABEL, .words = 5, .word = { KEYED(THIRD), [1] = 0x1234567890 } },
    { .method = DSD_KILL_BACK_UP, .words = 9, .word = { KEYED(KEY), [1] = 2, [8] = 0x7a79 } },
    { .method = DSD_KILL_REMOVE, .words = 5, .word = { KEYED(KEY) } },
    { .name = "nobody else is told", .method = DSD_KILL_REMOVE, .words = 5, .word = { KEYED(OTHER) }, .label = KILL_OTHER },
    { .name = "of another", .method = DSD_KILL_REMOVE, .words = 5, .word = { KEYED(OTHER) }, .expect = DS_NOT_OWNER },
    { .name = "none", .method = DSD_KILL_REMOVE, .words = 5, .word = { KEYED(THIRD) }, .expect = DS_NO_KEY },
    { .name = "first", .method = DSD_KILL_SUBSCRIBE, .words = 5, .word = { [0] = 2, [4] = ANY } },
    { .name = "instead", .method = DSD_KILL_SUBSCRIBE, .words = 5, .word = { [0] = 1, [4] = KEY }, .prepare = own_subscription },
    { .name = "no expression", .method = DSD_KILL_SUBSCRIBE, .words = 5, .word = { [0] = 1, [4] = 0x28 }, .expect = DS_BAD_EXPRESSION },
    { .method = DSD_KILL_UNSUBSCRIBE, .word = { 0 }, .prepare = removed },
    { .method = DSD_KILL_NEXT, .word = { 0 }, .prepare = own_subscription },
    { .name = "removed, the last to hear", .method = DSD_KILL_NEXT, .word = { 0 }, .prepare = heard },
    { .name = "not subscribed", .method = DSD_KILL_NEXT, .word = { 0 }, .expect = DS_NOTHING },
    { .method = DSD_KILL_GET_NUMBER, .words = 5, .word = { KEYED(KEY) } },
    { .method = DSD_KILL_GET_TEXT, .words = 5, .word = { KEYED(OTHER) } },
    { .name = "of another kind", .method = DSD_KILL_GET_MEMORY, .words = 5, .word = { KEYED(KEY) }, .expect = DS_OTHER_KIND },
    { .name = "none", .method = DSD_KILL_GET_LABEL, .words = 5, .word = { KEYED(THIRD) }, .expect = DS_NO_KEY },
    { .method = DSD_KILL_RESTORE, .words = 5, .word = { KEYED(KEY) } },
    { .name = "of another", .method = DSD_KILL_RESTORE, .words = 5, .word = { KEYED(OTHER) }, .expect = DS_NO_KEY },
    { 0 },
};

int main(int count, char **words) { return kill_main(count, words, &dsd_kill, requests, NULL, prepare); }
