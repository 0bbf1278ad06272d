/* SPDX-License-Identifier: BSD-2-Clause */
/* data.c: the bytes of regular files. A file has an object of vm's once it has bytes of its own, or once somebody holds it; until then its
 * bytes lie in the root image, unseen. An object grows by pages, by explicit calls.
 *
 * INVARIANT zeros: bytes of the last page past the file's end may be anything (programs may map it), so they are cleared when the file
 * grows over them, and when the file is cut off. */
#include "tmpfs.h"

#include "place.h"

enum { WINDOWS = 128 * 4 };

static u8 *bytes_of(const struct node *n) { return (u8 *)place_address(node_ref(n), n->place); }
static u64 whole_pages(u64 bytes) { return pages_of(bytes) << L4_PAGE_SHIFT; }

/* A step at vm went wrong: what the caller is told. */
static l4_err_t error_of(l4_err_t err) { return err == VM_NOMEM || err == VM_AGAIN ? FS_NOSPC : FS_IO; }

bool window_is_good(u32 window, u32 from, u64 bytes) { return window < WINDOWS && from <= FS_WINDOW && bytes <= FS_WINDOW - from; }

/* ---- reading ---- */
l4_err_t do_read(u64 label, u64 inode, u64 offset, u32 bytes, u32 window, u32 from, u32 *done)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (!is_regular(n) || !window_is_good(window, from, bytes)) {
        return is_directory(n) ? FS_ISDIR : FS_INVAL;
    }
    if (offset >= n->size) {
        *done = 0;
        return L4_OK;
    }
    if (!n->object) {
        return FS_IO;       /* nobody holds it: vfs reads what is open */
    }
    *done = n->size - offset < bytes ? (u32)(n->size - offset) : bytes;
    memcpy(window_at(window, from), bytes_of(n) + offset, *done);
    return L4_OK;
}

/* ---- room ---- */
enum room { ROOM_IS, ROOM_ADOPT, ROOM_MAKE, ROOM_MOVE, ROOM_GROW };

/* What must be done first, so that the file may have `bytes`. */
static enum room room_for(const struct node *n, u64 bytes)
{
    if (!n->object) {
        return n->size ? ROOM_ADOPT : bytes ? ROOM_MAKE : ROOM_IS;
    }
    if (bytes > place_reserve(n->place)) {
        return ROOM_MOVE;
    }
    return pages_of(bytes) > pages_of(n->size) ? ROOM_GROW : ROOM_IS;
}

static void tail_clear(const struct node *n, u64 from)
{
    memset(bytes_of(n) + from, 0, whole_pages(from) - from);
}

static void object_is(struct tmpfsd_tx tx, const struct node *n, u32 object, u32 place)
{
    node_set_object(tx, n, object);
    node_set_place(tx, n, place);
}

static void object_is_adopted(struct tmpfsd_tx tx, const struct node *n, u32 object)
{
    object_is(tx, n, object, place_for(n->size));
    tail_clear(n, n->size);
}

#define ADOPT(n) node_ref(n), place_address(node_ref(n), place_for((n)->size)), place_reserve(place_for((n)->size)), \
    tmpfsd_state()->image + (n)->offset, (n)->size

/* The file has no longer the pages of the image, no more and no less. */
static void pages_differ(struct tmpfsd_tx tx, const struct node *n)
{
    if (n->offset) {
        node_set_offset(tx, n, 0);
    }
}

/* ---- objects that can be spared ---- */
enum { TRIES = 16 };

static bool is_idle(const struct node *n) { return is_regular(n) && n->object && n->offset && n->size && !n->holds && n->links; }

/* The next idle file behind the one found last; NULL: there is none. */
static const struct node *idle_find(void)
{
    static u32 hand L4_VOLATILE_ZERO;
    const struct node *n = node_at(hand);
    for (u32 looks = 0; looks <= tmpfsd_state()->node_table.live; looks++) {
        n = node_following(n);
        if (n && is_idle(n)) {
            hand = node_ref(n);
            return n;
        }
    }
    return NULL;
}

/* Whom to retire, so that vm can make one object more, after it said `err`; NULL: nobody. */
static const struct node *spare(u32 tries, l4_err_t err)
{
    return tries < TRIES && (err == VM_AGAIN || err == VM_NOMEM) ? idle_find() : NULL;
}

static void retired(struct tmpfsd_tx tx, const struct node *idle)
{
    node_set_object(tx, idle, 0);
    node_set_place(tx, idle, PLACE_NONE);
}

/* ---- writing ---- */
static void bytes_put(struct tmpfsd_tx tx, const struct node *n, u64 at, u32 bytes, u32 window, u32 from)
{
    if (at > n->size && n->size) {
        tail_clear(n, n->size);
    }
    memcpy(bytes_of(n) + at, window_at(window, from), bytes);
    if (at + bytes > n->size) {
        node_set_size(tx, n, at + bytes);
    }
    node_touch(tx, n);
}

/* The next step, or the end. */
static struct l4_next write_on(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err)
{
    const struct node *n = node_at(op->node);
    u64 end = op->at + op->bytes;
    u32 place = place_for(end);
    if (err != L4_OK) {
        return write_op_answer(tx, op, error_of(err), 0, 0, 0);
    }
    write_op_set_place(tx, op, place);
    switch (room_for(n, end)) {
    case ROOM_ADOPT:
        return write_op_send_adopt(tx, op, ADOPT(n));
    case ROOM_MAKE:
        return write_op_send_make(tx, op, node_ref(n), place_address(node_ref(n), place), place_reserve(place), whole_pages(end));
    case ROOM_MOVE:
        return write_op_send_move(tx, op, n->object, place_address(node_ref(n), place), place_reserve(place));
    case ROOM_GROW:
        return write_op_send_grow(tx, op, n->object, whole_pages(end));
    case ROOM_IS:
        break;
    }
    bytes_put(tx, n, op->at, op->bytes, op->window, op->from);
    return write_op_answer(tx, op, L4_OK, op->bytes, op->at, n->size);
}

/* vm has no room for the object: without another it may have. */
static struct l4_next write_spare(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err)
{
    const struct node *idle = spare(op->tries, err);
    if (!idle) {
        return write_on(tx, op, err);
    }
    write_op_set_idle(tx, op, node_ref(idle));
    write_op_set_tries(tx, op, op->tries + 1);
    return write_op_send_room(tx, op, idle->object);
}

struct l4_next write_room(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err)
{
    if (err != L4_OK) {
        return write_spare(tx, op, err);
    }
    retired(tx, node_at(op->idle));
    return write_on(tx, op, L4_OK);
}

struct l4_next write_adopt(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK) {
        return write_spare(tx, op, err);
    }
    object_is_adopted(tx, node_at(op->node), object);
    return write_on(tx, op, L4_OK);
}

static struct l4_next write_end(struct tmpfsd_tx tx, const struct write_op *op)
{
    const struct node *n = node_at(op->node);
    bytes_put(tx, n, op->at, op->bytes, op->window, op->from);
    return write_op_answer(tx, op, L4_OK, op->bytes, op->at, n->size);
}

struct l4_next write_make(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK) {
        return write_spare(tx, op, err);
    }
    object_is(tx, node_at(op->node), object, op->place);
    pages_differ(tx, node_at(op->node));
    return write_end(tx, op);
}

struct l4_next write_move(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err)
{
    if (err == L4_OK) {
        node_set_place(tx, node_at(op->node), op->place);
    }
    return write_on(tx, op, err);
}

struct l4_next write_grow(struct tmpfsd_tx tx, const struct write_op *op, l4_err_t err)
{
    if (err != L4_OK) {
        return write_on(tx, op, err);
    }
    pages_differ(tx, node_at(op->node));
    return write_end(tx, op);
}

l4_err_t do_write(struct tmpfsd_tx tx, u64 label, u64 inode, u64 offset, bool append, u32 bytes, u32 window, u32 from, u32 *done, u64 *at,
                  u64 *size)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (!is_regular(n) || !window_is_good(window, from, bytes)) {
        return is_directory(n) ? FS_ISDIR : FS_INVAL;
    }
    *at = append ? n->size : offset;
    if (bytes && *at >= FILE_MOST) {
        return FS_FBIG;
    }
    bytes = bytes && FILE_MOST - *at < bytes ? (u32)(FILE_MOST - *at) : bytes;
    if (bytes == 0 || room_for(n, *at + bytes) == ROOM_IS) {
        if (bytes) {
            bytes_put(tx, n, *at, bytes, window, from);
        }
        *done = bytes;
        *size = n->size;
        return L4_OK;
    }
    struct write_op *op = write_op_new(tx);
    if (!op) {
        return FS_IO;
    }
    op->node = node_ref(n);
    op->at = *at;
    op->bytes = bytes;
    op->window = window;
    op->from = from;
    return l4_later(write_on(tx, op, L4_OK));
}

/* ---- size ---- */
static void size_is(struct tmpfsd_tx tx, const struct node *n, u64 size)
{
    u64 was = n->size;
    if (n->object && size < was) {
        tail_clear(n, size);
    } else if (n->object && size > was) {
        tail_clear(n, was);
    }
    node_set_size(tx, n, size);
    node_touch(tx, n);
}

/* The next step towards a bigger size, or the end. */
static struct l4_next truncate_on(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    const struct node *n = node_at(op->node);
    u32 place = place_for(op->size);
    if (err != L4_OK) {
        return truncate_op_answer(tx, op, error_of(err));
    }
    truncate_op_set_place(tx, op, place);
    switch (room_for(n, op->size)) {
    case ROOM_ADOPT:
        return truncate_op_send_adopt(tx, op, ADOPT(n));
    case ROOM_MAKE:
        return truncate_op_send_make(tx, op, node_ref(n), place_address(node_ref(n), place), place_reserve(place), whole_pages(op->size));
    case ROOM_MOVE:
        return truncate_op_send_move(tx, op, n->object, place_address(node_ref(n), place), place_reserve(place));
    case ROOM_GROW:
        return truncate_op_send_resize(tx, op, n->object, whole_pages(op->size));
    case ROOM_IS:
        break;
    }
    size_is(tx, n, op->size);
    return truncate_op_answer(tx, op, L4_OK);
}

static struct l4_next truncate_spare(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    const struct node *idle = spare(op->tries, err);
    if (!idle) {
        return truncate_on(tx, op, err);
    }
    truncate_op_set_idle(tx, op, node_ref(idle));
    truncate_op_set_tries(tx, op, op->tries + 1);
    return truncate_op_send_room(tx, op, idle->object);
}

struct l4_next truncate_room(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    if (err != L4_OK) {
        return truncate_spare(tx, op, err);
    }
    retired(tx, node_at(op->idle));
    return truncate_on(tx, op, L4_OK);
}

struct l4_next truncate_adopt(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK) {
        return truncate_spare(tx, op, err);
    }
    object_is_adopted(tx, node_at(op->node), object);
    return truncate_on(tx, op, L4_OK);
}

struct l4_next truncate_make(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err, u32 object)
{
    if (err != L4_OK) {
        return truncate_spare(tx, op, err);
    }
    object_is(tx, node_at(op->node), object, op->place);
    pages_differ(tx, node_at(op->node));
    size_is(tx, node_at(op->node), op->size);
    return truncate_op_answer(tx, op, L4_OK);
}

struct l4_next truncate_move(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    if (err == L4_OK) {
        node_set_place(tx, node_at(op->node), op->place);
    }
    return truncate_on(tx, op, err);
}

/* Grown or shrunk. One that shrinks has its size already: what is cut off was nobody's when the pages went. */
struct l4_next truncate_resize(struct tmpfsd_tx tx, const struct truncate_op *op, l4_err_t err)
{
    if (err != L4_OK) {
        return truncate_on(tx, op, err);
    }
    pages_differ(tx, node_at(op->node));
    size_is(tx, node_at(op->node), op->size);
    return truncate_op_answer(tx, op, L4_OK);
}

static l4_err_t shrink(struct tmpfsd_tx tx, const struct node *n, u64 size)
{
    if (!n->object || pages_of(size) == pages_of(n->size)) {
        size_is(tx, n, size);
        return L4_OK;
    }
    struct truncate_op *op = truncate_op_new(tx);
    if (!op) {
        return FS_IO;
    }
    op->node = node_ref(n);
    op->size = size;
    tail_clear(n, size);            /* of the last page that stays: who maps it sees zeros */
    node_set_size(tx, n, size);
    return l4_later(truncate_op_send_resize(tx, op, n->object, whole_pages(size)));
}

l4_err_t do_truncate(struct tmpfsd_tx tx, u64 label, u64 inode, u64 size)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (!is_regular(n)) {
        return is_directory(n) ? FS_ISDIR : FS_INVAL;
    }
    if (size > FILE_MOST) {
        return FS_FBIG;
    }
    if (size <= n->size) {
        return shrink(tx, n, size);
    }
    struct truncate_op *op = truncate_op_new(tx);
    if (!op) {
        return FS_IO;
    }
    op->node = node_ref(n);
    op->size = size;
    if (room_for(n, size) == ROOM_IS) {     /* the last page has room */
        truncate_op_free(tx, op);
        size_is(tx, n, size);
        return L4_OK;
    }
    return l4_later(truncate_on(tx, op, L4_OK));
}

/* ---- holders ---- */
static void held(struct tmpfsd_tx tx, const struct node *n) { node_set_holds(tx, n, n->holds + 1); }

static struct l4_next hold_spare(struct tmpfsd_tx tx, const struct hold_op *op, l4_err_t err)
{
    const struct node *idle = spare(op->tries, err);
    struct fs_node none = { 0 };
    if (!idle) {
        return hold_op_answer(tx, op, error_of(err), &none);
    }
    hold_op_set_idle(tx, op, node_ref(idle));
    hold_op_set_tries(tx, op, op->tries + 1);
    return hold_op_send_room(tx, op, idle->object);
}

struct l4_next hold_room(struct tmpfsd_tx tx, const struct hold_op *op, l4_err_t err)
{
    const struct node *n = node_at(op->node);
    if (err != L4_OK) {
        return hold_spare(tx, op, err);
    }
    retired(tx, node_at(op->idle));
    return hold_op_send_adopt(tx, op, ADOPT(n));
}

struct l4_next hold_adopt(struct tmpfsd_tx tx, const struct hold_op *op, l4_err_t err, u32 object)
{
    const struct node *n = node_at(op->node);
    struct fs_node now = { 0 };
    if (err != L4_OK) {
        return hold_spare(tx, op, err);
    }
    object_is_adopted(tx, n, object);
    held(tx, n);
    node_stat(n, &now);
    return hold_op_answer(tx, op, L4_OK, &now);
}

l4_err_t do_hold(struct tmpfsd_tx tx, u64 label, u64 inode, struct fs_node *now)
{
    const struct node *n = node_at((u32)inode);
    if (!n) {
        return FS_NOENT;
    }
    if (!is_regular(n) || n->object || !n->size) {
        held(tx, n);
        node_stat(n, now);
        return L4_OK;
    }
    struct hold_op *op = hold_op_new(tx);
    if (!op) {
        return FS_IO;
    }
    op->node = node_ref(n);
    return l4_later(hold_op_send_adopt(tx, op, ADOPT(n)));
}
