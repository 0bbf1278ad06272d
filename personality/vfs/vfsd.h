/* SPDX-License-Identifier: BSD-2-Clause */
/* vfsd.h: what the files of vfs share. Read README.md first for the order.
 *
 * A handler checks everything, then either changes the state and answers, or leaves an op whose steps go down.
 * Errors are Linux's, in Linux's order. One request at a time, so between a handler and the messages of its op
 * nothing else happens. */
#pragma once
#include <vfsd_server.h>
#include <l4/string.h>

#include "../linux/mode.h"
#include "../linux/open.h"

/* file.what. PATH: opened with O_PATH, or a working directory, a root, a program: a place and no more. */
enum { VFSD_REGULAR = 1, VFSD_DIRECTORY, VFSD_PIPE, VFSD_TERMINAL, VFSD_DEVICE, VFSD_PATH };
enum { VFSD_READ = 1, VFSD_WRITE = 2 };         /* bits of file.may */
enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
enum { CHUNK = 32, CHUNKS = 33, DESCRIPTORS = CHUNK * (CHUNKS - 1), RING = 65536, PIPE_BUF = 4096, SCRATCH = 12288 };
#define ROOM_OF(table) ((u32)(sizeof vfsd_state()->table / sizeof vfsd_state()->table[0]))
enum { NODE_PIPES = 0xfffe };       /* st_dev of pipes: no mount has this number */

static inline bool is_directory(const struct fs_node *n) { return (n->mode & S_IFMT) == S_IFDIR; }
static inline bool is_link(const struct fs_node *n) { return (n->mode & S_IFMT) == S_IFLNK; }
static inline bool is_regular(const struct fs_node *n) { return (n->mode & S_IFMT) == S_IFREG; }

/* ---- mount.c ---- */
/* The door of a mount's file system. */
extern cap_t mount_door(u32 mount);
extern u32 mount_fs(u32 mount);
extern u64 mount_root(u32 mount);
extern bool mount_is_proc(u32 mount);
/* The mount whose root covers this directory, 0: none. */
extern u32 mount_on(u32 on, u64 inode);
extern void mounts_make(struct vfsd_tx tx);

/* ---- process.c ---- */
extern const struct process *process_of(u64 label);
extern const struct process *process_of_pid(u32 pid);
/* Whether `who` may do `mask` with `node`; the ids are the file system's, or the real ones. */
extern l4_err_t permit(const struct process *who, const struct fs_node *node, u32 mask);
extern bool in_group(const struct process *who, u32 gid);
/* Who writes takes set-id bits away, unless it is root: the mode that is left, with S_IFREG; 0: it stays as it is. */
extern u32 mode_stripped(const struct process *who, const struct fs_node *node);
static inline bool is_root(const struct process *p) { return p->who.fsuid == 0; }

/* ---- descriptor.c ---- */
extern const struct file *descriptor_file(const struct process *p, u32 fd);
/* Whether a table that holds `live` of `most` has one more for this process: the last sixteenth is uid 0's, who may have to mend things. */
static inline bool table_has_room(const struct process *p, u32 live, u32 most) { return live + most / 16 < most || p->who.euid == 0; }
extern l4_err_t descriptor_find(const struct process *p, u32 from, u32 *fd);
/* The same for a file that is opened with these flags: execve's program lies behind the numbers that a program can have. */
extern l4_err_t descriptor_find_for(const struct process *p, u32 flags, u32 *fd);
extern bool descriptor_set(struct vfsd_tx tx, const struct process *p, u32 fd, const struct file *f, bool cloexec);
/* Let go of descriptors first to last, those marked CLOEXEC alone if `marked`. */
extern void descriptors_close(struct vfsd_tx tx, const struct process *p, u32 first, u32 last, bool marked);
extern void chunk_close(struct vfsd_tx tx, const struct chunk *c, u32 which);

/* ---- file.c ---- */
extern void file_hold(struct vfsd_tx tx, const struct file *f);
extern void file_drop(struct vfsd_tx tx, const struct file *f);
extern l4_err_t file_stat(const struct file *f, struct fs_node *node);
extern struct l4_next sweep_drop(struct vfsd_tx tx, const struct sweep_op *op, l4_err_t err);
extern void sweep_chunk(struct vfsd_tx tx, const struct chunk *c);
/* A writer or a program has the inode: what ETXTBSY is about. */
extern bool inode_is_written(u32 mount, u64 inode);
extern bool inode_is_run(u32 mount, u64 inode);

/* ---- walk.c ---- */
/* Where a walk is. `file`: the open file that a link of /proc led to; its node may be in no file system. */
struct place {
    u32 mount;
    const struct file *file;
    struct fs_node node;
};
enum last { LAST_NAME, LAST_DOT, LAST_UP, LAST_ROOT };
struct walk {
    const struct process *who;
    struct place here;              /* walk_parent: the directory of the last name; walk_last: what was found */
    u64 parent;                     /* the directory in which it was found, at the same mount; 0: unknown */
    u32 window, links, length;
    enum last last;
    bool slash;                     /* slashes follow the last name: it must be a directory */
    u8 name[256];
};
extern l4_err_t walk_begin(struct walk *, const struct process *, u32 directory, struct l4_bytes path);
extern l4_err_t walk_parent(struct walk *);
/* Go to the last name; a symbolic link there is followed if `follow` or slashes say so. */
extern l4_err_t walk_last(struct walk *, bool follow);
/* Look the last name up without going there. */
extern l4_err_t walk_peek(const struct walk *, struct place *found);
/* The same for O_CREAT, a step at a time. PENDING: it was a link, whose last name is to be looked at now.
 * `*missing`: the last name is not there, and w->here is where it would be. */
extern l4_err_t walk_step(struct walk *, bool follow, bool *missing);
/* All of it. */
extern l4_err_t walk(struct walk *, const struct process *, u32 directory, struct l4_bytes path, bool follow);
/* The parent alone, where a name is to be made that is not there yet; whether the directory may be written is for
 * the caller to check. `directory_too`: a directory is to be made, so slashes may follow. */
extern l4_err_t walk_new(
    struct walk *, const struct process *, u32 directory, struct l4_bytes path, bool directory_too);
static inline struct l4_bytes walk_name(const struct walk *w) { return l4_bytes(w->name, w->length); }
/* The index of the window that `at` lies in, and the byte in it. */
static inline u32 window_of(const u8 *at) { return (u32)(((u64)at - VFSD_WINDOW_ADDRESS) / VFSD_WINDOW); }
static inline u32 window_from(const u8 *at) { return (u32)(((u64)at - VFSD_WINDOW_ADDRESS) % VFSD_WINDOW); }
static inline u8 *window_at(u32 window, u32 from)
{
    return (u8 *)VFSD_WINDOW_ADDRESS + (u64)window * VFSD_WINDOW + from;
}

/* ---- proc.c ---- */
/* What vfs answers for in /proc, marked by procfs in `object` of a link or directory; `device` is the process's
 * number. */
enum magic {
    MAGIC_SELF = 1,
    MAGIC_EXE = 2,
    MAGIC_CWD = 3,
    MAGIC_ROOT = 4,
    MAGIC_FDS = 5,
    MAGIC_FD = 6,
    MAGIC_THREAD = 7
};
extern u32 magic_of(u32 mount, const struct fs_node *node);
extern l4_err_t magic_lookup(const struct fs_node *fds, struct l4_bytes name, struct fs_node *found);
extern l4_err_t magic_file(const struct process *who, const struct fs_node *link, const struct file **file);
extern l4_err_t magic_text(const struct process *who, const struct fs_node *link, u32 window, u8 *to, u32 *length);
extern l4_err_t magic_list(const struct fs_node *fds, u64 *cookie, u32 most, u8 *to, u32 *length);

/* ---- text.c ---- */
/* The path of an open file or directory as `who` sees it, at most PATH bytes, into `to` in the window. */
extern l4_err_t path_text(const struct process *who, const struct file *f, u32 window, u8 *to, u32 *length);

/* ---- pipe.c ---- */
extern l4_err_t pipe_read(struct vfsd_tx tx, const struct file *f, u32 most, bool more, u8 *data, u32 *length);
extern l4_err_t pipe_write(struct vfsd_tx tx, const struct file *f, struct l4_bytes data, u32 *done);
extern void pipe_close(struct vfsd_tx tx, const struct file *f);
extern u32 pipe_poll(const struct file *f);
extern void pipe_node(const struct pipe *p, struct fs_node *node);
extern l4_err_t pipe_resize(struct vfsd_tx tx, const struct file *f, u64 bytes, u64 *now);
extern l4_err_t fifo_open(
    struct vfsd_tx tx, const struct process *p, u64 label, const struct place *at, u32 flags, struct file *f);

/* ---- device.c ---- */
enum device_kind { DEVICE_NONE, DEVICE_NULL, DEVICE_ZERO, DEVICE_FULL, DEVICE_RANDOM, DEVICE_TERMINAL };
/* What a character device's number is; `line` of a terminal. */
extern enum device_kind device_kind(const struct process *p, u32 device, u32 *line, l4_err_t *err);
extern void device_read(u32 device, u8 *data, u32 bytes, u32 *length);

/* ---- terminal.c ---- */
extern cap_t tty_door(void);
extern struct tty_asker asker_of(const struct process *p, bool bold, bool wait);
extern l4_err_t terminal_read(
    struct vfsd_tx tx, const struct process *p, const struct file *f, u32 most, bool more, const u8 *data);
extern l4_err_t terminal_write(
    struct vfsd_tx tx, const struct process *p, const struct file *f, struct l4_bytes data, bool bold);
extern u32 terminal_poll(const struct file *f);

/* ---- poll.c ---- */
extern void pollers_wake(struct vfsd_tx tx);

/* ---- time.c ---- */
/* Nanoseconds since 1970. */
extern u64 time_now(void);

/* ---- the handlers and cases, by file; the table is in main.c ---- */
typedef struct l4_bytes bytes_t;
extern l4_err_t do_open(struct vfsd_tx, u64 label, u32 directory, u32 flags, u32 mode, bytes_t path, u32 *fd);
extern struct l4_next open_hold(struct vfsd_tx, const struct open_op *, l4_err_t, const struct fs_node *);
extern struct l4_next open_truncate(struct vfsd_tx, const struct open_op *, l4_err_t);
extern struct l4_next open_strip(struct vfsd_tx, const struct open_op *, l4_err_t, const struct fs_node *);
extern struct l4_next create_create(struct vfsd_tx, const struct create_op *, l4_err_t, const struct fs_node *);

extern l4_err_t do_close(struct vfsd_tx, u64 label, u32 fd);
extern l4_err_t do_dup(struct vfsd_tx, u64 label, u32 fd, u32 to, bool exactly, u32 flags, u32 *made);
extern l4_err_t do_control(struct vfsd_tx, u64 label, u32 fd, u32 command, u64 argument, u64 *value);
extern l4_err_t do_close_range(struct vfsd_tx, u64 label, u32 first, u32 last, u32 flags);
extern l4_err_t do_lock(struct vfsd_tx, u64 label, u32 fd, u32 operation);
extern l4_err_t do_pipe(struct vfsd_tx, u64 label, u32 flags, u32 *reader, u32 *writer);

extern l4_err_t do_read(struct vfsd_tx, u64 label, u32 fd, u32 most, u8 *data, u32 *length);
extern l4_err_t do_write(struct vfsd_tx, u64 label, u32 fd, bytes_t data, u32 *done);
extern l4_err_t do_read_at(u64 label, u32 fd, u64 offset, u32 most, u8 *data, u32 *length);
extern l4_err_t do_write_at(struct vfsd_tx, u64 label, u32 fd, u64 offset, bytes_t data, u32 *done);
extern l4_err_t do_seek(struct vfsd_tx, u64 label, u32 fd, i64 offset, u32 from, u64 *at);
extern l4_err_t do_list(struct vfsd_tx, u64 label, u32 fd, u32 most, u8 *entries, u32 *length);
extern l4_err_t do_map(
    struct vfsd_tx, u64 label, u32 fd, u64 offset, u64 address, u64 bytes, u32 protection, u32 how, u64 *at);
extern l4_err_t do_sync(struct vfsd_tx, u64 label, u32 fd);
extern struct l4_next write_data(struct vfsd_tx, const struct write_op *, l4_err_t, u32 done, u64 at, u64 size);
extern struct l4_next write_strip(struct vfsd_tx, const struct write_op *, l4_err_t, const struct fs_node *);
extern struct l4_next write_at_data(struct vfsd_tx, const struct write_at_op *, l4_err_t, u32 done, u64 at, u64 size);
extern struct l4_next write_at_strip(struct vfsd_tx, const struct write_at_op *, l4_err_t, const struct fs_node *);
extern struct l4_next order_text(struct vfsd_tx, const struct order_op *, l4_err_t, u32 done);
extern struct l4_next map_object(struct vfsd_tx, const struct map_op *, l4_err_t, u64 at);
extern struct l4_next sync_fs(struct vfsd_tx, const struct sync_op *, l4_err_t);

extern l4_err_t do_ioctl(
    struct vfsd_tx, u64 label, u32 fd, u32 request, u64 argument, bytes_t in, u64 *value, u8 *out, u32 *length);
extern struct l4_next put_text(struct vfsd_tx, const struct put_op *, l4_err_t, u32 done);
extern struct l4_next get_text(struct vfsd_tx, const struct get_op *, l4_err_t, u32 done);
extern struct l4_next termios_line(struct vfsd_tx, const struct termios_op *, l4_err_t);
extern struct l4_next winsize_line(struct vfsd_tx, const struct winsize_op *, l4_err_t);
extern struct l4_next foreground_line(struct vfsd_tx, const struct foreground_op *, l4_err_t);
extern struct l4_next take_line(struct vfsd_tx, const struct take_op *, l4_err_t);
extern struct l4_next leave_line(struct vfsd_tx, const struct leave_op *, l4_err_t, u32 foreground);
extern struct l4_next flush_line(struct vfsd_tx, const struct flush_op *, l4_err_t);
extern struct l4_next drain_line(struct vfsd_tx, const struct drain_op *, l4_err_t);
extern void terminal_event(struct vfsd_tx);

extern l4_err_t do_poll(struct vfsd_tx, u64 label, u64 deadline, const struct vfs_poll *asked, u32 count, u32 *ready,
                        struct vfs_poll *answered, u32 *length);
extern void poll_timeout(struct vfsd_tx);

extern l4_err_t do_stat(u64 label, u32 directory, u32 flags, bytes_t path, struct vfs_result *found);
extern l4_err_t do_stat_file(u64 label, u32 fd, struct vfs_result *found);
extern l4_err_t do_access(u64 label, u32 directory, u32 mode, u32 flags, bytes_t path);
extern l4_err_t do_readlink(u64 label, u32 directory, bytes_t path, u8 *target, u32 *length);
extern l4_err_t do_statfs(u64 label, u32 directory, bytes_t path, struct fs_space *found);

extern l4_err_t do_make_directory(struct vfsd_tx, u64 label, u32 directory, u32 mode, bytes_t path);
extern l4_err_t do_make_node(struct vfsd_tx, u64 label, u32 directory, u32 mode, u32 device, bytes_t path);
extern l4_err_t do_symlink(struct vfsd_tx, u64 label, u32 directory, bytes_t target, bytes_t path);
extern l4_err_t do_unlink(struct vfsd_tx, u64 label, u32 directory, u32 flags, bytes_t path);
extern l4_err_t do_rename(struct vfsd_tx, u64 label, u32 from, u32 to, u32 flags, bytes_t old, bytes_t new);
extern l4_err_t do_link(struct vfsd_tx, u64 label, u32 from, u32 to, u32 flags, bytes_t old, bytes_t new);
extern struct l4_next make_directory_create(
    struct vfsd_tx, const struct make_directory_op *, l4_err_t, const struct fs_node *);
extern struct l4_next make_directory_release(struct vfsd_tx, const struct make_directory_op *, l4_err_t);
extern struct l4_next make_node_create(struct vfsd_tx, const struct make_node_op *, l4_err_t, const struct fs_node *);
extern struct l4_next make_node_release(struct vfsd_tx, const struct make_node_op *, l4_err_t);
extern struct l4_next symlink_create(struct vfsd_tx, const struct symlink_op *, l4_err_t, const struct fs_node *);
extern struct l4_next symlink_release(struct vfsd_tx, const struct symlink_op *, l4_err_t);
extern struct l4_next unlink_name(struct vfsd_tx, const struct unlink_op *, l4_err_t);
extern struct l4_next link_name(struct vfsd_tx, const struct link_op *, l4_err_t);
extern struct l4_next rename_stage(struct vfsd_tx, const struct rename_op *, l4_err_t);
extern struct l4_next rename_name(struct vfsd_tx, const struct rename_op *, l4_err_t);

extern l4_err_t do_chmod(struct vfsd_tx, u64 label, u32 directory, u32 mode, u32 flags, bytes_t path);
extern l4_err_t do_chown(struct vfsd_tx, u64 label, u32 directory, u32 uid, u32 gid, u32 flags, bytes_t path);
extern l4_err_t do_utimes(
    struct vfsd_tx, u64 label, u32 directory, u32 which, u64 atime, u64 mtime, u32 flags, bytes_t path);
extern l4_err_t do_truncate(struct vfsd_tx, u64 label, u32 fd, u64 size);
extern l4_err_t do_truncate_path(struct vfsd_tx, u64 label, u64 size, bytes_t path);
extern struct l4_next chmod_node(struct vfsd_tx, const struct chmod_op *, l4_err_t, const struct fs_node *);
extern struct l4_next chown_node(struct vfsd_tx, const struct chown_op *, l4_err_t, const struct fs_node *);
extern struct l4_next utimes_node(struct vfsd_tx, const struct utimes_op *, l4_err_t, const struct fs_node *);
extern struct l4_next truncate_size(struct vfsd_tx, const struct truncate_op *, l4_err_t);
extern struct l4_next truncate_path_size(struct vfsd_tx, const struct truncate_path_op *, l4_err_t);
extern struct l4_next truncate_strip(struct vfsd_tx, const struct truncate_op *, l4_err_t, const struct fs_node *);
extern struct l4_next truncate_path_strip(
    struct vfsd_tx, const struct truncate_path_op *, l4_err_t, const struct fs_node *);

extern l4_err_t do_chdir(struct vfsd_tx, u64 label, u32 directory, bytes_t path);
extern l4_err_t do_chroot(struct vfsd_tx, u64 label, bytes_t path);
extern l4_err_t do_getcwd(u64 label, u8 *path, u32 *length);
extern l4_err_t do_umask(struct vfsd_tx, u64 label, u32 mask, u32 *was);
extern struct l4_next chdir_hold(struct vfsd_tx, const struct chdir_op *, l4_err_t, const struct fs_node *);
extern struct l4_next chroot_hold(struct vfsd_tx, const struct chroot_op *, l4_err_t, const struct fs_node *);

extern l4_err_t do_admit(struct vfsd_tx, u64 label, u64 client, const struct vfs_identity *who);
extern l4_err_t do_fork(struct vfsd_tx, u64 label, u64 parent, u64 child, const struct vfs_identity *who);
extern l4_err_t do_exec(struct vfsd_tx, u64 label, u64 client, u32 fd, u32 *mode, u32 *uid, u32 *gid);
extern l4_err_t do_exit(struct vfsd_tx, u64 label, u64 client, u32 *foreground);
extern l4_err_t do_identify(struct vfsd_tx, u64 label, u64 client, const struct vfs_identity *who);
extern struct l4_next exit_leave(struct vfsd_tx, const struct exit_op *, l4_err_t, u32 foreground);
extern bool do_forget(struct vfsd_tx, u64 label);
