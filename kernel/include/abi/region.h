/* SPDX-License-Identifier: BSD-2-Clause */
/* region.h: a range of physical memory, as loader, kernel and sigma0 speak of it. */
#pragma once
#include <abi/types.h>

enum l4_region_kind {
    L4_REGION_RAM = 1,              /* free to be handed out */
    L4_REGION_DEVICE = 2,           /* below 4 GB: what is no memory, less the interrupt controllers */
    L4_REGION_ACPI = 3,             /* the firmware's tables: to be read */
    L4_REGION_ARCHIVE = 4,          /* the boot archive: to be read and run */
};
enum { L4_REGIONS = 64 };

struct l4_region {
    paddr_t base;
    u64 bytes;
    u64 kind;                       /* enum l4_region_kind; what is in none belongs to kernel, sigma0, keeper or nobody */
};
