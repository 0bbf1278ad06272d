/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h: lines to the kernel's log, for boot messages, tests and last words. Never for what a user should see. */
#pragma once
#include <l4/format.h>

/* Print formatted text, at most L4_LOG_LINE bytes, as it is. Without a log capability nothing happens. */
void l4_print(const char *format, ...) L4_FORMAT(1, 2);
/* Print `name: text` and a newline in one piece. */
void l4_log(const char *format, ...) L4_FORMAT(1, 2);
/* Print bytes as they are. */
void l4_print_bytes(const char *at, size_t bytes);

enum { L4_LOG_LINE = 256 };
