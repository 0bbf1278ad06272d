/* SPDX-License-Identifier: BSD-2-Clause */
/* lock.h: who may touch what, for the day of several CPUs.
 * lock_self: this CPU's `struct cpu` and its threads, with their frames and UTCBs; what is shared may be read. The
 * common message takes no more. lock_all: what is shared may be changed, in bounded steps: objects, trees, tables,
 * gates' queues, memory, lines. It is to be the lock of every CPU, taken in their order, so whoever reads under
 * lock_self is not surprised; and while somebody upgrades, others may go first: what was looked at before is looked at
 * again. Going back to user mode releases both. On one CPU with interrupts off they are held by being in the kernel,
 * and cost nothing; a checking build (AXO_LOCKS) panics where one is missing. */
#pragma once

#ifdef AXO_LOCKS
void lock_self(void);
void lock_all(void);
void lock_needs_all(void);      /* called by what changes shared things */
#else
static inline void lock_self(void) {}
static inline void lock_all(void) {}
static inline void lock_needs_all(void) {}
#endif
