/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h: what `axo run` and the console tell each other besides what is typed and shown: docs/exec-stream.md, "Without --exec". */
#pragma once
#include "port.h"

enum host_kind { HOST_TYPED, HOST_SIZE, HOST_END, HOST_NOISE };

struct host_word {
    enum host_kind kind;
    u32 bytes;                  /* that it took on the line */
    u8 byte;                    /* typed */
    struct tty_winsize size;    /* of the person's window */
};

/* What begins `behind` bytes behind the first that waits; `there` wait. False: not all of it has come. */
bool host_hear(u32 behind, u32 there, struct host_word *);
/* The last that is put: the first process has ended. */
void host_tell_status(struct port_batch *, u32 status);
