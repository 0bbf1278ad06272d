/* SPDX-License-Identifier: BSD-2-Clause */
/* map.h: what a process asks for about its own space, and vfs for it. Order of checks and errors are Linux's. */
#pragma once
#include "space.h"

l4_err_t vm_map_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes, u32 protection, u32 how, u64 *at);
l4_err_t vm_map_object_do(struct vmd_tx tx, u64 label, u64 client, u32 object, u64 offset, u64 address, u64 bytes,
    u32 protection, u32 how, u32 most, u64 inode, u64 *at);
l4_err_t vm_unmap_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes);
l4_err_t vm_protect_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes, u32 protection);
l4_err_t vm_discard_do(struct vmd_tx tx, u64 label, u64 address, u64 bytes);
l4_err_t vm_resize_do(
    struct vmd_tx tx, u64 label, u64 address, u64 old_bytes, u64 bytes, u32 may_move, u64 wanted, u64 *at);

/* The space in which the caller may change [address, address + bytes): the program's, or its own for the next program's
 * arguments. */
const struct space *space_of_range(const struct process *p, u64 address, u64 bytes);
