/* SPDX-License-Identifier: BSD-2-Clause */
/* test_cap.c: capability tables against a naive model, a flat list of (table, slot, parent), in seeded random order;
 * revoking while others derive; what happens to roots. */
#include "machine.h"
#include "arch.h"
#include "gate.h"
#include "memory.h"
#include "reap.h"
#include "string.h"

enum { TABLES = 3, SLOTS = 40, OBJECTS = 4, OPERATIONS = 3000, SEEDS = 40 };

/* ---- model: cell 0 is no parent ---- */
struct cell {
    struct object *object;      /* NULL: empty */
    u32 parent, rights;
    u64 label;
    bool is_door;
};
static struct cell model[1 + TABLES * SLOTS];
static struct cap_table table[TABLES];


static struct cap *cap_of(u32 cell) { return cap_find(&table[(cell - 1) / SLOTS], (cell - 1) % SLOTS); }

static bool model_is_below(u32 cell, u32 top)
{
    while (cell && cell != top)
        cell = model[cell].parent;
    return cell == top;
}

static u64 model_remove(u32 top, bool derived_only)
{
    bool gone[1 + TABLES * SLOTS] = { false };
    u64 changed = 0;
    for (u32 c = 1; c <= TABLES * SLOTS; c++)
        gone[c] = model[c].object && model_is_below(c, top) && (c != top || !derived_only);
    for (u32 c = 1; c <= TABLES * SLOTS; c++)
        if (gone[c]) {
            model[c] = (struct cell){ 0 };
            changed++;
        }
    return changed;
}

static l4_err_t model_map(u32 to, u32 from, u32 rights, bool grant)
{
    struct cell *t = &model[to], *f = &model[from];
    struct cell new = { f->object, grant ? f->parent : from, f->rights & rights, f->label, f->is_door };
    if (grant && to == from)
        return L4_OK;
    bool same = t->object == new.object && t->parent == from && t->rights == new.rights && t->label == new.label
        && t->is_door == new.is_door;
    if (!grant && same)
        return L4_OK;
    if ((to - 1) % SLOTS == 0)
        return L4_BAD_ARGUMENT;
    if (t->object && !same)
        return L4_SLOT_BUSY;
    *t = new;
    if (grant) {
        for (u32 c = 1; c <= TABLES * SLOTS; c++)
            if (model[c].object && model[c].parent == from && model[c].is_door == new.is_door && model[c].rights & ~new.rights)
                model_remove(c, false);
        *f = (struct cell){ 0 };
        for (u32 c = 1; c <= TABLES * SLOTS; c++)
            if (c != to && model[c].object && model[c].parent == from)
                model[c].parent = to;
    }
    return L4_OK;
}

static void compare(void)
{
    for (u32 c = 1; c <= TABLES * SLOTS; c++) {
        const struct cap *cap = cap_of(c), *parent = model[c].parent ? cap_of(model[c].parent) : NULL;
        assert_ptr_equal(cap->object, model[c].object);
        assert_int_equal(cap->kind != L4_NOTHING, model[c].object != NULL);
        if (!cap->object)
            continue;
        assert_ptr_equal(cap->parent, parent);
        assert_int_equal(cap->rights, model[c].rights);
        assert_int_equal(cap->label, model[c].label);
        assert_int_equal(cap->object->root == cap, !model[c].parent);
    }
    for (u32 t = 0; t < TABLES; t++)
        cap_check(&table[t]);
}

/* ---- random ---- */
static u32 random_cell(void) { return 1 + (u32)random_below(TABLES * SLOTS); }

/* An object of its own in a free cell; gates stand for all kinds that are small. */
static void make_object(void)
{
    u32 c = random_cell();
    struct cap *empty;
    struct gate *gate = gate_of(object_create(&root_factory, L4_GATE));
    while ((c - 1) % SLOTS == 0 || model[c].object)
        c = random_cell();
    assert_int_equal(cap_reserve(&table[(c - 1) / SLOTS], (c - 1) % SLOTS, &empty), L4_OK);
    cap_make_root(empty, &gate->object, L4_RIGHTS_ALL);
    model[c] = (struct cell){ &gate->object, 0, L4_RIGHTS_ALL, 0, false };
}

static void random_map(void)
{
    u32 to = random_cell(), from = random_cell(), rights = random_one_in(2) ? 127 : (u32)random_below(128);
    bool grant = random_one_in(4);
    if (!model[from].object)
        return;
    l4_err_t err;
    do
        err = map_one(&table[(to - 1) / SLOTS], (to - 1) % SLOTS, cap_of(from), rights, grant);
    while (err == RESTART);
    assert_int_equal(err, model_map(to, from, rights, grant));
}

static void random_mint(void)
{
    u32 to = random_cell(), from = random_cell();
    struct cap *empty;
    if (model[to].object || !model[from].object || model[from].is_door || (to - 1) % SLOTS == 0)
        return;
    u32 rights = (u32)random_below(32);
    u64 label = random_below(3);
    assert_int_equal(cap_reserve(&table[(to - 1) / SLOTS], (to - 1) % SLOTS, &empty), L4_OK);
    cap_derive(empty, cap_of(from), L4_DOOR, rights, label);
    model[to] = (struct cell){ model[from].object, from, rights, label, true };
}

static u64 remove_all(struct cap *cap, bool derived_only)
{
    u64 changed = 0;
    while (remove_step(cap, derived_only, &changed) == RESTART)
        ;
    return changed;
}

static void random_remove(void)
{
    u32 c = random_cell();
    bool derived_only = random_one_in(2);
    assert_int_equal(remove_all(cap_of(c), derived_only), model_remove(c, derived_only));
}

static void init_tables(void)
{
    machine_init();
    for (u32 t = 0; t < TABLES; t++)
        assert_int_equal(cap_table_init(&table[t], &root_factory), L4_OK);
}

static void fini_tables(void)
{
    for (u32 t = 0; t < TABLES; t++)
        while (cap_table_fini_step(&table[t], &(u32){ TREE_STEP }) == RESTART)
            ;
    machine_expect_clean();
}

static void test_random(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        random_seed(seed);
        init_tables();
        memset(model, 0, sizeof model);
        for (u32 i = 0; i < OBJECTS; i++)
            make_object();
        for (u32 i = 0; i < OPERATIONS; i++) {
            if (random_one_in(4 + seed % 16))
                random_remove();
            else if (random_one_in(6))
                random_mint();
            else
                random_map();
            if (random_one_in(300))
                make_object();
            if (random_one_in(16) || seed_count(2) == 1)
                compare();
        }
        compare();
        fini_tables();
    }
}

/* ---- long trees ---- */
static struct cap *make_root(struct cap_table *t, u64 slot)
{
    struct gate *gate = gate_of(object_create(&root_factory, L4_GATE));
    struct cap *root;
    assert_int_equal(cap_reserve(t, slot, &root), L4_OK);
    cap_make_root(root, &gate->object, L4_RIGHTS_ALL);
    return root;
}

static void map_if_there(u64 to_slot, struct cap *from)
{
    if (from->kind != L4_NOTHING)
        map_one(&table[1], to_slot, from, 127, random_one_in(2));
}

/* Others derive and move what they have at every step of a revocation; it finishes, and after that nothing is left. */
static void test_outrun(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(10); seed < end; seed++) {
        u64 changed = 0, steps = 0, left = 0;
        random_seed(seed);
        init_tables();
        struct cap *root = make_root(&table[0], 1);
        for (u32 i = 2; i < 3000; i++)
            map_one(&table[0], i, cap_find(&table[0], seed & 1 ? i - 1 : 1 + random_below(i - 1)), 127, false);
        while (remove_step(root, seed & 2, &changed) == RESTART) {
            for (u32 i = 0; i < 200; i++)
                map_if_there(1 + random_below(4000), cap_find(&table[random_below(2)], 2 + random_below(3000)));
            if (steps % 16 == 0)
                cap_check(&table[0]);
            assert_true(++steps < 200);
        }
        for (u32 t = 0; t < 2; t++)
            for (u64 slot = 1; slot < L4_CAP_SLOTS; slot++)
                left += cap_find(&table[t], slot)->kind != L4_NOTHING;
        assert_int_equal(left, seed & 2 ? 1 : 0);
        fini_tables();
    }
}

/* Moving what has many children takes many steps, and is sound in between. */
static void test_grant_with_children(void **unused)
{
    enum { CHILDREN = 3000 };
    u32 steps = 1;
    u64 changed = 0;
    (void)unused;
    init_tables();
    struct cap *root = make_root(&table[0], 1);
    for (u32 i = 0; i < CHILDREN; i++)
        assert_int_equal(map_one(&table[1], 1 + i, root, i & 127, false), L4_OK);
    for (; map_one(&table[2], 9, root, 127, true) == RESTART; steps++)
        if (steps % 16 == 0)
            for (u32 t = 0; t < 3; t++)
                cap_check(&table[t]);
    assert_in_range(steps, CHILDREN / TREE_STEP, CHILDREN / TREE_STEP + 2);
    struct cap *moved = cap_find(&table[2], 9);
    assert_ptr_equal(moved->object->root, moved);
    assert_int_equal(root->kind, L4_NOTHING);
    for (u32 i = 0; i < CHILDREN; i++)
        assert_ptr_equal(cap_find(&table[1], 1 + i)->parent, moved);
    while (remove_step(moved, true, &changed) == RESTART)
        ;
    assert_int_equal(changed, CHILDREN);
    fini_tables();
}

/* Who had more than what is left of the granted one has nothing then, nor has who had it from him. */
static void test_grant_with_fewer_rights(void **unused)
{
    enum { CHILDREN = 300, LEFT = L4_R | L4_W };
    (void)unused;
    init_tables();
    struct cap *root = make_root(&table[0], 1);
    for (u32 i = 0; i < CHILDREN; i++) {
        u32 rights = i & 1 ? LEFT : LEFT | L4_M;
        assert_int_equal(map_one(&table[1], 1 + i, root, rights, false), L4_OK);
        assert_int_equal(map_one(&table[1], 1 + CHILDREN + i, cap_find(&table[1], 1 + i), L4_R, false), L4_OK);
    }
    while (map_one(&table[2], 9, root, LEFT, true) == RESTART)
        for (u32 t = 0; t < TABLES; t++)
            cap_check(&table[t]);
    assert_int_equal(cap_find(&table[2], 9)->rights, LEFT);
    for (u32 i = 0; i < CHILDREN; i++) {
        assert_ptr_equal(cap_find(&table[1], 1 + i)->parent, i & 1 ? cap_find(&table[2], 9) : NULL);
        assert_int_equal(cap_find(&table[1], 1 + i)->kind == L4_NOTHING, !(i & 1));
        assert_int_equal(cap_find(&table[1], 1 + CHILDREN + i)->kind == L4_NOTHING, !(i & 1));
    }
    fini_tables();
}

static void test_kept_replies(void **unused)
{
    struct cap *reply;
    u64 changed = 0;
    (void)unused;
    init_tables();
    assert_int_equal(cap_reserve(&table[0], 5, &reply), L4_OK);
    reply->kind = L4_REPLY;
    assert_int_equal(map_one(&table[1], 5, reply, 127, false), L4_WRONG_KIND);
    assert_int_equal(map_one(&table[1], 5, reply, 127, true), L4_WRONG_KIND);
    assert_int_equal(cap_reserve(&table[0], 5, &reply), L4_SLOT_BUSY);
    assert_int_equal(remove_step(reply, true, &changed), L4_OK);
    assert_int_equal(reply->kind, L4_REPLY);
    assert_int_equal(remove_step(reply, false, &changed), L4_OK);
    assert_int_equal(reply->kind, L4_NOTHING);
    assert_int_equal(changed, 1);
    fini_tables();
}

static void test_slots(void **unused)
{
    struct cap *slot;
    (void)unused;
    init_tables();
    assert_int_equal(cap_reserve(&table[0], 0, &slot), L4_BAD_ARGUMENT);
    assert_int_equal(cap_reserve(&table[0], L4_CAP_SLOTS, &slot), L4_BAD_ARGUMENT);
    assert_int_equal(cap_find(&table[0], ~0ul)->kind, L4_NOTHING);
    assert_int_equal(cap_reserve(&table[0], L4_CAP_SLOTS - 1, &slot), L4_OK);
    assert_ptr_equal(slot, cap_find(&table[0], L4_CAP_SLOTS - 1));
    fini_tables();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random), cmocka_unit_test(test_outrun), cmocka_unit_test(test_kept_replies),
        cmocka_unit_test(test_slots), cmocka_unit_test(test_grant_with_children),
        cmocka_unit_test(test_grant_with_fewer_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
