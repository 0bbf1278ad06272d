/* SPDX-License-Identifier: BSD-2-Clause */
/* boot.h: the boot record, the only thing that loader and kernel share. The loader enters the kernel's ELF entry in
 * long mode with interrupts off, the record's physical address in rdi, paging on: physical 0-4 GB mapped at
 * 0xffff800000000000 (so is all RAM above), and the kernel's segments where they are linked (the top 2 GB), wherever
 * their frames are. What is mapped below is the loader's, and not in `root`, which the kernel loads. The page behind
 * `root` is another top-level table if any of these segments has the ELF flag 0x100000: it maps only those
 * (arch/x86_64/kpti.h). EFER.SCE is set, NXE where the CPU has it; of CR0 MP, TS, NE, WP and AM, and not EM. Page frame
 * 0 is never RAM. The loader has already placed the kernel, sigma0 and keeper: the kernel parses no ELF. */
#pragma once
#include <abi/kip.h>

#define L4_BOOT_MAGIC 0x746f6f622d6f7861ul      /* "axo-boot" */
#define L4_BOOT_VERSION 5

/* The first tasks. */
enum l4_first { L4_SIGMA0, L4_KEEPER, L4_FIRST_TASKS };

/* Memory that one of them has, page aligned in both address spaces. */
struct l4_segment {
    vaddr_t at;
    paddr_t frames;
    u64 bytes;                      /* multiple of 4096, zero filled past the file's part */
    u32 rights;                     /* L4_R | L4_W | L4_X */
    u16 task;                       /* enum l4_first */
    bool is_device;                 /* not to be cached */
};
enum { L4_PROGRAM_SEGMENTS = 8, L4_SEGMENTS = L4_FIRST_TASKS * (L4_PROGRAM_SEGMENTS + 1) + L4_REGIONS };

/* The 64 KB block of a root task's first thread: the kernel binds the UTCB at its start and starts the thread with rsp
 * at its end and rdi = 0; the stack's pages between come as a segment of the task. 0x10000000 for programs linked at
 * 0x400000. */
#define L4_BOOT_STACK_BYTES 0x10000ul
static inline vaddr_t l4_boot_stack(vaddr_t entry) { return (entry | 0xffffffful) + 1; }

/* What the loader found out about interrupts and clocks, so that the kernel reads no ACPI and measures nothing. The
 * rest is in the info page. */
enum { L4_LINES = 64, L4_CLOCK_SHIFT = 32 };
struct l4_machine {
    paddr_t lapic;
    u64 cr4;                        /* with all features of the info page that it turns on */
    u64 timer_mul;                  /* local APIC timer ticks a nanosecond << L4_CLOCK_SHIFT */
    u32 destination;                /* the upper half of a line's entry: the boot CPU */
    /* Interrupt lines, all masked: ISA's 16, then the global system interrupts of their numbers. `at` 0: wired to none;
     * else the I/O APIC, and there the first register of its entry, whose lower half is the vector and `mode`: of an
     * edge, of a level. */
    struct { paddr_t at; u16 reg, mode[2]; } line[L4_LINES];
};

/* It lies with the info page and the first page tables right behind the kernel's image, in memory that is never given
 * away. */
struct l4_boot_record {
    u64 magic;
    u64 version;
    paddr_t root;                   /* a top-level table like the one that is loaded, with nothing below */
    paddr_t info_page;              /* struct l4_kip, filled in but for what the kernel knows better: see there */
    struct l4_region share;         /* RAM for the kernel's objects, beside the info page's regions */
    vaddr_t entry[L4_FIRST_TASKS];
    /* Their programs, the info page in each, and in sigma0 the info page's regions at their physical addresses. */
    u64 segments;
    struct l4_segment segment[L4_SEGMENTS];
    struct l4_machine machine;
};
