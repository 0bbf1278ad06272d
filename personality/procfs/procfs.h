/* SPDX-License-Identifier: BSD-2-Clause */
/* procfs.h: what the files of procfs share. */
#pragma once
#include <procfsd_server.h>

#include <l4/clock.h>
#include <l4/format.h>
#include <l4/string.h>

#include "../linux/mode.h"

static inline cap_t vm_door(void) { return (cap_t)l4_volatile.door[PROCFSD_USES_VM]; }
static inline cap_t rs_door(void) { return (cap_t)l4_volatile.door[PROCFSD_USES_RS]; }

/* ---- census.c ---- */
struct census_load { u32 processes, running, last_pid; u64 load[3]; };
/* The process with this number, NULL: none. */
extern const struct census_about *process_of(u32 pid);
/* The process with the lowest number from `pid` on. */
extern const struct census_about *process_from(u32 pid);
extern struct census_load census_load_now(void);
extern l4_err_t do_tell(u64 label, const struct census_about *now);
extern l4_err_t do_alive(u64 label, const u32 *pids, u32 count);
extern l4_err_t do_load(u64 label, u32 processes, u32 running, u32 last_pid, u64 one, u64 five, u64 fifteen);

/* ---- text.c ---- */
/* A part of a text: bytes `skip` to `skip + room` of what is put go to `to`. */
struct text { u64 skip; u8 *to; u32 room, done; };
extern void text_put(struct text *t, const char *format, ...);
extern void text_bytes(struct text *t, const void *from, u32 length);
static inline bool text_is_full(const struct text *t) { return t->done == t->room; }

/* ---- tree.c ---- */
/* A name in the root, in /proc/axo or in a process's directory. `magic`: as fs.idl says. */
struct entry {
    const char *name;
    u32 kind, mode, magic;
    void (*print)(struct text *t, const struct census_about *about);
    const char *target;
};
extern l4_err_t do_lookup(u64 label, u64 directory, struct l4_bytes name, struct fs_node *found);
extern l4_err_t do_stat(u64 label, u64 inode, struct fs_node *now);
extern l4_err_t do_list(u64 label, u64 directory, u64 cookie, u32 bytes, u32 window, u32 from, u32 *done, u64 *next);
extern l4_err_t do_readlink(u64 label, u64 inode, u32 window, u32 from, u32 *done);
extern l4_err_t do_read(u64 label, u64 inode, u64 offset, u32 bytes, u32 window, u32 from, u32 *done);
extern bool inode_is_control(u64 inode);
extern bool window_is_good(u32 window, u32 from, u64 bytes);
static inline u8 *window_at(u32 window, u32 from) { return (u8 *)FS_WINDOWS + (u64)window * FS_WINDOW + from; }

/* ---- process.c ---- */
extern void print_stat(struct text *t, const struct census_about *p);
extern void print_statm(struct text *t, const struct census_about *p);
extern void print_status(struct text *t, const struct census_about *p);
extern void print_cmdline(struct text *t, const struct census_about *p);
extern void print_comm(struct text *t, const struct census_about *p);
extern void print_maps(struct text *t, const struct census_about *p);
extern void print_environ(struct text *t, const struct census_about *p);
extern void print_loginuid(struct text *t, const struct census_about *p);

/* ---- system.c ---- */
extern void print_meminfo(struct text *t, const struct census_about *none);
extern void print_uptime(struct text *t, const struct census_about *none);
extern void print_loadavg(struct text *t, const struct census_about *none);
extern void print_version(struct text *t, const struct census_about *none);
extern void print_cpuinfo(struct text *t, const struct census_about *none);
extern void print_mounts(struct text *t, const struct census_about *none);
extern void print_filesystems(struct text *t, const struct census_about *none);
extern void print_system_stat(struct text *t, const struct census_about *none);
extern void print_command_line(struct text *t, const struct census_about *none);

/* ---- service.c ---- */
extern void print_memory(struct text *t, const struct census_about *none);
extern void print_services(struct text *t, const struct census_about *none);
extern l4_err_t do_control(struct procfsd_tx tx, u64 label, u64 inode, u32 uid, u32 bytes, u32 window, u32 from, u32 *done);
extern struct l4_next order_answered(struct procfsd_tx tx, const struct order_op *op, l4_err_t err);
