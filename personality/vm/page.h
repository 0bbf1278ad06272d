/* SPDX-License-Identifier: BSD-2-Clause */
/* page.h: what lies outside of the state: page tables, which the kernel holds, and what frames hold.
 * Page tables are a cache of the state: revoke before the commit, map after it. Tests put a kernel of their own in
 * place of page.c. */
#pragma once
#include <boot/frames.h>

const struct frames_page *frames_page(void);
/* What frame `frame` holds. */
void *frame_content(u32 frame);
/* Map the frame at `address` of a task; whatever was there of ours goes first. `rights` of enum l4_rights. */
l4_err_t page_map(cap_t task, u32 frame, u64 address, u32 rights);
/* `count` frames in a row. */
l4_err_t page_map_run(cap_t task, u32 frame, u64 count, u64 address, u32 rights);
/* What `from` has in [address, end), without the right to write. Pages that `to` has already stay. */
void pages_copy(cap_t to, cap_t from, u64 address, u64 end);
/* Take rights away in [address, end) of a task; L4_R takes the mapping. */
void pages_revoke(cap_t task, u64 address, u64 end, u32 rights);
