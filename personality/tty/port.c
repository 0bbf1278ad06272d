/* SPDX-License-Identifier: BSD-2-Clause */
/* port.c: see port.h. Blocking points: the calls of the driver, which answers or says PENDING within its handler. */
#include "port.h"

#include <chardev.h>
#include <l4/clock.h>
#include <l4/invoke.h>
#include <l4/start.h>
#include <l4/window.h>

#include "lines.h"

enum { SENT = 0, RECEIVED = 1 };
enum { SLOT_WRITE = 0, SLOT_READ = 1, SLOT_DRAIN = 2, DRIVER_WINDOW = 4096 };

static const struct ttyd_tx outside = { };
static bool wants_room L4_VOLATILE_ZERO;

static u64 sent(void) { return device_const()[SENT]; }
static u64 received(void) { return device_const()[RECEIVED]; }
static cap_t driver(void) { return l4_volatile.door[TTYD_USES_CHARDEV]; }

u32 port_room(void) { return PORT_OUT - (u32)(ttyd_state()->accepted - sent()); }
u32 port_backlog(void) { return PORT_OUT - port_room(); }

void port_want_room(void) { wants_room = true; }

void port_put(struct port_batch *batch, u8 byte)
{
    outgoing(outside)[(ttyd_state()->accepted + batch->bytes++) % PORT_OUT] = byte;
}

void port_put_all(struct port_batch *batch, const void *from, u32 bytes)
{
    u32 at = (u32)((ttyd_state()->accepted + batch->bytes) % PORT_OUT), first = bytes < PORT_OUT - at ? bytes : PORT_OUT - at;
    memcpy(outgoing(outside) + at, from, first);
    memcpy(outgoing(outside), (const u8 *)from + first, bytes - first);
    batch->bytes += bytes;
}

void port_close(struct ttyd_tx tx, struct port_batch *batch)
{
    if (batch->bytes) {
        ttyd_set_accepted(tx, ttyd_state()->accepted + batch->bytes);
        ttyd_after_transmit(tx);
        batch->bytes = 0;
    }
}

void port_discard(struct ttyd_tx tx)
{
    ttyd_set_skip(tx, ttyd_state()->accepted);
}

/* A driver that is held down, or hangs until its heartbeat is missed, is not waited for: others are to be served. It is asked again by
 * the same number when it begins, or after a while. */
enum { PATIENCE = 40 * L4_MILLISECOND };
static u64 silent_until L4_VOLATILE_ZERO;

void port_heard(void) { silent_until = 0; }

/* Ask the driver by `number`, with `word`; what it answered is left in it. The same again as often as the driver dies. */
static l4_err_t ask(u32 method, u64 number, u32 words, u64 *word)
{
    u64 tag, w0, w1, w2, w3, deadline = l4_now() + PATIENCE;
    if (silent_until > l4_now()) {
        alarm_at(silent_until);         /* another alarm may have come first and taken this one with it */
        return L4_PENDING;
    }
    do {
        w0 = *word;
        w1 = w2 = w3 = 0;
        tag = l4_tag(method, words, 0) | L4_TAG_NO_PARK | L4_TAG_TIMEOUT;
        l4_utcb()->deadline = deadline;
        l4_invoke(driver(), &tag, number, &w0, &w1, &w2, &w3);
    } while (l4_tag_status(tag) == L4_PEER_RESTARTED || l4_tag_status(tag) == L4_KICKED);
    if (l4_tag_status(tag) == L4_TIMED_OUT) {
        silent_until = l4_now() + PATIENCE;
        alarm_at(silent_until);
        return L4_PENDING;
    }
    *word = w0;
    return l4_tag_status(tag);
}

/* One call's worth; false: nothing is left, or the driver has no room. */
static bool transmit_some(void)
{
    const struct ttyd_state *s = ttyd_state();
    u64 from = sent(), left = s->accepted - from, length = left < CHARDEV_CHUNK ? left : CHARDEV_CHUNK;
    if (!left) {
        return false;
    }
    u8 *window = l4_window(driver(), SLOT_WRITE, DRIVER_WINDOW);
    u32 at = (u32)(from % PORT_OUT), first = length < PORT_OUT - at ? (u32)length : PORT_OUT - at;
    memcpy(window, outgoing_const() + at, first);
    memcpy(window + first, outgoing_const(), length - first);
    if (ask(CHARDEV_METHOD_WRITE, (from + 1) << 16 | SLOT_WRITE, 1, &length) != L4_OK) {
        return false;
    }
    l4_hook();
    device(outside)[SENT] = from + length;
    l4_hook();
    return true;
}

void port_transmit(void)
{
    if (sent() < ttyd_state()->skip) {
        device(outside)[SENT] = ttyd_state()->skip;
        l4_hook();
    }
    bool moved = false;
    while (!line_is_stopped() && transmit_some()) {
        moved = true;
    }
    if (moved) {
        room_wake(outside, 1);
        drained_wake(outside, 1);
    }
    if (moved && wants_room) {
        wants_room = false;
        soon();
    }
}

static bool pull_some(void)
{
    u64 from = received();
    u64 room = PORT_IN - (from - ttyd_state()->parsed), length = room < CHARDEV_CHUNK ? room : CHARDEV_CHUNK;
    if (!room || ask(CHARDEV_METHOD_READ, (from + 1) << 16 | SLOT_READ, 1, &length) != L4_OK) {
        return false;
    }
    const u8 *window = l4_window(driver(), SLOT_READ, DRIVER_WINDOW);
    u32 at = (u32)(from % PORT_IN), first = length < PORT_IN - at ? (u32)length : PORT_IN - at;
    memcpy(incoming(outside) + at, window, first);
    memcpy(incoming(outside), window + first, length - first);
    l4_hook();
    device(outside)[RECEIVED] = from + length;
    l4_hook();
    return true;
}

void port_pull(void)
{
    while (pull_some()) {
    }
}

u32 port_waiting(void) { return (u32)(received() - ttyd_state()->parsed); }
u8 port_byte(u32 behind) { return incoming_const()[(ttyd_state()->parsed + behind) % PORT_IN]; }
void port_consume(struct ttyd_tx tx, u32 bytes) { ttyd_set_parsed(tx, ttyd_state()->parsed + bytes); }

bool port_is_drained(void)
{
    u64 none = 0;
    return !port_backlog() && ask(CHARDEV_METHOD_DRAIN, (ttyd_state()->accepted + 1) << 16 | SLOT_DRAIN, 0, &none) == L4_OK;
}

void port_listen(void)
{
    u64 events = 1ul << CHARDEV_EVENT_READABLE | 1ul << CHARDEV_EVENT_WRITABLE;
    ask(CHARDEV_PROTOCOL << 8 | L4_METHOD_SUBSCRIBE, 0, 1, &events);
}
