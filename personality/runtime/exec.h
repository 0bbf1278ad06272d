/* SPDX-License-Identifier: BSD-2-Clause */
/* exec.h: replacing the program. */
#pragma once
#include "program.h"
#include "runtime.h"

/* Ask pm for it; the arguments lie at RUNTIME_PROGRAM. Returns only an errno. */
i64 exec_replace(struct thread *, u32 file, const char *path);
/* What stands behind the last slash, as long as a process's name may be. */
struct l4_bytes base_name(const char *path);
/* Start the first program of the system: words, each with its zero: NAME=VALUE for its environment as far as they go, its path, its
 * arguments. Returns only an errno. */
i64 exec_first(struct thread *, const char *words, u64 bytes);
