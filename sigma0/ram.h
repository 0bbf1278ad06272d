/* SPDX-License-Identifier: BSD-2-Clause */
/* ram.h: which RAM is left.
 * INVARIANT extents: sorted by nothing, disjoint, page aligned, none empty. */
#pragma once
#include <abi/types.h>

/* [base, base + bytes) may be handed out; what is no whole page is dropped. */
void ram_add(paddr_t base, u64 bytes);
/* An aligned block of 2^order bytes; false if there is none. */
bool ram_take(u32 order, paddr_t *block);
u64 ram_left(void);
/* The order of the largest block that ram_take would find, 0 if there is none. */
u32 ram_largest(void);
