/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of factory.idl: quotas, exists and busy, destruction of all that was made, balance to the byte.
 * */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "gate.h"
#include "irq.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { F = TEST_SLOTS, INNER, A, B, C, D, E, WEAK, MANY = 128 };

static l4_err_t make(u32 kind, cap_t factory, u32 slot)
{
    switch (kind) {
    case L4_TASK:
        return factory_make_task(factory, slot);
    case L4_THREAD:
        return factory_make_thread(factory, slot);
    case L4_GATE:
        return factory_make_gate(factory, slot);
    case L4_IRQ:
        return factory_make_irq(factory, slot);
    default:
        return factory_make_factory(factory, slot, 64 << 10);
    }
}

static bool is_empty(cap_t slot)
{
    u32 rights, order;
    u64 id;
    return task_look(L4_BOOT_TASK, l4_fpage_caps(slot, 0), &rights, &order, &id) == L4_NOT_MAPPED;
}

static void test_each_kind(void)
{
    static const u32 kind[] = { L4_TASK, L4_THREAD, L4_GATE, L4_IRQ, L4_FACTORY };
    static const char *const name[] = { "task", "thread", "gate", "irq", "factory" };
    struct test_usage before = test_usage();
    for (u32 i = 0; i < 5; i++) {
        test_ok(name[i], make(kind[i], L4_BOOT_FACTORY, A));
        test_status("the same again", make(kind[i], L4_BOOT_FACTORY, A), L4_EXISTS);
        test_status("another kind in its slot", make(kind[(i + 1) % 5], L4_BOOT_FACTORY, A), L4_SLOT_BUSY);
        test_status("in slot 0", make(kind[i], L4_BOOT_FACTORY, 0), L4_BAD_ARGUMENT);
        test_status("beyond the table", make(kind[i], L4_BOOT_FACTORY, L4_CAP_SLOTS), L4_BAD_ARGUMENT);
        test_is("one object more", test_usage().objects, before.objects + 1);
        l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, A, B, L4_RIGHTS_ALL));
        test_drop(A);
        test_true("its copy is gone with it", is_empty(B));
        test_balance("its memory is back", before);
    }
}

static void test_rights(void)
{
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_FACTORY, WEAK, L4_R | L4_X));
    for (u32 kind = L4_FACTORY; kind <= L4_IRQ; kind++)
        test_status("make needs W", make(kind, WEAK, A), L4_NO_RIGHT);
    test_status("a line needs W and X", factory_make_line(WEAK, A, 4, false), L4_NO_RIGHT);
    test_ok("quota needs R", factory_quota(WEAK, &(u64){ 0 }, &(u64){ 0 }));
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_FACTORY, WEAK, L4_W));
    test_status("a line needs X as well", factory_make_line(WEAK, A, 4, false), L4_NO_RIGHT);
    test_status("quota without R", factory_quota(WEAK, &(u64){ 0 }, &(u64){ 0 }), L4_NO_RIGHT);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_FACTORY, WEAK, L4_R | L4_W));
    test_ok("a factory made without X", factory_make_factory(WEAK, F, 64 << 10));
    test_status("has no X to give", factory_make_line(F, A, 4, false), L4_NO_RIGHT);
    test_drop(WEAK);
    test_drop(F);
}

static void test_quota(void)
{
    u64 limit, used, before_limit, before_used;
    l4_must(factory_quota(L4_BOOT_FACTORY, &before_limit, &before_used));
    test_ok("a factory of 1 MB", factory_make_factory(L4_BOOT_FACTORY, F, 1 << 20));
    l4_must(factory_quota(L4_BOOT_FACTORY, &limit, &used));
    test_true("its part counts as used", used >= before_used + (1 << 20));
    test_ok("ask it", factory_quota(F, &limit, &used));
    test_is("its limit", limit, 1 << 20);
    test_is("nothing is used", used, 0);
    test_status("a part larger than the whole", factory_make_factory(F, INNER, 2 << 20), L4_NO_MEMORY);
    test_status("larger than everything", factory_make_factory(F, INNER, ~0ul), L4_NO_MEMORY);
    test_ok("a part of it", factory_make_factory(F, INNER, 512 << 10));
    test_ok("a gate from it", factory_make_gate(F, A));
    test_status("from the root factory in that slot", factory_make_gate(L4_BOOT_FACTORY, A), L4_SLOT_BUSY);
    l4_err_t err = L4_OK;
    u32 made = 0;
    for (; made < 8192 && !err; made++)
        err = factory_make_gate(INNER, MANY + made);
    test_status("until the quota is used up", err, L4_NO_MEMORY);
    test_true("a good many", made > 1000);
    l4_must(factory_quota(INNER, &limit, &used));
    test_true("used is no more than the limit", used <= limit);
    test_drop(MANY);
    test_ok("one goes, one comes", factory_make_gate(INNER, MANY));
    test_drop(INNER);
    test_true("all of them went", is_empty(MANY) && is_empty(MANY + 1000));
    l4_must(factory_quota(F, &limit, &used));
    test_true("and its part is back", used < 4096);
    test_drop(F);
    test_true("the gate went", is_empty(A));
    l4_must(factory_quota(L4_BOOT_FACTORY, &limit, &used));
    test_true("and the whole", used < before_used + (256 << 10));
}

static void spin(u64 unused)
{
    for (;;)
        ;
}

/* A whole service in one factory: destroying that is one call, and the quota balances. */
static void test_service(void)
{
    u64 n;
    struct test_usage before = test_usage();
    l4_must(factory_make_factory(L4_BOOT_FACTORY, F, 1 << 20));
    l4_must(factory_make_task(F, A));
    l4_must(factory_make_thread(F, B));
    l4_must(factory_make_gate(F, C));
    l4_must(factory_make_irq(F, D));
    l4_must(factory_make_factory(F, INNER, 128 << 10));
    l4_must(factory_make_task(INNER, E));
    extern u8 l4_image_start[], l4_image_end[];
    u64 start = (u64)l4_image_start, bytes = (u64)l4_image_end - start;
    l4_must(l4_map_range(A, L4_BOOT_TASK, start, start, bytes, L4_R | L4_X));
    l4_must(task_map(E, A, l4_fpage_memory(start, 12, 1), start, 1, &n));
    l4_must(thread_bind(B, A, 0x10000000));
    l4_must(gate_bind(C, B));
    l4_must(irq_bind(D, B, 1));
    l4_must(gate_mint(C, WEAK, 1, 1));
    for (cap_t slot = A; slot <= E; slot++)
        l4_must(l4_map_cap(A, L4_BOOT_TASK, slot, slot, L4_RIGHTS_ALL));
    l4_must(l4_map_cap(A, L4_BOOT_TASK, F, F, L4_RIGHTS_ALL));
    l4_must(thread_start(B, (u64)spin, 0, 0));
    spawn_let_run(1);
    test_drop(F);
    test_true("everything is gone",
        is_empty(A) && is_empty(B) && is_empty(C) && is_empty(D) && is_empty(E) && is_empty(INNER) && is_empty(WEAK));
    test_is("objects are as before", test_usage().objects, before.objects);
    test_balance("memory is as before", before);
}

/* Makes a factory with a task and a thread in it and removes it, then removes its own task and thread. */
static void end_itself(u64 unused)
{
    enum { OWN = 40 };
    factory_make_factory(L4_BOOT_FACTORY, OWN, 128 << 10);
    factory_make_task(OWN, OWN + 1);
    factory_make_thread(OWN, OWN + 2);
    l4_map_cap(OWN + 1, L4_BOOT_TASK, OWN, OWN, L4_RIGHTS_ALL);
    l4_unmap_cap(L4_BOOT_TASK, OWN);
    factory_make_factory(L4_BOOT_FACTORY, OWN, 256 << 10);
    l4_must(factory_make_thread(OWN, OWN + 1));
    l4_must(thread_bind(OWN + 1, L4_BOOT_TASK, 0x18000000));
    thread_start(OWN + 1, (u64)spin, 0, 0);
    l4_unmap_cap(L4_BOOT_TASK, OWN);
    l4_unmap_cap(L4_BOOT_TASK, L4_BOOT_TASK);
    spin(0);
}

static void test_suicide(void)
{
    struct test_usage before = test_usage();
    struct spawned s = spawn_task(0);
    spawn_give(&s, L4_BOOT_FACTORY, L4_BOOT_FACTORY, L4_RIGHTS_ALL);
    spawn_start(&s, end_itself, 0);
    spawn_let_run(5);
    spawn_end(&s);
    test_balance("a task that destroyed what it made balances", before);
}

void l4_main(void)
{
    test_begin("factory");
    test_each_kind();
    test_rights();
    test_service();
    test_suicide();
    test_quota();
    test_end();
}
