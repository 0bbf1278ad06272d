/* SPDX-License-Identifier: BSD-2-Clause */
/* clone.h: flags and arguments of Linux's clone and clone3. */
#pragma once
#include <abi/types.h>

enum {
    CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000,
    CLONE_THREAD = 0x10000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000, CLONE_CHILD_CLEARTID = 0x200000,
    CLONE_DETACHED = 0x400000, CLONE_CHILD_SETTID = 0x1000000,
    CLONE_SIGNAL = 0xff,            /* clone's, not clone3's: the signal of the end */
    CLONE_NEWTIME = 0x80,           /* clone3's */
    CLONE_UNKNOWN = 0x7e021080,     /* namespaces, descriptors of processes */
};
#define CLONE_CLEAR_SIGHAND (1ul << 32)
#define CLONE_UNKNOWN3      (~0ul << 33)    /* cgroups, and what Linux does not know either */

/* struct clone_args */
struct linux_clone {
    u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls, set_tid, set_tid_count, cgroup;
};
enum { CLONE_ARGS_FIRST = 64, CLONE_ARGS_PIDS = 32 };   /* bytes of the first version; set_tid_count at most */
_Static_assert(sizeof(struct linux_clone) == 88, "struct clone_args");
