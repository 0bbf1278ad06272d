/* SPDX-License-Identifier: BSD-2-Clause */
/* stream.h: the guest's end of docs/exec-stream.md: standard input, output, error and status of `axo run --exec`. */
#pragma once
#include "lines.h"

void stream_make(struct ttyd_tx tx);
/* Understand what came in; put out what is due at `now`. */
void stream_serve(struct ttyd_tx tx, u64 now);

/* Somebody looks at a stream: from now on there are frames. */
void stream_wish(u32 line);
l4_err_t stream_read(struct ttyd_tx tx, u32 line, const struct tty_asker *who, u8 *to, u32 bytes, u32 *done);
l4_err_t stream_write(struct ttyd_tx tx, u32 line, const struct tty_asker *who, const u8 *at, u32 bytes, u32 *done);
u32 stream_poll(u32 line);
u32 stream_waiting(void);
l4_err_t stream_finish(struct ttyd_tx tx, u32 status);

