/* SPDX-License-Identifier: BSD-2-Clause */
/* load.c: the first start: inodes and names from the root image's index, some a transaction, then the devices. No byte of a file is looked
 * at. It goes on where it was when it is cut short, and is done before the first request. */
#include <l4/log.h>

#include "image.h"
#include "place.h"
#include "tmpfs.h"

/* Names of vm's objects that no inode has. Log words that one entry may take, and those of a transaction that begins no other. */
enum { KEY_HEAD = TMPFSD_NODES + 1, KEY_REST, LOG_ENOUGH = L4_LOG_WORDS / 2 };

static const struct image_head *image_head(void) { return (const struct image_head *)PLACE_INDEX; }
static const struct image_entry *image_entry(u32 i) { return (const struct image_entry *)(PLACE_INDEX + L4_PAGE_SIZE) + i; }
static const u8 *image_text(u32 at) { return (const u8 *)PLACE_INDEX + image_head()->texts + at; }

/* ---- what every root has ---- */
static struct node *root_make(struct tmpfsd_tx tx, u32 mode, u32 uid, u32 gid)
{
    struct node *n = node_make(tx, mode, uid, gid);
    n->links = 2;
    n->parent = node_ref(n);
    l4_hook();
    return n;
}

static void link_make(struct tmpfsd_tx tx, const struct node *d, const char *name, const char *target)
{
    struct node *n = entry_make(tx, d, S_IFLNK | 0777, 0, 0, l4_text(name));
    if (n) {
        n->size = strlen(target);
        n->target = text_make(tx, (const u8 *)target, (u32)n->size);
        l4_hook();
    }
}

static void device_make(struct tmpfsd_tx tx, const struct node *d, const char *name, u32 mode, u32 device)
{
    struct node *n = entry_make(tx, d, S_IFCHR | mode, 0, 0, l4_text(name));
    if (n) {
        n->device = device;
        l4_hook();
    }
}

static void devices_make(struct tmpfsd_tx tx, const struct node *d)
{
    static const struct { const char *name; u32 mode, device; } devices[] = {
        { "null", 0666, 1 << 8 | 3 }, { "zero", 0666, 1 << 8 | 5 }, { "full", 0666, 1 << 8 | 7 }, { "random", 0666, 1 << 8 | 8 },
        { "urandom", 0666, 1 << 8 | 9 }, { "tty", 0666, 5 << 8 | 0 }, { "console", 0600, 5 << 8 | 1 },
    };
    static const char *const streams[] = { "in", "out", "err" };
    for (u32 i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        device_make(tx, d, devices[i].name, devices[i].mode, devices[i].device);
    }
    link_make(tx, d, "fd", "/proc/self/fd");
    link_make(tx, d, "stdin", "/proc/self/fd/0");
    link_make(tx, d, "stdout", "/proc/self/fd/1");
    link_make(tx, d, "stderr", "/proc/self/fd/2");
    const struct node *axo = entry_make(tx, d, S_IFDIR | 0755, 0, 0, l4_text("axo"));
    for (u32 i = 0; axo && i < 3; i++) {
        device_make(tx, axo, streams[i], 0600, 240 << 8 | i);
    }
}

/* The end of the beginning. */
static void root_complete(struct tmpfsd_tx tx)
{
    const struct node *root = node_at(FS_ROOT);
    if (!root) {
        root = root_make(tx, S_IFDIR | 0755, 0, 0);
        entry_make(tx, root, S_IFDIR | 0755, 0, 0, l4_text("dev"));
        entry_make(tx, root, S_IFDIR | 0555, 0, 0, l4_text("proc"));
        entry_make(tx, root, S_IFDIR | 01777, 0, 0, l4_text("tmp"));
    }
    const struct name *e = name_find(FS_ROOT, l4_text("dev"));
    const struct node *dev = e ? node_at(e->inode) : NULL;
    if (dev && is_directory(dev) && !entries_of_first(dev)) {
        devices_make(tx, dev);
    }
    tmpfsd_set_ready(tx, true);
}

/* ---- the image ---- */
static bool head_is_good(const struct image_head *h)
{
    u64 end = L4_PAGE_SIZE + (u64)h->entries * sizeof(struct image_entry);
    return h->magic == IMAGE_MAGIC && h->entries && h->entries <= TMPFSD_NAMES && h->texts >= end && h->texts <= h->index_bytes
        && h->text_bytes <= h->index_bytes - h->texts && h->index_bytes <= tmpfsd_state()->image_bytes - IMAGE_INDEX;
}

static bool text_is_good(u32 at, u32 bytes) { return at <= image_head()->text_bytes && bytes <= image_head()->text_bytes - at; }

static bool entry_is_good(const struct image_entry *e)
{
    const struct node *parent = node_at(e->parent);
    u64 image = tmpfsd_state()->image_bytes;
    if (!text_is_good(e->name, e->name_bytes) || !text_is_good(e->target, e->target_bytes) || e->target_bytes > 4095) {
        return false;
    }
    if ((e->mode & S_IFMT) == S_IFREG && e->size && (e->offset % L4_PAGE_SIZE || e->offset > image || e->size > image - e->offset || e->size > FILE_MOST)) {
        return false;
    }
    return e->inode == FS_ROOT ? (e->mode & S_IFMT) == S_IFDIR : parent && is_directory(parent) && e->name_bytes && e->name_bytes < 256;
}

static struct node *entry_node(struct tmpfsd_tx tx, const struct image_entry *e)
{
    if (e->inode == FS_ROOT) {
        return root_make(tx, e->mode, e->uid, e->gid);
    }
    return entry_make(tx, node_at(e->parent), e->mode, e->uid, e->gid, l4_bytes(image_text(e->name), e->name_bytes));
}

/* The inode of an entry, as the image has it. */
static bool node_load(struct tmpfsd_tx tx, const struct image_entry *e)
{
    struct node *n = entry_node(tx, e);
    if (!n || node_ref(n) != e->inode) {
        return false;
    }
    n->mtime = e->mtime;
    n->device = e->device;
    if (is_regular(n)) {
        n->size = e->size;
        n->offset = e->offset;
    } else if (is_link(n)) {
        n->size = e->target_bytes;
        n->target = text_make(tx, image_text(e->target), e->target_bytes);
    }
    l4_hook();
    return !is_link(n) || n->target;
}

static bool entry_load(struct tmpfsd_tx tx, const struct image_entry *e)
{
    if (!entry_is_good(e)) {
        return false;
    }
    const struct node *n = node_at(e->inode), *parent = node_at(e->parent);
    u64 mtime = parent ? parent->mtime : 0;
    bool good = false;
    if (!n) {
        good = node_load(tx, e);
    } else if (!is_directory(n)) {
        good = name_add(tx, parent, n, l4_bytes(image_text(e->name), e->name_bytes)) == L4_OK;
        node_links(tx, n, 1);
    }
    if (parent) {
        node_set_mtime(tx, parent, mtime);
    }
    return good;
}

/* ---- steps ---- */
static struct l4_next give_back(struct tmpfsd_tx tx, const struct load_op *op)
{
    u32 object = op->rest ? op->rest : op->head;
    if (!object) {
        return load_op_done(tx, op);
    }
    if (op->rest) {
        load_op_set_rest(tx, op, 0);
    } else {
        load_op_set_head(tx, op, 0);
    }
    return load_op_send_drop(tx, op, object);
}

static struct l4_next cut_short(struct tmpfsd_tx tx, const struct load_op *op, const char *why)
{
    l4_log("the root image ends after entry %u of %u: %s", tmpfsd_state()->loaded, tmpfsd_state()->entries, why);
    root_complete(tx);
    return give_back(tx, op);
}

struct l4_next load_head(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK || !head_is_good(image_head())) {
        l4_log("the root image is none: error %d", err);
        root_complete(tx);
        return load_op_done(tx, op);
    }
    load_op_set_head(tx, op, object);
    tmpfsd_set_entries(tx, image_head()->entries);
    return load_op_send_rest(tx, op, KEY_REST, PLACE_INDEX + L4_PAGE_SIZE, PLACE_INDEX_RESERVE, tmpfsd_state()->image + IMAGE_INDEX + L4_PAGE_SIZE,
                             image_head()->index_bytes - L4_PAGE_SIZE);
}

struct l4_next load_rest(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK) {
        return cut_short(tx, op, "vm refuses the index");
    }
    load_op_set_rest(tx, op, object);
    return load_op_send_more(tx, op);
}

struct l4_next load_more(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err, const struct vm_totals *now)
{
    u32 i = tmpfsd_state()->loaded, end = tmpfsd_state()->entries;
    if (i == end) {
        root_complete(tx);
        return give_back(tx, op);
    }
    while (i < end && l4_undo_log()->top < LOG_ENOUGH) {
        if (!entry_load(tx, image_entry(i))) {
            return cut_short(tx, op, "an entry is wrong, or there is no room");
        }
        i++;
    }
    tmpfsd_set_loaded(tx, i);
    return load_op_send_more(tx, op);
}

struct l4_next load_drop(struct tmpfsd_tx tx, const struct load_op *op, l4_err_t err) { return give_back(tx, op); }

void do_start(struct tmpfsd_tx tx)
{
    u64 offset = 0, bytes = 0;
    if (tmpfsd_state()->ready || load_op_following(NULL)) {
        return;
    }
    if (vm_module((cap_t)l4_volatile.door[TMPFSD_USES_VM], l4_text("root"), &offset, &bytes) != L4_OK || bytes < 2 * L4_PAGE_SIZE) {
        root_complete(tx);
        return;
    }
    tmpfsd_set_image(tx, offset);
    tmpfsd_set_image_bytes(tx, bytes);
    struct load_op *op = load_op_new(tx);
    load_op_send_head(tx, op, KEY_HEAD, PLACE_INDEX, L4_PAGE_SIZE, offset + IMAGE_INDEX, L4_PAGE_SIZE);
}
