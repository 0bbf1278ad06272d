/* SPDX-License-Identifier: BSD-2-Clause */
/* limit.h: RLIMIT_AS and RLIMIT_DATA: what a process may have of address space, and of private memory that it may write. */
#pragma once
#include "space.h"

/* Whether a private mapping like this counts as data; the stack has a limit of its own. */
static inline bool is_data(u32 protection, u32 how) { return protection & VM_W && !(how & (VM_SHARED | VM_STACK)); }
/* A stack is mapped as large as it may get; it counts as Linux's does when a program begins. */
enum { STACK_COUNTED = 132 << 10 };
/* Whether `bytes` may be mapped at `at`, in place of what is there. Only the program's space has limits. */
bool limit_allows(const struct process *p, const struct space *space, u64 at, u64 bytes, bool data);
/* Whether [address, end) may be written from now on. */
bool limit_allows_writing(const struct process *p, const struct space *space, u64 address, u64 end);

l4_err_t vm_limit_do(struct vmd_tx tx, u64 label, u64 client, u64 space, u64 data);
