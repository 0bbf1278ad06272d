/* SPDX-License-Identifier: BSD-2-Clause */
/* user.h: the program's memory, from the runtime. Every range is checked against the end of Linux's addresses; what is not mapped
 * there answers false or -EFAULT, never more. The functions in user.S are for this file, frame.c and futex.c. */
#pragma once
#include "runtime.h"

i64 user_copy(void *to, const void *from, u64 bytes);
i64 user_clear(void *at, u64 bytes);
i64 user_text(char *to, const char *from, u64 room);
i64 user_word(const u32 *at);
i64 user_long(const u64 *at);
i64 user_exchange(u32 *at, u32 old, u32 new);
i64 user_xsave(void *area), user_fxsave(void *area);
i64 user_xrstor(const void *area), user_fxrstor(const void *area);
#pragma GCC visibility push(hidden)
extern const u8 user_code[], user_code_end[], user_fault[];
#pragma GCC visibility pop

#ifdef RUNTIME_HOST
#define USER_END (~0ul)
#else
#define USER_END L4_RUNTIME_BASE
#endif

static inline bool user_range(u64 at, u64 bytes) { return bytes <= USER_END && at <= USER_END - bytes; }

/* Copy in or out. False: EFAULT. */
static inline bool user_get(void *to, u64 from, u64 bytes)
{
    return user_range(from, bytes) && user_copy(to, (const void *)from, bytes) == 0;
}
static inline bool user_put(u64 to, const void *from, u64 bytes)
{
    return user_range(to, bytes) && user_copy((void *)to, from, bytes) == 0;
}
/* Copy a string of less than `room` bytes with its zero. Its length, -EFAULT, or -ENAMETOOLONG. */
static inline i64 user_string(char *to, u64 from, u64 room)
{
    if (from >= USER_END)
        return -EFAULT;
    u64 most = USER_END - from < room ? USER_END - from : room;
    i64 length = user_text(to, (const char *)from, most);
    return length < 0 ? -EFAULT : (u64)length == most ? (most == room ? -ENAMETOOLONG : -EFAULT) : length;
}
