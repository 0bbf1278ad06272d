/* SPDX-License-Identifier: BSD-2-Clause */
/* window.h: where a client finds its windows: keeper maps them before the client starts, and they stay over all restarts. */
#pragma once
#include <abi/types.h>
#include <l4/session.h>
#include <l4/start.h>

#define L4_WINDOWS_ADDRESS 0x2000000000ul
#define L4_WINDOWS_BYTES   0x100000ul        /* room for the windows behind one door */

/* The window of answer slot `slot` behind the door in slot `door`, each of `bytes` bytes as the server's `clients` line says. */
static inline u8 *l4_window(cap_t door, u32 slot, u32 bytes)
{
    return (u8 *)(L4_WINDOWS_ADDRESS + door * L4_WINDOWS_BYTES + (u64)slot * bytes);
}

/* A session through `door`, with a window of `bytes` bytes (0: the server has none). */
static inline void l4_session_open(struct l4_session *s, cap_t door, u32 slot, u32 bytes)
{
    l4_session_init(s, door, slot, bytes ? l4_window(door, slot, bytes) : NULL);
}

/* A session through the door that the manifest calls `name`, at a server without windows. Panics if there is no such door. */
static inline struct l4_session l4_session_named(const char *name)
{
    struct l4_session s;
    l4_session_open(&s, l4_slot_need(name), 0, 0);
    return s;
}
