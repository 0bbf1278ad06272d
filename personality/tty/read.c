/* SPDX-License-Identifier: BSD-2-Clause */
/* read.c: see discipline.h. In canonical mode a read ends with the end of a line; a zero that ends a line is not given. */
#include "discipline.h"

bool queue_ends(const struct queue *q, u32 at) { return q->mark[at % QUEUE_BYTES / 64] >> at % 64 & 1; }

static bool is_end_of_file(const struct queue *q, u32 at) { return queue_ends(q, at) && q->byte[at % QUEUE_BYTES] == 0; }

bool read_has(const struct line *l, u32 least)
{
    return is_set(l->mode.lflag, ICANON) ? l->canon != l->tail : l->head - l->tail >= least;
}

static void copy(const struct queue *q, u32 from, u8 *to, u32 bytes)
{
    u32 at = from % QUEUE_BYTES, first = bytes < QUEUE_BYTES - at ? bytes : QUEUE_BYTES - at;
    memcpy(to, q->byte + at, first);
    memcpy(to + first, q->byte, bytes - first);
}

static u32 take_line(struct line *l, const struct queue *q, u8 *to, u32 bytes)
{
    u32 there = l->canon - l->tail, n = 0;
    while (n < there && n < bytes && !queue_ends(q, l->tail + n)) {
        n++;
    }
    bool found = n < there && n < bytes, is_end = n < there && is_end_of_file(q, l->tail + n);
    u32 given = n + (found && !is_end), gone = n + (found || (is_end && n == bytes));
    copy(q, l->tail, to, given);
    l->tail += gone;
    return given;
}

u32 read_take(struct line *l, const struct queue *q, u8 *to, u32 bytes)
{
    if (is_set(l->mode.lflag, ICANON)) {
        return take_line(l, q, to, bytes);
    }
    u32 there = l->head - l->tail, n = there < bytes ? there : bytes;
    copy(q, l->tail, to, n);
    l->tail += n;
    return n;
}

u32 read_count(const struct line *l, const struct queue *q)
{
    u32 n = (is_set(l->mode.lflag, ICANON) ? l->canon : l->head) - l->tail, ends = 0;
    for (u32 i = 0; is_set(l->mode.lflag, ICANON) && i < n; i++) {
        ends += is_end_of_file(q, l->tail + i);
    }
    return n - ends;
}
