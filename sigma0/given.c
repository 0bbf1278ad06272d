/* SPDX-License-Identifier: BSD-2-Clause */
/* given.c: naturally aligned ranges that were given away. */
#include "given.h"

bool given_to(struct given *list, u64 label, u64 base, u32 order)
{
    for (u32 i = 0; i < list->count; i++) {
        u64 other = list->range[i].base;
        u32 wider = order > list->range[i].order ? order : list->range[i].order;
        if (other >> wider == base >> wider)
            return other == base && list->range[i].order == order && list->range[i].label == label;
    }
    if (list->count == GIVEN_MAX)
        return false;
    u32 i = list->count++;
    list->range[i].base = base;
    list->range[i].order = order;
    list->range[i].label = label;
    return true;
}
