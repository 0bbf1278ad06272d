/* SPDX-License-Identifier: BSD-2-Clause */
/* show.h: one argument of a system call as text. */
#pragma once
#include "text.h"

void show_characters(struct text *, const u8 *from, u64 bytes, bool cut);
/* `kind` is a letter of calls.def; `a` points at the argument, its neighbours stand around it; `result` is the call's. */
void show_argument(struct text *, char kind, const u64 *a, i64 result);
