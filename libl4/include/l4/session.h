/* SPDX-License-Identifier: BSD-2-Clause */
/* session.h: a client's side of exactly once.
 * A session is one answer slot at one server: a thread has its own, or takes one from a pool for the time of a call.
 * Number: counter << 16 | slot. The server tests equality only, so a counter that starts at the clock never meets an
 * old one. */
#pragma once
#include <abi/types.h>
#include <l4/hook.h>

struct l4_session {
    cap_t gate;         /* the door */
    u64 number;         /* of the last numbered call */
    u8 *window;         /* the slot's window, shared with the server; NULL if it has none */
};

static inline void l4_session_init(struct l4_session *s, cap_t gate, u32 slot, u8 *window)
{
    *s = (struct l4_session){ gate, l4_clock() << 16 | slot, window };
}

/* The number of the next call. */
static inline u64 l4_number(struct l4_session *s) { return s->number += 1 << 16; }
