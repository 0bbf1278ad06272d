/* SPDX-License-Identifier: BSD-2-Clause */
/* region.h: a range of physical memory, as loader, kernel and sigma0 speak of it. */
#pragma once
#include <abi/types.h>

enum l4_region_kind {
    L4_REGION_RAM = 1, L4_REGION_RESERVED = 2, L4_REGION_ACPI = 3,
    L4_REGION_ARCHIVE = 4,          /* KIP only: the boot archive, readable and never handed out as free memory */
};
enum { L4_REGIONS = 64 };

struct l4_region {
    paddr_t base;
    u64 bytes;
    u64 kind;                       /* enum l4_region_kind; what is in no region is device memory */
};
