/* SPDX-License-Identifier: BSD-2-Clause */
/* loader.h: what the loader's files offer each other.
 * Rule: whatever the firmware or GRUB left in memory is copied into `struct start` before the first page is taken. */
#pragma once
#include <abi/boot.h>
#include <abi/object.h>

/* What whoever started the loader says, the same for multiboot2 and PVH. */
struct start {
    paddr_t archive;
    u64 archive_bytes;
    paddr_t rsdp;                   /* 0: none, or only a copy of it */
    u8 rsdp_copy[36];
    u32 rsdp_copy_bytes;
    char command_line[sizeof(((struct l4_kip *)0)->command_line)];
};
void multiboot2_parse(struct start *start, paddr_t info);
void pvh_parse(struct start *start, paddr_t info);
void start_command_line(struct start *start, const char *text);

/* ---- memory.c ---- */
void memory_add(paddr_t base, u64 bytes, u32 e820_type);       /* one line of the firmware's map, ACPI 6.4 table 15.2 */
void memory_keep(paddr_t base, u64 bytes, u64 kind);    /* in use (kind 0), or of this enum l4_region_kind */
u32 memory_regions(struct l4_region *region, u32 max);          /* the map, sorted and disjoint; returns how many */
paddr_t memory_top(void);                                       /* end of the highest RAM */
bool memory_has_ram(paddr_t base, u64 bytes);                   /* some of the range is RAM */
void memory_reserve(paddr_t base, u64 bytes);                   /* memory_take keeps off */
paddr_t memory_take(u64 bytes, const char *what);       /* zeroed pages of RAM between 1 MB and 4 GB, or the end */

/* ---- archive.c ---- */
struct member {
    const char *name;
    const u8 *data;
    u64 bytes;
};
/* The member number `index`, which must be called `name`. */
struct member archive_member(const struct start *start, u32 index, const char *name);

/* ---- elf.c ---- */
/* The kernel: its contiguous span of the top 2 GB with the file's parts copied in, and its segments (frames inside the
 * span), with `extra` bytes of zeroed memory behind it. */
struct kernel_image {
    vaddr_t entry, base;
    paddr_t frames;
    u64 bytes;                      /* without extra */
    u32 segments;
    u32 entry_pages;                /* bit i: user mode's page tables have segment i, too (kernel/arch/x86_64/kpti.h) */
    struct l4_segment segment[L4_PROGRAM_SEGMENTS];
};
void elf_load_kernel(const struct member *file, struct kernel_image *image, u64 extra);
/* A first task: its entry and segments go into the record. */
void elf_load_task(const struct member *file, enum l4_first task, struct l4_boot_record *record);

/* ---- paging.c ---- */
u64 paging_bytes_needed(void);
/* Builds the tables in [at, at + paging_bytes_needed()); returns the bytes used. The top-level table is the first; if
 * there are entry_pages, the second is another one, with them alone. */
u64 paging_build(paddr_t at, const struct kernel_image *kernel);

/* ---- machine.c, acpi.c ---- */
void machine_find(struct l4_machine *machine, struct l4_kip *kip, const struct start *start);
u32 acpi_find_lines(struct l4_machine *machine, paddr_t rsdp);          /* from the MADT; returns how many CPUs are enabled */
void acpi_keep(void);                           /* the I/O APICs are nobody's memory */

/* ---- cpu.c: name, features, CR4, XCR0; and a line in the log ---- */
void cpu_find(struct l4_machine *machine, struct l4_kip *kip);

/* ---- clock.c, console.c, start.S, string.c ---- */
u64 clock_seconds(void);
void console_init(void);                        /* COM2 is the kernel's log from then on */
void say(const char *text);
void log_text(const char *part, ...) __attribute__((sentinel));        /* the parts up to NULL, to the kernel's log only */
void log_number(u64 number, u32 base);
/* Print "loader: …" (the parts up to NULL, no space between) everywhere, leave QEMU with value 3, halt. */
void fail(const char *part, ...) __attribute__((noreturn, sentinel));
void enter_kernel(struct l4_boot_record *record, vaddr_t entry) __attribute__((noreturn));
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

static inline u64 round_up(u64 number, u64 unit) { return (number + unit - 1) & ~(unit - 1); }
static inline u64 round_down(u64 number, u64 unit) { return number & ~(unit - 1); }
static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port)); }
static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port)); }
static inline u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}
