/* SPDX-License-Identifier: BSD-2-Clause */
/* panic.h: the end of a program that cannot go on. Keeper sees an exception with vector 6 and rax = L4_PANIC_MAGIC,
 * reads the
 * message at rdi (length in rsi) and starts the next incarnation. */
#pragma once
#include <abi/error.h>
#include <l4/format.h>

#define L4_PANIC_MAGIC 0x63696e61702d346cul /* "l4-panic" */

/* Log the message and stop at an undefined instruction. */
void l4_panic(const char *format, ...) L4_FORMAT(1, 2) __attribute__((noreturn, cold));
#define L4_EXIT_MAGIC 0x00746978652d346cul /* "l4-exit" */
/* Leave as ordered: vector 6 with rax = L4_EXIT_MAGIC and the status in rdi. */
void l4_exit(u64 status) __attribute__((noreturn, cold));

#define l4_assert(condition)                                                                                           \
    do {                                                                                                               \
        if (__builtin_expect(!(condition), 0))                                                                         \
            l4_panic("%s:%d: %s does not hold", __FILE_NAME__, __LINE__, #condition);                                  \
    } while (0)
/* A call that cannot fail. */
#define l4_must(call)                                                                                                  \
    do {                                                                                                               \
        l4_err_t must_err = (call);                                                                                    \
        if (__builtin_expect(must_err != 0, 0))                                                                        \
            l4_panic("%s:%d: %s: %e", __FILE_NAME__, __LINE__, #call, must_err);                                       \
    } while (0)
