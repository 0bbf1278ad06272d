/* SPDX-License-Identifier: BSD-2-Clause */
/* reflect.h: upcalls into the runtime that is mapped in a task: foreign system calls, kicks, exceptions. */
#pragma once
#include "thread.h"

bool reflect_is_native(const struct thread *t);         /* its rip lies in the task's native range */
void reflect_system_call(struct thread *self);
void reflect_kick(struct thread *t);                    /* t is not running, or is the invoker */
bool reflect_exception(struct thread *t);               /* t->fault tells which; false: it has no upcall */
