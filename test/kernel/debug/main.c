/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of debug.idl. The snapshot is compared with what this program made. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "debug.h"
#include "factory.h"
#include "gate.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "wire.h"

enum { TASK = TEST_SLOTS, GATE, DOOR, WEAK, NEST = 4096, NESTED = 500, NEST_BYTES = 1024 };

static u8 page[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;

struct tally {
    u32 entries, tasks, doors, memory, roots;
    u64 door_label, door_rights, memory_rights, frame, source_frame;
};

/* Everything about the task with this id. */
static struct tally walk(u64 task)
{
    struct tally sum = { 0 };
    struct debug_entry e = { 0 };
    for (u64 cursor = 0; sum.entries < 1000000;) {
        if (debug_snapshot(L4_BOOT_DEBUG, cursor, &cursor, &e) || e.node == DEBUG_END)
            break;
        sum.entries++;
        sum.tasks += e.node == DEBUG_TASK;
        sum.roots += e.node == DEBUG_CAPABILITY && e.parent == 0;
        if (e.node == DEBUG_MEMORY && e.at == (u64)page)
            sum.source_frame = e.object;
        if (e.task != task)
            continue;
        if (e.node == DEBUG_CAPABILITY && e.kind == L4_DOOR && e.at == 77) {
            sum.doors++;
            sum.door_label = e.label;
            sum.door_rights = e.rights;
        }
        if (e.node == DEBUG_MEMORY && e.at == 0x123000) {
            sum.memory++;
            sum.memory_rights = e.rights;
            sum.frame = e.object;
        }
    }
    return sum;
}

/* Factories inside factories: however deep they are, the kernel has one stack. */
static void test_nested(void)
{
    cap_t from = L4_BOOT_FACTORY;
    u32 entries = walk(~0ul).entries;
    for (u32 i = 0; i < NESTED; from = NEST + i, i++)
        l4_must(factory_make_factory(from, NEST + i, (NESTED - i) * NEST_BYTES));
    l4_must(factory_make_task(L4_BOOT_FACTORY, TASK));
    test_is("a snapshot beside nested factories", walk(~0ul).entries, entries + NESTED + 2);
    test_drop(TASK);
    test_drop(NEST);
    test_is("they are gone", walk(~0ul).entries, entries);
}

void l4_main(void)
{
    u64 n;
    test_begin("debug");
    test_nested();
    struct test_usage before = test_usage();
    struct tally none = walk(~0ul);
    test_true("a snapshot comes to its end", none.entries > 10 && none.entries < 1000000);
    test_is("two tasks", none.tasks, 2);

    l4_must(factory_make_task(L4_BOOT_FACTORY, TASK));
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, 0x4711, L4_R | L4_X));
    l4_must(l4_map_cap(TASK, L4_BOOT_TASK, DOOR, 77, L4_R));
    l4_must(task_map(TASK, L4_BOOT_TASK, l4_fpage_memory((u64)page, 12, 3), 0x123000, 1, &n));
    struct tally now = walk(test_object(TASK));
    test_is("three tasks", now.tasks, 3);
    test_is("the door is there", now.doors, 1);
    test_is("its label", now.door_label, 0x4711);
    test_is("its rights", now.door_rights, L4_R);
    test_is("the memory is there", now.memory, 1);
    test_is("its rights", now.memory_rights, 1);
    test_true("it is the page that was mapped", now.frame && now.frame == now.source_frame);
    test_is("entries: the task, its two, and four capabilities here", now.entries, none.entries + 6);

    test_ok("name an object", debug_name(L4_BOOT_DEBUG, GATE, l4_text("gate-of-test")));
    test_status("name an empty slot", debug_name(L4_BOOT_DEBUG, TEST_SLOTS + 40, l4_text("x")), L4_NO_CAPABILITY);
    test_ok("the longest name", debug_name(L4_BOOT_DEBUG, GATE, l4_text("0123456789abcdef")));
    test_ok("a cursor from nowhere", debug_snapshot(L4_BOOT_DEBUG, ~0ul, &n, &(struct debug_entry){ 0 }));

    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_DEBUG, WEAK, L4_W));
    test_status("snapshot needs R", debug_snapshot(WEAK, 0, &n, &(struct debug_entry){ 0 }), L4_NO_RIGHT);
    test_status("usage needs R", debug_usage(WEAK, &n, &n), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_DEBUG, WEAK, L4_R));
    test_status("name needs W", debug_name(WEAK, GATE, l4_text("x")), L4_NO_RIGHT);
    test_drop(WEAK);

    test_is("one task and one gate more", test_usage().objects, before.objects + 2);
    test_drop(TASK);
    test_drop(GATE);
    test_is("the snapshot is as before", walk(~0ul).entries, none.entries);
    test_balance("memory is as before", before);
    test_end();
}
