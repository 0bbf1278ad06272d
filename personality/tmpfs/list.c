/* SPDX-License-Identifier: BSD-2-Clause */
/* list.c: directories as Linux's getdents64 wants them: ".", "..", then names from the newest to the oldest, as Linux's tmpfs does.
 *
 * A cookie is 0, 1 (after ".") or 2 (after ".."), else order << COOKIE_SHIFT | ref of the last name told. Names after it are those of smaller
 * order, so an entry that is there throughout is told once, whatever else comes and goes. */
#include "tmpfs.h"

#include "../linux/dirent.h"

enum { COOKIE_SHIFT = 20 };

struct listing { u8 *to; u32 room, done; };

/* A name's entry, or that of one or two dots. False: no room. */
static bool entry_put(struct listing *l, u64 inode, u64 next, u32 mode, const struct name *e, u32 dots)
{
    u8 *at = dirent_put(l->to, l->room, &l->done, inode, next, mode, e ? e->length : dots);
    if (at && e) {
        name_copy(e, at);
    } else if (at) {
        memset(at, '.', dots);
    }
    return at != NULL;
}

/* The first name after the cookie. */
static const struct name *name_after(const struct node *d, u64 cookie)
{
    const struct name *e = name_at((u32)cookie & ((1u << COOKIE_SHIFT) - 1));
    u64 order = cookie >> COOKIE_SHIFT;
    if (!order) {
        return entries_of_last(d);
    }
    if (e && e->directory == node_ref(d) && e->order == order) {
        return entries_of_prev(e);
    }
    for (e = entries_of_last(d); e && e->order >= order; e = entries_of_prev(e)) {
    }
    return e;
}

l4_err_t do_list(u64 label, u64 directory, u64 cookie, u32 bytes, u32 window, u32 from, u32 *done, u64 *next)
{
    const struct node *d = node_at((u32)directory);
    if (!d || !is_directory(d)) {
        return d ? FS_NOTDIR : FS_NOENT;
    }
    if (!d->links) {
        return FS_NOENT;
    }
    if (!window_is_good(window, from, bytes)) {
        return FS_INVAL;
    }
    struct listing l = { window_at(window, from), bytes, 0 };
    bool fits = true;
    for (u32 dots = (u32)cookie + 1; cookie < 2 && fits; dots++) {
        fits = entry_put(&l, dots == 1 ? node_ref(d) : d->parent, dots, S_IFDIR, NULL, dots);
        cookie += fits;
    }
    for (const struct name *e = fits ? name_after(d, cookie) : NULL; e && fits; e = entries_of_prev(e)) {
        u64 here = e->order << COOKIE_SHIFT | name_ref(e);
        fits = entry_put(&l, e->inode, here, node_at(e->inode)->mode, e, 0);
        cookie = fits ? here : cookie;
    }
    *done = l.done;
    *next = cookie;
    return !fits && !l.done ? FS_INVAL : L4_OK;
}
