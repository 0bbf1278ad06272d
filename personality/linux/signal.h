/* SPDX-License-Identifier: BSD-2-Clause */
/* signal.h: Linux's signals for x86-64: numbers, actions, siginfo, and the frame that a handler finds on its stack, to the byte.
 * Checked against the host's kernel by test/unit/runtime/frame_test.c. */
#pragma once
#include <abi/types.h>

enum {
    SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10,
    SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGSTKFLT = 16, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19,
    SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGXCPU = 24, SIGXFSZ = 25, SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28,
    SIGIO = 29, SIGPWR = 30, SIGSYS = 31, SIGNALS = 64,
};
#define SIGNAL_BIT(number) (1ul << ((number) - 1))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum { SIG_DEFAULT = 0, SIG_IGNORE = 1 };
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };
enum {
    SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000,
    SA_NODEFER = 0x40000000,
};
#define SA_RESETHAND 0x80000000u

enum { SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2, SI_TKILL = -6 };
enum { FPE_INTDIV = 1, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6, FPE_FLTINV = 7, ILL_ILLOPN = 2,
       SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, TRAP_BRKPT = 1, TRAP_TRACE = 2 };
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define SS_AUTODISARM 0x80000000u
enum { MINSIGSTKSZ = 2048 };

struct linux_sigaction {
    u64 handler, flags, restorer, mask;
};

struct linux_stack {
    u64 sp;
    i32 flags;
    u64 size;
};

struct linux_siginfo {
    i32 number, error, code, pad;
    union {
        struct { u32 pid, uid; u64 value; } sent;               /* SI_USER, SI_TKILL, SI_QUEUE */
        struct { u32 pid, uid; i32 status, pad; u64 user, system; } child;
        struct { i32 id, overrun; u64 value; } timer;
        struct { u64 address; } fault;
        u8 room[112];
    };
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");

/* struct sigcontext */
struct linux_context {
    u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    u16 cs, gs, fs, ss;
    u64 error, vector, old_mask, cr2, fpu;
    u64 reserved[8];
};
_Static_assert(sizeof(struct linux_context) == 256, "struct sigcontext");

struct linux_ucontext {
    u64 flags, link;
    struct linux_stack stack;
    struct linux_context context;
    u64 mask;
};
enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };

struct linux_frame {
    u64 restorer;
    struct linux_ucontext uc;
    struct linux_siginfo info;
};
_Static_assert(sizeof(struct linux_frame) == 440, "struct rt_sigframe");

/* struct _fpx_sw_bytes, in bytes 464-511 of the FXSAVE image. */
struct linux_fpu_note {
    u32 magic, extended_size;
    u64 features;
    u32 size, pad[7];
};
_Static_assert(sizeof(struct linux_fpu_note) == 48, "struct _fpx_sw_bytes");
enum { FPU_NOTE = 464, FPU_FXSAVE = 512, FPU_MAGIC1 = 0x46505853, FPU_MAGIC2 = 0x46505845, FPU_MAGIC2_BYTES = 4 };
