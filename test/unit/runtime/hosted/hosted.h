/* SPDX-License-Identifier: BSD-2-Clause */
/* hosted.h: the real runtime image, run as a process of the host's Linux.
 * The host's kernel hands every `syscall` outside of the C library to machine.c (syscall user dispatch), which does what our kernel does:
 * from the runtime it is a message to one of the servers faked here, from the program it is reflected. So the runtime runs unmodified programs
 * before any server exists, and its answers can be laid beside the host's. One thread; the servers keep nothing, the host does. */
#pragma once
#include <abi/error.h>
#include <abi/ipc.h>
#include <abi/kip.h>
#include <stdio.h>

enum { PM_SLOT = 1, VM_SLOT = 2, VFS_SLOT = 3, LOG_SLOT = 4, THREAD_SLOT = 8, PROGRAM_FD = 1000, START_FD = 1001, STREAM_FD = 1002 };

struct machine {
    struct l4_utcb *utcb;
    u8 *window;
    u64 call, kick, exception, stack;       /* upcalls */
    u64 fs;                                 /* the program's */
    u64 pending;                            /* signals that the host delivered */
    struct { i32 code; u32 pid, uid; u64 value; } info[65];
    const struct { u64 magic, end, leave, leave_end, start, child, thread_start; } *header;
    u64 image_bytes;
    u64 go_ip, go_sp, go_argument;          /* set by a server: the thread starts anew there */
    bool fresh;
};
extern struct machine machine;

/* A request's words, then its answer's. */
struct request { u64 word[L4_WORDS_MAX]; u32 words; u32 method; };

l4_err_t pm_serve(struct request *);
l4_err_t vm_serve(struct request *);
l4_err_t vfs_serve(struct request *);
/* -1 and errno of a host call as an interface's error; KICKED for EINTR. */
l4_err_t host_error(void);
/* Start the runtime afresh in an empty address space (execve's second half). */
void machine_renew(u64 how);
void machine_dispatch(void);
