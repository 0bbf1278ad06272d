/* SPDX-License-Identifier: BSD-2-Clause */
/* processes.h: what the files of pm offer each other. The order to read them in is README.md's.
 *
 * A handler changes the state; what follows from it, done after the commit and again by each new incarnation, are two
 * effects (thread.c) and errands (errand.c): call errand_next after anything that makes a process stale or lets it
 * die.
 * INVARIANT halted: a thread is kept from running by `drive` alone, and lwp_pause has cleared its `fresh` before. */
#pragma once
#include "pmd_server.h"

enum {
    PROC_INDEX = VM_PROCESS_FIRST - 1, /* label index of record r is this + r */
    FIRST_PID = 1,
    PID_END = 32768,
    PID_AGAIN = 300, /* as Linux: pids start over here */
    PROCS = VM_PROCESS_END - VM_PROCESS_FIRST,
    TURN = 1,      /* what `turn` waits for: an op or a process that is busy */
};

enum lwp_stage { LWP_MAKING = 1, LWP_ALIVE = 2, LWP_ENDING = 3 };
enum {
    LIMIT_SIZE = 1,
    LIMIT_DATA = 2,
    LIMIT_STACK = 3,
    LIMIT_CORE = 4,
    LIMIT_PROCESSES = 6,
    LIMIT_FILES = 7,
    LIMIT_SPACE = 9,
    LIMIT_SIGNALS = 11,
    LIMITS = 16
};
enum { LIMIT_FILES_MOST = 1 << 20, SIGNALS_QUEUED = 64 };
#define UNLIMITED (~0ul)

/* ---- process.c ---- */
/* Who calls; NULL if that process is ending. */
const struct proc *caller(u64 label);
const struct proc *proc_by_pid(u32 pid);
/* A fresh pid. */
u32 pid_new(struct pmd_tx);
/* A bijection that leaves no pattern (splitmix64's last steps), and a number for a new program's secrets. */
u64 scramble(u64);
u64 seed_new(struct pmd_tx);
/* A record with label, pid and defaults, EMBRYO; NULL if there is none. */
struct proc *proc_make(struct pmd_tx);
/* Forget it: it is nobody's child any more, and has neither threads nor pending signals. */
void proc_drop(struct pmd_tx, const struct proc *);
static inline u32 proc_place(const struct proc *p) { return PROC_INDEX + proc_ref(p); }
static inline u32 proc_task(u32 place) { return PROCESS_TASKS_AT_VM + place; }
struct vfs_identity proc_identity(const struct proc *);
/* vfs must hear who it is now. */
void proc_stale(struct pmd_tx, const struct proc *);
static inline bool proc_is_live(const struct proc *p) { return p->state == PM_RUNNING || p->state == PM_STOPPED; }
void proc_busy(struct pmd_tx, const struct proc *, i32 change);
/* Who waits for `op` or a process that was busy may try again; what waited for the process is begun. */
void turn_over(struct pmd_tx);

/* ---- census.c ---- */
/* procfs hears after the commit how it is now; that somebody is gone; of all. */
void proc_show(struct pmd_tx, const struct proc *);
void procs_gone(struct pmd_tx);
void procs_show(struct pmd_tx);
void process_show(u32 pid);

/* ---- thread.c ---- */
/* Of the call in progress: its slot, its thread. */
u32 call_slot(void);
const struct lwp *call_thread(const struct proc *);
const struct lwp *lwp_at_slot(const struct proc *, u32 slot);
struct lwp *lwp_make(struct pmd_tx, const struct proc *, u32 slot, u32 tid);
void lwp_drop(struct pmd_tx, const struct lwp *);
u64 lwp_stack(u32 slot);
/* All threads of the process: run or stop them, as its record says now; kick them. */
void threads_drive(struct pmd_tx, const struct proc *);
/* Their runtimes shall ask again what pm knows: signals, the parent. */
void threads_kick(struct pmd_tx, const struct proc *);
/* The same, where some that run are to stop. */
void threads_pause(struct pmd_tx, const struct proc *);
void threads_drop(struct pmd_tx, const struct proc *);
u32 threads_count(const struct proc *);
void retire_next(struct pmd_tx);

/* ---- errand.c ---- */
void errand_boot(struct pmd_tx, const struct proc *);
void errand_next(struct pmd_tx);
void owed_begin(struct pmd_tx);
/* The machine has nothing more to do: the consoles hear of it. */
void machine_end(struct pmd_tx, u32 status);
void finish_begin(struct pmd_tx);
/* Limits and groups of the first process. */
void limits_init(struct proc *);

/* ---- exit.c ---- */
/* The process ends with this status (as wait sees it); what is left is the errand's. */
void proc_end(struct pmd_tx, const struct proc *, u32 status);
/* It has been taken apart: children go to process 1, its parent hears of it. True: that was a part, call again. */
bool proc_ended(struct pmd_tx, const struct proc *);
/* The parent of a vfork child goes on. */
void vfork_over(struct pmd_tx, const struct proc *child);

/* ---- signal.c ---- */
enum linux_signal {
    SIG_HUP = 1,
    SIG_KILL = 9,
    SIG_ALRM = 14,
    SIG_CHLD = 17,
    SIG_CONT = 18,
    SIG_STOP = 19,
    SIG_TSTP = 20,
    SIG_TTIN = 21,
    SIG_TTOU = 22,
    SIG_URG = 23,
    SIG_WINCH = 28,
    SIG_REALTIME = 32,
    SIG_LAST = 64,
};
enum linux_code { CODE_USER = 0, CODE_KERNEL = 128, CODE_THREAD = -6 };
enum linux_child { CHILD_EXITED = 1, CHILD_KILLED = 2, CHILD_DUMPED = 3, CHILD_STOPPED = 5, CHILD_CONTINUED = 6 };
static inline u64 signal_bit(u32 number) { return 1ul << (number - 1); }
/* Send it: to `thread`, or to the process (NULL). AGAIN: a queued one finds no room. */
l4_err_t signal_send(struct pmd_tx, const struct proc *, const struct lwp *thread, const struct pm_signal *);
/* From the kernel's side, as it were, to every process of a group. */
void group_signal(struct pmd_tx, u32 group, u32 number);
/* Pending ones of these go, from the process and its threads. */
void signals_flush(struct pmd_tx, const struct proc *, u64 set);
void notes_drop(struct pmd_tx, const struct proc *, const struct lwp *thread);
/* A parent hears that a child changed. */
void child_signal(struct pmd_tx, const struct proc *child, u32 why, u32 status);

/* ---- stop.c ---- */
void proc_stop(struct pmd_tx, const struct proc *, u32 number);
void proc_continue(struct pmd_tx, const struct proc *);

/* ---- group.c ---- */
/* Whether no member of the group but perhaps `without` has a parent in the session outside of it. */
bool group_is_orphaned(u32 group, const struct proc *without);
bool group_has_stopped(u32 group);

/* ---- timer.c ---- */
void timers_arm(void);

/* ---- methods and cases, gathered in pm.c ---- */
#define METHOD(name, ...) l4_err_t do_##name(struct pmd_tx tx, u64 label, ##__VA_ARGS__)
#define LOOK(name, ...) l4_err_t do_##name(u64 label, ##__VA_ARGS__)
#define CASE(op, step, ...)                                                                                            \
    struct l4_next op##_##step(struct pmd_tx tx, const struct op##_op *op, l4_err_t err, ##__VA_ARGS__)
METHOD(fork, u32 how, u64 entry, u64 stack, u32 *pid);
CASE(fork, task, u64 start);
CASE(fork, space, u64 next);
CASE(fork, files);
CASE(fork, unspace);
CASE(fork, untask);
METHOD(exec, u32 file, struct l4_bytes name);
CASE(exec, space);
CASE(exec, thread, u64 start);
CASE(exec, files, u32 mode, u32 uid, u32 gid);
CASE(exec, who);
METHOD(make_thread, u64 entry, u64 argument, u32 *tid, u32 *slot);
CASE(thread, block);
CASE(thread, thread);
CASE(thread, unblock);
METHOD(exit_thread, u32 status);
CASE(retire, thread);
CASE(retire, block);
METHOD(exit, u32 status);
METHOD(wait, i32 pid, u32 options, struct pm_child *found);
LOOK(self, u32 slot, struct pm_self *me);
LOOK(parent, u32 *pid);
METHOD(kill, i32 pid, u32 thread, const struct pm_signal *what);
METHOD(dispose, u32 number, enum pm_disposition to, u32 flags);
METHOD(take, u64 mask, struct pm_signal *what, enum pm_disposition *act, u64 *left);
METHOD(stop, u32 number);
METHOD(background, u32 number);
LOOK(pending, u32 slot, u64 *set);
METHOD(timer, u64 value_ns, u64 interval_ns, u64 *old_value_ns, u64 *old_interval_ns);
METHOD(set_group, i32 pid, i32 group);
LOOK(group, i32 pid, u32 *group, u32 *session);
METHOD(make_session, u32 *session);
METHOD(identify, enum pm_identity call, i32 real, i32 effective, i32 saved, struct pm_credentials *now);
METHOD(set_groups, const u32 *groups, u32 count, struct pm_credentials *now);
METHOD(limits, i32 pid, u32 resource, bool set, const struct pm_limit *to, struct pm_limit *was);
LOOK(times, i32 who, u64 *user_us, u64 *system_us);
METHOD(nice, i32 pid, i32 to, i32 *now);
METHOD(shut_down, u32 how);
LOOK(look, u32 pid, struct pm_about *found);
LOOK(load, u32 *processes, u32 *running, u32 *last_pid, u64 *one, u64 *five, u64 *fifteen);
CASE(errand, task, u64 start);
CASE(errand, space);
CASE(errand, files);
CASE(errand, close, u32 foreground);
CASE(errand, unmap);
CASE(errand, undo);
CASE(errand, tell);
CASE(errand, bounds);
CASE(owed, next, const struct tty_due *due);
CASE(finish, tell);
void thread_drive(u32 which);
void thread_kicked(u32 which);
void timers_run(struct pmd_tx);
