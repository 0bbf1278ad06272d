/* SPDX-License-Identifier: BSD-2-Clause */
/* runtime.h: the Linux runtime inside each process: its three structs, and what its files offer each other.
 *
 * The image has no writable memory. All state lies in three structs at fixed places: struct thread in the thread's block (page 1),
 * struct process and struct mm at RUNTIME_DATA. fork copies them with everything else.
 * Rules: no FPU, no FS, no GS. The program's memory is touched only through user.h. Handlers return a value or a negative errno.
 * A handler may block only inside a server call or receive; kicks are masked except where wait.h says so.
 * Lock order: process->lock, mm->lock, futex lock; held for a few instructions, never over a call. */
#pragma once
#include <abi/ipc.h>
#include <abi/kip.h>
#include <l4/session.h>
#include <l4/types.h>
#include "vm.h"
#include "../linux/errno.h"
#include "../linux/file.h"
#include "../linux/signal.h"

#define RUNTIME_MAGIC 0x656d69746e757261ul      /* "aruntime", the image's first word; see entry.S */

/* The first bytes of the image. Keeper: task.set_native(RUNTIME_TEXT, end, leave, leave_end). pm: thread.start(start, block end, 0 or 2). */
struct runtime_header {
    u64 magic;
    u64 end;                        /* first address behind the image */
    u64 leave, leave_end;
    u64 start, child, thread_start;
    u64 spare;
};

enum { FUTEXES = 64, PENDING_CALLS = 512, NAME_BYTES = 16, FPU_BYTES = 2880 };

/* Why a wait was cut short, and how it goes on: a column of calls.def. */
enum restart {
    RESTART_NEVER,                  /* the call does not wait */
    RESTART_AUTO,                   /* again if the handler has SA_RESTART or none ran: ERESTARTSYS */
    RESTART_NO_HANDLER,             /* again only if no handler ran: ERESTARTNOHAND */
    RESTART_BLOCK,                  /* the same through restart_syscall, with the same deadline: ERESTART_RESTARTBLOCK */
};

/* What restart_syscall goes on with. */
struct thread;
struct restart_block {
    i64 (*again)(struct thread *, struct restart_block *);
    u64 deadline;                   /* ns since boot */
    u64 word[4];
};

struct thread {
    struct l4_registers at;         /* where the program goes on; offset 0 (entry.S) */
    u64 full;                       /* rcx and r11 count, too: leave by iretq; offset 160 */
    u64 iret[5];                    /* offset 168 */
    u64 rax;                        /* as the call came: its number; offset 208 */
    u64 args[6];                    /* of the call in progress; offset 216 */
    u64 number;                     /* of the system call in progress; ~0: none */
    u32 restart;                    /* enum restart of a call that a signal ended */
    u32 slot, tid;
    u32 act;                        /* what pm's table says of `taken` */
    u64 mask, saved_mask;           /* blocked signals; to be restored after sigsuspend */
    u64 left;                       /* pending at pm when last asked */
    u64 ready;                      /* own synchronous signal to deliver: fault[] holds its siginfo */
    bool mask_saved, vforking;
    struct linux_siginfo taken;     /* number 0: none */
    struct linux_stack altstack;
    struct { u64 vector, error, address; } fault;       /* of the last exception, for sigcontext */
    struct restart_block block;
    u64 clear_tid, robust;
    u64 rseq;                       /* registered area, 0: none (rseq.c) */
    u32 rseq_signature;
    struct l4_session pm, vm, vfs;
    u8 fpu[FPU_BYTES] __attribute__((aligned(64)));     /* over fork and sigreturn */
};
_Static_assert(offsetof(struct thread, full) == 160 && offsetof(struct thread, iret) == 168, "entry.S");
_Static_assert(offsetof(struct thread, rax) == 208 && offsetof(struct thread, args) == 216, "entry.S");
_Static_assert(sizeof(struct thread) <= L4_PAGE_SIZE, "one page of the block");

struct futex_waiter {
    u64 address;
    u32 slot, bits;                 /* no bits: it waits nowhere */
    bool woken;
};

enum { PARENT_UNKNOWN = 0xffffffff };

struct process {
    u32 lock;
    u32 pid;                        /* the words from here to fsgid are answers that entry.S gives */
    u32 ppid;                       /* as pm said; PARENT_UNKNOWN until it is asked, and when it may have changed (ids.c) */
    u32 ppid_epoch;                 /* how often it was forgotten; one word with it */
    u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
    union {
        struct { bool strace, counting; };
        u16 watched;                /* both at once */
    };
    u32 groups[16], group_count;
    u32 threads;                    /* running ones, a bit a slot */
    struct linux_sigaction action[SIGNALS + 1];
    u64 seed[2];                    /* AT_RANDOM */
    u64 random[4];                  /* state of getrandom */
    u64 nice;
    u32 futex_lock;
    struct futex_waiter futex[FUTEXES];
};

/* On pages of their own, which only those programs have that need them. */
struct tally {
    u8 missing[PENDING_CALLS];      /* how often a number was ENOSYS, up to 255 */
    u32 made[PENDING_CALLS], failed[PENDING_CALLS];     /* calls, while `counting` */
};

struct mm {
    struct vm_shown shown;          /* at VM_RUNTIME_SHOWN */
    u32 lock;
    u64 brk_start, brk;             /* the heap is [brk_start, page after brk) */
    u64 stack_limit;
};

#ifdef RUNTIME_HOST
extern struct process runtime_process;
extern struct mm runtime_mm;
extern struct tally runtime_tally;
static inline struct process *process(void) { return &runtime_process; }
static inline struct mm *mm(void) { return &runtime_mm; }
static inline struct tally *tally(void) { return &runtime_tally; }
extern struct l4_kip runtime_kip;
static inline const struct l4_kip *kip(void) { return &runtime_kip; }
#else
static inline struct process *process(void) { return (struct process *)VM_RUNTIME_DATA; }
static inline struct mm *mm(void) { return (struct mm *)VM_RUNTIME_SHOWN; }
static inline struct tally *tally(void) { return (struct tally *)(VM_RUNTIME_DATA + VM_RUNTIME_DATA_PRESENT); }
static inline const struct l4_kip *kip(void) { return (const struct l4_kip *)VM_RUNTIME_INFO; }
_Static_assert(sizeof(struct process) <= VM_RUNTIME_SHOWN - VM_RUNTIME_DATA, "mm lies behind it");
_Static_assert(VM_RUNTIME_SHOWN + sizeof(struct mm) <= VM_RUNTIME_DATA + VM_RUNTIME_DATA_PRESENT, "both are present");
_Static_assert(VM_RUNTIME_DATA_PRESENT + sizeof(struct tally) <= VM_RUNTIME_DATA_BYTES, "then the tally");
#endif

/* Whoever asks sees the mask of the first thread. */
static inline void mask_set(struct thread *t, u64 mask)
{
    t->mask = mask;
    if (t->slot == 0)
        mm()->shown.blocked = mask;
}

static inline struct l4_utcb *thread_utcb(const struct thread *t) { return (struct l4_utcb *)((u64)t - L4_PAGE_SIZE); }

/* ---- entry.S; hidden: their addresses are taken without a table ---- */
#pragma GCC visibility push(hidden)
_Noreturn void runtime_leave(struct thread *);
_Noreturn void runtime_resume(const struct l4_registers *);
void runtime_call_entry(void), runtime_kick_entry(void), runtime_exception_entry(void);
extern const struct runtime_header runtime_header;
#pragma GCC visibility pop

/* ---- what entry.S calls ---- */
void runtime_call(struct thread *);
void runtime_kicked(struct thread *);
void runtime_exception(struct thread *);
void runtime_main(struct thread *, u64 how);
void runtime_forked(struct thread *);
void runtime_cloned(struct thread *, const struct thread *maker);

/* ---- thread.c ---- */
void thread_sessions(struct thread *);          /* fresh sessions for this slot: a new label's or thread's first act */
void thread_upcalls(struct thread *);

/* ---- signal.c ---- */
bool signal_due(struct thread *);               /* takes the next deliverable signal from pm, if there is one */
bool signal_to_self(struct thread *, const struct linux_siginfo *);     /* delivered on the way out; false: it is for pm to say */
void signal_raise(struct thread *, const struct linux_siginfo *);      /* a synchronous one, delivered on the way out */
void signal_forget_handlers(struct thread *);            /* those that run become the default, as by execve */
void signal_recheck(struct thread *);           /* look for signals on the way out: the mask may have opened */
_Noreturn void signal_end(struct thread *, u32 number);                /* death by it */

/* ---- ids.c ---- */
void ids_parent_forget(void);                   /* it may be another now: at the start, and with each kick of pm's */

/* ---- frame.c ---- */
bool frame_build(struct thread *, const struct linux_sigaction *, const struct linux_siginfo *);       /* false: no room, SIGSEGV */
bool frame_restore(struct thread *);            /* rt_sigreturn; false: nonsense, SIGSEGV */

/* ---- start and exec ---- */
_Noreturn void program_start(struct thread *);

/* ---- tracing.c: only where process()->strace is set ---- */
struct program;
void strace_enter(struct thread *);
void strace_leave(struct thread *, i64 result);
void strace_started(struct thread *, const struct program *);           /* the execve that made this program */
void strace_taken(struct thread *, const struct linux_siginfo *);       /* a signal */
void strace_ended(struct thread *, u32 status);

/* ---- counts.c: only where process()->counting is set ---- */
void counts_made(u64 number);
void counts_failed(u64 number);
void counts_forget(void);                       /* a child's begin at nothing */
void counts_tell(struct thread *);              /* what there is so far goes to the log, and counting begins anew */

_Noreturn void runtime_die(struct thread *, u32 status);
