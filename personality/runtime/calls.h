/* SPDX-License-Identifier: BSD-2-Clause */
/* calls.h: the table of system calls as data, and the handlers' declarations. Both come from calls.def. */
#pragma once
#include "runtime.h"

typedef i64 call_handler(struct thread *t, const u64 *a);

#define CALL(number, name, handler, arguments, restart, recovery) call_handler handler;
#include "calls.def"
#undef CALL

struct call {
    u16 number;
    u8 restart;                     /* enum restart */
    char name[18], arguments[8];
};

/* What the table says of a number; NULL: ENOSYS. The handler is apart, so that host tests need none. */
const struct call *call_find(u64 number);
u32 call_count(void);
const struct call *call_at(u32 index);
