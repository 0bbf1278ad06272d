/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: what a command does with its streams, without Linux: it reads standard input to its end. The first line says what is wanted:
 *
 *   echo            the rest of the input goes to standard output, its length in words to standard error; status 3
 *   lines N         N numbered lines to standard output, every tenth to standard error too; status 0
 *   kill N          the same, and serial driver and tty are killed meanwhile, N times each, in each of the four ways
 *   die             ended by signal 9
 *   hang            never ends */
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/server.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include <l4/window.h>
#include <rs.h>
#include <tty.h>

enum { WINDOW = 16384, CHUNK = 4096, KILL_LINES = 12000, WINDOWS_AT = L4_STATE_ADDRESS + (2 << 20) };

/* As a server has it, so that keeper makes windows. */
static const struct l4_server_card card __attribute__((section(".note.axo"), used)) = {
    "vfs", L4_STATE_ADDRESS, 4096, WINDOWS_AT, WINDOW, 1, 4, 0, 1,
};

static struct l4_session tty L4_VOLATILE_ZERO, rs L4_VOLATILE_ZERO;
static const struct tty_asker who = { .pid = 1, .group = 1, .session = 1, .wait = true };

static u8 *window(void) { return (u8 *)WINDOWS_AT; }

static void put(u32 line, const void *text, u32 length)
{
    u32 done = 0;
    memcpy(window(), text, length);
    l4_err_t err = tty_write(&tty, line, &who, length, 0, 0, &done);
    if (err != L4_OK || done != length) {
        l4_panic("write: %e, %u of %u", err, done, length);
    }
}

static u32 get(u8 *to, u32 most)
{
    u32 done = 0;
    l4_err_t err = tty_read(&tty, TTY_STREAM_IN, &who, most, 0, 0, &done);
    if (err != L4_OK) {
        l4_panic("read: %e", err);
    }
    memcpy(to, window(), done);
    return done;
}

static void end(u32 status)
{
    l4_err_t err = tty_finish(&tty, status);
    l4_panic("finish: %e", err);
}

/* The first line, without its newline; what follows it stays to be read byte by byte, as a shell does. */
static u32 order(char *to, u32 most)
{
    u32 n = 0;
    u8 byte;
    while (n + 1 < most && get(&byte, 1) == 1 && byte != '\n') {
        to[n++] = (char)byte;
    }
    to[n] = 0;
    return n;
}

static void echo(void)
{
    u8 bytes[CHUNK];
    char text[32];
    u64 total = 0;
    for (u32 n; (n = get(bytes, sizeof bytes)) != 0; total += n) {
        put(TTY_STREAM_OUT, bytes, n);
    }
    put(TTY_STREAM_ERR, text, (u32)l4_format(text, sizeof text, "%lu\n", total));
    end(3 << 8);
}

static void kill_one(u32 i)
{
    static const struct l4_bytes victims[] = { { (const u8 *)"serial", 6 }, { (const u8 *)"tty", 3 } };
    l4_err_t err = rs_kill(&rs, victims[i % 2], (enum rs_way)(i / 2 % 4));
    if (err != L4_OK) {
        l4_log("kill: %e", err);
    }
}

static void lines(u32 count, u32 kills)
{
    char text[80];
    for (u32 i = 0; i < count; i++) {
        u32 length = (u32)l4_format(text, sizeof text, "line %06u of what goes to the host\n", i);
        put(TTY_STREAM_OUT, text, length);
        if (i % 10 == 0) {
            put(TTY_STREAM_ERR, text, length);
        }
        if (kills && i % (count / (2 * kills)) == count / (4 * kills)) {
            kill_one(i / (count / (2 * kills)));
        }
    }
    end(0);
}

static u32 number(const char *at)
{
    u32 n = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        n = 10 * n + (u32)(*at - '0');
    }
    return n;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

void l4_main(void)
{
    char text[64];
    l4_session_open(&tty, l4_slot_need("tty"), 0, 0);
    l4_session_open(&rs, l4_slot_need("rs"), 0, 0);
    order(text, sizeof text);
    if (begins(text, "echo")) {
        echo();
    } else if (begins(text, "lines ")) {
        lines(number(text + 6), 0);
    } else if (begins(text, "kill ")) {
        lines(KILL_LINES, number(text + 5));
    } else if (begins(text, "die")) {
        end(9);
    }
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}
