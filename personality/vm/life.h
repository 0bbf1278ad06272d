/* SPDX-License-Identifier: BSD-2-Clause */
/* life.h: what pm asks for: spaces made, forked, replaced, dropped; thread blocks.
 *
 * A process has two spaces: `program`, which after vfork it shares with its parent, and `own`, where the runtime lies.
 * */
#pragma once
#include "space.h"

/* Who asked last with right X is told that frames have run out. */
void exhausted_tell(struct vmd_tx tx);
bool label_is_process(u64 label);

l4_err_t vm_make_do(struct vmd_tx tx, u64 label, u64 client, u32 task);
l4_err_t vm_fork_do(
    struct vmd_tx tx, u64 label, u64 parent, u64 child, u32 task, u32 slot, bool share, u64 done, u64 *next);
l4_err_t vm_exec_do(struct vmd_tx tx, u64 label, u64 client);
l4_err_t vm_drop_do(struct vmd_tx tx, u64 label, u64 client);
l4_err_t vm_make_thread_do(struct vmd_tx tx, u64 label, u64 client, u32 slot);
l4_err_t vm_drop_thread_do(struct vmd_tx tx, u64 label, u64 client, u32 slot);
