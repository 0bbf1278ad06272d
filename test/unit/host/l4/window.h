/* SPDX-License-Identifier: BSD-2-Clause */
/* window.h: libl4's header of this name, for host tests: the windows lie where AddressSanitizer leaves room. A test maps those it uses. */
#pragma once
#include <abi/types.h>
#include <l4/session.h>

#define L4_WINDOWS_ADDRESS 0x58000000ul
#define L4_WINDOWS_BYTES   0x100000ul
enum { WINDOW_DOORS = 16 };

static inline u8 *l4_window(cap_t door, u32 slot, u32 bytes)
{
    return (u8 *)(L4_WINDOWS_ADDRESS + door % WINDOW_DOORS * L4_WINDOWS_BYTES + (u64)slot * bytes);
}
