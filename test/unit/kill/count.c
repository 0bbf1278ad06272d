/* SPDX-License-Identifier: BSD-2-Clause */
/* count.c: instructions from a request's arrival until its answer is sent, by single steps: `count` prints them for
 * piped. */
#include <stdio.h>
#include <string.h>
#include "piped_kill.h"

enum { CLIENT = 0x70003 };
static u64 steps, number = 7;
static void step(void) { steps++; }

static void ask(const char *name, u32 method, u64 w0, u64 w1, u64 n)
{
    const struct kill_method *k = &piped_methods[method];
    struct l4_message m = { l4_tag(k->tag, k->words, 0) | 7ul << L4_TAG_RIGHTS_SHIFT, CLIENT, n, { w0, w1 }, 0 };
    steps = 0;
    world_stepping = true;
    world_point = step;
    world_deliver(&m, NULL);
    world_point = NULL;
    world_stepping = false;
    const struct world_answer *a = world_answer_to(CLIENT, n);
    if (name) {
        printf("%-24s %5lu   (%d)\n", name, steps, a ? l4_tag_status(a->tag) : L4_PENDING);
    }
}

static u64 next(void) { return ++number << 16 | 1; }

int main(void)
{
    static struct world_server server;
    server = piped_kill.world;
    world_init(&server);
    world_reset();
    world_start();
    ask(NULL, PIPED_KILL_MAKE, 0, 0, next());
    ask(NULL, PIPED_KILL_WRITE, 2, 64, next());
    ask("make", PIPED_KILL_MAKE, 0, 0, next());
    ask("write 64 bytes", PIPED_KILL_WRITE, 2, 64, next());
    ask("the same, resent", PIPED_KILL_WRITE, 2, 64, number << 16 | 1);
    ask("read 64 bytes", PIPED_KILL_READ, 1, 64, next());
    ask("stat (retry)", PIPED_KILL_STAT, 1, 0, next());
    ask("an error", PIPED_KILL_WRITE, 1, 64, next());
    ask("read all", PIPED_KILL_READ, 1, 4096, next());
    ask("read, parks", PIPED_KILL_READ, 1, 64, next());
    ask("close", PIPED_KILL_CLOSE, 4, 0, next());
    return 0;
}
