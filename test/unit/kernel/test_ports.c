/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ports.c: I/O ports against a model that knows for each task and port which range it came in, in seeded random
 * order. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"
#include "string.h"

enum { TASKS = 4, PORTS = 64, RANGES = 4096, OPERATIONS = 600, SEEDS = 40, FIRST = 0x3c0 };

struct range {
    bool used;
    u32 task, first, order;
    int parent;
};

static struct range model[RANGES];
static int models;
static struct cap_table table;
static struct factory *quota;
static struct task *task[TASKS];

static int model_find(u32 t, u32 first, u32 size, int after)
{
    for (int i = after; i < models; i++)
        if (model[i].used && model[i].task == t && model[i].first < first + size
            && first < model[i].first + (1u << model[i].order))
            return i;
    return -1;
}

static int model_add(struct range r)
{
    assert_true(models < RANGES);
    model[models] = r;
    return models++;
}

static bool model_is_below(int i, int top)
{
    while (i >= 0 && i != top)
        i = model[i].parent;
    return i == top;
}

static u64 model_remove(int top, bool derived_only)
{
    u64 changed = 0;
    static bool gone[RANGES];
    for (int i = 0; i < models; i++)
        gone[i] = model[i].used && model_is_below(i, top) && (i != top || !derived_only);
    for (int i = 0; i < models; i++) {
        changed += gone[i];
        model[i].used &= !gone[i];
    }
    return changed;
}

/* Ranges are disjoint in a task, so the order in which they are mapped matters only where something is in the way. */
static l4_err_t model_map(u32 to, u32 from, u32 first, u32 order, u64 *count)
{
    int end = models;
    l4_err_t err = L4_OK;
    *count = 0;
    for (int i = 0; i < end; i++) {
        if (!model[i].used || model[i].task != from || model_find(from, first, 1u << order, i) != i)
            continue;
        bool whole = order >= model[i].order;
        struct range r = { true, to, whole ? model[i].first : first, whole ? model[i].order : order, i };
        int there = model_find(to, r.first, 1u << r.order, 0);
        if (there < 0)
            model_add(r);
        else if (model[there].parent != i || model[there].first != r.first || model[there].order != r.order)
            err = L4_SLOT_BUSY;
        ++*count;
    }
    return err != L4_OK ? err : *count ? L4_OK : L4_NOT_MAPPED;
}

static u64 model_unmap(u32 t, u32 first, u32 order, bool derived_only)
{
    u64 changed = 0;
    for (int i = 0; (i = model_find(t, first, 1u << order, i)) >= 0; i++)
        changed += model_remove(i, derived_only);
    return changed;
}

static void compare(void)
{
    for (u32 t = 0; t < TASKS; t++)
        for (u32 port = FIRST; port < FIRST + PORTS; port++) {
            u32 rights, order;
            int i = model_find(t, port, 1, 0);
            assert_int_equal(space_find_port(&task[t]->space, port, &rights, &order), i >= 0);
            if (i >= 0)
                assert_int_equal(order, model[i].order);
        }
    factory_check(quota);
}

static l4_err_t map(u32 to, u32 from, u32 first, u32 order, bool grant, u64 *count)
{
    u64 progress = 0;
    l4_err_t err;
    do
        err = space_map(&task[to]->space, &task[from]->space, l4_fpage_ports(first, order), first, 3, false, grant,
                        &progress, count);
    while (err == RESTART);
    return err;
}

static u64 unmap(u32 t, u32 first, u32 order, bool derived_only)
{
    u64 progress = 0, changed;
    while (space_unmap(&task[t]->space, l4_fpage_ports(first, order), 3, derived_only, &progress, &changed) == RESTART)
        ;
    return changed;
}

static void random_unmap(u32 t, u32 first, u32 order)
{
    bool derived_only = t == 0 || random_one_in(2);
    assert_int_equal(unmap(t, first, order, derived_only), model_unmap(t, first, order, derived_only));
}

static void random_operation(void)
{
    u32 order = (u32)random_below(5), first = FIRST + ((u32)random_below(PORTS) & ~((1u << order) - 1));
    u32 to = (u32)random_below(TASKS), from = (u32)random_below(TASKS);
    u64 count, expected;
    if (random_one_in(6)) {
        random_unmap(to, first, order);
        return;
    }
    l4_err_t err = map(to, from, first, order, false, &count);
    if (to == from)
        return;
    assert_int_equal(err, model_map(to, from, first, order, &expected));
    if (err == L4_OK)
        assert_int_equal(count, expected);
    if (err == L4_SLOT_BUSY) {  /* which other ranges came before that one is the kernel's business: both begin anew */
        unmap(to, 0, 16, to == 0);
        model_unmap(to, 0, 16, to == 0);
    }
}

static void set_up(void)
{
    struct cap *empty;
    machine_init();
    models = 0;
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 8 << 20, &quota), L4_OK);
    assert_int_equal(cap_reserve(&table, 1, &empty), L4_OK);
    cap_make_root(empty, &quota->object, L4_RIGHTS_ALL);
    for (u32 t = 0; t < TASKS; t++)
        task[t] = make_task(quota);
    assert_int_equal(space_add_root_ports(&task[0]->space), L4_OK);
    model_add((struct range){ true, 0, 0, 16, -1 });
}

static void tear_down(void)
{
    destroy(cap_find(&table, 1));
    while (cap_table_fini_step(&table) == RESTART)
        ;
    machine_expect_clean();
}

static void test_random(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        random_seed(seed);
        set_up();
        for (u32 i = 0; i < OPERATIONS; i++) {
            random_operation();
            if (random_one_in(8) || seed_count(2) == 1)
                compare();
        }
        compare();
        tear_down();
    }
}

static void test_rules(void **unused)
{
    u64 count, progress = 0;
    struct space_entry e;
    (void)unused;
    set_up();
    assert_int_equal(map(1, 0, 0x60, 0, false, &count), L4_OK);
    assert_int_equal(map(1, 0, 0x61, 1, false, &count), L4_BAD_ARGUMENT);
    assert_int_equal(map(1, 2, 0x60, 0, false, &count), L4_NOT_MAPPED);
    assert_int_equal(map(1, 0, 0x60, 2, false, &count), L4_SLOT_BUSY);
    assert_int_equal(space_map(&task[1]->space, &task[0]->space, l4_fpage_ports(0x70, 0), 0x71, 3, false, false,
                               &progress, &count),
                     L4_BAD_ARGUMENT);
    assert_int_equal(map(2, 0, 0x70, 1, true, &count), L4_BAD_ARGUMENT);        /* a part cannot be granted */
    assert_int_equal(map(2, 1, 0x60, 0, true, &count), L4_OK);
    assert_false(task[2]->space.ports[0x60 / 8] & 1);
    assert_true(task[1]->space.ports[0x60 / 8] & 1);
    u64 cursor = 0;
    assert_true(space_next(&task[2]->space, &cursor, &e) && e.is_port && e.at == 0x60 && e.order == 0);
    assert_false(space_next(&task[2]->space, &cursor, &e));
    assert_int_equal(unmap(0, 0, 16, true), 1);
    assert_true(task[2]->space.ports[0x60 / 8] & 1);
    for (u32 port = 0; port < SPACE_PORT_NODES; port++)
        assert_int_equal(map(3, 0, 2 * port, 0, false, &count), L4_OK);
    assert_int_equal(map(3, 0, 0x1000, 0, false, &count), L4_NO_MEMORY);
    factory_check(quota);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_rules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
