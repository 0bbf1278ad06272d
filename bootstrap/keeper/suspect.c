/* SPDX-License-Identifier: BSD-2-Clause */
/* suspect.c: see suspect.h. */
#include "suspect.h"

u32 suspect_end(const struct suspect *all, u32 count, u32 from)
{
    u32 end = from;
    for (u32 i = 0; i < count && all[end].stance == STANCE_CALLS; i++) {    /* calls go down in rank: no circle, but who knows */
        end = all[end].on;
    }
    return end;
}

/* The most urgent one that is ready to run while `n` is, too, but less urgent; `n`: there is none. */
static u32 outruns(const struct suspect *all, u32 count, u32 n)
{
    u32 first = n;
    for (u32 i = 1; i <= count && all[n].stance == STANCE_READY; i++) {
        if (all[i].is_up && all[i].stance == STANCE_READY && all[i].priority > all[first].priority) {
            first = i;
        }
    }
    return first;
}

u32 suspect_find(const struct suspect *all, u32 count, u32 silent)
{
    u32 n = outruns(all, count, suspect_end(all, count, silent));
    bool is_excused = !all[n].is_up || all[n].stance == STANCE_AWAY || all[n].stance == STANCE_CALLS;
    return is_excused || (n != silent && all[n].is_watched) ? 0 : n;
}
