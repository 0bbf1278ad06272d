/* SPDX-License-Identifier: BSD-2-Clause */
/* rename.c: rename in two calls, since two names do not fit into one message. */
#include "tmpfs.h"

enum { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2 };

static const struct stage *stage_find(u32 key)
{
    const struct stage *s = stage_following(NULL);
    while (s && s->key != key) {
        s = stage_following(s);
    }
    return s;
}

l4_err_t do_stage(struct tmpfsd_tx tx, u64 label, u32 key, u64 directory, struct l4_bytes name)
{
    const struct stage *was = stage_find(key);
    if (key >= FS_STAGES || name.length == 0) {
        return FS_INVAL;
    }
    struct stage *s = was ? stage_edit(tx, was) : stage_new(tx);
    s->key = key;
    s->directory = directory;
    s->length = name.length;
    memset(s->text, 0, sizeof s->text);
    memcpy(s->text, name.at, name.length);
    l4_hook();
    return L4_OK;
}

/* `n` is `d` or lies above it. */
static bool is_above(const struct node *n, const struct node *d)
{
    while (d != n && d->parent != node_ref(d)) {
        d = node_at(d->parent);
    }
    return d == n;
}

static void parent_set(struct tmpfsd_tx tx, const struct node *n, const struct node *from, const struct node *to)
{
    if (is_directory(n) && from != to) {
        node_set_parent(tx, n, node_ref(to));
        node_links(tx, from, -1);
        node_links(tx, to, 1);
    }
}

/* Two names swap what they name. */
static l4_err_t exchange(struct tmpfsd_tx tx, const struct name *a, const struct name *b)
{
    const struct node *from = node_at(a->directory), *to = node_at(b->directory), *x = node_at(a->inode), *y = node_at(b->inode);
    name_set_inode(tx, a, node_ref(y));
    name_set_inode(tx, b, node_ref(x));
    parent_set(tx, x, from, to);
    parent_set(tx, y, to, from);
    node_set_ctime(tx, x, l4_wall());
    node_set_ctime(tx, y, l4_wall());
    node_touch(tx, from);
    node_touch(tx, to);
    return L4_OK;
}

static l4_err_t target_refuses(const struct node *n, const struct node *target)
{
    if (is_directory(n)) {
        return !is_directory(target) ? FS_NOTDIR : entries_of_first(target) ? FS_NOTEMPTY : L4_OK;
    }
    return is_directory(target) ? FS_ISDIR : L4_OK;
}

static l4_err_t rename_entry(struct tmpfsd_tx tx, const struct node *from, struct l4_bytes old, const struct node *to, struct l4_bytes name,
                             u32 flags)
{
    const struct name *e = name_find(node_ref(from), old);
    if (!e) {
        return FS_NOENT;
    }
    const struct name *there = name_find(node_ref(to), name);
    if (there && flags & RENAME_NOREPLACE) {
        return FS_EXIST;
    }
    if (!there && flags & RENAME_EXCHANGE) {
        return FS_NOENT;
    }
    const struct node *n = node_at(e->inode), *target = there ? node_at(there->inode) : NULL;
    if (is_directory(n) && is_above(n, to)) {
        return FS_INVAL;
    }
    if (target && is_directory(target) && is_above(target, from)) {
        return flags & RENAME_EXCHANGE ? FS_INVAL : FS_NOTEMPTY;
    }
    if (n == target) {
        return L4_OK;
    }
    if (flags & RENAME_EXCHANGE) {
        return exchange(tx, e, there);
    }
    l4_err_t err = target ? target_refuses(n, target) : L4_OK;
    if (err != L4_OK) {
        return err;
    }
    if (there) {
        entry_remove(tx, there);
    }
    name_remove(tx, e);
    parent_set(tx, n, from, to);
    node_set_ctime(tx, n, l4_wall());
    return name_add(tx, to, n, name);
}

l4_err_t do_rename(struct tmpfsd_tx tx, u64 label, u32 key, u64 directory, u32 flags, struct l4_bytes name)
{
    l4_err_t err;
    const struct stage *s = stage_find(key);
    if (!s || name.length == 0 || flags > RENAME_EXCHANGE) {
        return FS_INVAL;
    }
    const struct node *from = directory_at(s->directory, &err), *to = from ? directory_at(directory, &err) : NULL;
    struct l4_bytes old = l4_bytes(s->text, s->length);
    if (!to) {
        return err;
    }
    if (name_is_special(old) || name_is_special(name)) {
        return FS_BUSY;
    }
    return rename_entry(tx, from, old, to, name, flags);
}
