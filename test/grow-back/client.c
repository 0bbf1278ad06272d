/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: prints numbered lines through the serial driver and has rs kill the driver in each of the four ways meanwhile.
 * It knows of no restart: it only writes. At the end it prints what rs counted and leaves by isa-debug-exit: 33 is a pass. */
#include <chardev.h>
#include <ds.h>
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>
#include <rs.h>

enum { LINES = 6000, KILLS = 20, WINDOW = 4096, EXIT_PORT = 0xf4, PASS = 0x10, FAIL = 0x11 };

static const struct l4_bytes victim = { (const u8 *)"serial", 6 };

static _Noreturn void leave(u8 status)
{
    __asm__ volatile("outb %0, %1" :: "a"(status), "Nd"((u16)EXIT_PORT));
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}

static void print(struct l4_session *serial, const char *text, u32 length)
{
    u32 done = 0;
    l4_err_t err = chardev_write(serial, (struct l4_bytes){ (const u8 *)text, length }, &done);
    if (err != L4_OK || done != length) {
        l4_log("write: %e, %u of %u", err, done, length);
        leave(FAIL);
    }
}

static void print_line(struct l4_session *serial, u32 number)
{
    char line[80];
    u32 length = (u32)l4_format(line, sizeof line, "line %05u of what goes through the driver while it dies\n", number);
    print(serial, line, length);
}

/* The name in ds tells who is back. */
static u32 incarnation(cap_t ds)
{
    u32 value = 0;
    ds_get_number(ds, (struct l4_bytes){ (const u8 *)"service/serial", 14 }, &value);
    return value;
}

static void expect(bool holds, const char *what)
{
    if (!holds) {
        l4_log("not so: %s", what);
        leave(FAIL);
    }
}

/* rs and ds die, too; what they know stays. A hung rs is found by keeper. */
static void kill_the_others(struct l4_session *rs, struct l4_session *ds)
{
    static const struct l4_bytes names[] = { { (const u8 *)"rs", 2 }, { (const u8 *)"ds", 2 } }, key = { (const u8 *)"answer", 6 };
    u32 value = 0, number;
    struct rs_entry entry = { 0 };
    expect(ds_set_number(ds, key, 42) == L4_OK, "a number is set");
    for (u32 i = 0; i < 8; i++) {
        expect(rs_kill(rs, names[i % 2], (enum rs_way)(i / 2)) == L4_OK, "rs is ordered to kill");
        expect(ds_get_number(ds->gate, key, &value) == L4_OK && value == 42, "the number is there");
        expect(rs_show(rs->gate, names[i % 2], &number, &entry) == L4_OK, "rs answers");
        while (entry.incarnation < 2 + i / 2) {
            l4_sleep(50 * L4_MILLISECOND);
            expect(rs_show(rs->gate, names[i % 2], &number, &entry) == L4_OK, "rs answers");
        }
    }
    expect(rs_kill(rs, key, RS_QUIT) == RS_NO_SERVICE, "nobody is called answer");
}

/* While one of them keeps the CPU nobody below it answers, and nobody but it is blamed. */
static void expect_no_other_defect(cap_t rs)
{
    static const char *const names[] = { "rs", "ds", "serial" };
    for (u32 i = 0; i < sizeof names / sizeof *names; i++) {
        u32 number;
        struct rs_entry entry = { 0 };
        struct l4_bytes name = { (const u8 *)names[i], (u32)strlen(names[i]) };
        expect(rs_show(rs, name, &number, &entry) == L4_OK && entry.defects == 0 && entry.ordered >= 4, "each defect was ordered");
    }
}

/* Held down, the driver's callers wait; then they go on. */
static void hold_down(struct l4_session *rs)
{
    u32 number;
    struct rs_entry entry;
    expect(rs_down(rs, victim) == L4_OK, "the driver goes down");
    expect(rs_down(rs, victim) == RS_REFUSED, "it is down");
    l4_sleep(300 * L4_MILLISECOND);
    expect(rs_show(rs->gate, victim, &number, &entry) == L4_OK && entry.state == RS_DOWN, "it stays down");
    expect(rs_up(rs, victim) == L4_OK, "it comes up");
}

/* What never works is started at once twice, then after a pause. */
static void watch_the_faulty(cap_t rs)
{
    static const struct l4_bytes faulty = { (const u8 *)"faulty", 6 };
    u32 number;
    struct rs_entry entry = { 0 };
    while (entry.incarnation < 4) {
        expect(rs_show(rs, faulty, &number, &entry) == L4_OK, "rs answers");
        l4_sleep(50 * L4_MILLISECOND);
    }
    expect(entry.defects >= 3 && entry.in_a_row >= 3 && entry.ordered == 0, "its defects are its own");
    expect(entry.wait_ms >= 1000 && l4_now() > L4_SECOND, "the third one was answered after a second");
}

void l4_main(void)
{
    struct l4_session serial, rs, names;
    cap_t ds = l4_slot_need("ds");
    l4_session_open(&names, ds, 0, 0);
    l4_session_open(&serial, l4_slot_need("serial"), 0, WINDOW);
    l4_session_open(&rs, l4_slot_need("rs"), 0, 0);
    for (u32 i = 0; i < LINES; i++) {
        print_line(&serial, i);
        if (i % (LINES / KILLS) == LINES / KILLS / 2) {
            enum rs_way way = (enum rs_way)(i / (LINES / KILLS) % 4);
            l4_err_t err = rs_kill(&rs, victim, way);
            if (err != L4_OK) {
                l4_log("kill %u: %e", (u32)way, err);
                leave(FAIL);
            }
        }
    }
    if (chardev_drain(&serial) != L4_OK) {
        leave(FAIL);
    }
    u32 number;
    struct rs_entry entry = { 0 };
    l4_err_t err = rs_show(l4_slot_need("rs"), victim, &number, &entry);
    l4_log("rs: %e, incarnation %u, %u defects of its own, %u ordered; ds: incarnation %u", err, entry.incarnation, entry.defects,
           entry.ordered, incarnation(ds));
    expect(err == L4_OK && entry.ordered == KILLS && entry.defects == 0 && entry.incarnation == KILLS + 1
           && incarnation(ds) == KILLS + 1, "every kill was ordered, each was answered by one incarnation");
    kill_the_others(&rs, &names);
    hold_down(&rs);
    watch_the_faulty(rs.gate);
    expect_no_other_defect(rs.gate);
    leave(PASS);
}
