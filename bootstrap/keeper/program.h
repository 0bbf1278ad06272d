/* SPDX-License-Identifier: BSD-2-Clause */
/* program.h: a program of the boot archive as keeper places it: what is only read is shared, what is written is the service's own. */
#pragma once
#include <l4/elf.h>
#include <l4/server.h>

#include "memory.h"

enum { PROGRAM_OWN = 4 };

struct program {
    struct module module;
    struct l4_elf elf;
    struct l4_server_card card;             /* zero if it is no server with a state */
    u64 routine[4];                         /* addresses of libl4's crash routines, by enum keeper_way */
    u32 owned;
    struct { u8 *pages; u32 segment; } own[PROGRAM_OWN];
};

/* Read the module's headers. */
l4_err_t program_read(const struct module *module, struct program *program);
/* Take pages for what it writes; the bytes taken. 0: there is no memory. */
u64 program_own(struct program *program);
/* Make its private memory what the file says. */
void program_reset(const struct program *program);
/* Map all of it into `task`. */
l4_err_t program_map(const struct program *program, cap_t task);
/* Return addresses found on its stack above `sp`, the newest first. */
void program_backtrace(const struct program *program, vaddr_t sp, u64 *pc, u32 most);
