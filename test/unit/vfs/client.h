/* SPDX-License-Identifier: BSD-2-Clause */
/* client.h: calls to vfs under test, as the runtime makes them: a result or a negative errno; PARKED: it waits. */
#pragma once
#include <vfsd_kill.h>
#include "model.h"

enum { PARKED = -10000 };

struct client { u64 label; u32 slot; };
extern struct client client_main;

/* Start with a fresh model and one process; `uid` is everything that it is. */
extern void client_reset(u32 uid, u32 gid);
extern i64 client_call(const struct client *, u32 method, u32 words, const u64 *word);
/* The answer's words, and where the window is. */
extern const u64 *client_answer(void);
extern u8 *client_window(const struct client *);
/* What was parked has answered by now? */
extern i64 client_late(const struct client *);
extern void client_identity(struct vfs_identity *, u32 pid, u32 uid, u32 gid);
extern i64 client_admit(u64 label, u32 pid, u32 uid, u32 gid);
extern i64 client_identity_call(u32 method, u64 parent, u64 child, u32 pid, u32 uid, u32 gid);

#define CALL(method, ...)                                                                                              \
    client_call(&client_main, VFSD_KILL_##method, sizeof((u64[]){ __VA_ARGS__ }) / 8, (u64[]){ __VA_ARGS__ })
/* A path at the start of the window (or behind the first): its length. */
extern u64 client_path(const struct client *, u32 at, const char *path);
#define PATH(path) client_path(&client_main, 0, path)
#define PATH2(path) client_path(&client_main, VFS_PATH, path)
