/* SPDX-License-Identifier: BSD-2-Clause */
/* types.h: the scalar types that kernel and user code share.
 * Rule: nothing here depends on which side of the kernel boundary includes it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

typedef u64 cap_t;      /* index of a slot in the invoking task's capability table; 0 is "my implicit reply" */
typedef u64 paddr_t;    /* physical address, bytes */
typedef u64 vaddr_t;    /* virtual address, bytes */
typedef i32 l4_err_t;   /* 0 success, < 0 the system's (idl/interfaces/system.idl), 1 to 255 the interface's own */

enum {
    L4_PAGE_SHIFT = 12,
    L4_PAGE_SIZE = 1 << L4_PAGE_SHIFT,
    L4_LARGE_SHIFT = 21,
    L4_LARGE_SIZE = 1 << L4_LARGE_SHIFT,
};

/* Linux addresses end here; the runtime has PML4 slot 255, and the last user page is never mapped. */
#define L4_RUNTIME_BASE 0x7f8000000000ul
#define L4_USER_END     0x7ffffffff000ul
