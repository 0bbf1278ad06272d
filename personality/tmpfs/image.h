/* SPDX-License-Identifier: BSD-2-Clause */
/* image.h: the root image, member `root` of the boot archive, as tools/axo/root.py writes it and load.c reads it.
 *
 * It is a cpio newc whose members' data lie at multiples of 4096, so `cpio -t` lists it. Its first member, `.index`, tells all of it again
 * in a form that needs no search, so that nothing else is read at the start:
 *
 *   IMAGE_INDEX          struct image_head, alone on its page
 *   + 4096               struct image_entry[entries]; each directory stands before what is in it
 *   + texts              names and targets of links, without zeros
 *
 * What follows a file's bytes in their last page is the next member's header: whoever adopts the pages clears it. */
#pragma once
#include <abi/types.h>

#define IMAGE_MAGIC 0x31746f6f726f7861ul        /* "axoroot1" */
enum { IMAGE_INDEX = 4096 };

struct image_head {
    u64 magic;
    u64 index_bytes;                /* of the whole index, this page included */
    u64 texts, text_bytes;          /* from the index's start */
    u32 entries, inodes;
};

/* Inodes are numbered from 1, the root, in the order in which they first appear; an entry with an earlier inode is a hard link. */
struct image_entry {
    u32 inode, parent, mode, uid, gid, device;
    u32 name, name_bytes, target, target_bytes;     /* in texts */
    u64 size, offset, mtime;                        /* a file's bytes, from the image's start; nanoseconds */
};
_Static_assert(sizeof(struct image_head) == 40 && sizeof(struct image_entry) == 64, "root.py writes these");
