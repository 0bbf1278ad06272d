/* SPDX-License-Identifier: BSD-2-Clause */
/* service.c: /proc/axo: services as rs sees them, and orders to rs. */
#include "procfs.h"

enum { WORDS = 3, ORDER_MOST = 96, SECOND = 1000000000 };

void print_services(struct text *t, const struct census_about *none)
{
    static const char *const lives[] = { "down", "up", "dead" };
    struct rs_entry e;
    text_put(t, "%-16s %-5s %11s %7s %7s %8s %10s %8s\n", "service", "state", "incarnation", "defects", "ordered", "in a row", "completed", "since s");
    for (u32 i = 1; !text_is_full(t) && rs_list(rs_door(), i, &e) == L4_OK; i++) {
        text_put(t, "%-16.*s %-5s %11u %7u %7u %8u %10lu %8lu\n", (i32)strnlen(e.name, sizeof e.name), e.name, e.state <= RS_DEAD ? lives[e.state] : "?",
                 e.incarnation, e.defects, e.ordered, e.in_a_row, e.completed, e.since_ns / SECOND);
    }
}

/* What is in use: kernel memory to the byte, frames of processes and files to the page. */
void print_memory(struct text *t, const struct census_about *none)
{
    struct vm_totals m = { 0 };
    u64 limit, used, objects;
    struct rs_entry e;
    if (vm_total(vm_door(), &m) == L4_OK) {
        text_put(t, "frames %lu free %lu anonymous %lu objects %lu\n", m.total, m.free, m.anonymous, m.objects);
    }
    if (rs_memory(rs_door(), 0, &limit, &used, &objects) == L4_OK) {
        text_put(t, "kernel %lu of %lu bytes, %lu objects\n", used, limit, objects);
    }
    if (rs_memory(rs_door(), RS_PROCESSES, &limit, &used, &objects) == L4_OK) {
        text_put(t, "processes %lu of %lu\n", used, limit);
    }
    for (u32 i = 1; !text_is_full(t) && rs_list(rs_door(), i, &e) == L4_OK; i++) {
        if (rs_memory(rs_door(), i, &limit, &used, &objects) == L4_OK) {
            text_put(t, "%.*s %lu of %lu\n", (i32)strnlen(e.name, sizeof e.name), e.name, used, limit);
        }
    }
}

/* Words of one line, none of them longer than a name. Their number; 0: it is not understood. */
static u32 words_of(const char *line, u32 bytes, struct l4_bytes word[WORDS])
{
    u32 count = 0, at = 0;
    while (at < bytes && line[at] != '\n') {
        u32 start = at;
        while (at < bytes && line[at] > ' ') {
            at++;
        }
        if (at > start) {
            if (count == WORDS || at - start > 16) {
                return 0;
            }
            word[count++] = l4_bytes(line + start, at - start);
        } else if (line[at] != ' ' && line[at] != '\t') {
            return 0;
        } else {
            at++;
        }
    }
    return at + 1 >= bytes ? count : 0;
}

static bool word_is(struct l4_bytes word, const char *text) { return l4_is_word((const char *)word.at, word.length, text); }

static bool way_of(struct l4_bytes word, enum rs_way *way)
{
    static const char *const ways[] = { [RS_QUIT] = "exit", [RS_NULL] = "null", [RS_LOOP] = "loop", [RS_PORT] = "port" };
    for (u32 i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (word_is(word, ways[i])) {
            *way = (enum rs_way)i;
            return true;
        }
    }
    return false;
}

/* The order's step; {0}: there is no such order. */
static struct l4_next order_send(struct procfsd_tx tx, const struct order_op *op, u32 count, const struct l4_bytes *word)
{
    enum rs_way way;
    if (count == 2 && word_is(word[0], "up")) {
        return order_op_send_up(tx, op, word[1]);
    }
    if (count == 2 && word_is(word[0], "down")) {
        return order_op_send_down(tx, op, word[1]);
    }
    if (count == 2 && word_is(word[0], "refresh")) {
        return order_op_send_refresh(tx, op, word[1]);
    }
    if (count == 2 && word_is(word[0], "restart")) {
        return order_op_send_restart(tx, op, word[1]);
    }
    if (count == 3 && word_is(word[0], "update")) {
        return order_op_send_update(tx, op, word[1], word[2]);
    }
    if (count == 3 && word_is(word[0], "kill") && way_of(word[2], &way)) {
        return order_op_send_kill(tx, op, word[1], way);
    }
    return (struct l4_next){ 0 };
}

l4_err_t do_control(struct procfsd_tx tx, u64 label, u64 inode, u32 uid, u32 bytes, u32 window, u32 from, u32 *done)
{
    char line[ORDER_MOST];
    struct l4_bytes word[WORDS];
    if (!inode_is_control(inode)) {
        return FS_IO;
    }
    if (bytes > sizeof line || !window_is_good(window, from, bytes)) {
        return FS_INVAL;
    }
    if (uid != 0) {
        return FS_PERM;
    }
    memcpy(line, window_at(window, from), bytes);       /* the window is shared: copied, then checked */
    u32 count = words_of(line, bytes, word);
    struct order_op *op = order_op_new(tx);
    if (!op || !count) {
        return op ? FS_INVAL : FS_BUSY;
    }
    op->bytes = bytes;
    struct l4_next next = order_send(tx, op, count, word);
    return next.step ? l4_later(next) : FS_INVAL;
}

struct l4_next order_answered(struct procfsd_tx tx, const struct order_op *op, l4_err_t err)
{
    l4_err_t told = err == RS_NO_SERVICE ? FS_NOENT : err == RS_REFUSED || err == RS_BUSY ? FS_BUSY : err ? FS_IO : L4_OK;
    return order_op_answer(tx, op, told, op->bytes);
}
