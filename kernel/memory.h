/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.h: kernel memory. Frames come from the region that main set aside; slabs cut them into objects; every byte is charged
 * to a factory, so that quotas balance to the byte when what was made is destroyed. */
#pragma once
#include "object.h"

/* ---- frames: not charged to anybody; only slab, quota and boot code use these ---- */
void frame_add(paddr_t base, u64 bytes);        /* all there is: once, before anything is taken */
paddr_t frame_take(void);                       /* a zeroed frame, 0 when there is none */
paddr_t frame_take_pair(void);                  /* two contiguous zeroed frames (I/O bitmap), 0 when there are none */
void frame_give(paddr_t frame);
u64 frame_free_count(void);

/* ---- charged to a factory's quota ---- */
/* What `bytes` of memory_take cost. */
static inline u32 memory_cost(u32 bytes) { return (bytes + 63) & ~63u; }
/* Zeroed memory of `bytes` (1 to 4096, or 8192: two frames) aligned to 64, or NULL: quota or machine exhausted. */
void *memory_take(struct factory *factory, u32 bytes);
void memory_give(struct factory *factory, void *at, u32 bytes);
/* A zeroed frame; 0 when quota or machine is exhausted. */
paddr_t memory_take_frame(struct factory *factory);
void memory_give_frame(struct factory *factory, paddr_t frame);
