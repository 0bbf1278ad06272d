/* SPDX-License-Identifier: BSD-2-Clause */
/* raw.h: Linux system calls without a library, since the library's own memory may be gone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;
typedef int64_t i64;
typedef int32_t i32;

static inline i64 raw(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register u64 r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    i64 result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#define RAW_SIX(n, a, b, c, d, e, f, ...) raw(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))
#define call(...) RAW_SIX(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
static inline bool is_error(i64 result) { return result < 0 && result >= -4095; }
