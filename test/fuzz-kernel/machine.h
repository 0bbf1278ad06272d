/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.h: the machine that the kernel runs on here: kernel/arch/x86_64/arch.h over an arena, a clock that somebody
 * sets, interrupt lines that somebody rings, a TLB that remembers what was touched. Around it: what user code does
 * between two entries into the kernel. */
#pragma once
#include <abi/ipc.h>

/* Physical memory, all of it in the arena. Devices are addresses only. */
enum {
    MACHINE_INFO = 1 << 20, MACHINE_SIGMA0 = 2 << 20, MACHINE_KEEPER = 3 << 20, MACHINE_SHARE = 4 << 20,
    MACHINE_SHARE_BYTES = 4 << 20, MACHINE_LARGE = 16 << 20, MACHINE_LARGE_BYTES = 4 << 20, MACHINE_SMALL = 24 << 20,
    MACHINE_SMALL_BYTES = 16 << 12, MACHINE_BYTES = 32 << 20, MACHINE_DEVICE = 0x50000000, MACHINE_DEVICE_BYTES = 2 << 12,
    MACHINE_LINES = 24,
};

/* Boots the kernel; afterwards the first thread is about to run. Once a program. */
void machine_boot(void);
/* Keep the machine and the kernel as they are now, and go back there. */
void machine_save(void);
void machine_restore(void);

u64 machine_runs(void);             /* id of the running thread; 0: idle */
struct l4_utcb *machine_utcb(void); /* its UTCB */
/* The running thread's registers, which its code has set: nothing sanitizes them. */
void machine_registers_get(struct l4_registers *registers);
void machine_registers_set(const struct l4_registers *registers);
/* SYSCALL with what the registers say; an exception or int 0x80; the timer; a line. */
void machine_system_call(void);
void machine_exception(u64 vector, u64 error, u64 address);
void machine_timer(void);
void machine_line(u32 line);
/* The CPU takes up again what is to run, after peek_settle. */
void machine_spurious(void);

u64 machine_now(void);
void machine_pass(u64 ns);
u64 machine_timer_at(void);         /* ~0: it is off */
bool machine_line_rings(u32 line);  /* it is open and not masked */
/* What the CPU answers to a #GP of a thread with ports: whether it learns them only now. */
void machine_ports(bool are_new);
/* The word of physical memory that a user may have; NULL: it is a device, or the kernel's own. */
u64 *machine_word(u64 at);
/* The running thread touches its memory at `at`: the TLB keeps what it finds. */
void machine_touch(u64 at);
/* Panics if the TLB knows a translation that the page table does not have any more. */
void machine_check(void);

/* ---- arena.c: memory that knows what is in use ---- */
void arena_init(void);
/* Whether `bytes` at `at` are one block that is in use. */
bool arena_is_block(const void *at);
void arena_save(void);
void arena_restore(void);
/* The end: says why, with the last words of the kernel's log. */
void machine_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
