/* SPDX-License-Identifier: BSD-2-Clause */
/* trees.h: trees of mappings below one page, made and revoked, while a thread of the highest priority waits for the timer again and again.
 * Late is how long it is from when the timer was to ring to the thread's first instruction: instructions, under -icount. */
#pragma once
#include <abi/fpage.h>
#include <l4/types.h>

enum { TREES_MANY = 100000, TREES_SLOTS = 4 };      /* mappings; slots of the root task that are needed */

struct trees {
    u64 worst, least;           /* how late */
    u64 rings;                  /* how often */
    u64 revoked;                /* mappings */
};

/* Of a flat tree, one mapping in a hundred counted: before it is revoked, when the thread that revokes it is destroyed, and after a while. */
struct orphaned {
    u32 first, then, last;
};

/* From the root task's slot `first` on there are TREES_SLOTS free ones. */
void trees_begin(u32 first);
/* All of one page; each of the one before; a hundred of a hundred of ten; each page with page tables of its own. */
struct trees trees_flat(void);
struct trees trees_deep(void);
struct trees trees_bushy(void);
struct trees trees_sparse(void);
/* Two tasks that map to each other, and go on while it is revoked, so often. */
struct trees trees_hostile(u32 rounds);
/* Nobody touches the tree after its revoker's end. */
struct orphaned trees_orphaned(void);
void trees_end(void);
