/* SPDX-License-Identifier: BSD-2-Clause */
/* strace.h: system calls, signals and ends as lines of text, in strace's manner. Pure but for the program's memory. */
#pragma once
#include "calls.h"
#include "program.h"

enum { STRACE_LINE = 236, STRACE_STRING = 32 };

/* `name(arguments)` into `to`; `result` fills the buffers that the call filled, and says how many bytes. Length. */
u32 strace_call(char *to, u32 room, u64 number, const u64 args[6], i64 result);
/* ` = result` with the errno's name and sentence. Length. */
u32 strace_result(char *to, u32 room, const struct call *, i64 result);
/* The first process's execve, from its `bytes` bytes of words. Length. */
u32 strace_first(char *to, u32 room, const char *words, u64 bytes);
/* `--- SIGUSR1 {si_signo=SIGUSR1, …} ---`. Length. */
u32 strace_signal(char *to, u32 room, const struct linux_siginfo *);
/* `+++ exited with 3 +++` or `+++ killed by SIGTERM +++` for a status as wait4 gives it. Length. */
u32 strace_end(char *to, u32 room, u32 status);
