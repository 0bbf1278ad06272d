/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: two tasks exchange a generated call: the client's stub in the root task, the server's dispatcher in another.
 * */
#include <l4/format.h>
#include <l4/panic.h>
#include <l4/string.h>
#include "gate.h"
#include "factory.h"
#include "greeter.h"
#include "greeter_server.h"
#include "spawn.h"
#include "test.h"

enum { GATE = TEST_SLOTS, DOOR, LABEL = 0x1234 };

static u64 label_seen L4_VOLATILE_ZERO;

static l4_err_t greet(u64 label, struct l4_bytes name, u8 *text, u32 *length)
{
    char said[64];
    label_seen = label;
    *length = (u32)l4_format(said, sizeof said, "Hello, %.*s!", (int)name.length, (const char *)name.at);
    memcpy(text, said, *length);
    return L4_OK;
}

static l4_err_t add(u64 label, u64 a, u64 b, u64 c, u64 d, u64 *sum)
{
    *sum = a + b + c + d;
    return L4_OK;
}

static const struct greeter_ops ops = { .greet = greet, .add = add };

static void serve(u64 unused)
{
    struct l4_message m = { 0 };
    for (;;) {
        l4_reply_wait(&m);
        greeter_dispatch(&ops, &m);
    }
}

void l4_main(void)
{
    test_begin("first-call");
    struct spawned server = spawn_task_run(0, 40, serve, 0);
    test_ok("make a gate", factory_make_gate(L4_BOOT_FACTORY, GATE));
    test_ok("bind it to the server", gate_bind(GATE, server.thread));
    test_ok("mint a door", gate_mint(GATE, DOOR, LABEL, L4_R | L4_W));

    u64 sum = 0;
    test_ok("call with four words", greeter_add(DOOR, 1, 20, 300, 4000, &sum));
    test_is("their sum", sum, 4321);

    struct l4_bytes text = { 0 };
    l4_err_t err = greeter_greet(DOOR, l4_text("first light"), &text);
    bool is_greeting = !err && l4_is_word((const char *)text.at, text.length, "Hello, first light!");
    test_ok("call with text", err);
    test_true("its answer", is_greeting);
    test_is("the label that the server saw", label_seen, LABEL);
    test_end();
}
