/* SPDX-License-Identifier: BSD-2-Clause */
/* sequence.c: the table of sequences and how each is ended by a later incarnation. */
#include "sequence.h"

#include <l4/crash.h>
#include <l4/start.h>

extern const char sequence_send_told[], sequence_receive_told[];

static void send_end(const struct l4_registers *r)
{
    u64 *sent = (u64 *)r->r8;
    if (*sent == r->rcx - 1) {
        *sent = r->rcx;
    }
}

static void receive_end(const struct l4_registers *r)
{
    u16 *entry = (u16 *)r->rsi;
    if (*entry >> 8 != (u8)(r->rax >> 8)) {
        *entry = (u16)r->rax;
    }
}

/* The access was done when the thread stood here. */
static const struct {
    const char *told;
    void (*end)(const struct l4_registers *);
} sequences[] = {
    { sequence_send_told, send_end },
    { sequence_receive_told, receive_end },
};

void sequence_finish(void)
{
    const struct l4_startup *startup = l4_startup();
    const struct l4_crash *crash = startup && startup->crash_page ? (const struct l4_crash *)startup->crash_page : NULL;
    for (u32 i = 0; crash && crash->incarnation && i < sizeof sequences / sizeof sequences[0]; i++) {
        if (crash->device.rip == (u64)sequences[i].told) {
            sequences[i].end(&crash->device);
        }
    }
}
