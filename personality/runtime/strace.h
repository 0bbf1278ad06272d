/* SPDX-License-Identifier: BSD-2-Clause */
/* strace.h: a system call as a line of text, in strace's manner. Pure but for the program's memory. */
#pragma once
#include "calls.h"

enum { STRACE_LINE = 240, STRACE_STRING = 32 };

/* `name(arguments)` into `to`; `result` fills the buffers that the call filled, and says how many bytes. Length. */
u32 strace_call(char *to, u32 room, u64 number, const u64 args[6], i64 result);
/* ` = result` with the errno's name. Length. */
u32 strace_result(char *to, u32 room, const struct call *, i64 result);
