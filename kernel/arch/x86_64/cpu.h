/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.h: what this folder keeps for each CPU, reached through the kernel's GS base, and the layouts that assembly
 * relies on (offsets.c).
 * Rule: nothing outside this folder includes it. */
#pragma once
#include "kpti.h"

/* Selectors as Linux programs know them; their order is SYSCALL's and SYSRET's (SDM vol. 2, SYSRET). */
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define USER_SS   0x2b
#define USER_CS   0x33
#define TSS_AT    0x38

#define FRAME_BYTES       176
#define STACK_BYTES       16384
#define FAULT_STACK_BYTES 4096
#define DIRECT_MAP        0xffff800000000000
#define USER_END          0x7ffffffff000

#define ENTRY_EXCEPTIONS  32    /* the VECTOR_* that assembly needs */
#define ENTRY_REFUSED     -35   /* L4_NO_CAPABILITY */
#define ENTRY_FOREIGN     0x100
#define ENTRY_SYSCALL     0x101

#ifndef __ASSEMBLER__
#include <abi/error.h>
#include "arch.h"
#include "percpu.h"
#include "string.h"

enum { PORTS_BYTES = 8192 };
enum { MSR_FS_BASE = 0xc0000100, MSR_GS_BASE, MSR_KERNEL_GS_BASE };

/* SDM vol. 3, 8.7. `io_base`, whose lower half the CPU does not read, past the limit: no port is allowed. */
struct tss {
    u32 spare0;
    u64 rsp[3], spare1, ist[7], spare2;
    u32 io_base;
} __attribute__((packed));
enum { IST_FAULT = 1, IST_TRAP = KPTI * 2, TSS_PORTS = 104 + 4, TSS_LIMIT = TSS_PORTS + PORTS_BYTES };
#define TSS_BASE_PORTS ((u32)TSS_PORTS << 16)
#define TSS_BASE_NONE  0xffff0000

struct arch_cpu {
    struct arch_cpu *self;
    u64 user_rsp;                   /* entry.S's, for three instructions */
    u64 stack;                      /* end of the kernel stack */
    struct cpu generic;             /* at ARCH_CPU_AT */
    struct frame idle;
    u32 spare;                      /* aligns tss.rsp */
    struct tss tss;
    u32 spare2;
    u8 ports[PORTS_BYTES + 1];      /* the TSS's bitmap; its last byte must be 0xff */
    u64 gdt[9];
    paddr_t root;                   /* in CR3, with KPTI while user code runs */
    paddr_t ports_of;               /* the page table that `ports` is of, or 0 */
    u64 extra;                      /* what a switch has to undo that not every switch does: the running thread's FPU
                                     * area (0: CR0.TS is set) and the flag below */
    u64 trap[KPTI * 256] __attribute__((aligned(16)));
};
enum { EXTRA_BASES = 1 };           /* always: no FSGSBASE */
_Static_assert(sizeof(struct tss) == 104 && offsetof(struct arch_cpu, ports) - offsetof(struct arch_cpu, tss) == TSS_PORTS,
    "as the CPU has it");
_Static_assert(offsetof(struct arch_cpu, generic) == ARCH_CPU_AT, "arch.h reaches it");
_Static_assert(DIRECT_MAP == ARCH_DIRECT_MAP && USER_END == L4_USER_END && ENTRY_EXCEPTIONS == VECTOR_EXCEPTIONS
    && ENTRY_REFUSED == L4_NO_CAPABILITY && ENTRY_FOREIGN == VECTOR_FOREIGN && ENTRY_SYSCALL == VECTOR_SYSCALL,
    "assembly and C agree");

/* This CPU's; constant time, no lookup: `this_cpu->field` is one instruction. */
#define this_cpu ((struct arch_cpu __seg_gs *)0)

extern u32 cpu_features;            /* enum l4_cpu_feature: found and active */
extern u64 cpu_xcr0;
extern paddr_t cpu_kernel_root;     /* the address space of nobody: only the kernel's half */

/* fpu.c, iobitmap.c: their parts of arch_switch */
void fpu_switch(struct arch_cpu *cpu, struct thread *from, struct thread *to);
void ports_forget(paddr_t root);        /* its port pages have changed */
/* apic.c */
void apic_init(const struct l4_machine *machine, struct l4_kip *kip);
/* entry.S, trap.c */
extern u8 entry_vectors[256][16];
void entry_system_call(void);
void entry_nmi(void);
void entry_idle(void);
struct frame *trap_enter(struct frame *frame);
void trap_kernel_bug(const struct frame *frame) __attribute__((noreturn));

static inline void msr_write(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline u64 tsc_read(void) { return __builtin_ia32_rdtsc(); }
static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "d"(port)); }
static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "d"(port)); }
static inline u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}
static inline void root_write(paddr_t root) { __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory"); }
#endif
