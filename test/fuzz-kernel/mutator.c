/* SPDX-License-Identifier: BSD-2-Clause */
/* mutator.c: how libFuzzer changes an input: whole records are inserted, removed, swapped and repeated; bytes change
 * inside one. So what follows a change keeps its meaning. */
#include <string.h>
#include "fuzz.h"

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t limit);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t limit, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *a, size_t a_size, const u8 *b, size_t b_size, u8 *out, size_t limit,
                                 unsigned int seed);

static u64 state;

static u64 below(u64 limit)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (state >> 33) % limit;
}

static size_t insert(u8 *data, size_t count, size_t limit, const u8 *record)
{
    size_t at = below(count + 1);
    if ((count + 1) * RECORD > limit)
        return count;
    memmove(data + (at + 1) * RECORD, data + at * RECORD, (count - at) * RECORD);
    memcpy(data + at * RECORD, record, RECORD);
    return count + 1;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t limit, unsigned int seed)
{
    u8 record[RECORD];
    size_t count = size / RECORD, at;
    state = seed;
    for (u32 times = 1 + (u32)below(4); times; times--) {
        at = count ? below(count) : 0;
        for (u32 i = 0; i < RECORD; i++)
            record[i] = (u8)below(256);
        record[RECORD - 1] &= below(4) ? RECORD_SETTLE : 255;
        switch (count ? below(8) : 0) {
        case 0 ... 2: count = insert(data, count, limit, record); break;
        case 3:
            memcpy(record, data + at * RECORD, RECORD);
            count = insert(data, count, limit, record);
            break;
        case 4:
            memmove(data + at * RECORD, data + (at + 1) * RECORD, (count - at - 1) * RECORD);
            count--;
            break;
        case 5: LLVMFuzzerMutate(data + at * RECORD, RECORD, RECORD); break;
        default: data[at * RECORD + below(RECORD)] = (u8)below(256); break;
        }
    }
    return count * RECORD;
}

/* The first steps of one, then the last of the other. */
size_t LLVMFuzzerCustomCrossOver(const u8 *a, size_t a_size, const u8 *b, size_t b_size, u8 *out, size_t limit,
                                 unsigned int seed)
{
    state = seed;
    size_t first = below(a_size / RECORD + 1) * RECORD, skipped = below(b_size / RECORD + 1) * RECORD;
    size_t rest = b_size / RECORD * RECORD - skipped;
    first = first < limit ? first : limit;
    rest = rest < limit - first ? rest : limit - first;
    memcpy(out, a, first);
    memcpy(out + first, b + skipped, rest);
    return first + rest;
}
