/* SPDX-License-Identifier: BSD-2-Clause */
/* string.h: the few functions of C's <string.h> that the kernel uses and that gcc calls on its own; the machine
 * implements them. */
#pragma once
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
