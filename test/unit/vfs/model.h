/* SPDX-License-Identifier: BSD-2-Clause */
/* model.h: what lies below vfs, as small as the interfaces allow: a tmpfs, a procfs, a terminal, vm. */
#pragma once
#include "world.h"

enum { MODEL_PID = 7, MODEL_LABEL = 0x70010, MODEL_OTHER = 0x70011, MODEL_PM = 0x70001 };

extern const struct world_rule model_rules[];
/* The tree of every test; with `frozen` nothing changes it, and answers depend on the request alone. */
extern void model_reset(bool frozen);
/* Put an inode into a directory (1: the root). */
extern u64 model_add(u64 directory, const char *name, u32 mode, u32 uid, const char *text);
extern u32 model_holds(u64 inode);
extern u32 model_inodes(void);
extern u32 model_typed;         /* bytes that the terminal would give */
extern u32 model_pending;       /* the terminal says PENDING to what it is asked */
