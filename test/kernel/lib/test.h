/* SPDX-License-Identifier: BSD-2-Clause */
/* test.h: checks of a guest test program. Each prints one line. Call them from the program's first thread. */
#pragma once
#include <abi/object.h>
#include <l4/log.h>
#include <l4/types.h>

/* Slots of the root task that the library leaves alone begin here. */
enum { TEST_SLOTS = 64, TEST_LIBRARY_SLOTS = L4_BOOT_FREE };

void test_begin(const char *program);
/* Print the sum and leave the machine. */
void test_end(void) __attribute__((noreturn));

void test_is(const char *name, u64 got, u64 want);
void test_status(const char *name, l4_err_t got, l4_err_t want);
static inline void test_ok(const char *name, l4_err_t got) { test_status(name, got, L4_OK); }
static inline void test_true(const char *name, bool holds) { test_is(name, holds, true); }

/* Kernel memory in use now; test_balance checks that it is so again. */
struct test_usage {
    u64 bytes, objects;
};
struct test_usage test_usage(void);
void test_balance(const char *name, struct test_usage before);

/* Remove a capability of the root task. */
void test_drop(cap_t slot);
/* The id of the object behind a slot of the root task, which is not empty. */
u64 test_object(cap_t slot);
