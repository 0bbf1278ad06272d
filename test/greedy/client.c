/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c: runs below the drivers, so each of its steps shows that one of them was stopped. Leaves by isa-debug-exit. */
#include <ds.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/start.h>
#include <l4/window.h>
#include <rs.h>

enum { EXIT_PORT = 0xf4, PASS = 0x10, FAIL = 0x11, DEFECTS = 3, MEASURED_MS = 200 };

static const struct l4_bytes hungry = { (const u8 *)"hungry", 6 }, modest = { (const u8 *)"modest", 6 };

static _Noreturn void leave(u8 status)
{
    __asm__ volatile("outb %0, %1" :: "a"(status), "Nd"((u16)EXIT_PORT));
    for (;;)
        l4_sleep(L4_SECOND);
}

static void expect(bool holds, const char *what)
{
    l4_log("%s: %s", holds ? "ok" : "not so", what);
    if (!holds)
        leave(FAIL);
}

/* Whoever takes the CPU is ended by rs, and again, and keeper starts it each time. */
static void watch_the_hungry(cap_t rs)
{
    struct rs_entry entry = { 0 };
    u32 number;
    do {
        l4_sleep(50 * L4_MILLISECOND);
        expect(rs_show(rs, hungry, &number, &entry) == L4_OK, "rs answers");
    } while (entry.defects < DEFECTS);
    expect(entry.incarnation >= DEFECTS, "the hungry driver was found hung and started again");
}

/* How far this thread comes in a while. */
static u64 progress(void)
{
    u64 end = l4_now() + MEASURED_MS * L4_MILLISECOND, steps = 0;
    while (l4_now() < end)
        steps++;
    return steps;
}

void l4_main(void)
{
    struct l4_session rs, ds;
    u32 value = 0;
    l4_session_open(&rs, l4_slot_need("rs"), 0, 0);
    l4_session_open(&ds, l4_slot_need("ds"), 0, 0);
    watch_the_hungry(rs.gate);
    expect(rs_down(&rs, hungry) == L4_OK, "rs takes the hungry driver down");
    u64 alone = progress();
    expect(rs_up(&rs, modest) == L4_OK, "and the modest one up");
    u64 beside = progress() * 100 / alone;
    l4_log("beside the modest driver: %u %%", (u32)beside);
    expect(beside >= 55 && beside <= 65, "40 % of the CPU for it leave 60 % for others");
    expect(ds_set_number(&ds, modest, 7) == L4_OK && ds_get_number(ds.gate, modest, &value) == L4_OK && value == 7, "ds answers");
    expect(rs_down(&rs, modest) == L4_OK, "rs takes it down");
    leave(PASS);
}
