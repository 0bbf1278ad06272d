/* SPDX-License-Identifier: BSD-2-Clause */
/* file.h: what the calls on files share: paths and payload in the thread's window, and waits at vfs. */
#pragma once
#include "user.h"
#include "vfs.h"
#include "wait.h"

enum { WINDOW = VFS_DATA, SECOND_PATH = VFS_PATH };

/* A call to vfs that parks. From the terminal's background it makes SIGTTIN or SIGTTOU due and tries again. */
#define WAIT_FILE(t, stub) ({                                                           \
        i64 file_err;                                                                   \
        do {                                                                            \
            file_err = WAIT(t, &(t)->vfs, VFS_PROTOCOL, stub);                          \
        } while (file_background(t, &file_err));                                        \
        file_err; })
bool file_background(struct thread *, i64 *err);
/* A descriptor for vfs.write and vfs.ioctl: with VFS_BOLD if SIGTTOU would do nothing here. */
u32 file_bold(const struct thread *, u64 fd);

/* The path at user address `from` into the window at `at` (0 or SECOND_PATH). 0 or an errno; an empty one is ENOENT unless `empty`. */
i64 file_path(struct thread *, u64 from, u32 at, bool empty, struct l4_bytes *path);

/* A descriptor as servers take it: AT_FDCWD is VFS_HERE. */
static inline u32 file_number(u64 fd) { return (u32)fd; }

/* Raise SIGPIPE or SIGXFSZ when err says so; returns the errno. */
i64 file_signal(struct thread *, i64 err);
