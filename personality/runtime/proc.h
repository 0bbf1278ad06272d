/* SPDX-License-Identifier: BSD-2-Clause */
/* proc.h: beginnings and ends of threads. */
#pragma once
#include "pm.h"
#include "runtime.h"

/* First acts of a thread on a fresh UTCB: kicks masked, upcalls set, sessions with fresh numbers for t->slot. */
void thread_begin(struct thread *);
void futex_thread_ends(struct thread *);
void ids_set(const struct pm_credentials *);
u64 random_next(void);
/* The program's FPU state to and from thread->fpu: over a fork. */
void fpu_save(struct thread *);
void fpu_load(struct thread *);
