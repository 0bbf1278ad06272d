/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: typed items: memory, capabilities and ports mapped and granted in requests and in answers, and what stops
 * them. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "sigma0.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, EXTRA, SPARE, SERVER_WINDOW = 128 };
#define WINDOW 0x30000000ul /* receive window of both sides */
enum { WINDOW_ORDER = 20 };

static u8 pages[16][4096] __attribute__((aligned(65536))) L4_VOLATILE_ZERO;
static struct l4_message seen L4_VOLATILE_ZERO;
static u64 peeked L4_VOLATILE_ZERO;

enum command { TAKE = 1, PEEK = 2, GIVE_MEMORY = 3, GIVE_CAP = 4, POKE = 5 };

static void open_windows(void)
{
    l4_utcb()->window_memory = l4_fpage_memory(WINDOW, WINDOW_ORDER, 7);
    l4_utcb()->window_caps = l4_fpage_caps(SERVER_WINDOW, 4);
    l4_utcb()->window_io = l4_fpage_ports(0, 16);
}

/* Takes items, reads and writes what it got, gives some back. The method's low byte is the command. */
static void serve(u64 unused)
{
    struct l4_message m = { 0 };
    open_windows();
    for (;;) {
        wire_reply_wait(&m, 0);
        seen = m;
        u32 command = m.tag & 0xff, items = 0;
        if (l4_tag_status(m.tag) == L4_MAP_FAILED) {
            m = (struct l4_message){ 0 };
            continue;
        }
        if (command == PEEK)
            peeked = *(volatile u64 *)m.word[0];
        if (command == POKE)
            *(volatile u64 *)m.word[0] = m.word[1];
        if (command == GIVE_MEMORY || command == GIVE_CAP) {
            l4_utcb()->item[0] = (struct l4_item){ m.word[0], m.word[1] };
            items = 1;
        }
        m = (struct l4_message){ .tag = l4_tag(0, 0, items) };
    }
}

static l4_err_t send_item(u64 fpage, u64 hot)
{
    l4_utcb()->item[0] = (struct l4_item){ fpage, hot };
    return wire_call(DOOR, l4_tag(0x100000 | TAKE, 0, 1), 0, 0);
}
static l4_err_t command(enum command c, u64 w0, u64 w1) { return wire_call(DOOR, l4_tag(0x100000 | c, 2, 0), w0, w1); }

static u32 rights_at(cap_t task, u64 fpage)
{
    u32 rights = 0, order;
    u64 id;
    l4_err_t err = task_look(task, fpage, &rights, &order, &id);
    return err ? 0xff : rights;
}

static void test_memory(struct spawned server)
{
    *(u64 *)pages[0] = 0xabcd;
    test_ok("map a page", send_item(l4_fpage_memory((u64)pages[0], 12, 3), 0x5000));
    test_is("its rights there", rights_at(server.task, l4_fpage_memory(WINDOW + 0x5000, 12, 0)), 3);
    test_ok("the server reads it", command(PEEK, WINDOW + 0x5000, 0));
    test_is("what it read", peeked, 0xabcd);
    test_ok("the server writes it", command(POKE, WINDOW + 0x5008, 77));
    test_is("what it wrote", *(volatile u64 *)(pages[0] + 8), 77);
    test_ok("the same again", send_item(l4_fpage_memory((u64)pages[0], 12, 3), 0x5000));
    test_status("something else there", send_item(l4_fpage_memory((u64)pages[1], 12, 3), 0x5000), L4_MAP_FAILED);
    spawn_let_run(1);
    test_status("the receiver learns it too", l4_tag_status(seen.tag), L4_MAP_FAILED);

    test_ok("map 16 pages read-only", send_item(l4_fpage_memory((u64)pages, 16, 1), 0x10000));
    test_is("the last one's rights", rights_at(server.task, l4_fpage_memory(WINDOW + 0x1f000, 12, 0)), 1);
    u64 changed;
    test_ok("revoke them", task_unmap(L4_BOOT_TASK, l4_fpage_memory((u64)pages, 16, 7), 7, true, &changed));
    test_is("they are gone", rights_at(server.task, l4_fpage_memory(WINDOW + 0x1f000, 12, 0)), 0xff);
    test_is("the first page also where it was mapped first",
        rights_at(server.task, l4_fpage_memory(WINDOW + 0x5000, 12, 0)), 0xff);
    test_true("the sender keeps them", rights_at(L4_BOOT_TASK, l4_fpage_memory((u64)pages, 12, 0)) == 3);

    test_status("larger than the window", send_item(l4_fpage_memory(0x400000, 22, 1), 0), L4_MAP_FAILED);
    test_status("nothing there to map", send_item(l4_fpage_memory(0x50000000, 12, 1), 0), L4_MAP_FAILED);

    u64 mapped;
    l4_must(task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((u64)pages[2], 12, 3), 0x38000000, 3, &mapped));
    *(u64 *)pages[2] = 0x9999;
    test_ok("grant a page", send_item(l4_fpage_memory(0x38000000, 12, 3), 0x7000 | L4_ITEM_GRANT));
    test_is("it left the sender", rights_at(L4_BOOT_TASK, l4_fpage_memory(0x38000000, 12, 0)), 0xff);
    test_ok("the server reads it", command(PEEK, WINDOW + 0x7000, 0));
    test_is("what it read", peeked, 0x9999);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory((u64)pages[2], 12, 7), 7, true, &changed));
    test_is(
        "revoking above takes the granted one", rights_at(server.task, l4_fpage_memory(WINDOW + 0x7000, 12, 0)), 0xff);
}

static void test_two_items(struct spawned server)
{
    u64 changed;
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)pages[0], 12, 1), 0x20000 };
    l4_utcb()->item[1] = (struct l4_item){ l4_fpage_memory(0x400000, 13, 1), 0x40000 };
    test_ok("two items", wire_call(DOOR, l4_tag(0x100000 | TAKE, 0, 2), 0, 0));
    test_is("the second arrived", rights_at(server.task, l4_fpage_memory(WINDOW + 0x41000, 12, 0)), 1);
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)pages[3], 12, 1), 0x50000 };
    l4_utcb()->item[1] = (struct l4_item){ l4_fpage_memory(0x50000000, 12, 1), 0x60000 };
    struct l4_message m = { .tag = l4_tag(0x100000 | TAKE, 0, 2) };
    wire_invoke(DOOR, &m);
    test_status("the second of two fails", l4_tag_status(m.tag), L4_MAP_FAILED);
    test_is("which one", m.word[0], 1);
    test_is("the first stands", rights_at(server.task, l4_fpage_memory(WINDOW + 0x50000, 12, 0)), 1);
    l4_must(task_unmap(server.task, l4_fpage_memory(WINDOW, WINDOW_ORDER, 7), 7, false, &changed));
}

/* Long enough that the kernel must make its work in steps, with a short item before. */
static void test_long_item(struct spawned server)
{
    enum { LONG_ORDER = 20 };
    u64 physical, mapped, changed;
    l4_must(sigma0_ram(L4_BOOT_SIGMA0, 1, LONG_ORDER, &physical, l4_fpage_memory(0x40000000, LONG_ORDER, 7)));
    (void)mapped;
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory(0x40000000, 12, 1), 0 };
    l4_utcb()->item[1] = (struct l4_item){ l4_fpage_memory(0x40000000, LONG_ORDER, 1), 0 };
    test_ok("256 pages after one", wire_call(DOOR, l4_tag(0x100000 | TAKE, 0, 2), 0, 0));
    test_is("the last arrived", rights_at(server.task, l4_fpage_memory(WINDOW + 0xff000, 12, 0)), 1);
    test_ok("unmap them", task_unmap(L4_BOOT_TASK, l4_fpage_memory(0x40000000, LONG_ORDER, 7), 7, false, &changed));
    test_is("all went", rights_at(server.task, l4_fpage_memory(WINDOW + 0xff000, 12, 0)), 0xff);
}

static void test_caps(struct spawned server)
{
    u64 changed;
    l4_must(factory_make_irq(L4_BOOT_FACTORY, EXTRA));
    test_ok("map a capability with R", send_item(l4_fpage_caps(EXTRA, 0), 2ul << 12 | L4_R));
    test_is("its rights there", rights_at(server.task, l4_fpage_caps(SERVER_WINDOW + 2, 0)), L4_R);
    test_ok("the same again", send_item(l4_fpage_caps(EXTRA, 0), 2ul << 12 | L4_R));
    test_status("over another", send_item(l4_fpage_caps(L4_BOOT_LOG, 0), 2ul << 12 | L4_R), L4_MAP_FAILED);
    test_status("an empty slot", send_item(l4_fpage_caps(SPARE, 0), 3ul << 12 | L4_R), L4_MAP_FAILED);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, EXTRA, SPARE, L4_R | L4_W));
    test_ok("grant a capability", send_item(l4_fpage_caps(SPARE, 0), 3ul << 12 | L4_ITEM_GRANT | L4_RIGHTS_ALL));
    test_is("it left the sender", rights_at(L4_BOOT_TASK, l4_fpage_caps(SPARE, 0)), 0xff);
    test_is("its rights there", rights_at(server.task, l4_fpage_caps(SERVER_WINDOW + 3, 0)), L4_R | L4_W);
    test_drop(EXTRA);
    test_is("destroying the object takes them all", rights_at(server.task, l4_fpage_caps(SERVER_WINDOW + 3, 0)), 0xff);
    l4_must(factory_make_gate(L4_BOOT_FACTORY, EXTRA));
    l4_must(gate_mint(EXTRA, SPARE, 7, L4_R));
    test_ok("grant a door", send_item(l4_fpage_caps(SPARE, 0), 3ul << 12 | L4_ITEM_GRANT | L4_RIGHTS_ALL));
    test_ok("revoke what this thread minted", gate_revoke(EXTRA, l4_utcb()->thread_id, &changed));
    test_is("it goes wherever it is", changed, 1);
    test_is("also there", rights_at(server.task, l4_fpage_caps(SERVER_WINDOW + 3, 0)), 0xff);
    test_drop(EXTRA);
}

static void test_answers(struct spawned server)
{
    u64 changed;
    open_windows();
    test_ok("an answer with memory", command(GIVE_MEMORY, l4_fpage_memory(0x400000, 12, 5), 0x9000));
    test_is("its rights here", rights_at(L4_BOOT_TASK, l4_fpage_memory(WINDOW + 0x9000, 12, 0)), 5);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory(WINDOW + 0x9000, 12, 7), 7, false, &changed));
    test_ok("an answer with a capability", command(GIVE_CAP, l4_fpage_caps(L4_BOOT_LOG, 0), L4_W));
    test_is("its rights here", rights_at(L4_BOOT_TASK, l4_fpage_caps(SERVER_WINDOW, 0)), L4_W);
    l4_utcb()->window_memory = 0;
    test_status("an answer without a window for it", command(GIVE_MEMORY, l4_fpage_memory(0x400000, 12, 5), 0x9000),
        L4_MAP_FAILED);
    test_drop(SERVER_WINDOW);
}

static void test_ports(struct spawned server)
{
    u64 changed;
    test_ok("map ports", send_item(l4_fpage_ports(0xf4, 2), 0xf4ul << 12));
    test_true("they are there", rights_at(server.task, l4_fpage_ports(0xf4, 0)) != 0xff);
    test_true("the next is not", rights_at(server.task, l4_fpage_ports(0xf8, 0)) == 0xff);
    test_status("ports one does not have", send_item(l4_fpage_ports(0x3f8, 3), 0x3f8ul << 12), L4_MAP_FAILED);
    test_ok("revoke them", task_unmap(L4_BOOT_TASK, l4_fpage_ports(0xf4, 2), L4_RIGHTS_ALL, true, &changed));
    test_true("they are gone", rights_at(server.task, l4_fpage_ports(0xf4, 0)) == 0xff);
}

void l4_main(void)
{
    test_begin("items");
    struct test_usage before = test_usage();
    struct spawned server = spawn_task_run(0, 40, serve, 0);
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_bind(GATE, server.thread));
    l4_must(gate_mint(GATE, DOOR, 1, L4_R));
    spawn_let_run(1);
    test_memory(server);
    test_two_items(server);
    test_caps(server);
    test_answers(server);
    test_ports(server);
    test_long_item(server);
    spawn_end(&server);
    test_drop(GATE);
    struct test_usage after = test_usage();
    test_is("objects are as before", after.objects, before.objects);
    test_end();
}
