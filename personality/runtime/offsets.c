/* SPDX-License-Identifier: BSD-2-Clause */
/* offsets.c: what entry.S counts on. */
#include "runtime.h"

_Static_assert(offsetof(struct l4_registers, rcx) == 16 && offsetof(struct l4_registers, rdi) == 40 && offsetof(struct l4_registers, r11) == 80, "entry.S");
_Static_assert(offsetof(struct l4_registers, rip) == 120 && offsetof(struct l4_registers, rsp) == 136, "entry.S");
_Static_assert(offsetof(struct l4_utcb, kicked) == 568 && offsetof(struct l4_utcb, lost) == 572 && offsetof(struct l4_utcb, reflect_rip) == 576, "entry.S");
_Static_assert(offsetof(struct l4_utcb, reflect_rflags) == 584 && offsetof(struct l4_utcb, reflect_rsp) == 592, "entry.S");
_Static_assert(sizeof(struct runtime_header) == 64, "entry.S");
_Static_assert(offsetof(struct process, watched) == 48 && offsetof(struct process, pid) == 4 && offsetof(struct process, ppid) == 8, "entry.S");
_Static_assert(offsetof(struct process, uid) == 16 && offsetof(struct process, euid) == 20, "entry.S");
_Static_assert(offsetof(struct process, gid) == 32 && offsetof(struct process, egid) == 36, "entry.S");
_Static_assert(VM_RUNTIME_DATA == 0x7f8000100000, "runtime.ld");
