/* SPDX-License-Identifier: BSD-2-Clause */
/* test_small_trees.c: every derivation tree of few capabilities, in every order in which it can have grown; on each, every revocation, stopped
 * after every number of units, while somebody else derives, grants or revokes anywhere in that tree. No proof, for what holds of small trees
 * need not hold of all; but what is wrong with a tree's links is wrong with those of few nodes already. After each step everything is as in the
 * model, an array of parents, and INVARIANT family, given and root hold (cap_check). */
#include "machine.h"
#include "gate.h"
#include "reap.h"

enum { ALONE = 8, DISTURBED = 6, SLOTS = ALONE + 1, NOBODY = ~0u };
enum what { NOTHING, REMOVE, REMOVE_BELOW, DERIVE, MOVE, MOVE_AS_LESS, WHATS };

struct operation {
    enum what what;
    u32 at;
};

struct node {
    u32 parent;
    bool is_there;
};

static struct cap_table table;
static struct object *object;
static struct node model[SLOTS];
static u64 runs;

static u32 slot_of(u32 node) { return node + 1; }
static struct cap *cap_of(u32 node) { return cap_find(&table, slot_of(node)); }

/* ---- the model ---- */
static bool is_below(u32 node, u32 top)
{
    while (node != NOBODY && node != top)
        node = model[node].parent;
    return node == top;
}

/* Grants: all other children go along, but for those that have more rights, which go with all below them. */
static void model_move(u32 at, bool is_less)
{
    bool below[SLOTS];
    for (u32 n = 0; n < SLOTS; n++)
        below[n] = n != at && model[n].is_there && is_below(n, at);
    model[SLOTS - 1] = model[at];
    model[at].is_there = false;
    for (u32 n = 0; n < SLOTS; n++) {
        model[n].is_there &= !(is_less && below[n]);
        if (model[n].parent == at)
            model[n].parent = SLOTS - 1;
    }
}

static void model_do(struct operation op)
{
    bool below[SLOTS];
    if (op.what == NOTHING || !model[op.at].is_there)
        return;
    for (u32 n = 0; n < SLOTS; n++)             /* before anything changes */
        below[n] = model[n].is_there && is_below(n, op.at) && !(op.what == REMOVE_BELOW && n == op.at);
    if (op.what == DERIVE)
        model[SLOTS - 1] = (struct node){ op.at, true };
    if (op.what == MOVE || op.what == MOVE_AS_LESS)
        model_move(op.at, op.what == MOVE_AS_LESS);
    for (u32 n = 0; n < SLOTS; n++)
        if (op.what == REMOVE || op.what == REMOVE_BELOW)
            model[n].is_there &= !below[n];
}

static void compare(void)
{
    for (u32 n = 0; n < SLOTS; n++) {
        const struct cap *cap = cap_of(n);
        assert_int_equal(cap->kind != L4_NOTHING, model[n].is_there);
        if (model[n].is_there)
            assert_ptr_equal(cap->parent, model[n].parent == NOBODY ? NULL : cap_of(model[n].parent));
    }
    cap_check(&table);
}

/* ---- the kernel ---- */
static l4_err_t kernel_do(struct operation op, u32 budget)
{
    struct cap *cap = cap_of(op.at);
    u64 changed = 0;
    bool is_removing = op.what == REMOVE || op.what == REMOVE_BELOW;
    if (op.what == NOTHING || (!is_removing && cap->kind == L4_NOTHING))
        return L4_OK;
    if (is_removing)
        return cap_revoke(cap, op.what == REMOVE_BELOW, &budget, &changed);
    return cap_map(&table, slot_of(SLOTS - 1), cap, op.what == MOVE ? L4_RIGHTS_ALL : L4_R, 0, op.what != DERIVE);
}

static void finish(struct operation op)
{
    while (kernel_do(op, 1) == RESTART)
        ;
}

static void grow(const u32 *parent, u32 nodes)
{
    struct cap *empty;
    object = object_create(&root_factory, L4_GATE);
    for (u32 n = 0; n < SLOTS; n++)
        model[n] = (struct node){ NOBODY, false };
    assert_int_equal(cap_reserve(&table, slot_of(0), &empty), L4_OK);
    cap_make_root(empty, object, L4_RIGHTS_ALL);
    for (u32 n = 1; n < nodes; n++)
        assert_int_equal(cap_map(&table, slot_of(n), cap_of(parent[n]), L4_RIGHTS_ALL, 0, false), L4_OK);
    for (u32 n = 0; n < nodes; n++)
        model[n] = (struct node){ n ? parent[n] : NOBODY, true };
}

static void clear(void)
{
    for (u32 n = 0; n < SLOTS; n++)
        if (model[n].is_there && model[n].parent == NOBODY)
            destroy(cap_of(n));
    for (u32 n = 0; n < SLOTS; n++)
        if (cap_is_tomb(cap_of(n)))
            destroy(cap_of(n));
    for (u32 n = 0; n < SLOTS; n++)
        assert_true(cap_of(n)->kind == L4_NOTHING && !cap_of(n)->object);
}

/* ---- all of it ---- */

/* `first`, stopped after `budget` units; then `second`, which has to settle the tree; then `first` again, as its thread would. True if there
 * was nothing to stop. */
static bool run(const u32 *parent, u32 nodes, struct operation first, u32 budget, struct operation second)
{
    grow(parent, nodes);
    bool is_done = kernel_do(first, budget) == L4_OK;
    finish(second);
    model_do(first);
    model_do(second);
    if (!object->tree.top)          /* it is not: of what is a leaf by now, or gone, the second need not settle the tree */
        compare();
    finish(first);
    model_do(first);
    compare();
    clear();
    runs++;
    return is_done;
}

/* Stopped after one unit, after two, until it is done: after two for each node, at most. */
static void run_budgets(const u32 *parent, u32 nodes, struct operation first, struct operation second)
{
    u32 budget = 1;
    while (!run(parent, nodes, first, budget, second))
        assert_in_range(++budget, 1, 2 * nodes);
}

static void run_tree(const u32 *parent, u32 nodes, bool is_disturbed)
{
    for (u32 at = 0; at < nodes; at++)
        for (enum what what = REMOVE; what <= REMOVE_BELOW; what++)
            for (u32 by = 0; by < (is_disturbed ? nodes : 1); by++)
                for (enum what how = is_disturbed ? REMOVE : NOTHING; how < (is_disturbed ? WHATS : REMOVE); how++)
                    run_budgets(parent, nodes, (struct operation){ what, at }, (struct operation){ how, by });
}

/* The next of all trees whose node n grew below an earlier one; false after the last. */
static bool next_tree(u32 *parent, u32 nodes)
{
    for (u32 n = nodes - 1; n > 0; n--) {
        if (++parent[n] < n)
            return true;
        parent[n] = 0;
    }
    return false;
}

static void run_all(u32 most, bool is_disturbed)
{
    u32 trees = 0, expected = 0, factorial = 1;
    for (u32 nodes = 1; nodes <= most; nodes++) {
        u32 parent[ALONE] = { 0 };
        factorial *= nodes > 1 ? nodes - 1 : 1;
        expected += factorial;
        do {
            run_tree(parent, nodes, is_disturbed);
            trees++;
        } while (next_tree(parent, nodes));
    }
    assert_int_equal(trees, expected);
}

static void test_all(void **unused)
{
    (void)unused;
    machine_init();
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    run_all(ALONE, false);
    u64 alone = runs;
    run_all(DISTURBED, true);
    print_message("%lu runs of one revocation, %lu of one that is disturbed\n", alone, runs - alone);
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
