/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.c: see stream.h.
 *
 *   stream_write -> payload[64]   first ... cursor ... next    first: the host has not acknowledged it; cursor: next to go on the line
 *   frames of the host -> input[32K]   taken ... filled        -> stream_read
 *
 * INVARIANT room: the host was told of a number (`told`) only while there is room for a whole window of frames behind it, so every frame
 *                 that comes in turn finds room. While there is less, nothing is acknowledged: the host waits.
 * A handler that waits has changed nothing, so what it wishes for (a status to send, a reader to announce) is noted outside of undo,
 * and the timeout hook does it. */
#include "stream.h"

#include <l4/clock.h>
#include <l4/start.h>

#include "frame.h"
#include "port.h"

enum { WINDOW = 8, QUEUE = 64, INPUT = 32 << 10 };
#define PATIENCE (250ul * L4_MILLISECOND)
#define PATIENCE_MOST (16 * PATIENCE)

/* The line keeps its order. So an acknowledgement that has heard of a later frame of this turn than the one it expects tells for certain
 * that that one is lost, and one of an earlier turn says nothing about this one. Each repetition begins a turn.
 * `news`: when something was heard, or everything was sent again. `patience`: how long there may be none; it doubles with each repetition
 * for its sake until something was heard of this turn. `trip`: how long an acknowledgement takes; `sample` went out at `sampled` (0: none
 * is timed). `heard`, `heard_turn`: of the frame that came last. All of it may be lost: it costs time. */
static struct { u64 news, patience, trip, sampled; u32 sample, heard; u8 turn, heard_turn; } when L4_VOLATILE_ZERO;

static const struct ttyd_tx outside = { };

void stream_make(struct ttyd_tx tx)
{
    struct stream *s = stream_new(tx);
    s->first = s->next = s->cursor = s->expected = 1;
}

void stream_wish(u32 line)
{
    if (!is_framing() || (line == TTY_STREAM_IN && !stream()->wanted)) {
        wish_for(WISH_FRAMES, true);
        if (line == TTY_STREAM_IN) {
            wish_for(WISH_INPUT, true);
        }
        soon();
    }
}

/* ---- to the host ---- */
static bool is_full(const struct stream *s) { return s->next - s->first == QUEUE; }

static void frame_queue(struct stream *s, u8 kind, const void *from, u32 bytes)
{
    u32 at = s->next++ % QUEUE;
    memcpy(payload(outside, at), from, bytes);
    s->bytes[at] = bytes;
    s->kind[at] = kind;
}

/* Bytes behind those of the last frame, if that is of their kind and has not been put on the line. */
static u32 frame_extend(struct stream *s, u8 kind, const u8 *from, u32 bytes)
{
    u32 at = (s->next - 1) % QUEUE;
    if (s->next == s->cursor || s->next == s->first || s->kind[at] != kind) {
        return 0;
    }
    u32 room = FRAME_PAYLOAD - s->bytes[at], n = bytes < room ? bytes : room;
    memcpy(payload(outside, at) + s->bytes[at], from, n);
    s->bytes[at] += n;
    return n;
}

/* How many of `bytes` bytes the queue takes. */
static u32 bytes_taken(const struct stream *s, u32 bytes)
{
    u32 room = (QUEUE - (s->next - s->first)) * FRAME_PAYLOAD;
    return bytes < room ? bytes : room;
}

static void bytes_queue(struct stream *s, u8 kind, const u8 *from, u32 bytes)
{
    u32 done = frame_extend(s, kind, from, bytes);
    while (done < bytes) {
        u32 n = bytes - done < FRAME_PAYLOAD ? bytes - done : FRAME_PAYLOAD;
        frame_queue(s, kind, from + done, n);
        done += n;
    }
}

static void line_put(struct port_batch *batch, u8 kind, u32 number, const u8 *from, u32 bytes)
{
    u8 frame[FRAME_MOST];
    port_put_all(batch, frame, frame_encode(frame, kind, number, from, bytes));
}

static bool has_room(const struct port_batch *batch)
{
    bool has = port_room() - batch->bytes >= FRAME_MOST;
    if (!has) {
        port_want_room();
    }
    return has;
}

static u64 at_most(u64 patience) { return patience < PATIENCE_MOST ? patience : PATIENCE_MOST; }

static void trip_begin(u32 number, u64 now)
{
    if (!when.sampled) {
        when.sample = number;
        when.sampled = now;
    }
}

static void trip_end(u32 heard, u64 now)
{
    if (when.sampled && (i32)(heard - when.sample) >= 0) {
        u64 trip = now - when.sampled;
        when.trip = trip > when.trip ? trip : (7 * when.trip + trip) / 8;
        when.sampled = 0;
        when.patience = at_most(2 * when.trip > PATIENCE ? 2 * when.trip : PATIENCE);
    }
}

/* Put on the line what may go now. */
static void pump(struct ttyd_tx tx, struct stream *s, u64 now)
{
    struct port_batch batch = { 0 };
    bool may_tell = INPUT - (s->filled - s->taken) >= WINDOW * FRAME_PAYLOAD;
    if (s->owes && may_tell && has_room(&batch)) {
        line_put(&batch, FRAME_ACK | when.heard_turn << FRAME_TURN_SHIFT, s->expected, (const u8 *)&when.heard, sizeof when.heard);
        s->told = s->expected;
        s->owes = false;
    }
    if (s->cursor == s->first) {
        when.news = now;
    }
    while (s->cursor != s->next && s->cursor - s->first < WINDOW && has_room(&batch)) {
        u32 at = s->cursor % QUEUE;
        line_put(&batch, s->kind[at] | when.turn << FRAME_TURN_SHIFT, s->cursor, payload_const(at), s->bytes[at]);
        trip_begin(s->cursor, now);
        s->cursor++;
    }
    port_close(tx, &batch);
}

/* From the oldest frame on again. */
static void repeat(struct stream *s, u64 now)
{
    when.turn = (when.turn + 1) % FRAME_TURNS;
    when.sampled = 0;
    when.news = now;
    s->cursor = s->first;
}

/* Nothing was heard for long. */
static void repeat_unheard(struct stream *s, u64 now)
{
    when.patience = when.patience ? when.patience : PATIENCE;
    if (now - when.news >= when.patience) {
        when.patience = at_most(2 * when.patience);
        s->owes |= s->wanted && s->expected == 1;
        repeat(s, now);
    }
    alarm_at(when.news + when.patience);
}

/* The host expects this number next; the frame that came to it last was `heard`, of that turn. */
static void acknowledged(struct ttyd_tx tx, struct stream *s, u32 expected, u32 heard, u8 turn, u64 now)
{
    u32 done = expected - s->first;
    when.news = now;
    if (done > s->next - s->first) {
        return;
    }
    if (done) {
        s->first = expected;
        s->cursor = s->cursor - expected > QUEUE ? expected : s->cursor;
        queued_wake(tx, 1);
        tell_pollers(tx);
        if (s->ended && s->first == s->next) {
            told_wake(tx, 1);
            ttyd_set_over(tx, true);
            ttyd_after_depart(tx);
        }
    }
    if (turn == when.turn) {
        trip_end(heard, now);
        if (s->cursor != s->first && (i32)(heard - expected) >= 0) {
            repeat(s, now);
        }
    }
}

/* ---- from the host ---- */
static void input_put(struct stream *s, const u8 *from, u32 bytes)
{
    u32 at = (u32)(s->filled % INPUT), first = bytes < INPUT - at ? bytes : INPUT - at;
    memcpy(input(outside) + at, from, first);
    memcpy(input(outside), from + first, bytes - first);
    s->filled += bytes;
}

static void frame_take(struct ttyd_tx tx, struct stream *s, u8 kind, const u8 *from, u32 bytes)
{
    s->expected++;
    if (kind == FRAME_IN && !s->closed) {
        input_put(s, from, bytes);
    }
    s->closed |= kind == FRAME_END;
    arrived_wake(tx, 1);
    tell_pollers(tx);
}

/* Nobody reads this stream at the host: who writes is told, as with a pipe. */
static void deaf_note(struct ttyd_tx tx, struct stream *s, const u8 *from, u32 bytes)
{
    if (bytes == 1 && (from[0] == FRAME_OUT || from[0] == FRAME_ERR) && !(s->deaf & 1u << from[0])) {
        s->deaf |= 1u << from[0];
        queued_wake(tx, 1);
        tell_pollers(tx);
    }
}

static void body_take(struct ttyd_tx tx, struct stream *s, u8 *body, u32 length, u64 now)
{
    u8 kind = 0;
    u32 number, heard = 0;
    const u8 *from;
    i32 bytes = frame_decode(body, length, &kind, &number, &from);
    u8 turn = kind >> FRAME_TURN_SHIFT;
    kind &= FRAME_KINDS;
    if (bytes < 0) {
        s->owes |= length > FRAME_HEAD;     /* damaged: say at once what is missing */
    } else if (kind == FRAME_ACK) {
        memcpy(&heard, from, (u32)bytes < sizeof heard ? (u32)bytes : sizeof heard);
        acknowledged(tx, s, number, heard, turn, now);
    } else if (kind == FRAME_DEAF) {
        deaf_note(tx, s, from, (u32)bytes);
    } else {
        s->owes = true;
        when.heard = number;
        when.heard_turn = turn;
        if (number == s->expected && INPUT - (s->filled - s->taken) >= FRAME_PAYLOAD) {
            frame_take(tx, s, kind, from, (u32)bytes);
        }
    }
}

/* Every whole frame that has come. What stands between flags and is too long for one is noise. */
static void parse(struct ttyd_tx tx, struct stream *s, u64 now)
{
    u8 body[FRAME_MOST];
    u32 begin = 0, there = port_waiting();
    for (u32 i = 0; i < there; i++) {
        u8 byte = port_byte(i);
        if (byte != FRAME_FLAG) {
            if (i - begin < FRAME_MOST) {
                body[i - begin] = byte;
            }
            continue;
        }
        if (i != begin && i - begin <= FRAME_MOST) {
            body_take(tx, s, body, i - begin, now);
        }
        begin = i + 1;
    }
    if (there - begin > FRAME_MOST) {
        begin = there;
    }
    if (begin) {
        port_consume(tx, begin);
    }
}

/* ---- wishes ---- */
static void wishes_do(struct stream *s)
{
    if (is_wished(WISH_INPUT) && !s->wanted) {
        s->wanted = s->owes = true;
    }
    if (is_wished(WISH_FINISH) && !s->ended && s->next - s->first <= QUEUE - 3) {
        u32 status = (u32)wish_const()[WISH_STATUS];
        frame_queue(s, FRAME_END, "\1", 1);
        frame_queue(s, FRAME_END, "\2", 1);
        frame_queue(s, FRAME_STATUS, &status, sizeof status);
        s->ended = true;
    }
}

void stream_serve(struct ttyd_tx tx, u64 now)
{
    struct stream *s = stream_edit(tx, stream());
    when.news = when.news ? when.news : now;
    wishes_do(s);
    parse(tx, s, now);
    if (s->cursor != s->first || (s->wanted && s->expected == 1)) {
        repeat_unheard(s, now);
    }
    pump(tx, s, now);
    if (s->cursor != s->first) {
        alarm_at(now + PATIENCE);
    }
}

/* ---- methods ---- */
static u8 frame_kind_of(u32 line) { return line == TTY_STREAM_OUT ? FRAME_OUT : FRAME_ERR; }

l4_err_t stream_read(struct ttyd_tx tx, u32 line, const struct tty_asker *who, u8 *to, u32 bytes, u32 *done)
{
    const struct stream *now = stream();
    if (line != TTY_STREAM_IN) {
        return TTY_IO;
    }
    stream_wish(line);
    u64 there = now->filled - now->taken;
    u32 n = there < bytes ? (u32)there : bytes;
    if (!n && bytes && !now->closed) {
        return who->wait ? arrived_wait(1) : TTY_AGAIN;
    }
    u32 at = (u32)(now->taken % INPUT), first = n < INPUT - at ? n : INPUT - at;
    memcpy(to, input_const() + at, first);
    memcpy(to + first, input_const(), n - first);
    if (n) {
        struct stream *s = stream_edit(tx, now);
        s->taken += n;
        pump(tx, s, l4_now());
    }
    *done = n;
    return L4_OK;
}

l4_err_t stream_write(struct ttyd_tx tx, u32 line, const struct tty_asker *who, const u8 *at, u32 bytes, u32 *done)
{
    const struct stream *now = stream();
    u8 kind = frame_kind_of(line);
    if (line == TTY_STREAM_IN) {
        return TTY_IO;
    }
    if (bytes && now->deaf & 1u << kind) {
        return TTY_PIPE;
    }
    u32 n = bytes_taken(now, bytes);
    if (n < bytes && who->wait) {
        return queued_wait(1);
    }
    if (!n && bytes) {
        return TTY_AGAIN;
    }
    if (n) {
        struct stream *s = stream_edit(tx, now);
        bytes_queue(s, kind, at, n);
        pump(tx, s, l4_now());
        alarm_at(l4_now() + PATIENCE);
    }
    *done = n;
    return L4_OK;
}

u32 stream_poll(u32 line)
{
    const struct stream *s = stream();
    stream_wish(line);
    if (line == TTY_STREAM_IN) {
        return s->filled != s->taken || s->closed ? POLL_IN : 0;
    }
    return (is_full(s) ? 0 : POLL_OUT) | (s->deaf & 1u << frame_kind_of(line) ? POLL_ERR : 0);
}

u32 stream_waiting(void)
{
    stream_wish(TTY_STREAM_IN);
    return (u32)(stream()->filled - stream()->taken);
}

l4_err_t stream_finish(struct ttyd_tx tx, u32 status)
{
    if (ttyd_state()->over) {
        return L4_OK;
    }
    wish_for(WISH_STATUS, status);
    wish_for(WISH_FINISH, true);
    soon();
    return told_wait(1);
}
