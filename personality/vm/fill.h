/* SPDX-License-Identifier: BSD-2-Clause */
/* fill.h: page tables are filled after the commit, with what the handler has noted here. Volatile: what is lost, or
 * finds no room, faults. */
#pragma once
#include "object.h"
#include "space.h"

/* Forget what an undone request noted. Every handler begins with it. */
void fill_begin(void);
void fill_frames(struct vmd_tx tx, cap_t task, u32 frame, u64 count, u64 address, u32 rights);
/* What task `from` has in [address, end), to be read in `to`. */
void fill_copy(struct vmd_tx tx, cap_t to, cap_t from, u64 address, u64 end);
/* At once: an object's pages [first, end) in the task of its owner, the object beginning at `base`. An error: some may be there. */
l4_err_t object_present(const struct object *o, u64 base, u64 first, u64 end);
/* The same after the commit, again. */
void fill_object(struct vmd_tx tx, const struct object *o, u64 first, u64 end);
/* All objects, as a new incarnation must: file systems have no pager, and the last one may have died before it had
 * filled. */
void fill_objects(struct vmd_tx tx);
void fill_do(u32 count);
