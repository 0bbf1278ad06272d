/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.h: frames and page tables for vm on the host: takes the place of personality/vm/page.c. They lie behind
 * vm's pool, so a kill of vm leaves them as they are, and each image of the state has its own. */
#pragma once
#include <abi/types.h>

enum { MACHINE_FRAMES = 140, MACHINE_ARCHIVE = 24, MACHINE_RUNTIME = 3 };

struct machine_entry { u64 task, address; u32 frame, rights; };

/* What a task has at an address; NULL: nothing. */
const struct machine_entry *machine_find(u64 task, u64 address);
/* Every entry is what the committed state says, or less; else why not. */
const char *machine_check(void);
/* The `nth` range that is mapped from now on finds no kernel memory after its first page; 0: none does. */
void machine_refuse(u32 nth);
/* From the beginning of the state to the end of all this. */
u64 machine_bytes(void);
u64 machine_installed(void);        /* entries made so far */
