/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.h: what happens to a signal by the program's own table. */
#pragma once
#include "runtime.h"

enum disposition { DISPOSED_IGNORE, DISPOSED_CAUGHT, DISPOSED_STOP, DISPOSED_END };
struct pm_signal;
enum disposition signal_disposition(u32 number);
/* What a program is told of a signal that pm has had. */
void signal_info(struct linux_siginfo *, const struct pm_signal *);
