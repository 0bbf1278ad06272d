/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: text from values and values from text, without floating point.
 * Conversions: %s %.*s %c %d %u %x %ld %lu %lx %zu %p %%, with width, `-`, `0`; and %e: an l4_err_t by its name. */
#pragma once
#include <stdarg.h>
#include <abi/error.h>
#include <abi/types.h>

/* The compiler knows the usual conversions; %e with an int would be one of its doubles, so formats are not checked by
 * it but
 * by this library's host test. */
#define L4_FORMAT(format, first)

/* Write at most `room` - 1 bytes and a zero; returns the length that it had wanted. */
size_t l4_format(char *to, size_t room, const char *format, ...) L4_FORMAT(3, 4);
size_t l4_format_list(char *to, size_t room, const char *format, va_list list);

/* A number at `text`, at most `bytes` long: decimal or 0x, K M G as factors of 1024. All of it must be the number. */
bool l4_parse_number(const char *text, size_t bytes, u64 *number);

/* The name of an error of the system ("no_right"), or NULL. */
const char *l4_error_name(l4_err_t err);
/* Its sentence, or NULL. */
const char *l4_error_sentence(l4_err_t err);
