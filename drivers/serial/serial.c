/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.c: a 16550 as a character device.
 *
 * INVARIANT out: sent <= accepted <= sent + SIZE; byte n lies at out[n % SIZE] from its acceptance until it was sent.
 * INVARIANT in:  taken <= received <= taken + SIZE; byte n lies at in[n % SIZE] with the mark of its round; `received` is the
 *                first n whose mark is missing, so it need not be exact after a crash.
 * The counters in `device` follow the device: they are written outside of transactions, each by one store. */
#include "seriald_server.h"

#include <irq.h>
#include <l4/start.h>
#include <l4/string.h>
#include <ports.h>
#include <sequence.h>

#include "uart.h"

enum { SIZE = 8192 };
enum { SENT = 0, RECEIVED = 1, OVERRUN = 2, ATTACHED = 3 };

/* The device is no part of any transaction. */
static const struct seriald_tx outside = { };

static u16 port(enum uart_register r) { return (u16)(l4_argument_number("ports", 0x3f8) + r); }

/* Differs from one round through the ring to the next, and from the zero that the ring began with. */
static u8 mark(u64 n) { return (u8)(1 + (n / SIZE) % 2); }

static u64 sent(void) { return device_const()[SENT]; }
static u64 received(void) { return device_const()[RECEIVED]; }

static bool is_here(u64 n) { return in_const()[n % SIZE] >> 8 == mark(n); }

static void transmit(void)
{
    u64 end = seriald_state()->accepted;
    for (u32 i = 0; i < UART_FIFO && sent() < end; i++) {
        l4_hook();
        sequence_send(port(UART_DATA), out_const()[sent() % SIZE], &device(outside)[SENT], sent() + 1);
    }
}

static void receive_one(void)
{
    u64 n = received();
    sequence_receive(port(UART_DATA), &in(outside)[n % SIZE], mark(n));
    l4_hook();
    device(outside)[RECEIVED] = n + 1;
    l4_hook();
}

/* Do what the device is ready for: a ring full at most, which takes long when a virtual device writes each byte to a busy host. A full ring
 * stops the receiver: bytes wait in the device and in the line behind it. */
static void serve(void)
{
    for (;;) {
        l4_step();
        u8 status = port_in(port(UART_STATUS));
        bool full = received() - seriald_state()->taken == SIZE;
        bool in_ready = (status & UART_READY) && !full, out_ready = (status & UART_EMPTY) && sent() < seriald_state()->accepted;
        if (status & UART_OVERRUN) {
            device(outside)[OVERRUN]++;
        }
        if (in_ready) {
            receive_one();
        }
        if (out_ready) {
            transmit();
        }
        if (!in_ready && !out_ready) {
            port_out(port(UART_INTERRUPTS), full ? UART_ON_EMPTY : UART_ON_RECEIVED | UART_ON_EMPTY);
            return;
        }
    }
}

static void announce(struct seriald_tx tx, u64 events)
{
    for (u32 i = 0; i < SERIALD_CLIENTS; i++) {
        const struct l4_client *client = &seriald_state()->client[i];
        if (client->label && client->events & events) {
            l4_raise(client->label, events);
        }
    }
}

static void progress(struct seriald_tx tx)
{
    const struct seriald_state *s = seriald_state();
    if (received() != s->taken) {
        bytes_wake(tx, 1);
        announce(tx, 1ul << CHARDEV_EVENT_READABLE);
    }
    if (s->accepted - sent() <= SIZE - CHARDEV_CHUNK) {
        room_wake(tx, 1);
        announce(tx, 1ul << CHARDEV_EVENT_WRITABLE);
    }
    if (s->accepted == sent()) {
        empty_wake(tx, 1);
    }
}

/* Reading the cause clears an empty transmitter's interrupt; the line falls when no cause is left, so a next one is an edge. */
static void do_irq(struct seriald_tx tx, u64 label)
{
    do {
        serve();
    } while (!(port_in(port(UART_CAUSE)) & UART_NO_CAUSE) && received() - seriald_state()->taken < SIZE);
    irq_ack(l4_slot("interrupt"));
    progress(tx);
}

static void do_kick(void) { serve(); }

static void attach(void)
{
    port_out(port(UART_INTERRUPTS), 0);
    port_out(port(UART_LINE), UART_DIVISOR);
    port_out(port(UART_DATA), UART_DIVISOR_115200);
    port_out(port(UART_INTERRUPTS), 0);
    port_out(port(UART_LINE), UART_8N1);
    port_out(port(UART_CAUSE), UART_FIFO_ON | UART_FIFO_CLEAR | UART_FIFO_TRIGGER_8);
    port_out(port(UART_MODEM), UART_DTR_RTS_OUT2);
    device(outside)[ATTACHED] = 1;
}

static void do_start(struct seriald_tx tx)
{
    sequence_finish();
    while (is_here(received()) && received() - seriald_state()->taken < SIZE) {
        device(outside)[RECEIVED]++;
    }
    if (!device_const()[ATTACHED]) {
        attach();
    }
    seriald_after_kick(tx);
}

static l4_err_t do_write(struct seriald_tx tx, u64 label, struct l4_bytes data, u32 *done)
{
    u64 accepted = seriald_state()->accepted;
    if (SIZE - (accepted - sent()) < data.length) {
        return room_wait(1);
    }
    u32 at = (u32)(accepted % SIZE), first = data.length < SIZE - at ? data.length : SIZE - at;
    memcpy(out(tx) + at, data.at, first);
    memcpy(out(tx), data.at + first, data.length - first);
    seriald_set_accepted(tx, accepted + data.length);
    seriald_after_kick(tx);
    *done = data.length;
    return L4_OK;
}

static l4_err_t do_read(struct seriald_tx tx, u64 label, u32 most, u8 *data, u32 *length)
{
    u64 taken = seriald_state()->taken, there = received() - taken;
    if (most > CHARDEV_CHUNK) {
        return CHARDEV_BAD_LENGTH;
    }
    if (there == 0 && most > 0) {
        return bytes_wait(1);
    }
    *length = there < most ? (u32)there : most;
    for (u32 i = 0; i < *length; i++) {
        data[i] = (u8)in_const()[(taken + i) % SIZE];
    }
    seriald_set_taken(tx, taken + *length);
    if (there == SIZE) {
        seriald_after_kick(tx);
    }
    return L4_OK;
}

static l4_err_t do_drain(struct seriald_tx tx, u64 label)
{
    return sent() < seriald_state()->accepted ? empty_wait(1) : L4_OK;
}

static l4_err_t do_look(u64 label, struct chardev_counts *now)
{
    const struct seriald_state *s = seriald_state();
    *now = (struct chardev_counts){
        .accepted = s->accepted, .sent = sent(), .received = received(), .taken = s->taken,
        .overrun = device_const()[OVERRUN], .incarnation = l4_startup() ? l4_startup()->incarnation : 0,
    };
    return L4_OK;
}

static const struct seriald_ops ops = {
    .hooks.start = do_start, .hooks.irq = do_irq,
    .write = do_write, .read = do_read, .drain = do_drain, .look = do_look,
    .kick = do_kick,
};

void l4_main(void) { seriald_serve(&ops); }
