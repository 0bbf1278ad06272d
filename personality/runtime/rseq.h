/* SPDX-License-Identifier: BSD-2-Clause */
/* rseq.h: restartable sequences: see rseq.c. */
#pragma once
#include "runtime.h"

/* The thread's area as it stays over a fork, or (NULL, 0) none: what the kernel shall tell. */
void rseq_set(struct thread *, u64 area, u32 signature);
/* Others ran or a signal comes, and where the program goes on is settled: out of the sequence if it is in one. False: SIGSEGV. */
bool rseq_settle(struct thread *);
/* This thread waited for somebody, so others may have run: settle on the way out if there is anything to settle. */
void rseq_waited(struct thread *);
