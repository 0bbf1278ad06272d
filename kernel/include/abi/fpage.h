/* SPDX-License-Identifier: BSD-2-Clause */
/* fpage.h: flexpages: a naturally aligned power-of-two range of memory, I/O ports or capability slots, in one word.
 *
 *   63              12 11      6 5    4 3    0
 *  +------------------+---------+------+------+
 *  | address / 4096   | order   | type |rights|    memory: order is log2 of bytes (12 to 47)
 *  | port             |         |      |      |    I/O:    log2 of ports (0 to 16)
 *  | slot             |         |      |      |    caps:   log2 of slots (0 to 15)
 *  +------------------+---------+------+------+
 *
 * The rights field of a memory flexpage is R W X; of a capability flexpage it is unused: the rights of a capability do
 * not fit, so methods and typed items carry them beside the flexpage. */
#pragma once
#include <abi/types.h>

enum l4_fpage_type { L4_FPAGE_MEMORY = 0, L4_FPAGE_IO = 1, L4_FPAGE_CAP = 2 };

/* The whole user address space, as a receive window. */
#define L4_FPAGE_EVERYTHING (l4_fpage_memory(0, 47, 7))

static inline u64 l4_fpage(enum l4_fpage_type type, u64 base, u32 order, u32 rights)
{
    return base << 12 | (u64)order << 6 | (u64)type << 4 | rights;
}
static inline u64 l4_fpage_memory(vaddr_t at, u32 order_log2, u32 rights)
{
    return l4_fpage(L4_FPAGE_MEMORY, at >> 12, order_log2, rights);
}
static inline u64 l4_fpage_caps(cap_t slot, u32 order_log2)
{
    return l4_fpage(L4_FPAGE_CAP, slot, order_log2, 0);
}
static inline u64 l4_fpage_ports(u32 port, u32 order_log2)
{
    return l4_fpage(L4_FPAGE_IO, port, order_log2, 3);
}
static inline enum l4_fpage_type l4_fpage_type(u64 fpage) { return (enum l4_fpage_type)(fpage >> 4 & 3); }
static inline u32 l4_fpage_order(u64 fpage) { return (u32)(fpage >> 6 & 63); }
static inline u32 l4_fpage_rights(u64 fpage) { return (u32)(fpage & 15); }
static inline u64 l4_fpage_base(u64 fpage) { return fpage >> 12; }              /* page number, port or slot */
static inline vaddr_t l4_fpage_address(u64 fpage) { return fpage & ~0xffful; }  /* memory only */
