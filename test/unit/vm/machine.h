/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.h: frames and page tables for vm on the host: takes the place of personality/vm/page.c. */
#pragma once
#include <abi/types.h>

enum { MACHINE_FRAMES = 140, MACHINE_ARCHIVE = 24, MACHINE_RUNTIME = 3 };

struct machine_entry { u64 task, address; u32 frame, rights; };

/* All page tables empty, the archive filled, frames with junk. */
void machine_reset(void);
/* What a task has at an address; NULL: nothing. */
const struct machine_entry *machine_find(u64 task, u64 address);
/* Every entry is what the committed state says, or less; else why not. */
const char *machine_check(void);
/* The `nth` range that is mapped from now on finds no kernel memory after its first page; 0: none does. */
void machine_refuse(u32 nth);
u64 machine_pool_bytes(void);
u64 machine_installed(void);        /* entries made so far */
