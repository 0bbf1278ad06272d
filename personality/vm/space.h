/* SPDX-License-Identifier: BSD-2-Clause */
/* space.h: regions of an address space, and the pages that a space owns itself.
 *
 * A page at `address` of a private region has the index region.index + (address - region.address) / 4096 in its space:
 * not the
 * address, so that moving a region moves no page. Each mapping gets a window of indices of its own, used from its
 * middle, so that it can
 * grow both ways.
 *
 * INVARIANT sorted: regions of a space are in order of address and do not overlap; nor do the indices of private ones.
 * INVARIANT sized: space.regions and space.pages count its regions and their pages. */
#pragma once
#include <l4/piece.h>

#include "pool.h"

enum { REGIONS_SPACE = 2048, WINDOW_SHIFT = 24 };

static inline u64 region_end(const struct region *r) { return r->address + r->bytes; }
static inline bool region_is_shared(const struct region *r) { return r->how & VM_SHARED; }
static inline u64 region_page(const struct region *r, u64 address)
{
    return r->index + ((address - r->address) >> L4_PAGE_SHIFT);
}
static inline const struct region *region_next(const struct region *r) { return region_at(r->next); }
static inline u64 page_down(u64 n) { return n & ~(L4_PAGE_SIZE - 1ul); }
static inline u64 page_up(u64 n) { return page_down(n + L4_PAGE_SIZE - 1); }
/* What the CPU makes of a protection: whoever may write or execute may read. */
static inline u32 rights_of(u32 protection)
{
    return protection & 7 ? L4_R | (protection & VM_W ? L4_W : 0) | (protection & VM_X ? L4_X : 0) : 0;
}

/* The region that holds `address`, or the first one above. NULL: none. */
const struct region *region_from(const struct space *space, u64 address);
const struct region *region_find(const struct space *space, u64 address);
/* A hole of that many bytes, the highest one below the mmap base; 0: none. */
u64 space_hole(const struct space *space, u64 bytes);
bool space_is_free(const struct space *space, u64 address, u64 end);
/* Room for so many more regions. */
bool space_has_room(const struct space *space, u32 regions);

/* Whether pages [first, end) are no region's, and in the window of `page`. */
bool space_owns_no(const struct space *space, u64 first, u64 end, u64 page);
/* A region `like`, whose next, of and (if 0) index are filled in, in a hole; joined with its neighbours if it continues
 * them. Caller: there is room;
 * an object's uses are counted here. */
const struct region *region_insert(struct vmd_tx tx, const struct space *space, struct region like);
/* The region at `address` goes, its pages stay: another one has them. */
void region_take(struct vmd_tx tx, const struct space *space, u64 address);
/* Cut the region that goes over `at` in two there. */
void region_cut(struct vmd_tx tx, const struct space *space, u64 at);
/* Join regions in [address, end) with neighbours that they continue. */
void regions_join(struct vmd_tx tx, const struct space *space, u64 address, u64 end);

/* What `from` has for `to`, which has nothing. In pieces; false: there is no room for a region, no chunk. */
bool space_fork(struct vmd_tx tx, const struct space *from, const struct space *to);

/* Take rights away from every task that sees the space. Before a commit. */
void space_revoke(const struct space *space, u64 address, u64 end, u32 rights);
/* Free the space's own pages in [address, end). In pieces, after revoking. */
void space_discard(struct vmd_tx tx, const struct space *space, u64 address, u64 end);
/* The same, and the regions go. Caller: there is room for one more region. In pieces. */
void space_clear(struct vmd_tx tx, const struct space *space, u64 address, u64 end);
/* All regions and pages of a space go. In pieces. */
void space_empty(struct vmd_tx tx, const struct space *space);
/* Free entries [first, end) of an owner's pages. In pieces. */
void pages_drop(struct vmd_tx tx, u32 owner, u64 first, u64 end);
