/* SPDX-License-Identifier: BSD-2-Clause */
/* terminal.c: see terminal.h.
 * The last ECHO_MOST bytes of room for output are kept for the echo, so that who types is heard while a program writes. */
#include "terminal.h"

#include <l4/clock.h>
#include <l4/start.h>

#include "discipline.h"
#include "host.h"

enum { TENTH = 100 * L4_MILLISECOND, READERS = 8, ECHO_LEAST = 64 };

/* Readers with VTIME and no VMIN: until when each waits. And when a byte was typed last. */
static struct { u32 pid; u64 until; } reader[READERS] L4_VOLATILE_ZERO;
static u64 typed_at L4_VOLATILE_ZERO;

static const struct tty_termios mode_at_first = {
    .iflag = ICRNL | IXON, .oflag = OPOST | ONLCR,
    .cflag = 0x1002 | 0x30 | 0x80 | 0x400 | 0x800,      /* 115200 baud, 8 bits, receiver on, hang up on close, no modem lines */
    .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .cc = { [VINTR] = 3, [VQUIT] = 0x1c, [VERASE] = 0x7f, [VKILL] = 0x15, [VEOF] = 4, [VMIN] = 1, [VSTART] = 0x11, [VSTOP] = 0x13,
            [VSUSP] = 0x1a, [VREPRINT] = 0x12, [VDISCARD] = 0xf, [VWERASE] = 0x17, [VLNEXT] = 0x16 },
};

void terminal_make(struct ttyd_tx tx)
{
    line_new(tx)->mode = mode_at_first;
    queue_new(tx);
}

static l4_err_t console_only(u32 line) { return line == TTY_CONSOLE ? L4_OK : is_stream(line) ? TTY_NOTTY : TTY_NXIO; }

/* ---- job control ---- */
static bool is_background(const struct tty_asker *who)
{
    const struct line *l = console();
    return l->session && l->session == who->session && l->foreground && l->foreground != who->group;
}

static bool may_change(const struct tty_asker *who) { return who->bold || !is_background(who); }

static void owe(struct ttyd_tx tx, u32 signal)
{
    const struct line *l = console();
    for (const struct due *d = owing_first(); d; d = owing_next(d)) {
        if (d->signal == signal && d->group == l->foreground) {
            return;
        }
    }
    struct due *d = l->foreground ? due_new(tx) : NULL;
    if (!d) {
        return;
    }
    d->signal = signal;
    d->group = l->foreground;
    d->session = l->session;
    owing_add(tx, d);
    for (u32 i = 0; i < TTYD_CLIENTS; i++) {
        const struct l4_client *client = &ttyd_state()->client[i];
        if (client->label && client->events & 1ul << TTY_EVENT_SIGNALS) {
            ttyd_raise_signals(tx, client->label);
        }
    }
}

l4_err_t terminal_owed(struct ttyd_tx tx, u64 label, struct tty_due *one)
{
    const struct due *d = owing_first();
    *one = (struct tty_due){ 0 };
    if (d) {
        *one = (struct tty_due){ d->signal, d->group, d->session };
        owing_remove(tx, d);
        due_free(tx, d);
    }
    return L4_OK;
}

static void size_change(struct ttyd_tx tx, struct line *l, const struct tty_winsize *to)
{
    if (memcmp(to, &l->size, sizeof *to) != 0) {
        l->size = *to;
        owe(tx, SIG_WINCH);
    }
}

/* ---- typing ---- */
static bool echo_fits(const struct typist *t)
{
    u32 edited = is_set(t->line->mode.lflag, ICANON) ? t->line->head - t->line->canon : 0;
    return port_room() - t->out.bytes >= ECHO_LEAST + 8 * edited;
}

/* A byte typed while the output is held back and full is not echoed. False: it has to wait. */
static bool type(struct ttyd_tx tx, struct typist *t, u8 byte)
{
    u32 flags = t->line->mode.lflag;
    bool fits = echo_fits(t);
    if (!discipline_takes(t->line)) {
        return false;
    }
    if (!fits && !t->line->stopped) {
        port_want_room();
        return false;
    }
    t->line->mode.lflag = fits ? flags : flags & ~(u32)(ECHO | ECHONL);
    t->signal = 0;
    t->discard = false;
    discipline_type(t, byte);
    t->line->mode.lflag = flags;
    if (t->discard) {
        port_discard(tx);
    }
    if (t->signal) {
        owe(tx, t->signal);
    }
    return true;
}

static bool hear(struct ttyd_tx tx, struct typist *t, const struct host_word *word)
{
    switch (word->kind) {
    case HOST_TYPED:
        return type(tx, t, word->byte);
    case HOST_SIZE:
        size_change(tx, t->line, &word->size);
        return true;
    case HOST_END:
        discipline_end(t);
        return true;
    default:
        return true;
    }
}

void terminal_serve(struct ttyd_tx tx, u64 now)
{
    u32 there = port_waiting(), done = 0;
    struct host_word word;
    typed_wake(tx, 1);
    if (!there || !discipline_takes(console())) {
        return;
    }
    struct typist t = { .line = line_edit(tx, console()), .queue = queue_edit(tx, queue_at(1)) };
    while (done < there && host_hear(done, there, &word) && hear(tx, &t, &word)) {
        done += word.bytes;
    }
    port_close(tx, &t.out);
    if (done) {
        port_consume(tx, done);
        typed_at = now;
        tell_pollers(tx);
    }
}

/* ---- reading ---- */
/* Whether a read that began when this reader was first seen has waited for so long. */
static bool is_over(u32 pid, u64 wait, u64 now)
{
    u32 i = pid % READERS;
    if (reader[i].pid != pid || !reader[i].until) {
        reader[i].pid = pid;
        reader[i].until = now + wait;
    }
    alarm_at(reader[i].until);
    return now >= reader[i].until;
}

static bool has_paused(u64 wait, u64 now)
{
    typed_at = typed_at ? typed_at : now;
    alarm_at(typed_at + wait);
    return now >= typed_at + wait;
}

/* L4_OK: a reader is given what is there, be it nothing. */
static l4_err_t raw_ready(const struct line *l, const struct tty_asker *who, u32 bytes)
{
    u32 least = l->mode.cc[VMIN], there = l->head - l->tail;
    u64 wait = (u64)TENTH * l->mode.cc[VTIME], now = l4_now();
    if (there >= (least < bytes ? least : bytes) && (there || !wait)) {
        return L4_OK;
    }
    if (l->ended || (!who->wait && there)) {
        return L4_OK;
    }
    if (!who->wait) {
        return TTY_AGAIN;
    }
    if (wait && (least ? there && has_paused(wait, now) : is_over(who->pid, wait, now))) {
        return L4_OK;
    }
    return typed_wait(1);
}

static l4_err_t line_ready(const struct line *l, const struct tty_asker *who)
{
    return read_has(l, 1) || l->ended ? L4_OK : who->wait ? typed_wait(1) : TTY_AGAIN;
}

l4_err_t terminal_read(struct ttyd_tx tx, const struct tty_asker *who, u8 *to, u32 bytes, u32 *done)
{
    const struct line *now = console();
    *done = 0;
    if (is_background(who)) {
        return TTY_TTIN;
    }
    if (!bytes || is_framing()) {
        return L4_OK;
    }
    l4_err_t err = is_set(now->mode.lflag, ICANON) ? line_ready(now, who) : raw_ready(now, who, bytes);
    if (err) {
        return err;
    }
    reader[who->pid % READERS].until = 0;
    *done = read_take(line_edit(tx, now), queue_at(1), to, bytes);
    if (port_waiting()) {
        soon();
    }
    return L4_OK;
}

u32 terminal_waiting(void) { return read_count(console(), queue_at(1)); }

/* ---- writing ---- */
static u32 writers_room(void) { return port_room() > ECHO_MOST ? port_room() - ECHO_MOST : 0; }

l4_err_t terminal_write(struct ttyd_tx tx, const struct tty_asker *who, const u8 *at, u32 bytes, u32 *done)
{
    u32 flags = console()->mode.oflag, widest = (flags & TABS) == XTABS ? 8 : 2, room = writers_room();
    if (is_set(console()->mode.lflag, TOSTOP) && !may_change(who)) {
        return TTY_TTOU;
    }
    if (room < 2 * bytes && who->wait) {
        return room_wait(1);
    }
    if (room < widest && bytes) {
        return TTY_AGAIN;
    }
    struct line *l = line_edit(tx, console());
    struct port_batch out = { 0 };
    u32 n = 0;
    while (n < bytes && out.bytes + widest <= room) {
        echo_output(l, &out, at[n++]);
    }
    port_close(tx, &out);
    *done = n;
    return L4_OK;
}

u32 terminal_poll(void)
{
    const struct line *l = console();
    u32 least = l->mode.cc[VTIME] || !l->mode.cc[VMIN] ? 1 : l->mode.cc[VMIN];
    return (read_has(l, least) || l->ended ? POLL_IN : 0) | (writers_room() >= 8 ? POLL_OUT : 0);
}

/* ---- requests ---- */
l4_err_t terminal_get_termios(u64 label, u32 line, struct tty_termios *now)
{
    *now = console()->mode;
    return console_only(line);
}

l4_err_t terminal_set_termios(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 when, const struct tty_termios *to)
{
    if (console_only(line)) {
        return console_only(line);
    }
    if (when > 2) {
        return TTY_INVAL;
    }
    if (!may_change(who)) {
        return TTY_TTOU;
    }
    if (when && !port_is_drained()) {
        return drained_wait(1);
    }
    struct line *l = line_edit(tx, console());
    struct tty_termios old = l->mode;
    l->mode = *to;
    if (when == 2) {
        discipline_flush(l);
    }
    discipline_changed(l, queue_edit(tx, queue_at(1)), &old);
    typed_wake(tx, 1);
    tell_pollers(tx);
    ttyd_after_transmit(tx);
    soon();
    return L4_OK;
}

l4_err_t terminal_get_winsize(u64 label, u32 line, struct tty_winsize *now)
{
    *now = console()->size;
    return console_only(line);
}

l4_err_t terminal_set_winsize(struct ttyd_tx tx, u64 label, u32 line, const struct tty_winsize *to)
{
    if (console_only(line)) {
        return console_only(line);
    }
    size_change(tx, line_edit(tx, console()), to);
    return L4_OK;
}

l4_err_t terminal_set_foreground(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 group)
{
    if (console_only(line) || !console()->session || console()->session != who->session) {
        return console_only(line) == TTY_NXIO ? TTY_NXIO : TTY_NOTTY;
    }
    if (!may_change(who)) {
        return TTY_TTOU;
    }
    line_edit(tx, console())->foreground = group;
    return L4_OK;
}

l4_err_t terminal_take(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, bool steal)
{
    const struct line *l = console();
    if (console_only(line) || l->session == who->session) {
        return console_only(line);
    }
    if (l->session && !steal) {
        return TTY_PERM;
    }
    struct line *to = line_edit(tx, l);
    to->session = who->session;
    to->foreground = who->group;
    return L4_OK;
}

l4_err_t terminal_leave(struct ttyd_tx tx, u64 label, u32 session, u32 *foreground)
{
    const struct line *l = console();
    *foreground = 0;
    if (session && l->session == session) {
        *foreground = l->foreground;
        struct line *to = line_edit(tx, l);
        to->session = to->foreground = 0;
    }
    return L4_OK;
}

l4_err_t terminal_find(u64 label, u32 session, u32 *line)
{
    *line = TTY_CONSOLE;
    return session && console()->session == session ? L4_OK : TTY_NXIO;
}

l4_err_t terminal_flush(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 which)
{
    if (console_only(line)) {
        return console_only(line);
    }
    if (!may_change(who)) {
        return TTY_TTOU;
    }
    if (which > 2) {
        return TTY_INVAL;
    }
    if (which != 1 && !is_framing()) {
        discipline_flush(line_edit(tx, console()));
        port_pull();
        port_consume(tx, port_waiting());
    }
    if (which != 0 && !is_framing()) {
        port_discard(tx);
        ttyd_after_transmit(tx);
    }
    return L4_OK;
}

l4_err_t terminal_drain(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who)
{
    if (console_only(line)) {
        return console_only(line);
    }
    if (!may_change(who)) {
        return TTY_TTOU;
    }
    return port_is_drained() ? L4_OK : drained_wait(1);
}

/* The status is the last that the host hears. */
l4_err_t terminal_finish(struct ttyd_tx tx, u32 status)
{
    struct port_batch out = { 0 };
    if (ttyd_state()->over) {
        return L4_OK;
    }
    if (!is_wished(WISH_FINISH)) {
        wish_for(WISH_FINISH, true);
        soon();                         /* what ^S held back goes out now */
    }
    if (!port_is_drained()) {
        return drained_wait(1);
    }
    host_tell_status(&out, status);
    port_close(tx, &out);
    ttyd_set_over(tx, true);
    ttyd_after_depart(tx);
    return L4_OK;
}
