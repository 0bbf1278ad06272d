/* SPDX-License-Identifier: BSD-2-Clause */
/* greedy.c: greedy HOW: take memory, or processes, in this way until there is none. A refusal is printed, status 3. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEGABYTE = 1 << 20, REFUSED = 3, USAGE = 2 };

static void refused(const char *call)
{
    printf("%s: %s\n", call, strerror(errno));
    exit(REFUSED);
}

static char *map(size_t bytes, int how)
{
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        refused("mmap");
    }
    return at;
}

static void by_malloc(void)
{
    for (;;) {
        char *at = malloc(MEGABYTE / 16);
        if (!at) {
            refused("malloc");
        }
        memset(at, 1, MEGABYTE / 16);
    }
}

static void by_brk(void)
{
    for (;;) {
        char *at = sbrk(MEGABYTE / 16);
        if (at == (char *)-1) {
            refused("brk");
        }
        memset(at, 1, MEGABYTE / 16);
    }
}

static void by_private(void)
{
    for (;;) {
        memset(map(MEGABYTE, MAP_PRIVATE), 1, MEGABYTE);
    }
}

static void by_shared(void)
{
    for (;;) {
        memset(map(MEGABYTE, MAP_SHARED), 1, MEGABYTE);
    }
}

/* Promised, never touched: more than any machine has. */
static void by_promise(void) { map(1ul << 40, MAP_PRIVATE); }

/* Children of children, each with pages that it writes to. */
static void by_children(void)
{
    for (;;) {
        if (fork() == 0) {
            memset(map(4 * MEGABYTE, MAP_PRIVATE), 1, 4 * MEGABYTE);
        }
    }
}

static void by_forks(void)
{
    for (;;) {
        fork();
    }
}

int main(int count, char **words)
{
    static const struct { const char *name; void (*take)(void); } ways[] = {
        { "malloc", by_malloc }, { "brk", by_brk }, { "private", by_private }, { "shared", by_shared },
        { "promise", by_promise }, { "children", by_children }, { "forks", by_forks },
    };
    for (unsigned i = 0; count == 2 && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(words[1], ways[i].name) == 0) {
            ways[i].take();
            return 0;
        }
    }
    return USAGE;
}
