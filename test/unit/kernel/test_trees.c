/* SPDX-License-Identifier: BSD-2-Clause */
/* test_trees.c: derivation trees of chosen shapes, up to the extremes (one chain, one fan, combs, brooms, random ones), of large and small pages,
 * some of them copied or granted on the way, against a naive model: an array of nodes with the index of their parent. Rights are taken
 * at any node, from all below it or from itself, too; then everything is as in the model, and in the end every byte is back. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"

enum { TASKS = 4, NODES = 1200, SEEDS = 6, CUTS = 12, NOBODY = ~0u };
#define ROOT_AT     0x40000000ul
#define ROOT_FRAME  0x200000ul
#define SMALL_AT    0x100000000ul
#define LARGE_AT    0x4000000000ul

struct node {
    struct task *task;
    vaddr_t at;
    paddr_t frame;
    u32 parent, rights, order;
    bool gone;
};

enum shape { CHAIN, FAN, COMB, BROOM, BINARY, RANDOM, SHAPES };

static struct factory *quota;
static struct cap_table table;
static struct task *task[TASKS];
static struct node node[NODES];
static u32 nodes;

/* ---- the machine ---- */
static struct cap *reserve(u64 slot)
{
    struct cap *empty;
    assert_int_equal(cap_reserve(&table, slot, &empty), L4_OK);
    return empty;
}

static void set_up(void)
{
    machine_init();
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 32 << 20, &quota), L4_OK);
    cap_make_root(reserve(1), &quota->object, L4_RIGHTS_ALL);
    for (u32 i = 0; i < TASKS; i++) {
        task[i] = make_task(quota);
        cap_make_root(reserve(2 + i), &task[i]->object, L4_RIGHTS_ALL);
    }
    assert_int_equal(space_add_root(&task[0]->space, ROOT_AT, ROOT_FRAME, L4_LARGE_SIZE, 7, true), L4_OK);
    node[0] = (struct node){ task[0], ROOT_AT, ROOT_FRAME, NOBODY, 7, L4_LARGE_SHIFT, false };
    nodes = 1;
}

static void tear_down(void)
{
    destroy(cap_find(&table, 1));
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

/* ---- the model ---- */
static bool is_below(u32 n, u32 top)
{
    while (n != NOBODY && n != top)
        n = node[n].parent;
    return n == top;
}

static void model_take(u32 top, u32 taking, bool derived_only)
{
    bool below[NODES];
    for (u32 n = 0; n < nodes; n++)         /* before anything changes */
        below[n] = !node[n].gone && is_below(n, top) && !(derived_only && n == top);
    for (u32 n = 0; n < nodes; n++) {
        if (!below[n])
            continue;
        node[n].gone = (taking & L4_R) != 0;
        node[n].rights &= ~taking;
    }
}

static void compare(void)
{
    u64 there[TASKS] = { 0 }, found[TASKS] = { 0 };
    struct found f;
    for (u32 n = 0; n < nodes; n++) {
        paddr_t frame;
        u32 rights, order;
        bool present = page_at(node[n].task, node[n].at, &frame, &rights, &order);
        assert_int_equal(present, !node[n].gone);
        if (!present)
            continue;
        assert_int_equal(frame, node[n].frame);
        assert_int_equal(rights, node[n].rights);
        assert_int_equal(order, node[n].order);
        for (u32 i = 0; i < TASKS; i++)
            there[i] += node[n].task == task[i];
    }
    for (u32 i = 0; i < TASKS; i++) {
        for (u64 unit = 0; page_next(task[i], L4_FPAGE_MEMORY, &unit, &f); )
            found[i]++;
        assert_int_equal(found[i], there[i]);
    }
    factory_check(quota);
}

/* ---- growing ---- */

/* Hang node number `nodes` below `from`, or beside it, or move `from` there. */
static void derive(u32 from, enum how how, u32 rights)
{
    struct node *source = &node[from], *to = &node[nodes];
    bool large = source->order == L4_LARGE_SHIFT && (how == GRANT || random_one_in(3));
    u64 inside = source->order == L4_LARGE_SHIFT && !large ? random_below(512) << L4_PAGE_SHIFT : 0, progress = 0, mapped;
    u32 order = large ? L4_LARGE_SHIFT : L4_PAGE_SHIFT;
    *to = (struct node){ task[random_below(TASKS)], large ? LARGE_AT + nodes * (u64)L4_LARGE_SIZE : SMALL_AT + nodes * (u64)L4_PAGE_SIZE,
                         source->frame + inside, how == COPY && source->parent != NOBODY ? source->parent : from,
                         source->rights & rights, order, false };
    l4_err_t err;
    do
        err = flexpage_map(to->task, source->task, l4_fpage_memory(source->at + inside, order, 0), to->at, rights, how, &progress, &mapped);
    while (err == RESTART);
    assert_int_equal(err, L4_OK);
    assert_int_equal(mapped, 1);
    if (how != GRANT) {
        nodes++;
        return;
    }
    model_take(from, 7 & ~rights, false);       /* it keeps its number and goes on elsewhere */
    source->task = to->task;
    source->at = to->at;
    *to = (struct node){ task[0], ~0ul >> 20, 0, NOBODY, 0, 0, true };
    nodes++;
}

static u32 parent_of(enum shape shape, u32 n)
{
    switch (shape) {
    case CHAIN:  return n - 1;
    case FAN:    return 0;
    case COMB:   return n % 2 ? n - 1 : n < 2 ? 0 : n - 2;
    case BROOM:  return n < NODES / 2 ? n - 1 : NODES / 2 - 1;
    case BINARY: return (n - 1) / 2;
    default:     return (u32)random_below(n);
    }
}

/* Who is there, beginning with `n`. */
static u32 living(u32 n)
{
    while (node[n % nodes].gone)
        n++;
    return n % nodes;
}

static void grow(enum shape shape, bool mixed)
{
    while (nodes < NODES) {
        u32 from = living(parent_of(shape, nodes)), rights = L4_R | (random_one_in(40) ? 0 : L4_W) | (random_one_in(40) ? 0 : L4_X);
        enum how how = mixed && random_one_in(8) ? COPY : mixed && random_one_in(8) ? GRANT : MAP;
        derive(from, how, how == GRANT && random_one_in(2) ? 7 : rights);
    }
}

/* ---- taking ---- */
static void cut(u32 top, u32 taking, bool derived_only)
{
    u64 progress = 0, changed;
    l4_err_t err;
    if (!derived_only && !(node[top].rights & taking) && !(taking & L4_R))
        return;
    u64 fpage = l4_fpage_memory(node[top].at, node[top].order, 0);
    do
        err = flexpage_unmap(node[top].task, fpage, taking, derived_only, &progress, &changed);
    while (err == RESTART);
    assert_int_equal(err, L4_OK);
    model_take(top, taking, derived_only);
}

static u32 living_nodes(void)
{
    u32 count = 0;
    for (u32 n = 0; n < nodes; n++)
        count += !node[n].gone;
    return count;
}

static void cut_all(enum shape shape)
{
    for (u32 i = 0; i < CUTS && living_nodes() > 1; i++) {
        u32 top = living((u32)random_below(nodes));
        if (i < CUTS / 2)
            cut(top, random_one_in(2) ? L4_W : L4_X, random_one_in(2));
        else if (top || shape == FAN)
            cut(top, 7, !top || random_one_in(2));
        compare();
    }
    u64 used = quota->used;
    cut(0, 7, true);
    compare();
    assert_int_equal(living_nodes(), 1);
    assert_true(quota->used <= used);
}

static void test_shapes(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++)
        for (enum shape shape = CHAIN; shape < SHAPES; shape++)
            for (u32 mixed = 0; mixed < 2; mixed++) {
                random_seed(seed * SHAPES + shape);
                set_up();
                u64 used = quota->used;
                grow(shape, mixed);
                compare();
                cut_all(shape);
                if (node[0].task == task[0] && node[0].at == ROOT_AT)
                    assert_int_equal(quota->used, used);    /* to the byte, page tables too */
                tear_down();
            }
}

/* No shape is dear: a revocation comes to each node once or twice, on its way down and when it goes. */
static u32 steps_of(enum shape shape)
{
    u64 progress = 0, changed;
    u32 steps = 1;
    random_seed(1);
    set_up();
    grow(shape, false);
    while (flexpage_unmap(task[0], l4_fpage_memory(ROOT_AT, L4_LARGE_SHIFT, 0), 7, true, &progress, &changed) == RESTART)
        steps++;
    assert_int_equal(changed, NODES - 1);
    tear_down();
    return steps;
}

static void test_steps_do_not_depend_on_shape(void **unused)
{
    (void)unused;
    for (enum shape shape = CHAIN; shape < SHAPES; shape++)
        assert_in_range(steps_of(shape), (NODES - 1) / TREE_STEP, (2 * NODES + TREE_STEP - 1) / TREE_STEP + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shapes), cmocka_unit_test(test_steps_do_not_depend_on_shape) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
