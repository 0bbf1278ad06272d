/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ports.c: I/O ports against a model that knows for each task and port where it came from, in seeded random order;
 * and what is their own. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"
#include "string.h"
#include "task_kernel.h"

enum { TASKS = 4, OWN = 64, OPERATIONS = 600, SEEDS = 40, FIRST = 0x3c0, NOBODY = -1 };

/* By task and port; `parent` is an index, or NOBODY for the first task's. */
struct cell {
    bool used;
    int parent;
};

static struct cell model[TASKS * OWN];
static struct cap_table table;
static struct factory *quota;
static struct task *task[TASKS];

static int cell_of(u32 t, u32 port) { return (int)(t * OWN + port - FIRST); }

static bool model_is_below(int i, int top)
{
    while (i >= 0 && i != top)
        i = model[i].parent;
    return i == top;
}

static void model_move(int to, int from)
{
    model[to] = model[from];
    model[from].used = false;
    for (int i = 0; i < TASKS * OWN; i++)
        if (model[i].used && model[i].parent == from)
            model[i].parent = to;
}

static l4_err_t model_map(u32 to, u32 from, u32 first, u32 order, bool grant, u64 *count)
{
    *count = 0;
    for (u32 port = first; port < first + (1u << order); port++) {
        int source = cell_of(from, port), target = cell_of(to, port);
        if (!model[source].used)
            continue;
        if (!model[target].used && grant)
            model_move(target, source);
        else if (!model[target].used)
            model[target] = (struct cell){ true, source };
        else if (target != source && (grant || model[target].parent != source))
            return L4_SLOT_BUSY;
        ++*count;
    }
    return *count ? L4_OK : L4_NOT_MAPPED;
}

static u64 model_unmap(u32 t, u32 first, u32 order, bool derived_only)
{
    u64 changed = 0;
    for (u32 port = first; port < first + (1u << order); port++) {
        bool gone[TASKS * OWN] = { false };
        int top = cell_of(t, port);
        for (int i = 0; i < TASKS * OWN && model[top].used; i++)
            gone[i] = model[i].used && model_is_below(i, top) && (i != top || !derived_only);
        for (int i = 0; i < TASKS * OWN; i++) {
            changed += gone[i];
            model[i].used &= !gone[i];
        }
    }
    return changed;
}

static bool has_port(u32 t, u32 port)
{
    u32 rights, order;
    u64 id;
    return task_look(task[t], NULL, l4_fpage_ports(port, 0), &rights, &order, &id) == L4_OK && rights == (L4_R | L4_W);
}

static void compare(void)
{
    for (u32 t = 0; t < TASKS; t++)
        for (u32 port = FIRST; port < FIRST + OWN; port++)
            assert_int_equal(has_port(t, port), model[cell_of(t, port)].used);
    factory_check(quota);
}

static l4_err_t map(u32 to, u32 from, u32 first, u32 order, bool grant, u64 *count)
{
    u64 progress = 0;
    l4_err_t err;
    do
        err = flexpage_map(task[to], task[from], l4_fpage_ports(first, order), first, 3, grant ? GRANT : MAP, &progress,
                       count);
    while (err == RESTART);
    return err;
}

static u64 unmap(u32 t, u32 first, u32 order, bool derived_only)
{
    u64 progress = 0, changed;
    while (flexpage_unmap(task[t], l4_fpage_ports(first, order), 3, derived_only, &progress, &changed) == RESTART)
        ;
    return changed;
}

static void random_operation(void)
{
    u32 order = (u32)random_below(5), first = FIRST + ((u32)random_below(OWN) & ~((1u << order) - 1));
    u32 to = (u32)random_below(TASKS), from = (u32)random_below(TASKS);
    u64 count, expected;
    if (random_one_in(4)) {
        bool derived_only = to == 0 || random_one_in(2);
        assert_int_equal(unmap(to, first, order, derived_only), model_unmap(to, first, order, derived_only));
        return;
    }
    bool grant = from != 0 && random_one_in(5);
    l4_err_t err = map(to, from, first, order, grant, &count);
    assert_int_equal(err, model_map(to, from, first, order, grant, &expected));
    if (err == L4_OK)
        assert_int_equal(count, expected);
}

static void set_up(void)
{
    struct cap *empty;
    machine_init();
    memset(model, 0, sizeof model);
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 8 << 20, &quota), L4_OK);
    assert_int_equal(cap_reserve(&table, 1, &empty), L4_OK);
    cap_make_root(empty, &quota->object, L4_RIGHTS_ALL);
    for (u32 t = 0; t < TASKS; t++)
        task[t] = make_task(quota);
}

static void give_ports(u32 first, u32 count)
{
    u64 offset = first * L4_PAGE_SIZE, bytes = count * L4_PAGE_SIZE;
    l4_err_t err = space_add_root(&task[0]->space, PORTS_AT + offset, PORT_FRAMES + offset, bytes, 3, true);
    assert_int_equal(err, L4_OK);
}

static void tear_down(void)
{
    destroy(cap_find(&table, 1));
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

static void test_random(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        random_seed(seed);
        set_up();
        give_ports(FIRST, OWN);
        for (u32 i = 0; i < OWN; i++)
            model[i] = (struct cell){ true, NOBODY };
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
    u64 count, progress = 0, unit = 0;
    struct found found;
    (void)unused;
    set_up();
    give_ports(0, PORTS);
    assert_int_equal(map(1, 0, 0x60, 0, false, &count), L4_OK);
    assert_int_equal(map(1, 0, 0x61, 1, false, &count), L4_BAD_ARGUMENT);
    assert_int_equal(map(1, 0, PORTS, 0, false, &count), L4_BAD_ARGUMENT);
    assert_int_equal(map(1, 2, 0x60, 0, false, &count), L4_NOT_MAPPED);
    assert_int_equal(flexpage_map(task[1], task[0], l4_fpage_ports(0x70, 0), 0x71, 3, MAP, &progress, &count),
                     L4_BAD_ARGUMENT);
    assert_int_equal(map(2, 0, 0x70, 1, true, &count), L4_BAD_ARGUMENT);        /* a part of 512 cannot be granted */
    assert_int_equal(map(2, 1, 0x60, 0, true, &count), L4_OK);
    assert_true(has_port(2, 0x60) && !has_port(1, 0x60) && !has_port(2, 0x61));
    assert_true(page_next(task[2], L4_FPAGE_IO, &unit, &found) && found.unit == 0x60 && found.order == 0);
    assert_false(page_next(task[2], L4_FPAGE_IO, &unit, &found));
    unit = 0;
    assert_false(page_next(task[2], L4_FPAGE_MEMORY, &unit, &found));
    assert_int_equal(unmap(0, 0, 16, true), 1);
    assert_false(has_port(2, 0x60));
    assert_int_equal(map(3, 0, 0, 16, false, &count), L4_OK);
    assert_int_equal(count, PORTS / TABLE_ENTRIES);
    assert_true(has_port(3, 0) && has_port(3, PORTS - 1) && !has_port(3, PORTS));
    assert_int_equal(flexpage_unmap(task[3], l4_fpage_ports(0, 16), L4_R, false, &progress, &count), L4_BAD_ARGUMENT);
    factory_check(quota);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_rules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
