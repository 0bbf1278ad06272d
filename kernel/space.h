/* SPDX-License-Identifier: BSD-2-Clause */
/* space.h: what a task can address: a page table, in which I/O ports are pages too (paging.h). Every leaf page table
 * has a shadow table, so that finding the entry of a struct cap, or the struct cap of an entry, does not depend on how
 * many share the frame.
 * INVARIANT shadow: entry present <=> its shadow points to the struct cap that names (space, entry, order, rights),
 * except UTCB pages, which have none and cannot be derived from. */
#pragma once
#include "cap.h"
#include "paging.h"

/* How to map: below the source, beside it (memory only) or instead of it. */
enum how { MAP, COPY, GRANT };

/* Roots of the derivation tree, at boot: frames [frame, frame + bytes) at `at`; uncached for device memory. Uses 2 MB
 * pages where address, frame and size allow. sigma0 gets RAM and devices 1:1, and all ports; sigma0 and keeper their
 * own segments and the info page. */
l4_err_t space_add_root(struct space *space, vaddr_t at, paddr_t frame, u64 bytes, u32 rights, bool cached);

/* For flexpage.c: map the page at the entry `source`, which `at` is in, or (of a smaller `order`) the part of it at `at`,
 * and what is like it right behind it, to `to_at`: at most *budget entries, within `bytes`. Returns how many, or an error;
 * if it has made page tables, which is work for a step, *budget is 0 afterwards. */
l4_err_t space_map(struct space *to, vaddr_t to_at, struct place source, vaddr_t at, u32 order, u32 rights, enum how how,
                   u64 bytes, u32 *budget);
/* For tree.c: take rights from a page (with L4_R it goes). Returns how many pages lost any: 0 or 1. */
u64 space_take(struct cap *page, u32 taking);

/* Where a page is mapped. */
static inline vaddr_t space_at(const struct cap *page) { return paging_at(page->entry, page->order); }

/* Whether the aligned word at `at` is 0. False, too, where there is none that the task's threads could read from memory. */
bool space_is_zero(struct space *space, vaddr_t at);

/* For traces and snapshots: a capability's lineage; for a page's, which has none, task and page number; 0 for NULL. */
u64 space_name(const struct cap *cap);
