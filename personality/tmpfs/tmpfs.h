/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs.h: what the files of tmpfs share. Read README.md first for the order.
 *
 * An inode's number is the ref of its node, so the root is 1. A node lives while a name or a holder has it.
 * Bytes of files lie in vm's objects, each mapped at an address that follows from inode and place: they are outside undo, and written only
 * where the same request, sent again, writes the same.
 *
 * INVARIANT place: node.object != 0 => the object has node_pages(size) pages at place_address(node, place).
 * INVARIANT image: a regular file with size > 0 and no object has its bytes in the root image, and nobody holds it. One with an object has
 *      the pages of the image from `offset` on as long as that is not 0, so that the object may be retired and made again.
 * INVARIANT linked: node.links counts its names, and for a directory that has a name itself and its subdirectories' "..". */
#pragma once
#include <tmpfsd_server.h>

#include <l4/clock.h>
#include <l4/string.h>

#include "../linux/mode.h"

/* As the state has them. */
enum {
    TMPFSD_NODES = sizeof ((struct tmpfsd_state *)0)->node / sizeof(struct node),
    TMPFSD_NAMES = sizeof ((struct tmpfsd_state *)0)->name / sizeof(struct name),
    TMPFSD_BUCKETS = sizeof ((struct tmpfsd_state *)0)->buckets / sizeof(u32),
    TMPFSD_TEXT = sizeof ((struct name *)0)->text, TMPFSD_PIECE = sizeof ((struct piece *)0)->text,
};
/* Linux's tmpfs counts so many bytes for an entry of a directory. */
enum { ENTRY_SIZE = 20, LINK_SHORT = 128 };

static inline bool is_directory(const struct node *n) { return (n->mode & S_IFMT) == S_IFDIR; }
static inline bool is_regular(const struct node *n) { return (n->mode & S_IFMT) == S_IFREG; }
static inline bool is_link(const struct node *n) { return (n->mode & S_IFMT) == S_IFLNK; }
static inline u64 pages_of(u64 bytes) { return (bytes + L4_PAGE_SIZE - 1) >> L4_PAGE_SHIFT; }

/* ---- node.c ---- */
extern struct node *node_make(struct tmpfsd_tx tx, u32 mode, u32 uid, u32 gid);
extern void node_stat(const struct node *n, struct fs_node *now);
/* Caller: it lost a name or a holder. It goes if that was the last. */
extern void node_settle(struct tmpfsd_tx tx, const struct node *n);
extern void node_touch(struct tmpfsd_tx tx, const struct node *n);     /* mtime and ctime are now */
extern void node_links(struct tmpfsd_tx tx, const struct node *n, int more);
extern struct l4_next bury_drop(struct tmpfsd_tx tx, const struct bury_op *op, l4_err_t err);
extern l4_err_t do_stat(u64 label, u64 inode, struct fs_node *now);
extern l4_err_t do_release(struct tmpfsd_tx tx, u64 label, u64 inode, u32 times);
extern l4_err_t do_change(struct tmpfsd_tx tx, u64 label, u64 inode, u32 which, u32 mode, u32 uid, u32 gid, u64 atime, u64 mtime,
                          bool clear_ids, struct fs_node *now);

/* ---- text.c: chains of pieces ---- */
/* A chain with this text; 0: no room. Nothing to undo: the caller fails. */
extern u32 text_make(struct tmpfsd_tx tx, const u8 *from, u32 length);
extern void text_free(struct tmpfsd_tx tx, u32 first);
extern void text_copy(u32 first, u8 *to, u32 length);
extern bool text_is(u32 first, const u8 *text, u32 length);

/* ---- name.c ---- */
extern const struct name *name_find(u32 directory, struct l4_bytes name);
/* Enter a name that is not there. `directory` gets bigger and newer; links are the caller's business. */
extern l4_err_t name_add(struct tmpfsd_tx tx, const struct node *directory, const struct node *inode, struct l4_bytes name);
extern void name_remove(struct tmpfsd_tx tx, const struct name *n);
extern void name_copy(const struct name *n, u8 *to);

/* ---- data.c ---- */
extern bool window_is_good(u32 window, u32 from, u64 bytes);
static inline u8 *window_at(u32 window, u32 from) { return (u8 *)FS_WINDOWS + (u64)window * FS_WINDOW + from; }
extern l4_err_t do_read(u64 label, u64 inode, u64 offset, u32 bytes, u32 window, u32 from, u32 *done);
extern l4_err_t do_write(struct tmpfsd_tx tx, u64 label, u64 inode, u64 offset, bool append, u32 bytes, u32 window, u32 from, u32 *done,
                         u64 *at, u64 *size);
extern l4_err_t do_truncate(struct tmpfsd_tx tx, u64 label, u64 inode, u64 size);
extern l4_err_t do_hold(struct tmpfsd_tx tx, u64 label, u64 inode, struct fs_node *now);
extern struct l4_next hold_adopt(struct tmpfsd_tx tx, const struct hold_op *op, l4_err_t err, u32 object);
extern struct l4_next hold_room(struct tmpfsd_tx tx, const struct hold_op *op, l4_err_t err);
extern struct l4_next write_room(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err);
extern struct l4_next truncate_room(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err);
extern struct l4_next write_adopt(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err, u32 object);
extern struct l4_next write_make(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err, u32 object);
extern struct l4_next write_move(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err);
extern struct l4_next write_grow(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err);
extern struct l4_next truncate_adopt(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err, u32 object);
extern struct l4_next truncate_make(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err, u32 object);
extern struct l4_next truncate_move(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err);
extern struct l4_next truncate_resize(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err);

/* ---- directory.c ---- */
/* The directory, if it is one and may still get names. */
extern const struct node *directory_at(u64 inode, l4_err_t *err);
extern l4_err_t do_lookup(u64 label, u64 directory, struct l4_bytes name, struct fs_node *found);
extern l4_err_t do_readlink(u64 label, u64 inode, u32 window, u32 from, u32 *done);
extern l4_err_t do_create(struct tmpfsd_tx tx, u64 label, u64 directory, u32 mode, u32 uid, u32 gid, u32 device, u32 window, u32 from,
                          u32 target_bytes, struct l4_bytes name, struct fs_node *made);
extern l4_err_t do_link(struct tmpfsd_tx tx, u64 label, u64 directory, u64 inode, struct l4_bytes name);
extern l4_err_t do_unlink(struct tmpfsd_tx tx, u64 label, u64 directory, bool directory_too, struct l4_bytes name);
/* Make an entry and its node, with the links that both have. The node, NULL: no room. */
extern struct node *entry_make(struct tmpfsd_tx tx, const struct node *directory, u32 mode, u32 uid, u32 gid, struct l4_bytes name);
/* Take a name away, and what it named if that was its last. */
extern void entry_remove(struct tmpfsd_tx tx, const struct name *e);
static inline bool name_is_special(struct l4_bytes name)
{
    return name.at[0] == '.' && (name.length == 1 || (name.length == 2 && name.at[1] == '.'));
}

/* ---- list.c ---- */
extern l4_err_t do_list(u64 label, u64 directory, u64 cookie, u32 bytes, u32 window, u32 from, u32 *done, u64 *next);

/* ---- rename.c ---- */
extern l4_err_t do_stage(struct tmpfsd_tx tx, u64 label, u32 key, u64 directory, struct l4_bytes name);
extern l4_err_t do_rename(struct tmpfsd_tx tx, u64 label, u32 key, u64 directory, u32 flags, struct l4_bytes name);

/* ---- load.c ---- */
extern void do_start(struct tmpfsd_tx tx);
extern struct l4_next load_head(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, u32 object);
extern struct l4_next load_rest(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, u32 object);
extern struct l4_next load_more(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, const struct vm_totals *now);
extern struct l4_next load_drop(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err);
