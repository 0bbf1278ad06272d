/* SPDX-License-Identifier: BSD-2-Clause */
/* filled.h: a run with every register filled, and what is in them afterwards (filled.S). */
#pragma once

#define FILLED_IN 0             /* offsets of struct filled, for assembly */
#define FILLED_OUT 120
#define FILLED_SPINS 240
#define FILLED_HAS_XSAVE 248
#define FILLED_STATE_IN 256
#define FILLED_STATE_OUT 1280

#ifndef __ASSEMBLER__
#include <l4/types.h>

enum { STATE_BYTES = 1024, REGISTERS = 15 };
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15 };

struct filled {
    u64 in[REGISTERS], out[REGISTERS];
    u64 spins;                  /* so many turns of a loop; 0: one system call */
    u64 has_xsave;
    u8 state_in[STATE_BYTES] __attribute__((aligned(64))), state_out[STATE_BYTES] __attribute__((aligned(64)));
};
_Static_assert(__builtin_offsetof(struct filled, spins) == FILLED_SPINS && __builtin_offsetof(struct filled, state_in) == FILLED_STATE_IN
    && __builtin_offsetof(struct filled, state_out) == FILLED_STATE_OUT, "as assembly knows it");

/* Fill general registers (all but rsp), x87, SSE and AVX ones with `in` and `state_in`; run; put all into `out` and `state_out`. */
void filled_run(struct filled *filled);
/* The first instructions of a thread: store every register as it is, at `filled_start_out`, then call filled_started(). */
void filled_start(u64 argument);
extern struct filled filled_at_start;
void filled_started(void);
#endif
