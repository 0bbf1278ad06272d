/* SPDX-License-Identifier: BSD-2-Clause */
/* rs.c: policy of services. What is so is keeper's knowledge and asked from it; rs remembers what it wants.
 *
 * A defect: keeper went on by itself, or left the service dead. A dead one is started after a pause: none for the first two,
 * 1, 2, 4 … seconds from the third of its own without a completed request. Every order to keeper is an op, so a new rs ends
 * what an old one began.
 *
 * INVARIANT watch: record n watches keeper's service n; records are made in order, none is freed. */
#include "rsd_server.h"

#include <irq.h>
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/string.h>

#include "heartbeat.h"

enum { PAUSE_FROM = 3, PAUSE_MOST_S = 64 };

static struct heartbeat hearts[HEARTBEAT_SERVICES] L4_VOLATILE_ZERO;
static struct heartbeat_clock looks L4_VOLATILE_ZERO;
/* Who is to be asked for its heartbeat at the end of a look: keeper sees who keeps the CPU from whom, and one that was just asked would be in
 * the way without guilt. */
static bool due[HEARTBEAT_SERVICES] L4_VOLATILE_ZERO;

static l4_err_t look(u32 n, struct keeper_status *status) { return keeper_look(l4_slot("keeper"), n, status); }

/* Tell everybody who subscribed. */
static void announce(void)
{
    for (u32 i = 0; i < RSD_CLIENTS; i++) {
        const struct l4_client *client = &rsd_state()->client[i];
        if (client->label) {
            l4_raise(client->label, 1ul << RS_EVENT_CHANGED);
        }
    }
}

/* ---- what keeper tells ---- */
/* Seconds to wait before a service is started that has failed so often in a row. */
static u32 pause_ms(u32 in_a_row)
{
    u32 doubled = in_a_row < PAUSE_FROM ? 0 : in_a_row - PAUSE_FROM;
    u32 seconds = doubled < 6 ? 1u << doubled : PAUSE_MOST_S;
    return in_a_row < PAUSE_FROM ? 0 : 1000 * seconds;
}

/* ds: service/NAME is the incarnation. False: no op is free, try later. */
static bool publish(struct rsd_tx tx, u32 n, const struct keeper_status *status)
{
    char key[DS_KEY + 1];
    struct publish_op *op = publish_op_new(tx);
    if (!op) {
        return false;
    }
    op->service = n;
    u32 length = (u32)l4_format(key, sizeof key, "service/%s", (const char *)status->name);
    publish_op_send_go(tx, op, (struct l4_bytes){ (const u8 *)key, length }, status->incarnation);
    return true;
}

static bool launch(struct rsd_tx tx, u32 n)
{
    struct launch_op *op = launch_op_new(tx);
    if (op) {
        op->service = n;
        launch_op_send_go(tx, op, n);
    }
    return op != NULL;
}

static bool is_mended(u32 n)
{
    for (u32 i = 1; i <= rsd_state()->mend_op_table.high; i++) {
        const struct mend_op *op = mend_op_at(i);
        if (op && op->service == n) {
            return true;
        }
    }
    return false;
}

static void mend(struct rsd_tx tx, u32 n, enum keeper_defect reason)
{
    struct mend_op *op = is_mended(n) ? NULL : mend_op_new(tx);
    if (op) {
        op->service = n;
        mend_op_send_go(tx, op, n, reason);
    }
}

/* Its state is news: remember, publish, plan. */
static void watch_update(struct rsd_tx tx, const struct watch *w, const struct keeper_status *status)
{
    bool news = w->incarnation != status->incarnation || w->defects != status->defects;
    if (news && publish(tx, w->number, status)) {
        struct watch *to = watch_edit(tx, w);
        to->incarnation = status->incarnation;
        to->defects = status->defects;
        announce();
    }
    if (status->state == KEEPER_UP && w->due_ns) {
        watch_set_due_ns(tx, w, 0);
    }
    if (status->state == KEEPER_DEAD && !w->due_ns && !w->held) {
        struct watch *to = watch_edit(tx, w);
        to->wait_ms = pause_ms(status->in_a_row);
        to->due_ns = l4_now() + to->wait_ms * 1000000ul + 1;
        if (to->wait_ms) {
            l4_log("%s: waits %u ms", (const char *)status->name, to->wait_ms);
        }
    }
}

/* It was asked and is silent: whose fault that is has a defect when it has been at fault for long enough. */
static void watch_silent(struct rsd_tx tx, u32 n)
{
    struct keeper_status status;
    u32 who;
    u64 steps;
    if (keeper_suspect(l4_slot("keeper"), n, &who, &steps) != L4_OK || !who || who >= HEARTBEAT_SERVICES || look(who, &status) != L4_OK) {
        return;
    }
    if (heartbeat_fault(&hearts[who], &looks, status.heartbeat_ms, steps)) {
        mend(tx, who, KEEPER_HEARTBEAT);
    }
}

static void watch_heart(struct rsd_tx tx, const struct watch *w, const struct keeper_status *status)
{
    struct heartbeat *heart = &hearts[w->number];
    bool is_same = heart->incarnation == status->incarnation;
    if (is_same && heart->asked) {
        watch_silent(tx, w->number);
    }
    due[w->number] = heartbeat_due(heart, &looks, status->incarnation, status->heartbeat_ms);
}

/* A look at one service; false behind the last. */
static bool watch_one(struct rsd_tx tx, u32 n)
{
    struct keeper_status status;
    if (look(n, &status) != L4_OK) {
        return false;
    }
    const struct watch *w = watch_at(n);
    if (!w) {
        struct watch *fresh = watch_new(tx);
        if (!fresh) {
            return false;
        }
        fresh->number = n;
        if (status.state == KEEPER_DOWN && status.wanted) {
            launch(tx, n);
        }
        w = fresh;
    }
    watch_update(tx, w, &status);
    if (status.state == KEEPER_UP) {
        watch_heart(tx, w, &status);
    } else if (status.state == KEEPER_DEAD && w->due_ns && l4_now() >= w->due_ns) {
        mend(tx, n, status.last);
    }
    return true;
}

static void hearts_ask(void)
{
    for (u32 n = 1; n < HEARTBEAT_SERVICES; n++) {
        if (due[n]) {
            due[n] = false;
            irq_ring(l4_slot("watch") + n);
        }
    }
}

static void watch_all(struct rsd_tx tx)
{
    u32 n = 1;
    heartbeat_look(&looks, l4_now());
    while (n < HEARTBEAT_SERVICES && watch_one(tx, n)) {
        n++;
    }
    hearts_ask();
    l4_volatile.deadline = l4_now() + HEARTBEAT_LOOK_MS * 1000000ul;
}

static void do_irq(struct rsd_tx tx, u64 label)
{
    if (label < HEARTBEAT_SERVICES) {
        heartbeat_answered(&hearts[label]);
    }
    if (!l4_volatile.deadline) {
        watch_all(tx);
    }
}

static void do_event(struct rsd_tx tx, u32 peer) { watch_all(tx); }

/* ---- orders ---- */
static l4_err_t find(struct l4_bytes name, u32 *n)
{
    l4_err_t err = keeper_find(l4_slot("keeper"), name, n);
    return err == L4_OK && watch_at(*n) ? L4_OK : RS_NO_SERVICE;
}

/* Keeper's answer to an order, as rs says it. */
static l4_err_t as_ours(l4_err_t err) { return err == KEEPER_NO_SERVICE ? RS_NO_SERVICE : err > 0 ? RS_REFUSED : err; }

static void hold(struct rsd_tx tx, u32 n, u32 held)
{
    if (watch_at(n)->held != held) {
        watch_set_held(tx, watch_at(n), held);
    }
}

static l4_err_t do_up(struct rsd_tx tx, u64 label, struct l4_bytes name)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct up_op *op = up_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    hold(tx, n, 0);
    return l4_later(up_op_send_go(tx, op, n));
}

static l4_err_t do_down(struct rsd_tx tx, u64 label, struct l4_bytes name)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct down_op *op = down_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    hold(tx, n, 1);
    return l4_later(down_op_send_go(tx, op, n));
}

static l4_err_t do_refresh(struct rsd_tx tx, u64 label, struct l4_bytes name)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct refresh_op *op = refresh_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    return l4_later(refresh_op_send_go(tx, op, n, KEEPER_UPDATE));
}

static l4_err_t do_restart(struct rsd_tx tx, u64 label, struct l4_bytes name)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct restart_op *op = restart_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    return l4_later(restart_op_send_go(tx, op, n, KEEPER_UPDATE));
}

static l4_err_t do_update(struct rsd_tx tx, u64 label, struct l4_bytes name, struct l4_bytes module)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct update_op *op = update_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    return l4_later(update_op_send_go(tx, op, n, module));
}

static l4_err_t do_kill(struct rsd_tx tx, u64 label, struct l4_bytes name, enum rs_way how)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct kill_op *op = kill_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    return l4_later(kill_op_send_go(tx, op, n, (enum keeper_way)how));
}

static l4_err_t do_complain(struct rsd_tx tx, u64 label, struct l4_bytes name)
{
    u32 n;
    if (find(name, &n) != L4_OK) {
        return RS_NO_SERVICE;
    }
    struct complain_op *op = complain_op_new(tx);
    if (!op) {
        return RS_BUSY;
    }
    op->service = n;
    return l4_later(complain_op_send_go(tx, op, n, KEEPER_COMPLAINT));
}

static struct l4_next up_go(struct rsd_tx tx, const struct up_op *op, l4_err_t err)
{
    return up_op_answer(tx, op, as_ours(err));
}

static struct l4_next down_go(struct rsd_tx tx, const struct down_op *op, l4_err_t err)
{
    return down_op_answer(tx, op, as_ours(err));
}

static struct l4_next refresh_go(struct rsd_tx tx, const struct refresh_op *op, l4_err_t err)
{
    return refresh_op_answer(tx, op, as_ours(err));
}

static struct l4_next restart_go(struct rsd_tx tx, const struct restart_op *op, l4_err_t err)
{
    return restart_op_answer(tx, op, as_ours(err));
}

static struct l4_next update_go(struct rsd_tx tx, const struct update_op *op, l4_err_t err)
{
    return update_op_answer(tx, op, as_ours(err));
}

static struct l4_next kill_go(struct rsd_tx tx, const struct kill_op *op, l4_err_t err)
{
    return kill_op_answer(tx, op, as_ours(err));
}

static struct l4_next complain_go(struct rsd_tx tx, const struct complain_op *op, l4_err_t err)
{
    return complain_op_answer(tx, op, as_ours(err));
}

static struct l4_next launch_go(struct rsd_tx tx, const struct launch_op *op, l4_err_t err)
{
    return launch_op_done(tx, op);
}

static struct l4_next publish_go(struct rsd_tx tx, const struct publish_op *op, l4_err_t err)
{
    return publish_op_done(tx, op);
}

/* A refusal leaves the service as it is: the next look finds out. */
static struct l4_next mend_go(struct rsd_tx tx, const struct mend_op *op, l4_err_t err)
{
    const struct watch *w = watch_at(op->service);
    if (w && w->due_ns) {
        watch_set_due_ns(tx, w, 0);
    }
    return mend_op_done(tx, op);
}

/* ---- looking ---- */
static void entry_fill(u32 n, const struct keeper_status *status, struct rs_entry *now)
{
    *now = (struct rs_entry){
        .state = (enum rs_life)status->state, .reason = status->last, .incarnation = status->incarnation, .defects = status->defects,
        .ordered = status->ordered, .in_a_row = status->in_a_row, .silent = hearts[n].silent, .wait_ms = watch_at(n)->wait_ms,
        .completed = status->completed, .since_ns = status->since_ns,
    };
    memcpy(now->name, status->name, sizeof now->name);
}

static l4_err_t do_list(u64 label, u32 n, struct rs_entry *now)
{
    struct keeper_status status;
    if (n >= HEARTBEAT_SERVICES || !watch_at(n) || look(n, &status) != L4_OK) {
        return RS_NO_SERVICE;
    }
    entry_fill(n, &status, now);
    return L4_OK;
}

static l4_err_t do_show(u64 label, struct l4_bytes name, u32 *n, struct rs_entry *now)
{
    return find(name, n) == L4_OK ? do_list(label, *n, now) : RS_NO_SERVICE;
}

static l4_err_t do_memory(u64 label, u32 n, u64 *limit, u64 *used, u64 *objects)
{
    return keeper_memory(l4_slot("keeper"), n, limit, used, objects) == L4_OK ? L4_OK : RS_NO_SERVICE;
}

static const struct rsd_ops ops = {
    .hooks.start = watch_all, .hooks.irq = do_irq, .hooks.event = do_event, .hooks.timeout = watch_all,
    .up = do_up, .down = do_down, .refresh = do_refresh, .restart = do_restart, .update = do_update, .kill = do_kill,
    .complain = do_complain, .list = do_list, .show = do_show, .memory = do_memory,
    .up_go = up_go, .down_go = down_go, .refresh_go = refresh_go, .restart_go = restart_go, .update_go = update_go,
    .kill_go = kill_go, .complain_go = complain_go, .launch_go = launch_go, .mend_go = mend_go, .publish_go = publish_go,
};

void l4_main(void) { rsd_serve(&ops); }
