/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.c: from a path to a place. Order of errors as on Linux: each directory on the way must be one (ENOTDIR) and
 * may be searched (EACCES) before a name in it is looked at; the 41st symbolic link is ELOOP.
 *
 * What is still to be walked lies at the end of `text`; the target of a symbolic link is put before it. One walk's
 * text is gone when the next begins; what a walk has found stays in its struct. */
#include "vfsd.h"

enum { LINKS = 40, TEXT = 16384 };

static u8 text[TEXT] L4_VOLATILE_ZERO;
static u32 text_at L4_VOLATILE_ZERO;

static bool text_ends(void) { return text_at == TEXT; }

static l4_err_t text_put(const u8 *from, u32 bytes)
{
    if (bytes > text_at) {
        return VFS_NAMETOOLONG;
    }
    text_at -= bytes;
    memcpy(&text[text_at], from, bytes);
    return L4_OK;
}

/* ---- places ---- */
static l4_err_t place_of(struct place *at, const struct file *f)
{
    at->mount = f->what == VFSD_PIPE && !f->open ? NODE_PIPES : f->mount;
    at->file = NULL;
    if (at->mount == NODE_PIPES) {
        at->file = f;
    }
    return file_stat(f, &at->node);
}

static bool is_place(const struct place *at, const struct file *f)
{
    return f && at->mount == f->mount && at->node.inode == f->inode;
}

/* Through what is mounted here. */
static l4_err_t place_cover(struct place *at)
{
    for (u32 m; is_directory(&at->node) && (m = mount_on(at->mount, at->node.inode)) != 0; ) {
        l4_err_t err = fs_stat(mount_door(m), mount_root(m), &at->node);
        if (err) {
            return err;
        }
        at->mount = m;
    }
    return L4_OK;
}

static l4_err_t place_lookup(const struct place *in, struct l4_bytes name, struct place *found)
{
    struct fs_node node;
    if (name.length > FS_NAME) {
        return VFS_NAMETOOLONG;
    }
    l4_err_t err = magic_of(in->mount, &in->node) == MAGIC_FDS
                       ? magic_lookup(&in->node, name, &node)
                       : fs_lookup(mount_door(in->mount), in->node.inode, name, &node);
    if (err) {
        return err;
    }
    *found = (struct place){ in->mount, NULL, node };
    return place_cover(found);
}

static l4_err_t place_up(const struct process *who, struct place *at)
{
    if (is_place(at, file_at(who->root))) {
        return L4_OK;
    }
    while (at->node.inode == mount_root(at->mount) && mount_at(at->mount)->on) {
        const struct mount *m = mount_at(at->mount);
        at->node.inode = m->covered;
        at->mount = m->on;
    }
    struct fs_node up;
    l4_err_t err = fs_lookup(mount_door(at->mount), at->node.inode, l4_text(".."), &up);
    at->node = up;
    return err;
}

/* ---- the walk ---- */
l4_err_t walk_begin(struct walk *w, const struct process *who, u32 directory, struct l4_bytes path)
{
    u32 start = who->directory;
    w->who = who;
    w->window = window_of(path.at);
    w->links = 0;
    w->parent = 0;
    text_at = TEXT;
    if (path.length == 0) {
        return VFS_NOENT;
    }
    text_put(path.at, path.length);
    if (memchr(&text[text_at], 0, path.length)) {
        return VFS_INVAL;
    }
    if (text[text_at] == '/') {
        start = who->root;
    } else if (directory != VFS_HERE) {
        const struct file *f = descriptor_file(who, directory);
        if (!f) {
            return VFS_BADF;
        }
        start = file_ref(f);
    }
    l4_err_t err = place_of(&w->here, file_at(start));
    return err ? err : is_directory(&w->here.node) ? L4_OK : VFS_NOTDIR;
}

static void skip_slashes(void)
{
    while (!text_ends() && text[text_at] == '/') {
        text_at++;
    }
}

/* Take the next name. One that is too long is an error where it is looked up, not before. */
static void name_take(struct walk *w)
{
    u32 end = text_at;
    while (end < TEXT && text[end] != '/') {
        end++;
    }
    w->length = end - text_at;
    memcpy(w->name, &text[text_at], w->length < FS_NAME ? w->length : FS_NAME);
    text_at = end;
    w->slash = !text_ends();
    skip_slashes();
    w->last = w->length == 1 && w->name[0] == '.' ? LAST_DOT
            : w->length == 2 && w->name[0] == '.' && w->name[1] == '.' ? LAST_UP : LAST_NAME;
}

static l4_err_t link_text(struct walk *w, const struct fs_node *link, u32 mount)
{
    u32 length = 0;
    u8 *scratch = window_at(w->window, SCRATCH);
    l4_err_t err = magic_of(mount, link) ? magic_text(w->who, link, w->window, scratch, &length)
                                         : fs_readlink(mount_door(mount), link->inode, w->window, SCRATCH, &length);
    if (err) {
        return err;
    }
    if (length == 0 || length > VFS_PATH) {
        return VFS_NOENT;
    }
    if (!text_ends() || w->slash) {
        err = text_put((const u8 *)"/", 1);
    }
    return err ? err : text_put(scratch, length);
}

/* Follow a link that lies in w->here: the place moves for an absolute one and for one to an open file. */
static l4_err_t link_follow(struct walk *w, const struct place *link)
{
    if (w->links++ >= LINKS) {
        return VFS_LOOP;
    }
    u32 magic = magic_of(link->mount, &link->node);
    if (magic && magic != MAGIC_SELF && magic != MAGIC_THREAD) {
        const struct file *f;
        l4_err_t err = magic_file(w->who, &link->node, &f);
        if (err) {
            return err;
        }
        w->parent = f->parent;      /* its path is the one by which it was opened, not the link's */
        w->length = f->name_length;
        memcpy(w->name, names_const(f), f->name_length);
        return place_of(&w->here, f);
    }
    l4_err_t err = link_text(w, &link->node, link->mount);
    if (err == L4_OK && text[text_at] == '/') {
        err = place_of(&w->here, file_at(w->who->root));
    }
    return err;
}

/* Go to the name taken. `again`: it was a link whose text is to be walked first. */
static l4_err_t name_go(struct walk *w, bool follow, bool *again)
{
    struct place next;
    *again = false;
    w->parent = 0;
    if (w->last == LAST_DOT || w->last == LAST_ROOT) {
        return L4_OK;
    }
    if (w->last == LAST_UP) {
        return place_up(w->who, &w->here);
    }
    l4_err_t err = place_lookup(&w->here, walk_name(w), &next);
    if (err) {
        return err;
    }
    if (is_link(&next.node) && follow) {
        u32 magic = magic_of(next.mount, &next.node);
        *again = !magic || magic == MAGIC_SELF || magic == MAGIC_THREAD;
        return link_follow(w, &next);
    }
    w->parent = next.mount == w->here.mount ? w->here.node.inode : 0;
    w->here = next;
    return L4_OK;
}

/* Everybody may search the directory of their own descriptors, whatever they have become. */
static l4_err_t search_permit(const struct process *who, const struct place *at)
{
    bool own = magic_of(at->mount, &at->node) == MAGIC_FDS && at->node.device == who->who.pid;
    return own ? L4_OK : permit(who, &at->node, MAY_EXEC);
}

l4_err_t walk_parent(struct walk *w)
{
    for (;;) {
        bool again;
        l4_err_t err;
        bool slashes = !text_ends() && text[text_at] == '/';
        skip_slashes();
        if (text_ends()) {
            w->last = LAST_ROOT;
            w->slash = slashes;
            w->length = 0;
            return L4_OK;
        }
        if (!is_directory(&w->here.node)) {
            return VFS_NOTDIR;
        }
        err = search_permit(w->who, &w->here);
        if (err) {
            return err;
        }
        name_take(w);
        if (text_ends()) {
            return L4_OK;
        }
        err = name_go(w, true, &again);
        if (err) {
            return err;
        }
        if (!is_directory(&w->here.node)) {
            return VFS_NOTDIR;
        }
    }
}

l4_err_t walk_last(struct walk *w, bool follow)
{
    for (;;) {
        bool again, slash = w->slash;
        l4_err_t err = name_go(w, follow || slash, &again);
        if (err) {
            return err;
        }
        if (!again) {
            return slash && !is_directory(&w->here.node) ? VFS_NOTDIR : L4_OK;
        }
        err = walk_parent(w);
        if (err) {
            return err;
        }
        w->slash |= slash;
    }
}

l4_err_t walk_step(struct walk *w, bool follow, bool *missing)
{
    bool again;
    l4_err_t err = name_go(w, follow, &again);
    *missing = err == FS_NOENT && w->here.mount != NODE_PIPES;
    if (err || !again) {
        return *missing ? L4_OK : err;
    }
    err = walk_parent(w);
    return err ? err : L4_PENDING;
}

l4_err_t walk_peek(const struct walk *w, struct place *found)
{
    return place_lookup(&w->here, walk_name(w), found);
}

l4_err_t walk(struct walk *w, const struct process *who, u32 directory, struct l4_bytes path, bool follow)
{
    l4_err_t err = walk_begin(w, who, directory, path);
    if (!err) {
        err = walk_parent(w);
    }
    return err ? err : walk_last(w, follow);
}

l4_err_t walk_new(struct walk *w, const struct process *who, u32 directory, struct l4_bytes path, bool directory_too)
{
    struct place there;
    l4_err_t err = walk_begin(w, who, directory, path);
    if (!err) {
        err = walk_parent(w);
    }
    if (err) {
        return err;
    }
    if (w->last != LAST_NAME) {
        return VFS_EXIST;
    }
    err = walk_peek(w, &there);
    if (err == L4_OK) {
        return VFS_EXIST;
    }
    if (err != FS_NOENT) {
        return err;
    }
    if (w->slash && !directory_too) {
        return VFS_NOENT;
    }
    return magic_of(w->here.mount, &w->here.node) ? VFS_NOENT : L4_OK;
}
