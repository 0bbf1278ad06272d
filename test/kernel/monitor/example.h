/* SPDX-License-Identifier: BSD-2-Clause */
/* example.h: what a thread of the test runs, and what it has passed on. */
#pragma once
#include <l4/types.h>

extern u64 passed;
void example(u64 watched);
