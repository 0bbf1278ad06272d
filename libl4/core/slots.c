/* SPDX-License-Identifier: BSD-2-Clause */
/* slots.c: which capability slots are free. */
#include <l4/slots.h>
#include <l4/string.h>

static u32 words_of(const struct l4_slots *slots) { return (slots->count + 63) / 64; }

void l4_slots_init(struct l4_slots *slots, cap_t first, u32 count, u64 *bits)
{
    *slots = (struct l4_slots){ first, count, 0, bits };
    memset(bits, 0, words_of(slots) * sizeof *bits);
    if (count % 64)
        bits[count / 64] = ~0ul << count % 64;
}

cap_t l4_slots_take(struct l4_slots *slots)
{
    u32 words = words_of(slots);
    for (u32 i = 0; i < words; i++) {
        u32 word = (slots->hint + i) % words;
        if (~slots->taken[word]) {
            u32 bit = (u32)__builtin_ctzl(~slots->taken[word]);
            slots->taken[word] |= 1ul << bit;
            slots->hint = word;
            return slots->first + word * 64 + bit;
        }
    }
    return 0;
}

void l4_slots_give(struct l4_slots *slots, cap_t slot)
{
    u64 bit = slot - slots->first;
    if (slot >= slots->first && bit < slots->count)
        slots->taken[bit / 64] &= ~(1ul << bit % 64);
}
