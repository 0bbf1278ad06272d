/* SPDX-License-Identifier: BSD-2-Clause */
/* lines.h: what the parts of the server know of each other. The console is a terminal (terminal.c, discipline.c, echo.c, read.c)
 * until somebody uses a stream of `axo run --exec`; from then on the bytes to and from the host are frames (stream.c, frame.c). */
#pragma once
#include "ttyd_server.h"

enum { POLL_IN = 1, POLL_OUT = 4, POLL_ERR = 8, POLL_HUP = 16 };
enum { SIG_HUP = 1, SIG_INT = 2, SIG_QUIT = 3, SIG_CONT = 18, SIG_TSTP = 20, SIG_WINCH = 28 };

static inline const struct line *console(void) { return line_at(1); }
static inline const struct stream *stream(void) { return stream_at(1); }

static inline bool is_stream(u32 line) { return line >= TTY_STREAM_IN && line <= TTY_STREAM_ERR; }
/* What a request that waits, or may change nothing, wishes for: outside of undo, so that a crash does not lose it. Doing it again is
 * harmless. */
enum wish { WISH_FRAMES, WISH_INPUT, WISH_FINISH, WISH_STATUS };
static inline bool is_wished(enum wish which) { return wish_const()[which] != 0; }
void wish_for(enum wish which, u64 value);

/* The bytes on the line are frames. */
static inline bool is_framing(void) { return is_wished(WISH_FRAMES) || stream()->wanted || stream()->next > 1; }
/* ^S holds the output back, but not for ever: not when the first process has ended. */
static inline bool line_is_stopped(void) { return !is_framing() && console()->stopped && !is_wished(WISH_FINISH); }

/* Let the timeout hook run as soon as no request waits: what parked callers wish for is done there, in a transaction of its own. */
void soon(void);
/* Let it run at `ns` if nothing makes it run before. */
void alarm_at(u64 ns);
/* Somebody who polls may find something new. */
void tell_pollers(struct ttyd_tx tx);

/* `bytes` of vfs's windows from byte `from` of window `window` on; NULL: there is no such place. */
u8 *window_place(u32 window, u32 from, u32 bytes);
