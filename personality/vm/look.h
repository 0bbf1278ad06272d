/* SPDX-License-Identifier: BSD-2-Clause */
/* look.h: what is asked and changes nothing. */
#pragma once
#include "vmd_server.h"

l4_err_t vm_look_do(u64 label, u32 process, u64 address, struct vm_region *found);
l4_err_t vm_total_do(u64 label, struct vm_totals *now);
l4_err_t vm_use_do(u64 label, u32 process, struct vm_usage *now);
l4_err_t vm_peek_do(u64 label, u32 process, u64 address, u8 *data, u32 *length);
l4_err_t vm_largest_do(u64 label, u64 but, u64 *client, u64 *bytes);
l4_err_t vm_module_do(u64 label, struct l4_bytes name, u64 *offset, u64 *bytes);
