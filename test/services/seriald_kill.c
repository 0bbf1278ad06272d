/* SPDX-License-Identifier: BSD-2-Clause */
/* seriald_kill.c: kills the serial driver at every step of every method. The device is host/uart.c: it takes each byte at once and
 * keeps what it was sent, so a state in the middle of the sending is right as well, and the end is always the same. */
#include "seriald_kill.h"

#include "host/uart_host.h"

enum { LONG = 2048, DEVICE_LABEL = 5 };

static const u8 text[LONG] = "what the driver is to send";

static void interrupt(void)
{
    struct l4_message m = { .tag = l4_tag(L4_IRQ << 8, 0, 0), .label = DEVICE_LABEL };
    world_deliver(&m, NULL);
}

static void prepare(void) { uart_host_reset(); }

static void typed(void)
{
    uart_host_type((const u8 *)"typed", 5);
    interrupt();
}

/* More is queued than the device takes. */
static void clogged(void)
{
    uart_host_block(true);
    for (u32 i = 0; i < 4; i++) {
        kill_send(&(struct kill_request){ .method = SERIALD_KILL_WRITE, .word = { LONG }, .window = text, .window_bytes = LONG });
    }
}

static const struct kill_request requests[] = {
    { .method = SERIALD_KILL_WRITE, .word = { 26 }, .window = text, .window_bytes = 26, .steps = true },
    { .name = "more than the device takes at once", .method = SERIALD_KILL_WRITE, .word = { 40 }, .window = text, .window_bytes = 40, .steps = true },
    { .name = "nothing", .method = SERIALD_KILL_WRITE, .word = { 0 } },
    { .name = "full", .method = SERIALD_KILL_WRITE, .word = { 1 }, .window = text, .window_bytes = 1, .expect = L4_PENDING, .prepare = clogged },
    { .method = SERIALD_KILL_READ, .word = { 3 }, .prepare = typed },
    { .name = "all", .method = SERIALD_KILL_READ, .word = { 100 }, .prepare = typed },
    { .name = "too many", .method = SERIALD_KILL_READ, .word = { 5000 }, .expect = CHARDEV_BAD_LENGTH, .prepare = typed },
    { .name = "none there", .method = SERIALD_KILL_READ, .word = { 1 }, .expect = L4_PENDING },
    { .method = SERIALD_KILL_DRAIN, .word = { 0 } },
    { .name = "clogged", .method = SERIALD_KILL_DRAIN, .word = { 0 }, .expect = L4_PENDING, .prepare = clogged },
    { .method = SERIALD_KILL_LOOK, .word = { 0 } },
    { 0 },
};

int main(int count, char **words) { return kill_main(count, words, &seriald_kill, requests, NULL, prepare); }
