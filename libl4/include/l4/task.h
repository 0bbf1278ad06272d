/* SPDX-License-Identifier: BSD-2-Clause */
/* task.h: ranges as flexpages: address arithmetic for those who map (keeper, vm, tests). */
#pragma once
#include <abi/fpage.h>

/* The order of the largest flexpage that starts at `at`, is aligned there and `with` (an address the range shall
 * appear at), and
 * is no longer than `bytes` (at least a page, page aligned). */
u32 l4_order_fit(vaddr_t at, vaddr_t with, u64 bytes);

/* task.map for a range of any length: `from` in task `source` appears at `to` in task `destination`, both page
 * aligned. */
l4_err_t l4_map_range(cap_t destination, cap_t source, vaddr_t from, vaddr_t to, u64 bytes, u32 rights);
/* task.unmap for a range of any length. */
l4_err_t l4_unmap_range(cap_t task, vaddr_t at, u64 bytes, u32 rights, bool derived_only);
/* Map one capability: `from` of task `source` at slot `to` of task `destination`, with at most `rights`. */
l4_err_t l4_map_cap(cap_t destination, cap_t source, cap_t from, cap_t to, u32 rights);
/* Remove one capability and whatever was derived from it. An empty slot is no error. */
l4_err_t l4_unmap_cap(cap_t task, cap_t slot);
