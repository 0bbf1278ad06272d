/* SPDX-License-Identifier: BSD-2-Clause */
/* print.h: the kernel's voice: a small printf to the log line, and the end of the kernel when a rule of its own is
 * broken. */
#pragma once
#include <abi/types.h>

/* %s, %u, %x, %lu, %lx */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The end of the kernel, when the line has all of it. */
void print_last(void) __attribute__((noreturn));
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- the ring before the line ---- */

/* False: the line is busy and there is more for it; ask again. */
bool log_step(void);
void log_put(char c);
