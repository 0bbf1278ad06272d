/* SPDX-License-Identifier: BSD-2-Clause */
/* arch.h: everything that the generic kernel may ask of a machine, on one page. Implemented in this folder.
 * The kernel runs with interrupts off on one stack per CPU; frames live in threads. */
#pragma once
#include <abi/boot.h>
#include <abi/ipc.h>
#include "frame.h"

struct thread;
struct cap;
struct fpu_area;

/* ---- what the generic kernel offers to the machine ---- */
/* A system call from the task's native range. The machine has found the slot: a door, another object, or (slot 0) the
 * implicit reply. Of the running thread's frame are there: r10 (the slot, but for the reply) and rax, what user code
 * wants kept, rip, rflags, rsp, vector. All return the frame to resume.
 * What the machine does alone: a slot without capability answers L4_NO_CAPABILITY; a system call from elsewhere enters
 * the thread's upcall.system_call on upcall.stack, where it came from in utcb->reflect_*, every register kept, no
 * FLAG_TRAP; without upcall it is VECTOR_FOREIGN. */
struct frame *kernel_call(u64 tag, u64 w0, u64 w1, struct cap *door, u64 w2, u64 w3);
struct frame *kernel_invoke(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3);
/* kernel_invoke, or who looks at it first (watch.c). */
extern struct frame *(*invoke_how)(u64, u64, u64, struct cap *, u64, u64);
struct frame *kernel_answer(u64 tag, u64 w0, u64 w1, u64 unused, u64 w2, u64 w3);
/* Handle why else `frame` (the running thread's, or the idle one) was entered: frame->vector. Returns the frame to
 * resume. */
struct frame *kernel_entry(struct frame *frame);
/* First C code of the generic kernel, on the boot CPU's stack; returns the first frame to resume. */
struct frame *kernel_main(const struct l4_boot_record *record);

/* ---- data of the CPU that runs (percpu.h) ---- */
#if __STDC_HOSTED__             /* a test has one CPU */
extern struct cpu host_cpu;
static inline struct cpu *cpu_this(void) { return &host_cpu; }
static inline struct cpu *cpu_self(void) { return &host_cpu; }
#else
enum { ARCH_CPU_AT = 24 };      /* from GS base, whose first word is itself */
/* cpu_this()->field is one instruction; lists and long functions want the address. */
static inline struct cpu __seg_gs *cpu_this(void) { return (struct cpu __seg_gs *)ARCH_CPU_AT; }
static inline struct cpu *cpu_self(void) { return (struct cpu *)(*(u64 __seg_gs *)0 + ARCH_CPU_AT); }
#endif

/* ---- memory: the direct map reaches all physical memory ---- */
#define ARCH_DIRECT_MAP 0xffff800000000000ul
extern u64 arch_direct_map;     /* ARCH_DIRECT_MAP; host tests point it at an arena */
static inline void *arch_pointer(paddr_t frame) { return (void *)(frame + arch_direct_map); }
static inline paddr_t arch_paddr(const void *at) { return (u64)at - arch_direct_map; }
/* The kernel's half of the top-level page table: 256 entries that each new space copies. */
const u64 *arch_kernel_half(void);
/* Forget what the TLB knows of `at` in `root` (a top-level table's physical address). */
void arch_tlb_forget(paddr_t root, vaddr_t at);

/* ---- CPU ---- */
void arch_init(const struct l4_boot_record *record, struct l4_kip *kip);   /* features, tables, timers; the info page */
/* Make `to` the running thread: page table, FS and GS base, kernel entry frame, FPU state, ports. The context of who
 * ran last stays loaded while the CPU idles. Returns its frame, or resumes it at once. */
struct frame *arch_switch(struct thread *to);
/* The same where `from` has run until now, and SYSCALL made to's frame. */
struct frame *arch_hand_over(struct thread *from, struct thread *to);
/* The machine must not hold t's context any longer: it goes, or its task or FPU area does. */
void arch_forget(const struct thread *t);
struct frame *arch_idle_frame(void);            /* resuming it waits for an interrupt with interrupts on */
void arch_halt(void) __attribute__((noreturn)); /* after a panic */

/* ---- user registers ---- */
void arch_frame_init(struct frame *frame);      /* user segments, interrupts on; what the caller has set, or zero, stays */
void arch_registers_get(const struct thread *t, struct l4_registers *to);
void arch_registers_set(struct thread *t, const struct l4_registers *from);     /* sanitizes rflags, bases, rip */
void arch_bases_changed(const struct thread *t);       /* fs_base and gs_base were set */
bool arch_is_user_address(vaddr_t at);          /* canonical and below L4_USER_END */

u64 arch_fault_address(void);                   /* CR2, after a page fault */

/* ---- FPU: fpu is NULL for threads that may not use it ---- */
extern u32 arch_fpu_bytes;                      /* size of an area, at most 4 KB */
void arch_fpu_init(struct fpu_area *area);      /* of zeros: to the state after FNINIT, MXCSR 0x1f80 */

/* ---- I/O ports: pages of the space, see paging.h ---- */
bool arch_ports_load(struct thread *t);         /* first #GP: let the CPU know t's ports; false: it does, or has none */

/* ---- time and interrupts ---- */
u64 arch_now_ns(void);                          /* since boot */
void arch_timer_at(u64 ns);                     /* next timer interrupt at this absolute time, or earlier */
bool arch_line_open(u32 line, bool level);      /* route to VECTOR_LINES + line, unmasked; false: no such line */
void arch_line_mask(u32 line, bool masked);     /* of an open line */
void arch_interrupt_done(void);                 /* acknowledge at the controller */

/* ---- the kernel's log: COM2 ---- */
bool arch_log(char c);                          /* false: the line is busy */
