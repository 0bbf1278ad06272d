/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: what pm says about processes, and who may do what. A process is known from `admit` or `fork` to `exit`. */
#include "vfsd.h"

enum { UMASK = 022, PROCESSES = 112 };

/* Where a label's record was last found: a guess, checked at each use. */
static u8 guess[VFSD_CLIENTS] L4_VOLATILE_ZERO;

const struct process *process_of(u64 label)
{
    u32 index = (u16)label;
    const struct process *p = index < VFSD_CLIENTS ? process_at(guess[index]) : NULL;
    if (p && p->client == label) {
        return p;
    }
    for (p = process_following(NULL); p; p = process_following(p)) {
        if (p->client == label) {
            if (index < VFSD_CLIENTS) {
                guess[index] = (u8)process_ref(p);
            }
            return p;
        }
    }
    return NULL;
}

const struct process *process_of_pid(u32 pid)
{
    for (const struct process *p = process_following(NULL); p; p = process_following(p)) {
        if (p->who.pid == pid) {
            return p;
        }
    }
    return NULL;
}

bool in_group(const struct process *p, u32 gid)
{
    for (u32 i = 0; i < p->who.count && i < 16; i++) {
        if (p->who.groups[i] == gid) {
            return true;
        }
    }
    return p->who.fsgid == gid;
}

l4_err_t permit(const struct process *p, const struct fs_node *node, u32 mask)
{
    if (is_root(p)) {
        return mask & MAY_EXEC && !is_directory(node) && !(node->mode & 0111) ? VFS_ACCESS : L4_OK;
    }
    u32 bits = p->who.fsuid == node->uid ? node->mode >> 6 : in_group(p, node->gid) ? node->mode >> 3 : node->mode;
    return mask & ~bits ? VFS_ACCESS : L4_OK;
}

u32 mode_stripped(const struct process *p, const struct fs_node *node)
{
    u32 away = S_ISUID | (node->mode & 010 ? S_ISGID : 0);
    return is_root(p) || !is_regular(node) || !(node->mode & away) ? 0 : node->mode & ~away;
}

/* A reference to the root directory, as a place. */
static struct file *root_new(struct vfsd_tx tx)
{
    struct file *f = file_new(tx);
    if (f) {
        f->what = VFSD_PATH;
        f->flags = O_PATH;
        f->holders = 2;
        f->mount = 1;
        f->inode = mount_root(1);
        f->mode = S_IFDIR;
    }
    return f;
}

l4_err_t do_admit(struct vfsd_tx tx, u64 label, u64 client, const struct vfs_identity *who)
{
    if ((u16)client < 16 || (u16)client >= VFSD_CLIENTS) {
        return VFS_INVAL;
    }
    if (process_of(client)) {
        return VFS_EXIST;
    }
    struct process *p = process_new(tx);
    struct file *root = p ? root_new(tx) : NULL;
    if (!root) {
        return VFS_AGAIN;
    }
    p->client = client;
    p->who = *who;
    p->umask = UMASK;
    p->root = p->directory = file_ref(root);
    return L4_OK;
}

static void hold_if(struct vfsd_tx tx, u32 ref)
{
    if (file_at(ref)) {
        file_hold(tx, file_at(ref));
    }
}

static bool chunks_copy(struct vfsd_tx tx, const struct process *from, struct process *to)
{
    for (u32 i = 0; i < CHUNKS; i++) {
        const struct chunk *old = chunk_at(from->chunks[i]);
        if (!old) {
            continue;
        }
        struct chunk *c = chunk_new(tx);
        if (!c) {
            return false;
        }
        to->chunks[i] = chunk_ref(c);
        c->marks = old->marks;
        c->used = old->used;
        for (u32 left = old->used; left; left &= left - 1) {
            u32 k = (u32)__builtin_ctz(left);
            c->files[k] = old->files[k];
            file_hold(tx, file_at(c->files[k]));
        }
    }
    return true;
}

l4_err_t do_fork(struct vfsd_tx tx, u64 label, u64 parent, u64 child, const struct vfs_identity *who)
{
    const struct process *from = process_of(parent);
    if (!from || (u16)child < 16 || (u16)child >= VFSD_CLIENTS) {
        return from ? VFS_INVAL : VFS_SRCH;
    }
    if (process_of(child)) {
        return VFS_EXIST;
    }
    struct process *p = process_new(tx);
    if (!p) {
        return VFS_AGAIN;
    }
    p->client = child;
    p->who = *who;
    p->umask = from->umask;
    p->directory = from->directory;
    p->root = from->root;
    p->program = from->program;
    hold_if(tx, p->directory);
    hold_if(tx, p->root);
    hold_if(tx, p->program);
    return chunks_copy(tx, from, p) ? L4_OK : VFS_NOMEM;
}

l4_err_t do_exec(struct vfsd_tx tx, u64 label, u64 client, u32 fd, u32 *mode, u32 *uid, u32 *gid)
{
    struct fs_node node;
    const struct process *p = process_of(client);
    if (!p) {
        return VFS_SRCH;
    }
    const struct file *program = descriptor_file(p, fd);
    if (!program) {
        return VFS_BADF;
    }
    l4_err_t err = file_stat(program, &node);
    if (err) {
        return err;
    }
    *mode = node.mode;
    *uid = node.uid;
    *gid = node.gid;
    const struct file *old = file_at(p->program);
    file_hold(tx, program);
    process_set_program(tx, p, file_ref(program));
    if (old) {
        file_drop(tx, old);
    }
    descriptors_close(tx, p, fd, fd, false);
    descriptors_close(tx, p, 0, CHUNK * CHUNKS - 1, true);
    return L4_OK;
}

l4_err_t do_identify(struct vfsd_tx tx, u64 label, u64 client, const struct vfs_identity *who)
{
    const struct process *p = process_of(client);
    if (!p) {
        return VFS_SRCH;
    }
    process_edit(tx, p)->who = *who;
    return L4_OK;
}

static void process_end(struct vfsd_tx tx, const struct process *p)
{
    u32 refs[] = { p->program, p->directory, p->root };
    descriptors_close(tx, p, 0, CHUNK * CHUNKS - 1, false);
    for (u32 i = 0; i < 3; i++) {
        if (file_at(refs[i])) {
            file_drop(tx, file_at(refs[i]));
        }
    }
    process_free(tx, p);
}

/* The leader of a session takes its terminal along. */
l4_err_t do_exit(struct vfsd_tx tx, u64 label, u64 client, u32 *foreground)
{
    u32 line;
    const struct process *p = process_of(client);
    if (!p) {
        return L4_OK;
    }
    u32 session = p->who.session == p->who.pid ? p->who.session : 0;
    process_end(tx, p);
    if (!session || !tty_door() || tty_find(tty_door(), session, &line) != L4_OK) {
        return L4_OK;
    }
    struct exit_op *op = exit_op_new(tx);
    return op ? l4_later(exit_op_send_leave(tx, op, session)) : L4_OK;
}

struct l4_next exit_leave(struct vfsd_tx tx, const struct exit_op *op, l4_err_t err, u32 foreground)
{
    return exit_op_answer(tx, op, L4_OK, err ? 0 : foreground);
}

/* The client's label is gone for ever: what pm did not end itself. */
bool do_forget(struct vfsd_tx tx, u64 label)
{
    const struct process *p = process_of(label);
    if (p) {
        process_end(tx, p);
    }
    return false;
}
