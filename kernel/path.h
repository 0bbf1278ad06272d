/* SPDX-License-Identifier: BSD-2-Clause */
/* path.h: where the instructions go: a function on a COMMON_PATH has in it whatever it calls, but for what is RARE or
 * an OTHER_PATH as common as this. */
#pragma once

#define COMMON(condition) __builtin_expect(!!(condition), 1)
#define COMMON_PATH __attribute__((flatten))
#define OTHER_PATH __attribute__((noinline))
#define RARE __attribute__((noinline, cold))
#define INLINE inline __attribute__((always_inline))
