/* SPDX-License-Identifier: BSD-2-Clause */
/* place.h: where a file's bytes lie in tmpfs's task. Each inode has room of each size at addresses of its own, so nothing is allocated; small
 * files are neighbours and share page tables.
 *
 *   FILES                 PLACE_SMALL   64 KB * inode
 *   FILES + 4 GB          the index of the root image while it is read
 *   FILES + 8 GB          PLACE_MIDDLE  4 MB * inode
 *   FILES + 1 TB          PLACE_LARGE   1 GB * inode */
#pragma once
#include <fs.h>

enum place { PLACE_NONE, PLACE_SMALL, PLACE_MIDDLE, PLACE_LARGE };
#ifndef PLACE_BASE                              /* host tests have other addresses free */
#define PLACE_BASE ((u64)FS_FILES)
#endif
#define PLACE_INDEX (PLACE_BASE + 0x100000000ul)
#define PLACE_INDEX_RESERVE 0x40000000ul
#define FILE_MOST   (1ul << 30)

static inline u64 place_reserve(u32 place) { return place == PLACE_SMALL ? 1ul << 16 : place == PLACE_MIDDLE ? 1ul << 22 : FILE_MOST; }

static inline u64 place_address(u32 inode, u32 place)
{
    u64 base = place == PLACE_SMALL ? 0 : place == PLACE_MIDDLE ? 2ul << 32 : 1ul << 40;
    return PLACE_BASE + base + (inode - 1) * place_reserve(place);
}

static inline u32 place_for(u64 bytes)
{
    return bytes <= place_reserve(PLACE_SMALL) ? PLACE_SMALL : bytes <= place_reserve(PLACE_MIDDLE) ? PLACE_MIDDLE : PLACE_LARGE;
}
