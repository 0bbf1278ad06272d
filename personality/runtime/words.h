/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h: the names that strace.c gives to numbers. Each table ends with a NULL name. */
#pragma once
#include "text.h"

struct word { u64 value; const char *name; };

extern const struct word words_open[], words_protection[], words_map[], words_clone[], words_action[], words_at[], words_wait[];   /* bits */
extern const struct word words_ioctl[], words_fcntl[], words_whence[], words_mask[], words_prctl[], words_futex[];      /* values */

struct error_word { u32 number; const char *name, *sentence; };
extern const struct error_word words_error[];

/* "SIGINT", or NULL. */
const char *signal_name(u64 number);

void show_hexadecimal(struct text *, u64 value);
void show_pointer(struct text *, u64 value);
/* Bits by name, what has none in hexadecimal; `none` when no bit is set. */
void show_flags(struct text *, u64 value, const struct word *words, const char *none);
void show_word(struct text *, u64 value, const struct word *words);
void show_signal(struct text *, u64 number);
