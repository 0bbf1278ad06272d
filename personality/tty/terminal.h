/* SPDX-License-Identifier: BSD-2-Clause */
/* terminal.h: the console as a terminal: the methods of tty.idl for line 0. */
#pragma once
#include "lines.h"

void terminal_make(struct ttyd_tx tx);
/* Understand what was typed and what the host says between (host.h), at time `now`. */
void terminal_serve(struct ttyd_tx tx, u64 now);

l4_err_t terminal_read(struct ttyd_tx tx, const struct tty_asker *who, u8 *to, u32 bytes, u32 *done);
l4_err_t terminal_write(struct ttyd_tx tx, const struct tty_asker *who, const u8 *at, u32 bytes, u32 *done);
u32 terminal_poll(void);
u32 terminal_waiting(void);
l4_err_t terminal_finish(struct ttyd_tx tx, u32 status);
l4_err_t terminal_get_termios(u64 label, u32 line, struct tty_termios *now);
l4_err_t terminal_set_termios(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 when, const struct tty_termios *to);
l4_err_t terminal_get_winsize(u64 label, u32 line, struct tty_winsize *now);
l4_err_t terminal_set_winsize(struct ttyd_tx tx, u64 label, u32 line, const struct tty_winsize *to);
l4_err_t terminal_set_foreground(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 group);
l4_err_t terminal_take(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, bool steal);
l4_err_t terminal_leave(struct ttyd_tx tx, u64 label, u32 session, u32 *foreground);
l4_err_t terminal_find(u64 label, u32 session, u32 *line);
l4_err_t terminal_flush(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who, u32 which);
l4_err_t terminal_drain(struct ttyd_tx tx, u64 label, u32 line, const struct tty_asker *who);
l4_err_t terminal_owed(struct ttyd_tx tx, u64 label, struct tty_due *one);
