/* SPDX-License-Identifier: BSD-2-Clause */
/* string.h: the part of C's <string.h> that native programs use; gcc also calls the first four by itself.
 * `rep` instructions: no vector registers, so no FPU state is touched. */
#pragma once
#include <abi/types.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *at, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *at, int value, size_t bytes);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);

/* Copy what fits of `from` and pad with zeroes: `to` of `room` bytes always ends with a zero. False if it was cut. */
bool l4_copy_name(char *to, size_t room, const char *from);
/* Whether `text` of `bytes` bytes is the word `word`. */
bool l4_is_word(const char *text, size_t bytes, const char *word);
