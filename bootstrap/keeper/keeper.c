/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper.c: who is up, who defected and what is done about it: keeper's handlers. What is done to kernel objects is in service.c.
 *
 * A defect reaches keeper in two ways: as an exception of the service's thread, or as an order of rs (`restart`). An exception is a
 * call without a transaction, so it is only noted, and keeper's own irq brings it into one.
 * Rules: at once, unless rs asked to be asked or it is the third of its own without a completed request; from the second one
 * on in a fresh task. A defect that was ordered counts for nothing.
 *
 * INVARIANT number: service n of the manifest is record n. */
#include "keeperd_server.h"

#include <boot/manifest.h>
#include <debug.h>
#include <factory.h>
#include <irq.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/string.h>

#include "handlers.h"
#include "place_handlers.h"
#include "service.h"
#include "slots.h"
#include "suspect.h"

enum { SERVICES = 48, FRESH_FROM = 2, HOLD_FROM = 3, WATCH_MS = 500, SILENT = 2 };

/* Exceptions of services, noted for the irq hook. A service whose thread was halted raises no other one. */
static struct { bool noted; struct l4_exception exception; } halted[SERVICES] L4_VOLATILE_ZERO;
/* Periods since the watcher's heart was heard. */
static u32 silent L4_VOLATILE_ZERO;
/* The last defect of each, for poison. */
static struct { struct l4_request request; u64 rip; u32 count; } last[SERVICES] L4_VOLATILE_ZERO;

static const struct service *service_lookup(u32 n, l4_err_t *err)
{
    const struct service *s = service_at(n);
    *err = s ? L4_OK : KEEPER_NO_SERVICE;
    return s;
}

static const char *name_of(const struct service *s) { return service_manifest(service_ref(s))->name; }

static bool is_same_request(struct l4_request a, struct l4_request b)
{
    return a.label == b.label && a.number == b.number && a.tag == b.tag;
}

/* How often in a row this request ended at this place (a hang: in this request). */
static u32 poison_count(u32 n, struct l4_request request, u64 rip, enum keeper_defect reason)
{
    bool same = is_same_request(last[n].request, request) && (reason == KEEPER_HEARTBEAT || last[n].rip == rip);
    last[n].count = same ? last[n].count + 1 : 1;
    last[n].request = request;
    last[n].rip = rip;
    return last[n].count;
}

/* The next incarnation: everything but letting it run. Its thread is stopped. */
static l4_err_t service_begin(struct keeperd_tx tx, const struct service *s, const struct l4_crash *crash, bool fresh)
{
    u32 n = service_ref(s);
    l4_err_t err = service_reset(n, s->incarnation + 1, crash, fresh);
    if (err != L4_OK) {
        return KEEPER_NO_MEMORY;
    }
    struct service *to = service_edit(tx, s);
    to->incarnation++;
    to->fresh += fresh;
    to->state = KEEPER_UP;
    to->since_ns = l4_now();
    keeperd_after_run(tx, n);
    keeperd_after_tell(tx, n);
    return L4_OK;
}

/* A defect of a service that was up: count it, then go on or wait for rs. `exception`: what the kernel said, if it did.
 * `decided`: rs wants it to go on whatever the count. */
static l4_err_t service_defect(struct keeperd_tx tx, const struct service *s, enum keeper_defect reason,
                               const struct l4_exception *exception, bool decided)
{
    u32 n = service_ref(s);
    service_stop(n);
    struct l4_crash crash = { .incarnation = s->incarnation, .reason = reason, .request = service_request(n) };
    if (exception) {
        crash.exception = *exception;
    }
    u64 completed = service_completed(n);
    struct service *to = service_edit(tx, s);
    bool ordered = to->struck, own = !ordered && reason != KEEPER_UPDATE;
    to->last = reason;
    to->ordered += ordered;
    to->defects += own;
    to->in_a_row = !own ? to->in_a_row : completed != to->completed ? 1 : to->in_a_row + 1;
    to->completed = completed;
    to->struck = false;
    if (own) {
        crash.count = poison_count(n, crash.request, crash.exception.registers.rip, reason);
    }
    l4_log("%s: defect %u of class %u%s, vector %lu at %lx", name_of(s), to->defects + to->ordered, reason, ordered ? " (ordered)" : "",
           crash.exception.vector, crash.exception.registers.rip);
    /* Who fails again and again is started after a pause, which rs decides: nobody decides when rs starts. */
    bool waits = own && ((!decided && to->policy == KEEPER_ASK) || (n != service_watcher() && to->in_a_row >= HOLD_FROM));
    if (waits) {
        to->state = KEEPER_DEAD;
        keeperd_after_tell(tx, n);
        return L4_OK;
    }
    return service_begin(tx, s, &crash, own && to->in_a_row >= FRESH_FROM);
}

/* ---- exceptions ---- */
static l4_err_t do_raise(u64 label, u64 vector, u64 error, u64 address, bool *set)
{
    u32 n = (u32)(label & 0xffff);
    if ((label & ~0xfffful) != KEEPER_EXCEPTION_LABEL || !service_at(n)) {
        return L4_NO_RIGHT;
    }
    halted[n].noted = true;
    halted[n].exception = l4_utcb()->exception;
    halted[n].exception.vector = vector;
    halted[n].exception.error = error;
    halted[n].exception.address = address;
    irq_ring(KEEPER_SELF);
    return L4_BAD_STATE;    /* halts it; service_stop takes it from there */
}

static enum keeper_defect class_of(const struct l4_exception *e)
{
    bool left = e->vector == 6 && (e->registers.rax == L4_EXIT_MAGIC || e->registers.rax == L4_PANIC_MAGIC);
    return left ? KEEPER_EXIT : KEEPER_EXCEPTION;
}

/* Keeper's own irq: an exception was noted. One a transaction; it rings again for the next. */
static void do_irq(struct keeperd_tx tx, u64 label)
{
    if (label == KEEPER_PULSE_LABEL) {
        silent = 0;
        return;
    }
    for (u32 n = 1; n < SERVICES; n++) {
        if (!halted[n].noted) {
            continue;
        }
        halted[n].noted = false;
        irq_ring(KEEPER_SELF);
        const struct service *s = service_at(n);
        if (s && s->state == KEEPER_UP) {
            service_defect(tx, s, class_of(&halted[n].exception), &halted[n].exception, false);
        }
        return;
    }
}

static void watch_plan(void) { l4_volatile.deadline = l4_now() + WATCH_MS * 1000000ul; }

/* ---- silence ---- */
static void suspects_fill(struct suspect *all)
{
    for (u32 n = 1; n <= service_count(); n++) {
        const struct manifest_service *m = service_manifest(n);
        all[n] = (struct suspect){
            .is_up = service_at(n)->state == KEEPER_UP, .is_watched = m->heartbeat_ms || n == service_watcher(), .priority = m->priority,
        };
        all[n].stance = service_stance(n, &all[n].on);
    }
}

static l4_err_t do_suspect(u64 label, u32 n, u32 *who, u64 *steps)
{
    struct suspect all[SERVICES] = { 0 };
    l4_err_t err;
    service_lookup(n, &err);
    if (err == L4_OK) {
        suspects_fill(all);
        *who = suspect_find(all, service_count(), n);
        *steps = *who ? service_steps(*who) : 0;
    }
    return err;
}

/* Who makes the silent watcher wait: nobody but keeper finds that one out. */
static const struct service *service_holding(const struct service *watcher)
{
    struct suspect all[SERVICES] = { 0 };
    suspects_fill(all);
    u32 end = suspect_end(all, service_count(), service_ref(watcher));
    return all[end].is_up ? service_at(end) : watcher;
}

/* Who watches the watcher: keeper, so that rs is found hung like any other, and so is whom it calls while rs cannot. */
static void do_timeout(struct keeperd_tx tx)
{
    const struct service *s = service_at(service_watcher());
    watch_plan();
    if (!s || s->state != KEEPER_UP) {
        return;
    }
    if (silent++ >= SILENT) {
        silent = 0;
        service_defect(tx, service_holding(s), KEEPER_HEARTBEAT, NULL, true);
    } else {
        service_wake(service_watcher());
    }
}

/* ---- looking ---- */
/* A factory's quota counts as used in the one that made it: of each, what is not used is taken off again. */
static l4_err_t do_memory(u64 label, u32 n, u64 *limit, u64 *used, u64 *objects)
{
    u64 bytes, most;
    *objects = 0;
    if (n) {
        bool known = n == KEEPER_PROCESSES || (n <= service_count() && service_has_task(n));
        cap_t factory = n == KEEPER_PROCESSES ? PROCESS_FACTORY : object_slot(n, OBJECT_FACTORY);
        return known && factory_quota(factory, limit, used) == L4_OK ? L4_OK : KEEPER_NO_SERVICE;
    }
    l4_must(factory_quota(L4_BOOT_FACTORY, limit, used));
    for (u32 i = 1; i <= service_count(); i++) {
        if (factory_quota(object_slot(i, OBJECT_FACTORY), &most, &bytes) == L4_OK) {
            *used -= most - bytes;
        }
    }
    if (factory_quota(PROCESS_FACTORY, &most, &bytes) == L4_OK) {
        *used -= most - bytes;
    }
    return debug_usage(L4_BOOT_DEBUG, &bytes, objects);
}

static l4_err_t do_look(u64 label, u32 n, struct keeper_status *now)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    const struct manifest_service *m = service_manifest(n);
    *now = (struct keeper_status){
        .state = s->state, .last = s->last, .policy = s->policy, .rank = m->rank, .incarnation = s->incarnation,
        .defects = s->defects, .ordered = s->ordered, .in_a_row = s->in_a_row, .fresh = s->fresh, .heartbeat_ms = m->heartbeat_ms,
        .wanted = !(m->flags & MANIFEST_DOWN),
        .completed = service_completed(n), .since_ns = s->since_ns,
    };
    memcpy(now->name, m->name, sizeof now->name);
    return L4_OK;
}

static l4_err_t do_find(u64 label, struct l4_bytes name, u32 *n)
{
    *n = service_find(name.at, name.length);
    return *n ? L4_OK : KEEPER_NO_SERVICE;
}

static l4_err_t do_crash(u64 label, u32 n, struct keeper_record *record)
{
    l4_err_t err;
    service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    const struct l4_crash *c = service_crash(n);
    *record = (struct keeper_record){
        .reason = (enum keeper_defect)c->reason, .incarnation = c->incarnation, .count = c->count,
        .label = c->request.label, .number = c->request.number, .tag = c->request.tag,
        .vector = c->exception.vector, .error = c->exception.error, .address = c->exception.address,
    };
    memcpy(&record->at, c->exception.vector ? &c->exception.registers : &c->device, sizeof record->at);
    memcpy(record->backtrace, service_backtrace(n), sizeof record->backtrace);
    return L4_OK;
}

/* ---- orders ---- */
static l4_err_t do_start(struct keeperd_tx tx, u64 label, u32 n)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    struct l4_crash none = { .incarnation = s->incarnation };
    return s->state == KEEPER_UP ? KEEPER_IS_UP : service_begin(tx, s, &none, false);
}

static l4_err_t do_stop(struct keeperd_tx tx, u64 label, u32 n)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    if (s->state == KEEPER_DOWN) {
        return KEEPER_IS_DOWN;
    }
    service_stop(n);
    struct service *to = service_edit(tx, s);
    to->state = KEEPER_DOWN;
    to->struck = false;
    keeperd_after_tell(tx, n);
    return L4_OK;
}

static l4_err_t do_restart(struct keeperd_tx tx, u64 label, u32 n, enum keeper_defect reason)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    if (s->state == KEEPER_DOWN) {
        return KEEPER_IS_DOWN;
    }
    if (s->state == KEEPER_DEAD) {      /* its defect was counted when it died */
        struct l4_crash crash = *service_crash(n);
        crash.incarnation = s->incarnation;
        crash.reason = s->last;
        return service_begin(tx, s, &crash, s->in_a_row >= FRESH_FROM);
    }
    return service_defect(tx, s, reason, NULL, true);
}

static l4_err_t do_kill(struct keeperd_tx tx, u64 label, u32 n, enum keeper_way how)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    if (s->state != KEEPER_UP) {
        return KEEPER_IS_DOWN;
    }
    struct service *to = service_edit(tx, s);
    to->struck = true;
    to->how = how;
    keeperd_after_strike(tx, n, how);
    return L4_OK;
}

static l4_err_t do_set_policy(struct keeperd_tx tx, u64 label, u32 n, enum keeper_answer policy)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err == L4_OK) {
        service_set_policy(tx, s, policy);
    }
    return err;
}

static l4_err_t do_update(struct keeperd_tx tx, u64 label, u32 n, struct l4_bytes module)
{
    l4_err_t err;
    const struct service *s = service_lookup(n, &err);
    if (err != L4_OK) {
        return err;
    }
    err = service_load(n, module.at, module.length);    /* first: it may be refused, and the name lies in the UTCB */
    if (err != L4_OK) {
        return err == L4_NO_MEMORY ? KEEPER_NO_MEMORY : KEEPER_NO_MODULE;
    }
    service_stop(n);
    struct l4_crash crash = { .incarnation = s->incarnation, .reason = KEEPER_UPDATE };
    return service_begin(tx, s, &crash, true);
}

/* ---- effects ---- */
static void do_run(u32 n) { service_run(n); }
static void do_tell(u32 any) { service_tell(); }

static void do_strike(u32 n, u32 how)
{
    if (!service_strike(n, how)) {
        l4_log("%s: has no crash routine %u", service_manifest(n)->name, how);
    }
}

/* The first start: a record a service. What `boot` marks begins here, the rest is for rs. At a later one: the effects that an
 * incarnation may not have got to. */
static void do_begin(struct keeperd_tx tx)
{
    for (u32 n = 1; n <= service_count() && service_at(n); n++) {
        if (service_at(n)->state == KEEPER_UP) {
            keeperd_after_run(tx, n);
        }
        if (service_at(n)->struck) {
            keeperd_after_strike(tx, n, service_at(n)->how);
        }
    }
    keeperd_after_tell(tx, 0);
    watch_plan();
    if (service_at(1)) {
        places_check(tx);
    }
    for (u32 n = 1; n <= service_count() && !service_at(n); n++) {
        struct service *s = service_new(tx);
        struct l4_crash none = { 0 };
        s->policy = service_manifest(n)->flags & MANIFEST_ASK ? KEEPER_ASK : KEEPER_AT_ONCE;
        if (service_manifest(n)->flags & MANIFEST_BOOT) {
            service_begin(tx, s, &none, false);
        }
    }
}

const struct keeperd_ops keeper_ops = {
    .hooks.start = do_begin, .hooks.irq = do_irq, .hooks.timeout = do_timeout,
    .keeper_memory = do_memory, .keeper_look = do_look, .keeper_find = do_find, .keeper_suspect = do_suspect,
    .keeper_start = do_start, .keeper_stop = do_stop, .keeper_restart = do_restart,
    .keeper_kill = do_kill, .keeper_crash = do_crash, .keeper_set_policy = do_set_policy, .keeper_update = do_update,
    .exception_raise = do_raise,
    .process_make = do_process_make, .process_renew = do_process_renew, .process_make_thread = do_process_make_thread,
    .process_drop_thread = do_process_drop_thread, .process_drop = do_process_drop,
    .run = do_run, .strike = do_strike, .tell = do_tell,
};
