/* SPDX-License-Identifier: BSD-2-Clause */
/* ere.h: extended regular expressions, anchored at both ends. Time is linear in the text, no memory is allocated.
 *
 * Known: c . [set] [^set] [[:class:]] () | * + ? {m} {m,} {m,n} \c, and a ^ at the start or $ at the end, which change nothing.
 * An expression may have at most ERE_POSITIONS places where a character stands, bounded repetitions written out. */
#pragma once
#include <abi/types.h>

enum { ERE_POSITIONS = 64 };

/* A Glushkov automaton: one state a position of the expression, sets of states as bits of one word. */
struct ere {
    u64 first, last;                        /* positions that can begin, end a match */
    u64 follow[ERE_POSITIONS];              /* positions that can come after one */
    u64 set[ERE_POSITIONS][4];              /* the characters that each stands for, one bit a byte value */
    u32 positions;
    bool nullable;                          /* matches the empty text */
};

/* False: not an expression, or too long a one. */
bool ere_compile(struct ere *ere, const u8 *text, u32 length);
bool ere_match(const struct ere *ere, const u8 *text, u32 length);
