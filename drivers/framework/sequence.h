/* SPDX-License-Identifier: BSD-2-Clause */
/* sequence.h: register I/O that consumes or emits, done exactly once over restarts.
 * A sequence is two instructions: the access, then one store into the state that tells it. A driver that dies between them leaves
 * the crash page with its pc at the second one and all that it needs in registers; the next incarnation does the store.
 *
 * Rule: a store is repeatable: it writes a value, never adds one, and only where the value before still stands. */
#pragma once
#include <abi/types.h>

/* Write `value` to `port`; then *sent = now, which was now - 1. */
void sequence_send(u16 port, u8 value, u64 *sent, u64 now);
/* Read a byte from `port`; then *entry = mark << 8 | byte, which had another mark. */
void sequence_receive(u16 port, u16 *entry, u8 mark);

/* First thing in the start hook: do the store of a sequence that the last incarnation did not end. */
void sequence_finish(void);
