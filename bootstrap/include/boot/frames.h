/* SPDX-License-Identifier: BSD-2-Clause */
/* frames.h: what keeper tells vm about memory, in one read-only page.
 *
 *   frame f, a page number, is the page FRAMES_BASE + 4096 * f: in the thread-less task `frames` (vm's slot FRAMES_TASK) and in vm's own
 *   FRAMES_POOL   vm's tables, zeroed at boot: durable like its state, behind it so that the undo log reaches them
 *
 * Frames of the archive are frames like others, but belong to no range: they are adopted, never handed out. */
#pragma once
#include <abi/types.h>

#define FRAMES_MAGIC 0x2173656d61726621ul       /* "!frames!" */
#define FRAMES_PAGE  0x3fffe000ul               /* below the crash page */
#define FRAMES_POOL  0x40400000ul
#define FRAMES_BASE  0x100000000ul

enum { FRAMES_TASK = 800, FRAMES_RANGES = 64, FRAMES_CHUNK_BYTES = 288, FRAMES_BYTES = 8, FRAMES_CHUNKS_LEAST = 2048 };

struct frames_page {
    u64 magic;
    u64 top;                        /* one past the highest frame, archive included */
    u64 chunks;                     /* pieces of page lists that there is room for, a power of two */
    u64 pool_bytes;
    u64 archive, archive_bytes;     /* physical */
    u64 adoptable, adoptable_bytes; /* physical: the module `root`, whose pages file systems may have; 0: there is none */
    u64 runtime, runtime_bytes;     /* physical: the module `runtime`; 0: there is none */
    u64 ranges;
    struct { u64 first, count; } range[FRAMES_RANGES];  /* frames to hand out */
};
_Static_assert(sizeof(struct frames_page) <= L4_PAGE_SIZE, "one page");

/* For that many frames to hand out; a 64th of them at most. */
static inline u64 frames_chunks(u64 frames)
{
    u64 chunks = FRAMES_CHUNKS_LEAST;
    while (chunks < frames / 8) {
        chunks *= 2;
    }
    return chunks;
}

/* One page of words, heads of hash chains, chunks, frames. */
static inline u64 frames_pool_bytes(u64 top, u64 chunks)
{
    return (L4_PAGE_SIZE + (4 + FRAMES_CHUNK_BYTES) * chunks + FRAMES_BYTES * top + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul);
}
