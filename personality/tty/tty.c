/* SPDX-License-Identifier: BSD-2-Clause */
/* tty.c: the terminal server: its start, the driver's events, its table of methods.
 * Lost in a crash: nothing; parked callers ask again, and a wish is kept. A new incarnation hands what is queued to the driver again by the same number,
 * and begins the clocks of VTIME and of lost frames anew. */
#include <fs.h>
#include <l4/clock.h>
#include <ports.h>

#include "lines.h"
#include "port.h"
#include "stream.h"
#include "terminal.h"

enum { WINDOWS = 512 };         /* vfs's clients * slots */
enum { EXIT_PORT = 0xf4, EXIT_PASS = 0x10 };

static const struct ttyd_tx outside = { };

/* ---- what the parts share ---- */
void alarm_at(u64 ns)
{
    if (!l4_volatile.deadline || ns < l4_volatile.deadline) {
        l4_volatile.deadline = ns;
    }
}

void soon(void) { alarm_at(1); }

void wish_for(enum wish which, u64 value)
{
    if (wish_const()[which] != value) {
        wish(outside)[which] = value;
        l4_hook();
    }
}

void tell_pollers(struct ttyd_tx tx)
{
    for (u32 i = 0; i < TTYD_CLIENTS; i++) {
        const struct l4_client *client = &ttyd_state()->client[i];
        if (client->label && client->events & 1ul << TTY_EVENT_READY) {
            ttyd_raise_ready(tx, client->label);
        }
    }
}

u8 *window_place(u32 window, u32 from, u32 bytes)
{
    if (window >= WINDOWS || from > FS_WINDOW || bytes > FS_WINDOW - from) {
        return NULL;
    }
    return (u8 *)FS_WINDOWS + (u64)window * FS_WINDOW + from;
}

/* ---- hooks ---- */
/* What came in is understood, what is due is put out, and whoever waits is told. */
static void serve(struct ttyd_tx tx)
{
    u64 now = l4_now();
    port_pull();
    if (is_framing()) {
        stream_serve(tx, now);
    } else {
        terminal_serve(tx, now);
    }
    ttyd_after_transmit(tx);
    if (ttyd_state()->over) {
        ttyd_after_depart(tx);
    }
}

static void event(struct ttyd_tx tx, u32 peer)
{
    port_heard();
    drained_wake(tx, 1);
    serve(tx);
}

/* Who waits for the driver to be drained asks again: what it was last asked may have come to nothing, and then no event follows. */
static void timeout(struct ttyd_tx tx)
{
    drained_wake(tx, 1);
    serve(tx);
}

static void start(struct ttyd_tx tx)
{
    if (!console()) {
        terminal_make(tx);
        stream_make(tx);
    }
    port_listen();
    ttyd_after_transmit(tx);
    if (ttyd_state()->over) {
        ttyd_after_depart(tx);
    }
    soon();
}

/* ---- methods that depend on the line ---- */
static l4_err_t do_look(u64 label, u32 number, enum tty_kind *is, u32 *foreground, u32 *session)
{
    if (is_stream(number) && console()->session && !is_framing()) {
        return TTY_NXIO;            /* somebody sits at the console */
    }
    if (is_stream(number)) {
        stream_wish(TTY_STREAM_OUT);
    }
    *is = number == TTY_CONSOLE ? TTY_TERMINAL : is_stream(number) ? TTY_STREAM : TTY_NONE;
    *foreground = number == TTY_CONSOLE ? console()->foreground : 0;
    *session = number == TTY_CONSOLE ? console()->session : 0;
    return *is == TTY_NONE ? TTY_NXIO : L4_OK;
}

static l4_err_t do_read(struct ttyd_tx tx, u64 label, u32 number, const struct tty_asker *who, u32 bytes, u32 window, u32 from,
                        u32 *done)
{
    u8 *to = window_place(window, from, bytes);
    if (!to) {
        return TTY_INVAL;
    }
    return number == TTY_CONSOLE ? terminal_read(tx, who, to, bytes, done)
        : is_stream(number) ? stream_read(tx, number, who, to, bytes, done) : TTY_NXIO;
}

static l4_err_t do_write(struct ttyd_tx tx, u64 label, u32 number, const struct tty_asker *who, u32 bytes, u32 window, u32 from,
                         u32 *done)
{
    const u8 *at = window_place(window, from, bytes);
    if (!at) {
        return TTY_INVAL;
    }
    return number == TTY_CONSOLE ? terminal_write(tx, who, at, bytes, done)
        : is_stream(number) ? stream_write(tx, number, who, at, bytes, done) : TTY_NXIO;
}

static l4_err_t do_poll(u64 label, u32 number, u32 *events)
{
    if (number != TTY_CONSOLE && !is_stream(number)) {
        return TTY_NXIO;
    }
    *events = number == TTY_CONSOLE ? terminal_poll() : stream_poll(number);
    return L4_OK;
}

static l4_err_t do_waiting(u64 label, u32 number, u32 *bytes)
{
    if (number != TTY_CONSOLE && number != TTY_STREAM_IN) {
        return is_stream(number) ? TTY_NOTTY : TTY_NXIO;
    }
    *bytes = number == TTY_CONSOLE ? terminal_waiting() : stream_waiting();
    return L4_OK;
}

static l4_err_t do_finish(struct ttyd_tx tx, u64 label, u32 status)
{
    return is_framing() ? stream_finish(tx, status) : terminal_finish(tx, status);
}

/* Effect: leave the machine once the last byte has left it. */
static void depart(void)
{
    if (port_is_drained()) {
        port_out(EXIT_PORT, EXIT_PASS);
    }
}

static const struct ttyd_ops ops = {
    .hooks = { .start = start, .event = event, .timeout = timeout },
    .look = do_look, .read = do_read, .write = do_write, .poll = do_poll, .waiting = do_waiting, .finish = do_finish,
    .get_termios = terminal_get_termios, .set_termios = terminal_set_termios,
    .get_winsize = terminal_get_winsize, .set_winsize = terminal_set_winsize,
    .set_foreground = terminal_set_foreground, .take = terminal_take, .leave = terminal_leave, .find = terminal_find,
    .flush = terminal_flush, .drain = terminal_drain, .owed = terminal_owed,
    .transmit = port_transmit, .depart = depart,
};

void l4_main(void) { ttyd_serve(&ops); }
