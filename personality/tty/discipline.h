/* SPDX-License-Identifier: BSD-2-Clause */
/* discipline.h: what becomes of a typed byte, and of a written one. The rules are those of Linux's terminals, which test/unit/tty
 * compares. Works on a line that is being edited; what it puts out goes into a batch. */
#pragma once
#include "port.h"

/* struct termios of Linux for x86-64. */
enum termios_input { IGNBRK = 1, BRKINT = 2, ISTRIP = 0x20, INLCR = 0x40, IGNCR = 0x80, ICRNL = 0x100, IUCLC = 0x200, IXON = 0x400,
                     IXANY = 0x800, IUTF8 = 0x4000, PARMRK = 8 };
enum termios_output { OPOST = 1, OLCUC = 2, ONLCR = 4, OCRNL = 8, ONOCR = 0x10, ONLRET = 0x20, TABS = 0x1800, XTABS = 0x1800 };
enum termios_local { ISIG = 1, ICANON = 2, ECHO = 8, ECHOE = 0x10, ECHOK = 0x20, ECHONL = 0x40, NOFLSH = 0x80, TOSTOP = 0x100,
                     ECHOCTL = 0x200, ECHOPRT = 0x400, ECHOKE = 0x800, IEXTEN = 0x8000 };
enum termios_character { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL, VREPRINT, VDISCARD, VWERASE,
                         VLNEXT, VEOL2 };
enum { QUEUE_BYTES = 4096 };
enum { ECHO_MOST = 8 * QUEUE_BYTES };           /* what one typed byte can put out: the erasure of a full line */

struct typist {
    struct line *line;
    struct queue *queue;
    struct port_batch out;
    u32 signal;                 /* due to the foreground group after this byte; 0: none */
    bool discard;               /* output that waits is to be thrown away */
};

static inline bool is_set(u32 flags, u32 flag) { return flags & flag; }

/* ---- discipline.c ---- */
/* Whether a byte can be taken: a full queue takes more only while no line in it has ended. */
bool discipline_takes(const struct line *);
void discipline_type(struct typist *, u8 byte);
/* After a change from mode `old`. */
void discipline_changed(struct line *, struct queue *, const struct tty_termios *old);
/* Nothing will be typed any more: a line that was begun is given as it is, then every read finds the end. */
void discipline_end(struct typist *);
/* Throw away what was typed. */
void discipline_flush(struct line *);

/* ---- echo.c: columns and output processing ---- */
/* Put a byte as a program writes it. Caller: there is room for 8. */
void echo_output(struct line *, struct port_batch *, u8 byte);
void echo_byte(struct typist *, u8 byte);       /* typed: control characters as ^X */
void echo_plain(struct typist *, u8 byte);      /* as a program writes it */
void echo_prompt(struct typist *);              /* the line that is edited begins here */
void echo_erase_tab(struct typist *, u32 columns, bool after_tab);
bool is_control(u8 byte);
bool is_word(u8 byte);
bool is_continuation(const struct line *, u8 byte);

/* ---- read.c: what a reader is given ---- */
/* Bytes are there for a reader that asks for at least one. */
bool read_has(const struct line *, u32 least);
/* Copy to `to` and move the tail; how many. Caller: read_has. */
u32 read_take(struct line *, const struct queue *, u8 *to, u32 bytes);
/* What FIONREAD says. */
u32 read_count(const struct line *, const struct queue *);
bool queue_ends(const struct queue *, u32 at);
