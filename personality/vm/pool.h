/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.h: every frame and every page: vm's tables whose size follows the machine's memory.
 *
 *   FRAMES_POOL   struct pool | heads of hash chains | chunks | frames          as struct frames_page says
 *
 * A chunk is the list of 64 neighbouring pages of one owner, a space or an object: (owner, page index / 64) -> frames.
 * Everything here is below 4 GB and is changed only after l4_keep, as the state is: a crash at any store is undone by
 * the same log.
 * What frames hold is outside undo: a frame is written while it is free or in a transaction that takes it, so only what
 * nobody can
 * reach is lost.
 *
 * INVARIANT counted: frame f's `refs` is the number of entries in chunks that name f; 0 if and only if it is free or of
 * the archive.
 * INVARIANT split: `in_objects` + `of_archive` are the entries of objects.
 * INVARIANT free: frames that are free are in the list from `free`, or not below `fresh` of the ranges that begin at
 * `range`.
 * INVARIANT owned: a chunk in use is in the list of its owner and in one chain, and has `used` > 0 entries. */
#pragma once
#include "vmd_server.h"

#include <boot/frames.h>

#define VM_COUNT(table) (sizeof ((const struct vmd_state *)0)->table / sizeof ((const struct vmd_state *)0)->table[0])
enum { VMD_SPACES = VM_COUNT(space), VMD_REGIONS = VM_COUNT(region), VMD_OBJECTS = VM_COUNT(object) };
enum { CHUNK_PAGES = 64, CHUNK_SHIFT = 6, OWNER_OBJECT = 1u << 31 };

struct pool {
    u64 frames_free;
    u64 in_objects, of_archive; /* pages of objects: frames that were handed out, and those of the archive */
    u64 fresh;                  /* first frame never used of range[range] */
    u32 free, range;            /* list by frame.next; the range that `fresh` is in */
    u32 chunk_free, chunk_high; /* list by chunk.next, 1 + index; chunks from here on were never used */
};

struct chunk {
    u32 owner, used;            /* space: its ref; object: OWNER_OBJECT | its ref */
    u64 key;                    /* page index / 64 */
    u32 chain, next;            /* 1 + index: in the hash chain, in the owner's list or the free list */
    u32 prev, spare;
    u32 page[CHUNK_PAGES];      /* frames; 0: none */
};

struct frame { u32 refs, next; };

/* A place in the tables: chunk and entry. */
struct spot { const struct chunk *chunk; u32 entry; };

void pool_format(void);
/* A frame with one reference, its content undefined; 0: there is none, or `reserve` would not be left. */
u32 frame_take(struct vmd_tx tx, u64 reserve);
/* The same for up to `count` of them; how many there were. Where they lie in a row, they are in ascending order. */
u32 frames_take(struct vmd_tx tx, u64 reserve, u32 count, u32 *frame);
/* One reference more, or less: the last one frees it. Caller: nobody has it mapped where the reference was. */
void frame_hold(struct vmd_tx tx, u32 frame);
void frame_put(struct vmd_tx tx, u32 frame);
u32 frame_refs(u32 frame);
u64 frames_free(void);
/* How many objects may have, as Linux's tmpfs: half of all. */
u64 frames_for_objects(void);
/* Whether taking a page may fail: no more than `reserve` frames are left, or no chunk. */
bool pool_is_exhausted(u64 reserve);
u64 frames_total(void);
bool frame_is_archive(u32 frame);

const struct chunk *chunk_find(u32 owner, u64 key);
const struct chunk *chunk_first(u32 owner);
const struct chunk *chunk_next(const struct chunk *chunk);
/* An empty one for (owner, key), which has none; NULL: all are in use. It gets its first entry in the same transaction.
 * */
const struct chunk *chunk_new(struct vmd_tx tx, u32 owner, u64 key);
/* Fill an empty entry (which takes over the caller's reference), exchange a full one, or empty it. An empty chunk is
 * freed. */
void chunk_set(struct vmd_tx tx, const struct chunk *chunk, u32 entry, u32 frame);
/* Fill `count` empty entries in a row. */
void chunk_fill(struct vmd_tx tx, const struct chunk *chunk, u32 entry, u32 count, const u32 *frame);
/* `owner`, which has none for that key, gets what `from` has, whose frames have a holder more. False: no chunk is left. */
bool chunk_copy(struct vmd_tx tx, const struct chunk *from, u32 owner);
/* All its entries at once: it is freed. */
void chunk_drop(struct vmd_tx tx, const struct chunk *chunk);
/* The frame at page index `page` of `owner`; 0: none. */
u32 page_frame(u32 owner, u64 page);
/* Enter a frame there; false: no chunk is left. */
bool page_enter(struct vmd_tx tx, u32 owner, u64 page, u32 frame);
u64 pages_owned(u32 owner);

/* What a check of all may see. */
const struct pool *pool(void);
const struct chunk *chunk_at(u32 ref);
u32 chunk_ref(const struct chunk *chunk);
const struct frame *frame_at(u32 frame);
