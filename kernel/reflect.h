/* SPDX-License-Identifier: BSD-2-Clause */
/* reflect.h: upcalls into the runtime that is mapped in a task: kicks, exceptions. (Foreign system calls enter it
 * without any C: arch.h.) */
#pragma once
#include "thread.h"

void reflect_kick(struct thread *t);                    /* t is not running, or is the invoker */
/* The CPU was taken from t, or may have been: it is told before it goes on if it asked for that (utcb->tell_lost) and
 * the word there is not 0. Its frame says where it goes on. */
void reflect_tell_lost(struct thread *t);
static inline void reflect_lost(struct thread *t)
{
    if (!COMMON(!t->utcb->tell_lost))
        reflect_tell_lost(t);
}
bool reflect_exception(struct thread *t);               /* t->fault tells which; false: it has no upcall */
