/* SPDX-License-Identifier: BSD-2-Clause */
/* capabilities.c: prints the kernel's snapshot (personality/snapshot/print.h), for capabilities.py to compare with the manifest.
 *
 * With a keeper that plants (planter.c) one snapshot a plant. With the real one after restarts: each service is killed in each of
 * the four ways, then made anew; this one last, so that its incarnation tells how far it is. The last line is `done`, or says what
 * is not so. With the argument `idle` it does nothing. */
#include <keeper.h>
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>
#include <rs.h>

#include "print.h"

enum { WAYS = 4, PATIENCE = 400, SETTLED = 100 * L4_MILLISECOND };

static struct l4_session rs L4_VOLATILE_ZERO;

static _Noreturn void rest(void)
{
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}

static _Noreturn void end(void)
{
    l4_print("done\n");
    rest();
}

static void expect(bool holds, const char *what, const char *whom)
{
    if (!holds) {
        l4_print("not so: %s: %s\n", whom, what);
        rest();
    }
}

static struct l4_bytes bytes_of(const char *text) { return (struct l4_bytes){ (const u8 *)text, (u32)strlen(text) }; }

/* ---- the snapshot ---- */
static void print_snapshot(const char *name)
{
    expect(snapshot_print(l4_slot_need("debug"), name) == L4_OK, "the kernel tells", "snapshot");
}

/* ---- restarts ---- */
static struct keeper_status look(const char *name)
{
    u32 number;
    struct keeper_status status;
    l4_err_t err = keeper_find(l4_slot_need("keeper"), bytes_of(name), &number);
    expect(err == L4_OK && keeper_look(l4_slot_need("keeper"), number, &status) == L4_OK, "keeper knows it", name);
    return status;
}

static void await(const char *name, u32 incarnation)
{
    struct keeper_status status = look(name);
    for (u32 i = 0; (status.incarnation < incarnation || status.state != KEEPER_UP) && i < PATIENCE; i++) {
        l4_sleep(10 * L4_MILLISECOND);
        status = look(name);
    }
    expect(status.incarnation >= incarnation && status.state == KEEPER_UP, "it is back", name);
    l4_sleep(SETTLED);      /* rs has told it to ds, too */
}

/* A loop is found by whoever expects a heartbeat; keeper expects the watcher's. */
static bool is_heard(const char *name) { return look(name).heartbeat_ms || strcmp(name, "rs") == 0; }

static void print_after(const char *name, const char *what)
{
    char title[40];
    l4_format(title, sizeof title, "%s-%s", name, what);
    print_snapshot(title);
}

static void kill_in_all_ways(const char *name)
{
    for (u32 way = 0; way < WAYS; way++) {
        u32 incarnation = look(name).incarnation;
        if (way != RS_LOOP || is_heard(name)) {
            expect(rs_kill(&rs, bytes_of(name), (enum rs_way)way) == L4_OK, "it is killed", name);
            await(name, incarnation + 1);
        }
    }
    print_after(name, "killed");
}

/* The module that it runs; a service's name is that of its program but for the idle one. */
static const char *program_of(const char *name) { return strcmp(name, "writer") == 0 ? l4_name() : name; }

static void make_anew(const char *name)
{
    u32 incarnation = look(name).incarnation;
    expect(rs_update(&rs, bytes_of(name), bytes_of(program_of(name))) == L4_OK, "it is made anew", name);
    await(name, incarnation + 1);
    print_after(name, "anew");
}

static void restart_others(void)
{
    struct rs_entry entry;
    for (u32 n = 1; rs_list(rs.gate, n, &entry) == L4_OK; n++) {
        char name[sizeof entry.name + 1] = { 0 };
        memcpy(name, entry.name, sizeof entry.name);
        if (strcmp(name, l4_name()) != 0 && entry.state == RS_UP) {
            kill_in_all_ways(name);
            make_anew(name);
        }
    }
}

/* ---- plants ---- */
/* False: this keeper plants nothing. */
static bool plants_print(cap_t keeper)
{
    char name[17];
    u32 service;
    for (u32 i = 0;; i++) {
        l4_format(name, sizeof name, "plant %u", i);
        if (keeper_find(keeper, bytes_of(name), &service) != L4_OK) {
            return i > 0;
        }
        print_snapshot(name);
        expect(keeper_find(keeper, bytes_of("undo"), &service) == L4_OK, "the plant is taken back", name);
    }
}

void l4_main(void)
{
    size_t length;
    if (l4_argument("idle", &length)) {
        rest();
    }
    rs = l4_session_named("rs");
    u32 incarnation = l4_startup()->incarnation;
    if (incarnation == 1) {
        l4_sleep(300 * L4_MILLISECOND);     /* everybody has begun */
        print_snapshot("start");
        if (plants_print(l4_slot_need("keeper"))) {
            print_snapshot("end");
            end();
        }
        restart_others();
        rs_kill(&rs, bytes_of(l4_name()), RS_NULL);
    } else if (incarnation == 2) {
        print_after(l4_name(), "killed");
        rs_update(&rs, bytes_of(l4_name()), bytes_of(l4_name()));
    } else {
        print_after(l4_name(), "anew");
        end();
    }
    l4_sleep(5ul * L4_SECOND);
    expect(false, "it is ended", l4_name());
}
