/* SPDX-License-Identifier: BSD-2-Clause */
/* raw.c: three programs in one, told by their argument: `writer` sends 1 MB of numbered lines through the raw console, `typist`
 * reads numbered lines that the host types, `killer` has the driver killed 52 times meanwhile, spread over the output, at any instruction, for
 * it runs above it.
 * Neither of the first two knows of the third. */
#include <chardev.h>
#include <ds.h>
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/log.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/window.h>
#include <rs.h>

enum { LINES = 19100, LINE_BYTES = 55, TYPED = 2000, KILLS = 52, WINDOW = 4096, EXIT_PORT = 0xf4, PASS = 0x10, FAIL = 0x11 };

static _Noreturn void leave(u8 status)
{
    __asm__ volatile("outb %0, %1" :: "a"(status), "Nd"((u16)EXIT_PORT));
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}

/* Only the killer holds the port that ends the guest: the others tell it by ds. */
static _Noreturn void tell(struct l4_session *ds, u32 value)
{
    const char *name = l4_name();
    ds_set_number(ds, (struct l4_bytes){ (const u8 *)name, (u32)strlen(name) }, value);
    for (;;) {
        l4_sleep(L4_SECOND);
    }
}

static u32 told(cap_t ds, const char *name)
{
    u32 value = 0;
    return ds_get_number(ds, (struct l4_bytes){ (const u8 *)name, (u32)strlen(name) }, &value) == L4_OK ? value : 0;
}

static u32 line_make(char *line, size_t room, const char *what, u32 number)
{
    return (u32)l4_format(line, room, "%s %05u: no byte of it is lost and none comes twice\n", what, number);
}

static _Noreturn void write_lines(struct l4_session *serial, struct l4_session *ds)
{
    char line[80];
    for (u32 i = 0; i < LINES; i++) {
        u32 done = 0, length = line_make(line, sizeof line, "line", i);
        l4_err_t err = chardev_write(serial, (struct l4_bytes){ (const u8 *)line, length }, &done);
        if (err != L4_OK || done != length) {
            l4_log("line %u: %e, %u of %u bytes", i, err, done, length);
            tell(ds, 2);
        }
    }
    tell(ds, chardev_drain(serial) == L4_OK ? 1 : 2);
}

static _Noreturn void read_lines(struct l4_session *serial, struct l4_session *ds)
{
    char line[80];
    u32 number = 0, at = 0, length = line_make(line, sizeof line, "typed", 0);
    while (number < TYPED) {
        struct l4_bytes data;
        if (chardev_read(serial, CHARDEV_CHUNK, &data) != L4_OK) {
            tell(ds, 2);
        }
        for (u32 i = 0; i < data.length && number < TYPED; i++) {
            if (data.at[i] != (u8)line[at]) {
                l4_log("typed line %u differs at %u: %x of %u bytes", number, at, data.at[i], data.length);
                tell(ds, 2);
            }
            if (++at == length) {
                length = line_make(line, sizeof line, "typed", ++number);
                at = 0;
            }
        }
    }
    tell(ds, 1);
}

static void output_wait(cap_t serial, u64 sent)
{
    struct chardev_counts counts;
    while (chardev_look(serial, &counts) == L4_OK && counts.sent < sent) {
        l4_sleep(L4_MILLISECOND);
    }
}

static _Noreturn void kill_driver(struct l4_session *rs, cap_t serial, cap_t ds)
{
    static const struct l4_bytes victim = { (const u8 *)"serial", 6 };
    u64 seed = 1;
    struct chardev_counts counts = { 0 };
    while (chardev_look(serial, &counts) == L4_OK && (counts.sent == 0 || counts.taken == 0)) {
        l4_sleep(L4_MILLISECOND);
    }
    for (u32 i = 0; i < KILLS; i++) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        output_wait(serial, (u64)(i + 1) * LINES / (KILLS + 2) * LINE_BYTES);
        l4_sleep((seed >> 33) % (2 * L4_MILLISECOND));
        if (rs_kill(rs, victim, (enum rs_way)(i % 4)) != L4_OK || chardev_look(serial, &counts) != L4_OK) {
            l4_log("kill %u: refused", i);
            leave(FAIL);
        }
        l4_print("killer: kill %u at %lu sent, %lu taken\n", i, counts.sent, counts.taken);
    }
    bool early = told(ds, "writer") == 0;
    while (told(ds, "writer") == 0 || told(ds, "typist") == 0) {
        l4_sleep(10 * L4_MILLISECOND);
    }
    u32 number;
    struct rs_entry entry = { 0 };
    l4_err_t err = rs_show(rs->gate, victim, &number, &entry);
    l4_log("%u ordered, %u of its own, %lu overruns, during transmission: %s", entry.ordered, entry.defects, counts.overrun, early ? "yes" : "no");
    leave(err == L4_OK && early && entry.ordered == KILLS && entry.defects == 0 && told(ds, "writer") == 1 && told(ds, "typist") == 1
          ? PASS : FAIL);
}

void l4_main(void)
{
    struct l4_session serial, ds, rs;
    size_t bytes;
    l4_session_open(&serial, l4_slot_need("serial"), 0, WINDOW);
    l4_session_open(&ds, l4_slot_need("ds"), 0, 0);
    l4_session_open(&rs, l4_slot("rs"), 0, 0);
    if (l4_argument("writer", &bytes)) {
        write_lines(&serial, &ds);
    }
    if (l4_argument("typist", &bytes)) {
        read_lines(&serial, &ds);
    }
    kill_driver(&rs, serial.gate, ds.gate);
}
