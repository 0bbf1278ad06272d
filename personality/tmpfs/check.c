/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c: the audit: names, nodes and links belong together. */
#include "place.h"
#include "tmpfs.h"

static bool name_is_sound(const struct name *e)
{
    const struct node *d = node_at(e->directory), *n = node_at(e->inode), *up = n && is_directory(n) ? d : NULL;
    return d && n && is_directory(d) && d->links && n->links && (!up || n->parent == e->directory)
        && (e->length <= TMPFSD_TEXT || piece_at(e->rest));
}

static bool node_is_sound(const struct node *n)
{
    if (is_link(n)) {
        return n->size && piece_at(n->target);
    }
    if (is_regular(n)) {
        return n->size <= FILE_MOST && (!n->object || (n->place >= PLACE_SMALL && n->place <= PLACE_LARGE && n->size <= place_reserve(n->place)))
            && (n->object || !n->size || (!n->holds && n->offset));
    }
    return !n->object && (!is_directory(n) || node_at(n->parent));
}

/* Entries and links of a directory, both counted. */
static bool directory_is_sound(const struct node *d)
{
    u64 order = 0, count = 0, below = 0;
    for (const struct name *e = entries_of_first(d); e; e = entries_of_next(e)) {
        if (e->order <= order || e->directory != node_ref(d)) {
            return false;
        }
        order = e->order;
        count++;
        below += is_directory(node_at(e->inode));
    }
    return d->size == ENTRY_SIZE * (2 + count) && (!d->links || d->links == 2 + below);
}

bool tmpfsd_sound(const struct tmpfsd_state *s)
{
    for (const struct name *e = name_following(NULL); e; e = name_following(e)) {
        if (!name_is_sound(e)) {
            return false;
        }
    }
    for (const struct node *n = node_following(NULL); n; n = node_following(n)) {
        if (!node_is_sound(n) || (is_directory(n) && !directory_is_sound(n))) {
            return false;
        }
    }
    return true;
}
