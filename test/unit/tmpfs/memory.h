/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.h: what lies below tmpfs in host tests: vm's objects as memory of this process, at the addresses that tmpfs asks for, vfs's windows,
 * and a boot archive with a small root image: /dev empty, /d, /d/f of 5000 bytes, /d/same the same file, /d/other of 100, /l -> d/f. */
#pragma once
#include "world.h"

#include <fs.h>
#include <vm.h>

enum { IMAGE_FILE_BYTES = 5000 };
enum { INODE_ROOT = 1, INODE_DEV, INODE_D, INODE_LINK, INODE_FILE, INODE_OTHER };   /* of the image */

extern const struct world_rule memory_rules[];
extern bool memory_refuses;             /* no frames; a first start makes it false, and begins with no object */
/* While it says so, there is no room for another object; a first start makes it NULL. */
extern bool (*memory_crowded)(void);
/* The bytes of the image's file. */
extern u8 memory_file_byte(u32 i);
extern u8 *memory_window(u32 window);
extern u32 memory_objects(void);
