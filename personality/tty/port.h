/* SPDX-License-Identifier: BSD-2-Clause */
/* port.h: the way to the driver and back: two rings in the state and a session with the serial driver.
 *
 *   port_put -> outgoing[64K]  sent ... accepted    -> chardev.write
 *   chardev.read -> incoming[16K]  parsed ... received -> whoever understands it
 *
 * Rule: the numbers of the calls come from the counters, so a call whose answer nobody heard is asked again by the same number.
 * INVARIANT out: sent <= accepted <= sent + OUT; byte n lies at n % OUT until it was sent.
 * INVARIANT in:  parsed <= received <= parsed + IN. `sent` and `received` follow the driver: each is changed by one store. */
#pragma once
#include "ttyd_server.h"

enum { PORT_OUT = 64 << 10, PORT_IN = 16 << 10 };

/* What a transaction puts: `bytes` of them lie behind `accepted` until port_close. */
struct port_batch { u32 bytes; };

/* Bytes that can be put now, without those of a batch. */
u32 port_room(void);
/* Run the timeout hook once there is more. */
void port_want_room(void);
/* Bytes put and not yet handed over. */
u32 port_backlog(void);
/* Queue a byte, bytes. Caller: there is room. */
void port_put(struct port_batch *, u8 byte);
void port_put_all(struct port_batch *, const void *from, u32 bytes);
/* They are to be sent after the commit. */
void port_close(struct ttyd_tx tx, struct port_batch *);
/* Throw away what was put and has not been handed over. */
void port_discard(struct ttyd_tx tx);

/* Effect: hand bytes to the driver until it takes no more. */
void port_transmit(void);
/* Take what the driver has. May be done in a transaction: it is outside of undo. */
void port_pull(void);
/* Bytes received and not yet parsed; the one so many behind the first; the first ones are parsed. */
u32 port_waiting(void);
u8 port_byte(u32 behind);
void port_consume(struct ttyd_tx tx, u32 bytes);

/* Whether every byte has left the driver; if not, its event, or the timeout hook if it was silent, tells when to ask again. */
bool port_is_drained(void);
/* The driver has told something: it may be asked again, if it was silent. */
void port_heard(void);
/* Be told of the driver's events. */
void port_listen(void);
