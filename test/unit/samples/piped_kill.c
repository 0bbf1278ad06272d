/* SPDX-License-Identifier: BSD-2-Clause */
/* piped_kill.c: kills piped at every step of every method. */
#include "piped_kill.h"

/* The first pipe: reader 1, writer 2, 100 bytes in it, of which 30 were read. */
static void prepare(void)
{
    kill_send(&(struct kill_request){ .method = PIPED_KILL_MAKE });
    kill_send(&(struct kill_request){ .method = PIPED_KILL_WRITE, .word = { 2, 100 }, .window = "0123456789abcdefghij", .window_bytes = 20 });
    kill_send(&(struct kill_request){ .method = PIPED_KILL_READ, .word = { 1, 30 } });
}

static void empty(void) { kill_send(&(struct kill_request){ .method = PIPED_KILL_READ, .word = { 1, 4096 } }); }
static void fill(void) { kill_send(&(struct kill_request){ .method = PIPED_KILL_WRITE, .word = { 2, 4096 } }); }
static void close_reader(void) { kill_send(&(struct kill_request){ .method = PIPED_KILL_CLOSE, .word = { 1 } }); }

/* Another pipe was there before and went: its records are used again. */
static void reuse(void)
{
    kill_send(&(struct kill_request){ .method = PIPED_KILL_MAKE });
    kill_send(&(struct kill_request){ .method = PIPED_KILL_CLOSE, .word = { 3 } });
    kill_send(&(struct kill_request){ .method = PIPED_KILL_CLOSE, .word = { 4 } });
}

static const struct kill_request requests[] = {
    { .method = PIPED_KILL_MAKE },
    { "records used again", PIPED_KILL_MAKE, .prepare = reuse },
    { .method = PIPED_KILL_WRITE, .word = { 2, 64 }, .window = "abcdefgh", .window_bytes = 8 },
    { "round the ring's end", PIPED_KILL_WRITE, .word = { 2, 4096 }, .window = "xyz", .window_bytes = 3 },
    { "parks", PIPED_KILL_WRITE, .word = { 2, 1 }, .expect = L4_PENDING, .prepare = fill },
    { "another's end", PIPED_KILL_WRITE, .word = { 2, 1 }, .expect = PIPE_BAD_END, .label = KILL_OTHER },
    { "nobody reads", PIPED_KILL_WRITE, .word = { 2, 1 }, .expect = PIPE_BROKEN, .prepare = close_reader },
    { .method = PIPED_KILL_READ, .word = { 1, 40 } },
    { "parks", PIPED_KILL_READ, .word = { 1, 40 }, .expect = L4_PENDING, .prepare = empty },
    { .method = PIPED_KILL_CLOSE, .word = { 2 } },
    { "the last end", PIPED_KILL_CLOSE, .word = { 2 }, .prepare = close_reader },
    { .method = PIPED_KILL_STAT, .word = { 1 } },
    { "a new generation of the client", PIPED_KILL_MAKE, .label = 0x80003, .steps = true },
    { 0 },
};

int main(int count, char **words)
{
    return kill_main(count, words, &piped_kill, requests, NULL, prepare);
}
