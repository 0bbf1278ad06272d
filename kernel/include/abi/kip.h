/* SPDX-License-Identifier: BSD-2-Clause */
/* kip.h: the kernel info page, one read-only page that keeper hands to every task (at L4_KIP_ADDRESS by convention).
 * The loader makes it; the kernel fills in what is marked [k] and maps it into sigma0 and keeper before they start.
 * It tells the time without a system call: ns = ((rdtsc - tsc_base) * tsc_mul) >> tsc_shift, in 128 bits. */
#pragma once
#include <abi/region.h>

#define L4_KIP_MAGIC   0x4c544c4f584f4c41ul     /* "ALOXOLTL" */
#define L4_KIP_ADDRESS 0x7fffffff0000ul

struct l4_kip {
    u64 magic;
    u32 abi_version;                /* 1 */
    u32 cpus;                       /* CPUs in use */
    u64 tsc_base, tsc_mul;          /* scale: see above; [k] tsc_base */
    u32 tsc_shift;
    u32 features;                   /* enum l4_cpu_feature */
    u64 boot_seconds;               /* wall-clock time at ns = 0, seconds since 1970 UTC, from the CMOS clock */
    u64 ram_bytes;                  /* RAM that sigma0 was given */
    u64 kernel_bytes;               /* RAM that the kernel keeps for objects */
    paddr_t archive;                /* the boot archive (cpio newc), page aligned; sigma0 reads it at its physical address */
    u64 archive_bytes;
    paddr_t rsdp;                   /* ACPI root pointer, 0 if none */
    u32 xsave_bytes;                /* size of a standard-format XSAVE area for xcr0; 512: there is only FXSAVE */
    u32 cpus_found;                 /* CPUs that the machine has; all but the boot CPU wait for INIT */
    u64 xcr0;                       /* what the loader has turned on in it; 3: there is only FXSAVE */
    char version[32];               /* "0.1.0" */
    char cpu[64];                   /* brand string */
    char command_line[1024];
    u64 regions;                    /* what sigma0 was given, 1:1: RAM to hand out, ACPI tables and the archive to read */
    struct l4_region region[L4_REGIONS];
};
_Static_assert(sizeof(struct l4_kip) <= L4_PAGE_SIZE, "the info page is one page");

enum l4_cpu_feature {
    L4_CPU_XSAVE = 1 << 0, L4_CPU_FSGSBASE = 1 << 1, L4_CPU_SMEP = 1 << 2, L4_CPU_SMAP = 1 << 3, L4_CPU_UMIP = 1 << 4,
    L4_CPU_NX = 1 << 5, L4_CPU_AVX = 1 << 6, L4_CPU_ICOUNT = 1 << 7,    /* ICOUNT: the command line says `icount` */
};
