/* SPDX-License-Identifier: BSD-2-Clause */
/* text.c: chains of pieces, for what is too long for a name and for targets of links. */
#include "tmpfs.h"

static u32 less(u32 a, u32 b) { return a < b ? a : b; }

u32 text_make(struct tmpfsd_tx tx, const u8 *from, u32 length)
{
    struct piece *last = NULL;
    u32 first = 0;
    for (u32 done = 0; done < length; done += TMPFSD_PIECE) {
        struct piece *p = piece_new(tx);
        if (!p) {
            return 0;
        }
        memcpy(p->text, from + done, less(length - done, TMPFSD_PIECE));
        if (last) {
            last->next = piece_ref(p);
        } else {
            first = piece_ref(p);
        }
        last = p;
    }
    return first;
}

void text_free(struct tmpfsd_tx tx, u32 first)
{
    for (const struct piece *p = piece_at(first); p; p = piece_at(first)) {
        first = p->next;
        piece_free(tx, p);
    }
}

void text_copy(u32 first, u8 *to, u32 length)
{
    for (const struct piece *p = piece_at(first); p && length; p = piece_at(p->next)) {
        u32 part = less(length, TMPFSD_PIECE);
        memcpy(to, p->text, part);
        to += part;
        length -= part;
    }
}

bool text_is(u32 first, const u8 *text, u32 length)
{
    for (const struct piece *p = piece_at(first); p && length; p = piece_at(p->next)) {
        u32 part = less(length, TMPFSD_PIECE);
        if (memcmp(p->text, text, part) != 0) {
            return false;
        }
        text += part;
        length -= part;
    }
    return length == 0;
}
