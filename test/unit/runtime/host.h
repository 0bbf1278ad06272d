/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h: see host.c. */
#pragma once
#include "runtime.h"

extern struct l4_kip runtime_kip;
/* A zeroed thread with a zeroed UTCB below it. */
struct thread *host_thread(void);
