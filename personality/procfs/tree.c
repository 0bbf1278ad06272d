/* SPDX-License-Identifier: BSD-2-Clause */
/* tree.c: names and inodes. An inode is pid << 8 | kind; pid 0: of no process. */
#include "procfs.h"

#include "../linux/dirent.h"

enum { KIND_DIR = 1, KIND_AXO = 32, KIND_SERVICES, KIND_CONTROL, KIND_MEMORY, KIND_PIDS = 0x10000 };
enum { WINDOWS = 128 * 4 };
enum magic { MAGIC_SELF = 1, MAGIC_EXE = 2, MAGIC_CWD = 3, MAGIC_ROOT = 4, MAGIC_FDS = 5, MAGIC_THREAD = 7 };

static const struct entry root_entries[] = {
    { "axo", KIND_AXO, S_IFDIR | 0555, 0, NULL, NULL },
    { "cmdline", 2, S_IFREG | 0444, 0, print_command_line, NULL },
    { "cpuinfo", 3, S_IFREG | 0444, 0, print_cpuinfo, NULL },
    { "filesystems", 4, S_IFREG | 0444, 0, print_filesystems, NULL },
    { "loadavg", 5, S_IFREG | 0444, 0, print_loadavg, NULL },
    { "meminfo", 6, S_IFREG | 0444, 0, print_meminfo, NULL },
    { "mounts", 7, S_IFLNK | 0777, 0, NULL, "self/mounts" },
    { "self", 8, S_IFLNK | 0777, MAGIC_SELF, NULL, NULL },
    { "stat", 9, S_IFREG | 0444, 0, print_system_stat, NULL },
    { "thread-self", 10, S_IFLNK | 0777, MAGIC_THREAD, NULL, NULL },
    { "uptime", 11, S_IFREG | 0444, 0, print_uptime, NULL },
    { "version", 12, S_IFREG | 0444, 0, print_version, NULL },
    { 0 },
};

static const struct entry axo_entries[] = {
    { "control", KIND_CONTROL, S_IFREG | 0200, 0, NULL, NULL },
    { "memory", KIND_MEMORY, S_IFREG | 0444, 0, print_memory, NULL },
    { "services", KIND_SERVICES, S_IFREG | 0444, 0, print_services, NULL },
    { 0 },
};

enum { KIND_TASK = 14, KIND_THREAD };
/* `task` is first, so that a thread's folder has what follows. */
static const struct entry process_entries[] = {
    { "task", KIND_TASK, S_IFDIR | 0555, 0, NULL, NULL },
    { "cmdline", 2, S_IFREG | 0444, 0, print_cmdline, NULL },
    { "comm", 3, S_IFREG | 0444, 0, print_comm, NULL },
    { "cwd", 4, S_IFLNK | 0777, MAGIC_CWD, NULL, NULL },
    { "environ", 5, S_IFREG | 0400, 0, print_environ, NULL },
    { "exe", 6, S_IFLNK | 0777, MAGIC_EXE, NULL, NULL },
    { "fd", 7, S_IFDIR | 0500, MAGIC_FDS, NULL, NULL },
    { "loginuid", 16, S_IFREG | 0644, 0, print_loginuid, NULL },
    { "maps", 8, S_IFREG | 0444, 0, print_maps, NULL },
    { "mounts", 9, S_IFREG | 0444, 0, print_mounts, NULL },
    { "root", 10, S_IFLNK | 0777, MAGIC_ROOT, NULL, NULL },
    { "stat", 11, S_IFREG | 0444, 0, print_stat, NULL },
    { "statm", 12, S_IFREG | 0444, 0, print_statm, NULL },
    { "status", 13, S_IFREG | 0444, 0, print_status, NULL },
    { 0 },
};
static const struct entry no_entries[] = { { 0 } };
static const struct entry directory_entry = { "", KIND_DIR, S_IFDIR | 0555, 0, NULL, NULL };
static const struct entry thread_entry = { "", KIND_THREAD, S_IFDIR | 0555, 0, NULL, NULL };

bool window_is_good(u32 window, u32 from, u64 bytes) { return window < WINDOWS && from <= FS_WINDOW && bytes <= FS_WINDOW - from; }
bool inode_is_control(u64 inode) { return inode == KIND_CONTROL; }

/* What an inode is: its entry, and the process that it is about. */
struct place { const struct entry *entry; const struct census_about *process; u32 pid; };

static const struct entry *entry_of(const struct entry *list, u32 kind)
{
    for (; list->name; list++) {
        if (list->kind == kind) {
            return list;
        }
    }
    return NULL;
}

static bool place_of(u64 inode, struct place *at)
{
    u32 kind = (u8)inode;
    if (inode >> 40) {
        return false;
    }
    *at = (struct place){ .pid = (u32)(inode >> 8), .process = process_of((u32)(inode >> 8)) };
    if (at->pid && !at->process) {
        return false;
    }
    if (kind == KIND_DIR) {
        at->entry = &directory_entry;
    } else if (kind == KIND_THREAD && at->pid) {
        at->entry = &thread_entry;
    } else if (at->pid) {
        at->entry = entry_of(process_entries, kind);
    } else {
        at->entry = entry_of(root_entries, kind);
        at->entry = at->entry ? at->entry : entry_of(axo_entries, kind);
    }
    return at->entry != NULL;
}

static const struct entry *entries_in(const struct place *at)
{
    switch (at->entry->kind) {
    case KIND_DIR:
        return at->pid ? process_entries : root_entries;
    case KIND_THREAD:
        return at->pid ? process_entries + 1 : no_entries;
    case KIND_AXO:
        return at->pid ? no_entries : axo_entries;
    }
    return no_entries;
}

static bool is_directory(const struct place *at) { return (at->entry->mode & S_IFMT) == S_IFDIR; }

/* The directory above a directory. */
static struct place parent_of(const struct place *at)
{
    bool is_thread = at->entry->kind == KIND_THREAD;
    return (struct place){ is_thread ? process_entries : &directory_entry, at->process, at->entry->kind == KIND_DIR ? 0 : at->pid };
}

static u64 inode_of(u32 pid, u32 kind) { return (u64)pid << 8 | kind; }

static void node_fill(u32 pid, const struct entry *e, struct fs_node *node)
{
    const struct census_about *p = process_of(pid);
    u64 now = l4_wall();
    *node = (struct fs_node){
        .inode = inode_of(pid, e->kind), .mode = e->mode, .links = (e->mode & S_IFMT) == S_IFDIR ? 2 : 1, .uid = p ? p->euid : 0, .gid = p ? p->egid : 0,
        .object = e->magic, .device = e->magic ? pid : 0, .atime = now, .mtime = now, .ctime = now,
    };
}

/* ---- names ---- */
/* A number without sign or needless zeros, 0: none. */
static u32 number_of(struct l4_bytes name)
{
    u32 n = 0;
    for (u32 i = 0; i < name.length; i++) {
        if (name.at[i] < '0' || name.at[i] > '9' || i > 8 || (i == 0 && name.at[i] == '0')) {
            return 0;
        }
        n = 10 * n + name.at[i] - '0';
    }
    return n;
}

l4_err_t do_lookup(u64 label, u64 directory, struct l4_bytes name, struct fs_node *found)
{
    struct place at;
    if (!place_of(directory, &at) || name.length == 0) {
        return FS_NOENT;
    }
    if (!is_directory(&at)) {
        return FS_NOTDIR;
    }
    if (l4_is_word((const char *)name.at, name.length, ".")) {
        node_fill(at.pid, at.entry, found);
        return L4_OK;
    }
    if (l4_is_word((const char *)name.at, name.length, "..")) {
        struct place up = parent_of(&at);
        node_fill(up.pid, up.entry, found);
        return L4_OK;
    }
    for (const struct entry *e = entries_in(&at); e->name; e++) {
        if (l4_is_word((const char *)name.at, name.length, e->name)) {
            node_fill(at.pid, e, found);
            return L4_OK;
        }
    }
    u32 pid = number_of(name);
    bool is_process = at.entry->kind == KIND_DIR && !at.pid && process_of(pid);
    if (!is_process && (at.entry->kind != KIND_TASK || !at.pid || pid != at.pid)) {
        return FS_NOENT;
    }
    node_fill(pid, is_process ? &directory_entry : &thread_entry, found);
    return L4_OK;
}

l4_err_t do_stat(u64 label, u64 inode, struct fs_node *now)
{
    struct place at;
    if (!place_of(inode, &at)) {
        return FS_NOENT;
    }
    node_fill(at.pid, at.entry, now);
    return L4_OK;
}

/* ---- listing ---- */
static bool entry_put(struct text *t, u64 inode, u64 next, u32 mode, const char *name)
{
    u32 length = (u32)strlen(name);
    u8 *at = dirent_put(t->to, t->room, &t->done, inode, next, mode, length);
    if (at) {
        memcpy(at, name, length);
    }
    return at != NULL;
}

static bool process_put(struct text *t, u32 pid, u32 kind, u64 next)
{
    char name[16];
    l4_format(name, sizeof name, "%u", pid);
    return entry_put(t, inode_of(pid, kind), next, S_IFDIR, name);
}

/* Cookies: 1 after ".", 2 after "..", 3 + i after entry i, KIND_PIDS + pid after a process. */
l4_err_t do_list(u64 label, u64 directory, u64 cookie, u32 bytes, u32 window, u32 from, u32 *done, u64 *next)
{
    struct place at;
    if (!place_of(directory, &at)) {
        return FS_NOENT;
    }
    if (!is_directory(&at) || !window_is_good(window, from, bytes)) {
        return is_directory(&at) ? FS_INVAL : FS_NOTDIR;
    }
    struct text t = { 0, window_at(window, from), bytes, 0 };
    const struct entry *list = entries_in(&at);
    u64 count = 0;
    bool fits = true;
    while (list[count].name) {
        count++;
    }
    if (cookie == 0) {
        fits = entry_put(&t, directory, 1, S_IFDIR, ".");
        cookie += fits;
    }
    if (cookie == 1 && fits) {
        struct place up = parent_of(&at);
        fits = entry_put(&t, inode_of(up.pid, up.entry->kind), 2, S_IFDIR, "..");
        cookie += fits;
    }
    while (fits && cookie >= 2 && cookie < 2 + count) {
        const struct entry *e = &list[cookie - 2];
        fits = entry_put(&t, inode_of(at.pid, e->kind), cookie + 1, e->mode, e->name);
        cookie += fits;
    }
    bool is_root = at.entry->kind == KIND_DIR && !at.pid;
    while (fits && is_root) {
        const struct census_about *p = process_from(cookie < KIND_PIDS ? 1 : (u32)(cookie - KIND_PIDS) + 1);
        if (!p) {
            break;
        }
        fits = process_put(&t, p->pid, KIND_DIR, KIND_PIDS + p->pid);
        cookie = fits ? KIND_PIDS + p->pid : cookie;
    }
    if (fits && at.entry->kind == KIND_TASK && at.pid && cookie < KIND_PIDS) {
        fits = process_put(&t, at.pid, KIND_THREAD, KIND_PIDS);
        cookie = fits ? KIND_PIDS : cookie;
    }
    *done = t.done;
    *next = cookie;
    return !fits && !t.done ? FS_INVAL : L4_OK;
}

/* ---- contents ---- */
l4_err_t do_readlink(u64 label, u64 inode, u32 window, u32 from, u32 *done)
{
    struct place at;
    if (!place_of(inode, &at)) {
        return FS_NOENT;
    }
    u32 length = at.entry->target ? (u32)strlen(at.entry->target) : 0;
    if (!length || !window_is_good(window, from, length)) {
        return FS_INVAL;
    }
    memcpy(window_at(window, from), at.entry->target, length);
    *done = length;
    return L4_OK;
}

l4_err_t do_read(u64 label, u64 inode, u64 offset, u32 bytes, u32 window, u32 from, u32 *done)
{
    struct place at;
    if (!place_of(inode, &at)) {
        return FS_NOENT;
    }
    if (!at.entry->print || !window_is_good(window, from, bytes)) {
        return is_directory(&at) ? FS_ISDIR : FS_INVAL;
    }
    struct text t = { offset, window_at(window, from), bytes, 0 };
    at.entry->print(&t, at.process);
    *done = t.done;
    return L4_OK;
}
