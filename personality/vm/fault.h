/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h: from an address to a frame. */
#pragma once
#include "space.h"

enum fault_access { ACCESS_READ = 0, ACCESS_WRITE = 1, ACCESS_FETCH = 2 };

/* What a thread wanted that faulted. `present`: something is mapped there, which did not allow it. */
struct fault { const struct process *p; const struct region *r; u64 address; bool writes, present; };

/* Frames that processes leave to objects and to what must go on when they have used up the rest. */
u64 frames_reserve(void);
/* The process that a label names; NULL: none. */
const struct process *process_find(u64 label);
/* The space of an address: the program's, or the runtime's own. */
const struct space *space_for(const struct process *p, u64 address);
/* Whether an access would succeed. */
l4_err_t access_check(const struct process *p, u64 address, enum fault_access access);
/* The frame that the process sees there, as it is now; 0: none. */
u32 page_seen(const struct process *p, u64 address);
/* A frame of zeros of the space's own, entered at page index `page`; 0: there is none. */
u32 page_zero(struct vmd_tx tx, const struct space *space, u64 page, u64 reserve);
/* The same, a copy of `from`. */
u32 page_copy(struct vmd_tx tx, const struct space *space, u64 page, u32 from, u64 reserve);

l4_err_t vm_fault_do(u64 label, u64 address, u64 error, u64 ip);
/* Whoever waits for memory tries again. */
void memory_again(struct vmd_tx tx);
l4_err_t vm_explain_do(u64 label, u64 address, u32 write);
