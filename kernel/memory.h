/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.h: kernel memory, in blocks of 64 bytes to 8 KB, each a power of two and aligned to its size. Every block is
 * charged to a factory, so that quotas balance to the byte when what was made is destroyed. */
#pragma once
#include "object.h"

enum { MEMORY_LEAST = 6, MEMORY_MOST = 13 };    /* log2 of bytes: a mapping node; a page table with its shadow */

/* All there is: once, before anything is taken. */
void memory_init(paddr_t base, u64 bytes);
/* What `bytes` of memory_take cost. */
u32 memory_cost(u32 bytes);
/* Zeroed memory of 1 to 8192 bytes, or NULL: quota or machine exhausted. */
void *memory_take(struct factory *factory, u32 bytes);
void memory_give(struct factory *factory, void *at, u32 bytes);
/* A zeroed frame; 0 when quota or machine is exhausted. */
paddr_t memory_take_frame(struct factory *factory);
void memory_give_frame(struct factory *factory, paddr_t frame);

extern struct list memory_free[MEMORY_MOST + 1];    /* by log2 of bytes: free blocks, linked through themselves */
