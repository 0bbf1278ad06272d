/* SPDX-License-Identifier: BSD-2-Clause */
/* dirent.h: directory entries as getdents64(2) hands them out: the inode (8 bytes), the cookie of what follows (8), the entry's
 * size (2), the type (1), the name, then zeroes, one at least, up to a multiple of 8. */
#pragma once
#include <l4/string.h>

enum { DIRENT_HEAD = 19 };

/* Appends an entry with room for a name of `length` bytes, *done bytes behind `to`. Returns where the name goes; NULL: no room. */
static inline u8 *dirent_put(u8 *to, u32 room, u32 *done, u64 inode, u64 next, u32 mode, u32 length)
{
    u32 bytes = (DIRENT_HEAD + length + 1 + 7) & ~7u;
    if (bytes > room - *done) {
        return NULL;
    }
    u8 *at = to + *done;
    u16 size = (u16)bytes;
    memset(at, 0, bytes);
    memcpy(at, &inode, sizeof inode);
    memcpy(at + 8, &next, sizeof next);
    memcpy(at + 16, &size, sizeof size);
    at[18] = (u8)(mode >> 12);
    *done += bytes;
    return at + DIRENT_HEAD;
}
