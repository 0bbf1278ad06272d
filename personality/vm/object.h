/* SPDX-License-Identifier: BSD-2-Clause */
/* object.h: memory objects: files' data, shared anonymous memory, the runtime's image.
 *
 * An object lives while its owner holds it or a region maps it. Its owner (a file system; 0 is vm itself) sees all of
 * it, mapped in
 * its own task from the start: no server is paged.
 *
 * INVARIANT used: object.uses is the number of regions with it, and one more if it is held; never 0.
 * INVARIANT whole: an object with an owner has a frame for each page below its end. */
#pragma once
#include "pool.h"

static inline u32 object_owner(const struct object *o) { return OWNER_OBJECT | object_ref(o); }

void object_hold(struct vmd_tx tx, const struct object *o);
/* One use less. The last one frees it: caller has called object_release. */
void object_put(struct vmd_tx tx, const struct object *o);
/* One use is about to go: if it is the last, free the pages. In pieces. */
void object_release(struct vmd_tx tx, const struct object *o);
/* A fresh one with one use; NULL: none is left. */
struct object *object_make(struct vmd_tx tx, u64 owner, u64 key, u64 bytes);
/* Shared anonymous memory ends with the region that was grown. */
void object_stretch(struct vmd_tx tx, const struct region *r);
/* The runtime's image as an object. At the first start. */
void runtime_make(struct vmd_tx tx);

l4_err_t vm_make_object_do(struct vmd_tx tx, u64 label, u64 key, u64 at, u64 reserve, u64 bytes, u32 *object);
l4_err_t vm_adopt_object_do(
    struct vmd_tx tx, u64 label, u64 key, u64 at, u64 reserve, u64 offset, u64 bytes, u32 *object);
l4_err_t vm_resize_object_do(struct vmd_tx tx, u64 label, u32 object, u64 bytes);
l4_err_t vm_move_object_do(struct vmd_tx tx, u64 label, u32 object, u64 at, u64 reserve);
l4_err_t vm_drop_object_do(struct vmd_tx tx, u64 label, u32 object);
l4_err_t vm_retire_object_do(struct vmd_tx tx, u64 label, u32 object);
