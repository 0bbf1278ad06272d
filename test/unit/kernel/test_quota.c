/* SPDX-License-Identifier: BSD-2-Clause */
/* test_quota.c: each operation with a quota, and with a machine, that ends at each of its allocations: it fails with
 * no_memory, nothing is leaked, and it succeeds once there is enough. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { ENOUGH = 64 << 10, BLOCKS = 12 };
struct held { void *at; u32 bytes; };

static struct cap_table table;
static struct factory *quota;
static struct task *source, *target;
static struct cap *root;

static void set_up(void)
{
    machine_init();
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 4 << 20, &quota), L4_OK);
    assert_int_equal(cap_reserve(&table, 1, &root), L4_OK);
    cap_make_root(root, &quota->object, L4_RIGHTS_ALL);
    source = make_task(&root_factory);
    struct cap *empty;
    assert_int_equal(cap_reserve(&table, 2, &empty), L4_OK);
    cap_make_root(empty, &source->object, L4_RIGHTS_ALL);
    assert_int_equal(space_add_root(&source->space, 0x400000, 0x400000, L4_LARGE_SIZE, 7, true), L4_OK);
    assert_int_equal(space_add_root(&source->space, 0x800000, 0x600000, L4_PAGE_SIZE, 7, true), L4_OK);
    l4_err_t err = space_add_root(&source->space, PORTS_AT + 0x60000, PORT_FRAMES + 0x60000, 4 * L4_PAGE_SIZE, 3, true);
    assert_int_equal(err, L4_OK);
    target = make_task(quota);
}

static void tear_down(void)
{
    destroy(root);
    destroy(cap_find(&table, 2));
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

/* ---- the operations ---- */
static l4_err_t map(u64 fpage, u64 to, bool grant)
{
    u64 progress = 0, mapped;
    l4_err_t err;
    do
        err = flexpage_map(target, source, fpage, to, 7, grant ? GRANT : MAP, &progress, &mapped);
    while (err == RESTART);
    return err;
}
static l4_err_t map_at(vaddr_t at, u32 order, bool grant) { return map(l4_fpage_memory(at, order, 0), 0x7000000000, grant); }
static l4_err_t map_page(void) { return map_at(0x800000, 12, false); }
static l4_err_t map_part(void) { return map_at(0x401000, 12, false); }
static l4_err_t map_large(void) { return map_at(0x400000, 21, false); }
static l4_err_t grant_page(void) { return map_at(0x800000, 12, true); }
static l4_err_t map_ports(void) { return map(l4_fpage_ports(0x60, 2), 0x60, false); }
static l4_err_t grant_ports(void) { return map(l4_fpage_ports(0x60, 0), 0x60, true); }
static l4_err_t map_cap(void) { return map_one(&target->caps, 700, root, L4_R, false); }
static l4_err_t take_utcb(void)
{
    struct l4_utcb *utcb;
    l4_err_t err = task_utcb_take(target, 0x7000000400, &utcb);
    if (err == L4_OK)
        task_utcb_give(target, 0x7000000400);
    return err;
}
static l4_err_t create_task(void) { return object_create(quota, L4_TASK) ? L4_OK : L4_NO_MEMORY; }
static l4_err_t create_factory(void)
{
    struct factory *factory;
    return factory_create(quota, 1000, &factory);
}

struct operation {
    const char *name;
    l4_err_t (*run)(void);
    bool keeps_page;        /* a page of capability slots stays when the mapping fails */
};
static const struct operation operations[] = {
    { "map_page", map_page, false }, { "map_part", map_part, false }, { "map_large", map_large, false },
    { "grant_page", grant_page, false }, { "map_ports", map_ports, true }, { "grant_ports", grant_ports, true },
    { "map_cap", map_cap, true }, { "take_utcb", take_utcb, false }, { "create_task", create_task, false },
    { "create_factory", create_factory, false },
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static bool run_starved(const struct operation *o, u64 bytes)
{
    u64 limit = quota->limit, used = quota->used;
    quota->limit = used + bytes;
    l4_err_t err = o->run();
    quota->limit = limit;
    assert_true(err == L4_OK || err == L4_NO_MEMORY);
    if (err != L4_OK && !o->keeps_page)
        assert_int_equal(quota->used, used);
    factory_check(quota);
    return err == L4_OK;
}

static void test_quota_ends(void **unused)
{
    (void)unused;
    for (u32 i = 0; i < OPERATIONS; i++) {
        set_up();
        u64 bytes = 0;
        while (!run_starved(&operations[i], bytes))
            bytes += 64;
        assert_true(bytes > 0 && bytes < ENOUGH);
        tear_down();
    }
}

/* Take all memory that is free, the largest blocks first; returns how many there are. */
static u32 hoard_all(struct held *hoard)
{
    u32 n = 0;
    for (u32 bytes = 1 << MEMORY_MOST; bytes >= 1 << MEMORY_LEAST; bytes /= 2)
        while ((hoard[n].at = memory_take(&root_factory, bytes)))
            hoard[n++].bytes = bytes;
    return n;
}

/* The machine ends after `left` blocks of 8 KB. */
static void run_without_machine(const struct operation *o, u32 left)
{
    static struct held hoard[ARENA_BYTES >> MEMORY_LEAST];
    set_up();
    root_factory.limit += ARENA_BYTES;
    u32 n = hoard_all(hoard), kept = 0;
    for (; kept < left && kept < n; kept++)
        memory_give(&root_factory, hoard[kept].at, hoard[kept].bytes);
    root_factory.limit -= ARENA_BYTES;
    l4_err_t err = o->run();
    assert_true(err == L4_OK || err == L4_NO_MEMORY);
    factory_check(quota);
    while (n-- > kept)
        memory_give(&root_factory, hoard[n].at, hoard[n].bytes);
    if (err != L4_OK)
        assert_int_equal(o->run(), L4_OK);
    tear_down();
}

static void test_machine_ends(void **unused)
{
    (void)unused;
    for (u32 i = 0; i < OPERATIONS; i++)
        for (u32 left = 0; left < BLOCKS; left++)
            run_without_machine(&operations[i], left);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_quota_ends), cmocka_unit_test(test_machine_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
