/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.h: memory of keeper's own and of what it makes, and the boot archive. All of it is mapped in keeper's task.
 * Nothing is given back: services keep their places over restarts. */
#pragma once
#include <abi/types.h>

struct module {
    const char *name;
    const u8 *data;             /* page aligned */
    u64 bytes;
};

/* Zeroed pages, aligned to their size up to 2 MB, so that large ones are mapped whole. NULL: there is no more. */
void *memory_take(u64 bytes);
/* The same at an address of one's own choosing, page aligned; false: there is no more. */
bool memory_take_at(vaddr_t at, u64 bytes);
/* Map the boot archive. */
void archive_map(void);
/* Where keeper sees it: readable, executable, and writable for vm's sake, whom file systems ask for pages of it. */
const u8 *archive_start(void);
bool archive_find(const char *name, u32 length, struct module *found);
