/* SPDX-License-Identifier: BSD-2-Clause */
/* discipline.c: see discipline.h: from a typed byte to the queue, the echo and the signals.
 *
 *   tail ... canon ... head     read so far | whole lines | the line that is edited; without canonical mode `canon` stands still */
#include "discipline.h"

#include "lines.h"

static u8 key(const struct line *l, u32 which) { return l->mode.cc[which]; }

/* A character that is zero is switched off. */
static bool is_key(const struct line *l, u32 which, u8 byte) { return byte && byte == key(l, which); }
static bool is_extended(const struct line *l, u32 which, u8 byte)
{
    return is_set(l->mode.lflag, IEXTEN) && is_key(l, which, byte);
}
static bool echoes(const struct line *l) { return is_set(l->mode.lflag, ECHO); }

static void queue_put(struct typist *t, u8 byte, bool ends)
{
    u32 at = t->line->head++ % QUEUE_BYTES;
    u64 bit = 1ul << at % 64;
    t->queue->byte[at] = byte;
    t->queue->mark[at / 64] = ends ? t->queue->mark[at / 64] | bit : t->queue->mark[at / 64] & ~bit;
}

static void queue_line(struct typist *t, u8 byte)
{
    queue_put(t, byte, true);
    t->line->canon = t->line->head;
}

void discipline_flush(struct line *l)
{
    l->head = l->canon = l->tail;
    l->erasing = false;
}

void discipline_end(struct typist *t)
{
    if (is_set(t->line->mode.lflag, ICANON) && t->line->head != t->line->canon && !t->line->ended) {
        queue_line(t, 0);
    }
    t->line->ended = true;
}

/* ---- erasing ---- */
static void erasing_end(struct typist *t)
{
    if (t->line->erasing) {
        echo_plain(t, '/');
        t->line->erasing = false;
    }
}

/* Where the last character of the line that is edited begins; the line's end if it is cut off before its first byte. */
static u32 last_begins(const struct typist *t)
{
    const struct line *l = t->line;
    u32 at = l->head;
    do {
        at--;
    } while (is_continuation(l, t->queue->byte[at % QUEUE_BYTES]) && at != l->canon);
    return is_continuation(l, t->queue->byte[at % QUEUE_BYTES]) ? l->head : at;
}

static void tab_erase(struct typist *t)
{
    const struct line *l = t->line;
    u32 columns = 0;
    for (u32 at = l->head; at != l->canon;) {
        u8 byte = t->queue->byte[--at % QUEUE_BYTES];
        if (byte == '\t') {
            echo_erase_tab(t, columns, true);
            return;
        }
        columns += is_control(byte) ? 2 * is_set(l->mode.lflag, ECHOCTL) : !is_continuation(l, byte);
    }
    echo_erase_tab(t, columns, false);
}

static void wipe(struct typist *t)
{
    echo_plain(t, '\b');
    echo_plain(t, ' ');
    echo_plain(t, '\b');
}

/* Show that the character of `bytes` bytes at the head has gone. */
static void erased_show(struct typist *t, u32 bytes, bool by_erase)
{
    struct line *l = t->line;
    u32 flags = l->mode.lflag;
    u8 byte = t->queue->byte[l->head % QUEUE_BYTES];
    if (is_set(flags, ECHOPRT)) {
        if (!l->erasing) {
            echo_plain(t, '\\');
            l->erasing = true;
        }
        echo_byte(t, byte);
        for (u32 i = 1; i < bytes; i++) {
            echo_plain(t, t->queue->byte[(l->head + i) % QUEUE_BYTES]);
            l->column -= l->column > 0;
        }
    } else if (by_erase && !is_set(flags, ECHOE)) {
        echo_byte(t, key(l, VERASE));
    } else if (byte == '\t') {
        tab_erase(t);
    } else {
        if (is_control(byte) && is_set(flags, ECHOCTL)) {
            wipe(t);
        }
        if (!is_control(byte) || is_set(flags, ECHOCTL)) {
            wipe(t);
        }
    }
}

static void kill_bluntly(struct typist *t)
{
    struct line *l = t->line;
    l->head = l->canon;
    if (echoes(l)) {
        erasing_end(t);
        echo_byte(t, key(l, VKILL));
        if (is_set(l->mode.lflag, ECHOK)) {
            echo_plain(t, '\n');
        }
    }
}

static void erase(struct typist *t, u8 byte)
{
    struct line *l = t->line;
    u32 flags = l->mode.lflag, neat = ECHO | ECHOK | ECHOKE | ECHOE;
    bool one = byte == key(l, VERASE), word = !one && byte == key(l, VWERASE) && is_set(flags, IEXTEN), seen = false;
    if (l->head == l->canon) {
        return;
    }
    if (!one && !word && (flags & neat) != neat) {
        kill_bluntly(t);
        return;
    }
    while (l->head != l->canon) {
        u32 at = last_begins(t), bytes = l->head - at;
        u8 first = t->queue->byte[at % QUEUE_BYTES];
        if (!bytes || (word && seen && !is_word(first))) {
            break;
        }
        seen |= is_word(first);
        l->head = at;
        if (echoes(l)) {
            erased_show(t, bytes, one);
        }
        if (one) {
            break;
        }
    }
    if (l->head == l->canon && echoes(l)) {
        erasing_end(t);
    }
}

/* ---- other keys ---- */
static void reprint(struct typist *t, u8 byte)
{
    erasing_end(t);
    echo_byte(t, byte);
    echo_plain(t, '\n');
    for (u32 at = t->line->canon; at != t->line->head; at++) {
        echo_byte(t, t->queue->byte[at % QUEUE_BYTES]);
    }
}

static void literal_begin(struct typist *t)
{
    t->line->literal = true;
    if (echoes(t->line)) {
        erasing_end(t);
        if (is_set(t->line->mode.lflag, ECHOCTL)) {
            echo_plain(t, '^');
            echo_plain(t, '\b');
        }
    }
}

static bool flow_key(struct typist *t, u8 byte)
{
    struct line *l = t->line;
    if (!is_set(l->mode.iflag, IXON) || !(is_key(l, VSTART, byte) || is_key(l, VSTOP, byte))) {
        return false;
    }
    l->stopped = !is_key(l, VSTART, byte);
    return true;
}

static bool signal_key(struct typist *t, u8 byte)
{
    struct line *l = t->line;
    u32 flags = l->mode.lflag, signal = is_key(l, VINTR, byte) ? SIG_INT : is_key(l, VQUIT, byte) ? SIG_QUIT
        : is_key(l, VSUSP, byte) ? SIG_TSTP : 0;
    if (!is_set(flags, ISIG) || !signal) {
        return false;
    }
    t->signal = signal;
    if (!is_set(flags, NOFLSH)) {
        discipline_flush(l);
        t->out.bytes = 0;
        t->discard = true;
    }
    if (is_set(l->mode.iflag, IXON)) {
        l->stopped = false;
    }
    if (echoes(l)) {
        echo_byte(t, byte);
    }
    return true;
}

static void any_key_starts(struct line *l)
{
    if ((l->mode.iflag & (IXON | IXANY)) == (IXON | IXANY)) {
        l->stopped = false;
    }
}

/* What reaches the queue as it is. `turned`: it was typed as a return. */
static void plain(struct typist *t, u8 byte, bool turned)
{
    if (echoes(t->line)) {
        erasing_end(t);
        if (byte == '\n' && turned) {
            echo_plain(t, byte);
        } else {
            echo_prompt(t);
            echo_byte(t, byte);
        }
    }
    if (byte == 0xff && is_set(t->line->mode.iflag, PARMRK)) {
        queue_put(t, byte, false);
    }
    queue_put(t, byte, false);
}

static void other_end(struct typist *t, u8 byte)
{
    if (echoes(t->line)) {
        echo_prompt(t);
        echo_byte(t, byte);
    }
    if (byte == 0xff && is_set(t->line->mode.iflag, PARMRK)) {
        queue_put(t, byte, false);
    }
    queue_line(t, byte);
}

/* Keys of canonical mode; false: it is none. */
static bool editing_key(struct typist *t, u8 byte)
{
    const struct line *l = t->line;
    if (is_key(l, VERASE, byte) || is_key(l, VKILL, byte) || is_extended(l, VWERASE, byte)) {
        erase(t, byte);
    } else if (is_extended(l, VLNEXT, byte)) {
        literal_begin(t);
    } else if (is_extended(l, VREPRINT, byte) && echoes(l)) {
        reprint(t, byte);
    } else if (byte == '\n') {
        if (l->mode.lflag & (ECHO | ECHONL)) {
            echo_plain(t, byte);
        }
        queue_line(t, byte);
    } else if (is_key(l, VEOF, byte)) {
        queue_line(t, 0);
    } else if (is_key(l, VEOL, byte) || is_extended(l, VEOL2, byte)) {
        other_end(t, byte);
    } else {
        return false;
    }
    return true;
}

/* A byte that was typed behind the literal-next key is as any other, but no key. */
static void literal_type(struct typist *t, u8 byte)
{
    struct line *l = t->line;
    l->literal = false;
    any_key_starts(l);
    if (echoes(l)) {
        erasing_end(t);
        echo_prompt(t);
        echo_byte(t, byte);
    }
    if (byte == 0xff && is_set(l->mode.iflag, PARMRK)) {
        queue_put(t, byte, false);
    }
    queue_put(t, byte, false);
}

static u8 stripped(const struct line *l, u8 byte)
{
    byte = is_set(l->mode.iflag, ISTRIP) ? byte & 0x7f : byte;
    bool lower = is_set(l->mode.iflag, IUCLC) && is_set(l->mode.lflag, IEXTEN);
    bool is_capital = (byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7);
    return lower && is_capital ? byte + 0x20 : byte;
}

static u32 room(const struct line *l)
{
    u32 left = QUEUE_BYTES - (l->head - l->tail);
    return is_set(l->mode.iflag, PARMRK) ? (left + 2) / 3 : left;
}

static bool is_overflowing(const struct line *l) { return is_set(l->mode.lflag, ICANON) && l->canon == l->tail; }

bool discipline_takes(const struct line *l) { return room(l) > 1 || is_overflowing(l); }

/* Caller: discipline_takes, and there is room for ECHO_MOST bytes of output. */
void discipline_type(struct typist *t, u8 byte)
{
    struct line *l = t->line;
    if (room(l) == 0) {
        l->head--;
    }
    byte = stripped(l, byte);
    if (l->literal) {
        literal_type(t, byte);
        return;
    }
    if (flow_key(t, byte) || signal_key(t, byte)) {
        return;
    }
    any_key_starts(l);
    bool turned = byte == '\r';
    if (turned) {
        if (is_set(l->mode.iflag, IGNCR)) {
            return;
        }
        byte = is_set(l->mode.iflag, ICRNL) ? '\n' : byte;
    } else if (byte == '\n' && is_set(l->mode.iflag, INLCR)) {
        byte = '\r';
    }
    if (!is_set(l->mode.lflag, ICANON) || !editing_key(t, byte)) {
        plain(t, byte, turned);
    }
}

/* Whether canonical mode begins or ends: what was typed before stays, as one line when it begins. */
void discipline_changed(struct line *l, struct queue *q, const struct tty_termios *old)
{
    if (is_set(old->iflag, IXON) && !is_set(l->mode.iflag, IXON)) {
        l->stopped = false;
    }
    if (!((old->lflag ^ l->mode.lflag) & ICANON)) {
        return;
    }
    memset(q->mark, 0, sizeof q->mark);
    l->erasing = l->literal = false;
    l->canon = l->tail;
    if (is_set(l->mode.lflag, ICANON) && l->head != l->tail) {
        u32 last = (l->head - 1) % QUEUE_BYTES;
        q->mark[last / 64] |= 1ul << last % 64;
        l->canon = l->head;
    }
}
