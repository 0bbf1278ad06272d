/* SPDX-License-Identifier: BSD-2-Clause */
/* ttyd_kill.c: kills tty at every step of every method, and of what it does when the driver has news: typed lines, keys that signal, the
 * host's messages, frames of the exec stream. Session 1 has the console, its group 1 is in front. */
#include <string.h>

#include "driver.h"
#include "frame.h"
#include "ttyd_kill.h"

enum { FRONT = 1, BACK = 2, MANY = 30000, LOT = 16384, PEER = 0 };
enum { CONSOLE = TTY_CONSOLE, IN = TTY_STREAM_IN, OUT = TTY_STREAM_OUT, ERR = TTY_STREAM_ERR };
#define READABLE (L4_IRQ_PEER + PEER)

/* An asker of group `group` in session 1, which waits. */
#define WHO(group) (group) | (u64)(group) << 32, 1 | 1ul << 40
#define WHO_ELSE   9 | 9ul << 32, 9 | 1ul << 40
#define WHO_BOLD   BACK | (u64)BACK << 32, 1 | 1ul << 32 | 1ul << 40
#define WHO_HASTY  FRONT | (u64)FRONT << 32, 1
#define SEND(...) kill_send(&(struct kill_request){ __VA_ARGS__ })
#define WRITE(line, bytes) .method = TTYD_KILL_WRITE, .word = { line, WHO(FRONT), bytes, 0, 0 }
#define READ(line) .method = TTYD_KILL_READ, .word = { line, WHO(FRONT), 100, 0, 0 }
/* struct termios in five words: iflag, oflag, cflag, lflag, characters. */
#define TERMIOS(lflag) 0x500 | 5ul << 32, 0xcb2 | (u64)(lflag) << 32, 0x0004157f1c0300, 0x00001a1311000100, 0x16170f12
#define MODE(line, who, when, lflag) .method = TTYD_KILL_SET_TERMIOS, .word = { line, who, when, TERMIOS(lflag) }
enum { COOKED = 0x8a3b, RAW = 0x8a39 & ~0x0a, STOPPING = COOKED | 0x100 };

static void prepare(void)
{
    driver_reset();
    SEND(.method = TTYD_KILL_TAKE, .word = { CONSOLE, WHO(FRONT), 0 });
    for (u32 i = 0; i < LOT; i++) {
        driver_window()[i] = i % 61 == 60 ? '\n' : 'a' + i % 26;
    }
}

static void type(const char *text)
{
    driver_type(text, (u32)strlen(text));
    driver_event();
}

static void typed_line(void) { type("one\x7f" "e\rtwo\rthr"); }
static void typed_later(void) { driver_type("li\x7fne\n\tx\x15 word \x17\x16\x03", 17); }
static void typed_interrupt(void) { driver_type("abc\x03\x1a", 5); }
static void interrupted(void) { type("\x03\x1a"); }
static void typed_much(void)
{
    static u8 much[MANY];
    memset(much, 'x', sizeof much);
    driver_type(much, sizeof much);
    driver_event();
}
static void raw(void) { SEND(MODE(CONSOLE, WHO(FRONT), 0, RAW)); }
static void raw_typed(void)
{
    raw();
    type("abc");
}
static void half_typed_then_raw(void)
{
    type("abc");
    raw();
}
static void stopping(void) { SEND(MODE(CONSOLE, WHO(FRONT), 0, STOPPING)); }
static void stopped(void)
{
    type("\x13");
    SEND(WRITE(CONSOLE, 10));
}
/* The end of the session lets out what ^S held back. */
static void stopped_at_the_end(void)
{
    stopped();
    SEND(.method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .expect = L4_PENDING);
    driver_event();
}
static void starts_again(void)
{
    stopped();
    driver_type("\x11", 1);
}
static void clogged(void)
{
    driver_block(true);
    SEND(WRITE(CONSOLE, 8000));
    SEND(WRITE(CONSOLE, 8000));
}
static void unclogged(void)
{
    clogged();
    driver_block(false);
}
static void somebody_writes(void)
{
    driver_block(true);
    SEND(WRITE(CONSOLE, 10));
}

static void message(u8 kind, const void *payload, u32 bytes)
{
    u8 frame[FRAME_MOST + 1] = { 0xff };
    driver_type(frame, 1 + frame_encode(frame + 1, kind, 0, payload, bytes));
}
static void resized(void) { message(FRAME_SIZE, (u16[4]){ 40, 132 }, 8); }
static void ended(void)
{
    driver_type("rest", 4);
    message(FRAME_END, "", 1);
}
static void has_ended(void)
{
    message(FRAME_END, "", 1);
    driver_event();
}
static void damaged(void) { driver_type("\xff\x7e\x06nonsense\x7eok\r", 14); }

/* ---- the exec stream: nobody has the console ---- */
static void nobody(void) { SEND(.method = TTYD_KILL_LEAVE, .word = { 1 }); }
static void framing(void)
{
    nobody();
    SEND(WRITE(OUT, 3000));
}
static void frame(u8 kind, u32 number, const void *payload, u32 bytes)
{
    u8 text[FRAME_MOST];
    driver_type(text, frame_encode(text, kind, number, payload, bytes));
}
static void reader_waits(void)
{
    nobody();
    SEND(READ(IN), .expect = L4_PENDING);
}
/* The host sends once it was told that somebody reads. */
static void fed(void)
{
    reader_waits();
    driver_event();
    frame(FRAME_IN, 1, "given", 5);
    frame(FRAME_END, 2, "", 1);
}
static void fed_and_heard(void)
{
    fed();
    driver_event();
    driver_event();
}
static void acknowledged(void)
{
    framing();
    frame(FRAME_ACK, 3, &(u32){ 2 }, sizeof(u32));
}
static void told_of_a_loss(void)
{
    framing();
    frame(FRAME_ACK, 1, &(u32){ 2 }, sizeof(u32));
}
static void queue_full(void)
{
    nobody();
    for (u32 i = 0; i < 4; i++) {
        SEND(WRITE(ERR, LOT));
    }
}
static void reader_leaves(void)
{
    queue_full();
    SEND(WRITE(ERR, 100), .expect = L4_PENDING);
    frame(FRAME_DEAF, 0, "\2", 1);
}
static void reader_has_left(void)
{
    reader_leaves();
    driver_event();
}
static void looked_at(void)
{
    nobody();
    SEND(.method = TTYD_KILL_LOOK, .word = { OUT });
}
static void finishing(void)
{
    framing();
    SEND(.method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .expect = L4_PENDING);
    driver_event();
    frame(FRAME_ACK, 7, &(u32){ 6 }, sizeof(u32));
}
static void finished(void)
{
    finishing();
    driver_event();
}

#define EVENT .event = READABLE
static const struct kill_request requests[] = {
    { .method = TTYD_KILL_LOOK, .word = { CONSOLE } },
    { "a stream", TTYD_KILL_LOOK, .word = { OUT }, .prepare = nobody },
    { "a stream beside a console", TTYD_KILL_LOOK, .word = { OUT }, .expect = TTY_NXIO },
    { "a line", READ(CONSOLE), .prepare = typed_line },
    { "nothing typed", READ(CONSOLE), .expect = L4_PENDING },
    { "nothing typed, no wait", .method = TTYD_KILL_READ, .word = { CONSOLE, WHO_HASTY, 100, 0, 0 }, .expect = TTY_AGAIN },
    { "raw bytes", READ(CONSOLE), .prepare = raw_typed },
    { "typed as a line, read raw", READ(CONSOLE), .prepare = half_typed_then_raw },
    { "the end", READ(CONSOLE), .prepare = has_ended },
    { "much behind it", READ(CONSOLE), .prepare = typed_much, .expect = L4_PENDING },
    { "background", .method = TTYD_KILL_READ, .word = { CONSOLE, WHO(BACK), 100, 0, 0 }, .expect = TTY_TTIN },
    { "a stream", READ(IN), .prepare = fed_and_heard },
    { "an empty stream", READ(IN), .prepare = nobody, .expect = L4_PENDING },
    { WRITE(CONSOLE, 200) },
    { "nothing", WRITE(CONSOLE, 0) },
    { "all of a window", WRITE(CONSOLE, LOT / 2) },
    { "clogged", WRITE(CONSOLE, LOT), .prepare = clogged, .expect = L4_PENDING },
    { "stopped", WRITE(CONSOLE, 20), .prepare = stopped },
    { "background", .method = TTYD_KILL_WRITE, .word = { CONSOLE, WHO(BACK), 10, 0, 0 }, .prepare = stopping, .expect = TTY_TTOU },
    { "a bold one in the background", .method = TTYD_KILL_WRITE, .word = { CONSOLE, WHO_BOLD, 10, 0, 0 }, .prepare = stopping },
    { "a stream", WRITE(OUT, 5000), .prepare = nobody },
    { "more of a stream", WRITE(OUT, 100), .prepare = framing },
    { "a full stream", WRITE(OUT, 100), .prepare = queue_full, .expect = L4_PENDING },
    { "a stream that nobody reads", WRITE(ERR, 100), .prepare = reader_has_left, .expect = TTY_PIPE },
    { "nothing to a stream that nobody reads", WRITE(ERR, 0), .prepare = reader_has_left },
    { "the stream beside one that nobody reads", WRITE(OUT, 100), .prepare = reader_has_left, .expect = L4_PENDING },
    { .method = TTYD_KILL_POLL, .word = { CONSOLE } },
    { "a stream that nobody reads", .method = TTYD_KILL_POLL, .word = { ERR }, .prepare = reader_has_left },
    { .method = TTYD_KILL_GET_TERMIOS, .word = { CONSOLE } },
    { MODE(CONSOLE, WHO(FRONT), 0, RAW), .prepare = typed_line },
    { "back to lines", MODE(CONSOLE, WHO(FRONT), 0, COOKED), .prepare = raw_typed },
    { "drained", MODE(CONSOLE, WHO(FRONT), 1, RAW), .prepare = typed_line },
    { "flushed", MODE(CONSOLE, WHO(FRONT), 2, RAW), .prepare = typed_line },
    { "not drained", MODE(CONSOLE, WHO(FRONT), 1, RAW), .prepare = somebody_writes, .expect = L4_PENDING },
    { "background", MODE(CONSOLE, WHO(BACK), 0, RAW), .expect = TTY_TTOU },
    { "a stream", MODE(OUT, WHO(FRONT), 0, RAW), .expect = TTY_NOTTY },
    { .method = TTYD_KILL_GET_WINSIZE, .word = { CONSOLE } },
    { .method = TTYD_KILL_SET_WINSIZE, .word = { CONSOLE, 25 | 80 << 16 } },
    { .method = TTYD_KILL_SET_FOREGROUND, .word = { CONSOLE, WHO(FRONT), BACK } },
    { "by a stranger", .method = TTYD_KILL_SET_FOREGROUND, .word = { CONSOLE, WHO_ELSE, 9 }, .expect = TTY_NOTTY },
    { .method = TTYD_KILL_TAKE, .word = { CONSOLE, WHO(FRONT), 0 }, .prepare = nobody },
    { "stolen", TTYD_KILL_TAKE, .word = { CONSOLE, WHO_ELSE, 1 } },
    { "refused", TTYD_KILL_TAKE, .word = { CONSOLE, WHO_ELSE, 0 }, .expect = TTY_PERM },
    { .method = TTYD_KILL_LEAVE, .word = { 1 } },
    { "input", .method = TTYD_KILL_FLUSH, .word = { CONSOLE, WHO(FRONT), 0 }, .prepare = typed_line },
    { "output", .method = TTYD_KILL_FLUSH, .word = { CONSOLE, WHO(FRONT), 1 }, .prepare = stopped },
    { "both", .method = TTYD_KILL_FLUSH, .word = { CONSOLE, WHO(FRONT), 2 }, .prepare = typed_line },
    { .method = TTYD_KILL_DRAIN, .word = { CONSOLE, WHO(FRONT) } },
    { "clogged", .method = TTYD_KILL_DRAIN, .word = { CONSOLE, WHO(FRONT) }, .prepare = somebody_writes, .expect = L4_PENDING },
    { .method = TTYD_KILL_WAITING, .word = { CONSOLE } },
    { .method = TTYD_KILL_FIND, .word = { 1 } },
    { .method = TTYD_KILL_OWED, .prepare = interrupted },
    { "nothing", .method = TTYD_KILL_OWED },
    { .method = TTYD_KILL_FINISH, .word = { 3 << 8 } },
    { "clogged", .method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .prepare = somebody_writes, .expect = L4_PENDING },
    { "held back before", .method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .prepare = stopped_at_the_end },
    { "a stream", .method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .prepare = framing, .expect = L4_PENDING },
    { "a stream that was only looked at", .method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .prepare = looked_at, .expect = L4_PENDING },
    { "the host knows", .method = TTYD_KILL_FINISH, .word = { 3 << 8 }, .prepare = finished },
    { "a line is typed", EVENT, .prepare = typed_later },
    { "keys that signal", EVENT, .prepare = typed_interrupt },
    { "^Q", EVENT, .prepare = starts_again },
    { "the driver takes again", EVENT, .prepare = unclogged },
    { "the window changed", EVENT, .prepare = resized },
    { "input ends", EVENT, .prepare = ended },
    { "a damaged message", EVENT, .prepare = damaged },
    { "somebody reads the stream", EVENT, .prepare = reader_waits },
    { "frames come", EVENT, .prepare = fed },
    { "frames are acknowledged", EVENT, .prepare = acknowledged },
    { "an acknowledgement tells of a loss", EVENT, .prepare = told_of_a_loss },
    { "the status is acknowledged", EVENT, .prepare = finishing },
    { "nobody reads a stream any more", EVENT, .prepare = reader_leaves },
    { "a stream was looked at", EVENT, .prepare = looked_at },
    { 0 },
};

int main(int count, char **words) { return kill_main(count, words, &ttyd_kill, requests, driver_rules, prepare); }
