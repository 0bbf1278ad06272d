/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c: the table of system calls, sorted by number. */
#include "calls.h"

static const struct call calls[] = {
#define CALL(number, name, handler, arguments, restart, recovery) { number, RESTART_##restart, #name, arguments },
#include "calls.def"
#undef CALL
};
enum { CALLS = sizeof calls / sizeof calls[0] };

u32 call_count(void) { return CALLS; }
const struct call *call_at(u32 index) { return &calls[index]; }

const struct call *call_find(u64 number)
{
    u32 low = 0, high = CALLS;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (calls[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < CALLS && calls[low].number == number ? &calls[low] : NULL;
}
