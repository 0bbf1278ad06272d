/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.h: what this folder keeps for each CPU, reached through the kernel's GS base, and the layouts that assembly
 * relies on.
 * Rule: nothing outside this folder includes it. */
#pragma once

/* Selectors as Linux programs know them; their order is SYSCALL's and SYSRET's (SDM vol. 2, SYSRET). */
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define USER_SS   0x2b
#define USER_CS   0x33
#define TSS_AT    0x38

#define CPU_SELF     0
#define CPU_USER_RSP 16
#define CPU_STACK    24
#define CPU_IDLE     32
#define CPU_RSP0     216

#define FRAME_VECTOR 120
#define FRAME_RIP    136
#define FRAME_CS     144

#define STACK_BYTES       16384
#define FAULT_STACK_BYTES 4096
#define DIRECT_MAP        0xffff800000000000
#define USER_END          0x7ffffffff000

#define ENTRY_EXCEPTIONS  32    /* the VECTOR_* that assembly needs */
#define ENTRY_SYSCALL     0x101

#ifndef __ASSEMBLER__
#include "arch.h"
#include "string.h"

enum { PORTS_BYTES = 8192 };

/* SDM vol. 3, 8.7. `io_base` past the limit: no port is allowed. */
struct tss {
    u32 spare0;
    u64 rsp[3], spare1, ist[7], spare2;
    u16 spare3, io_base;
} __attribute__((packed));
enum { IST_FAULT = 1, TSS_PORTS = 104 + 4, TSS_LIMIT = TSS_PORTS + PORTS_BYTES, TSS_NO_PORTS = 0xffff };

struct arch_cpu {
    struct arch_cpu *self;
    struct thread *current;         /* NULL: none yet, or it was destroyed */
    u64 user_rsp;                   /* entry.S's, for three instructions */
    u64 stack;                      /* end of the kernel stack */
    struct frame idle;
    u32 spare;                      /* aligns tss.rsp */
    struct tss tss;
    u32 spare2;
    u8 ports[PORTS_BYTES + 1];      /* the TSS's bitmap; its last byte must be 0xff */
    u64 gdt[9];
    paddr_t root;                   /* in CR3 */
    paddr_t ports_of;               /* the page table that `ports` is of, or 0 */
    struct thread *fpu_of;          /* whose state the FPU registers hold, or NULL */
    bool fpu_is_off;                /* CR0.TS */
};
_Static_assert(offsetof(struct arch_cpu, user_rsp) == CPU_USER_RSP && offsetof(struct arch_cpu, stack) == CPU_STACK
    && offsetof(struct arch_cpu, idle) == CPU_IDLE
    && offsetof(struct arch_cpu, tss.rsp) == CPU_RSP0 && sizeof(struct tss) == 104
    && offsetof(struct arch_cpu, ports) - offsetof(struct arch_cpu, tss) == TSS_PORTS, "as entry.S has it");
_Static_assert(offsetof(struct frame, vector) == FRAME_VECTOR && offsetof(struct frame, rip) == FRAME_RIP
    && offsetof(struct frame, cs) == FRAME_CS, "entry.S and struct frame agree");
_Static_assert(DIRECT_MAP == ARCH_DIRECT_MAP && USER_END == L4_USER_END && ENTRY_EXCEPTIONS == VECTOR_EXCEPTIONS
    && ENTRY_SYSCALL == VECTOR_SYSCALL, "assembly and C agree");

/* This CPU's; constant time, no lookup: `this_cpu->field` is one instruction. */
#define this_cpu ((struct arch_cpu __seg_gs *)0)

extern u32 cpu_features;            /* enum l4_cpu_feature: found and active */
extern u32 cpu_has_smap;            /* for entry.S */
extern u64 cpu_xcr0;
extern u32 cpu_fpu_bytes;
extern paddr_t cpu_kernel_root;     /* the address space of nobody: only the kernel's half */

/* fpu.c, iobitmap.c: their parts of arch_switch */
void fpu_switch(struct arch_cpu *cpu, struct thread *from, struct thread *to);
void ports_switch(struct arch_cpu *cpu, const struct thread *to);
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
