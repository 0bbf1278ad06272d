/* SPDX-License-Identifier: BSD-2-Clause */
/* slots.h: which capability slots are free: a bitmap for those who pick slots at run time (keeper, tests, servers for
 * kept replies).
 * The bitmap is the owner's and volatile; a slot that is taken here need not hold anything yet. */
#pragma once
#include <abi/object.h>

struct l4_slots {
    cap_t first; /* slot of bit 0 */
    u32 count;
    u32 hint;   /* where to look first, in words */
    u64 *taken; /* (count + 63) / 64 words, one bit a slot */
};

/* Cover [first, first + count) with the words of `bits`; all are free. */
void l4_slots_init(struct l4_slots *slots, cap_t first, u32 count, u64 *bits);
/* A free slot, 0 if there is none. */
cap_t l4_slots_take(struct l4_slots *slots);
void l4_slots_give(struct l4_slots *slots, cap_t slot);
