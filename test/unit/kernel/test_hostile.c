/* SPDX-License-Identifier: BSD-2-Clause */
/* test_hostile.c: revocations that are interrupted: by tasks that map to each other meanwhile, by other revokers, by
 * the death of a task. A revoker must finish whatever the others do, and the tree be sound after every step. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"
#include "string.h"

enum { HOSTILE = 3, SLOTS = 2000, SEEDS = 30 };
#define VICTIM_AT 0x10000000ul
#define SLOT_AT(i) (0x20000000ul + (u64)(i) * L4_PAGE_SIZE)

static struct factory *quota;
static struct cap_table table;
static struct task *victim, *hostile[HOSTILE];

static struct cap *reserve(u64 slot)
{
    struct cap *empty;
    assert_int_equal(cap_reserve(&table, slot, &empty), L4_OK);
    return empty;
}

static void set_up(u64 seed)
{
    machine_init();
    random_seed(seed);
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 8 << 20, &quota), L4_OK);
    cap_make_root(reserve(1), &quota->object, L4_RIGHTS_ALL);
    victim = make_task(quota);
    cap_make_root(reserve(2), &victim->object, L4_RIGHTS_ALL);
    assert_int_equal(space_add_root(&victim->space, VICTIM_AT, 0x100000, 4 * L4_PAGE_SIZE, 7, true), L4_OK);
    for (u32 i = 0; i < HOSTILE; i++) {
        hostile[i] = make_task(quota);
        cap_make_root(reserve(3 + i), &hostile[i]->object, L4_RIGHTS_ALL);
    }
}

static void tear_down(void)
{
    destroy(cap_find(&table, 1));
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

static l4_err_t map_page(struct task *to, struct task *from, vaddr_t at, vaddr_t to_at, u32 rights)
{
    u64 progress = 0, mapped;
    return flexpage_map(to, from, l4_fpage_memory(at, 12, 0), to_at, rights, MAP, &progress, &mapped);
}

/* One attempt of a random hostile task to grow the tree from what it has. */
static l4_err_t hostile_move(void)
{
    struct task *to = hostile[random_below(HOSTILE)], *from = hostile[random_below(HOSTILE)];
    return map_page(to, from, SLOT_AT(random_below(SLOTS)), SLOT_AT(random_below(SLOTS)), 7);
}

/* A deep and wide tree below the victim's first page. */
static void grow(u32 attempts)
{
    for (u32 i = 0; i < HOSTILE; i++)
        assert_int_equal(map_page(hostile[i], victim, VICTIM_AT, SLOT_AT(0), 7), L4_OK);
    vaddr_t last = SLOT_AT(0);
    for (u32 i = 1; i < SLOTS / 4; i++, last += L4_PAGE_SIZE)    /* one long chain, for depth */
        assert_int_equal(map_page(hostile[i & 1], hostile[~i & 1], i == 1 ? SLOT_AT(0) : last, last + L4_PAGE_SIZE,
                                  7), L4_OK);
    for (u32 i = 0; i < attempts; i++)
        hostile_move();
}

static u32 hostile_entries(u32 *writable)
{
    u32 count = 0;
    struct found found;
    *writable = 0;
    for (u32 i = 0; i < HOSTILE; i++)
        for (u64 unit = 0; page_next(hostile[i], L4_FPAGE_MEMORY, &unit, &found); count++)
            *writable += (found.cap->rights & L4_W) != 0;
    return count;
}

/* The revoker is slow: between its steps everybody else tries a hundred times. It needs a bounded number of steps all
 * the same. */
static u32 revoke_slowly(u32 rights, bool derived_only)
{
    u64 progress = 0, changed;
    u32 steps = 1;
    while (flexpage_unmap(victim, l4_fpage_memory(VICTIM_AT, 12, 0), rights, derived_only, &progress,
                       &changed) == RESTART) {
        for (u32 i = 0; i < 100; i++)
            hostile_move();
        if (steps % 4 == 1)
            factory_check(quota);
        assert_true(++steps < 100);
    }
    return steps;
}

static void test_revoker_finishes(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        u32 writable;
        set_up(seed);
        grow(6000);
        assert_true(hostile_entries(&writable) > 1000);
        revoke_slowly(L4_W, true);
        assert_true(hostile_entries(&writable) > 1000);
        assert_int_equal(writable, 0);
        revoke_slowly(L4_R, seed & 1);
        assert_int_equal(hostile_entries(&writable), 0);
        factory_check(quota);
        tear_down();
    }
}

/* Everything below is one tree; two revokers at different depths and a dying task meet in it. */
static void test_revokers_meet(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        u64 progress[3] = { 0 }, changed;
        u32 writable, going = 4;
        bool done[4] = { false };
        set_up(seed);
        grow(4000);
        for (u32 rounds = 0; going; rounds++) {
            u32 who = (u32)random_below(4);
            if (done[who])
                continue;
            if (who == 0)
                done[0] = flexpage_unmap(victim, l4_fpage_memory(VICTIM_AT, 12, 0), L4_R, true, &progress[0],
                                      &changed) != RESTART;
            else if (who < 3)
                done[who] = flexpage_unmap(hostile[who - 1], L4_FPAGE_EVERYTHING, who == 1 ? L4_W : 7, who == 1,
                                        &progress[who], &changed) != RESTART;
            else
                done[3] = remove_step(cap_find(&table, 3 + 2), false, &changed) != RESTART;
            going -= done[who];
            if (rounds % 16 == 0)
                factory_check(quota);
        }
        factory_check(quota);
        hostile[2] = hostile[1];
        hostile_entries(&writable);
        tear_down();
    }
}

/* The revoker dies in the middle of its work: the next who touches the tree finishes it. */
static void test_revoker_dies(void **unused)
{
    u64 progress = 0, changed;
    (void)unused;
    set_up(seed_first());
    grow(4000);
    assert_int_equal(flexpage_unmap(victim, l4_fpage_memory(VICTIM_AT, 12, 0), 7, true, &progress, &changed),
                     RESTART);
    u32 helps = 0;
    while (map_page(hostile[0], victim, VICTIM_AT, SLOT_AT(SLOTS), 7) == RESTART)
        assert_true(++helps < 200);
    u32 writable;
    assert_int_equal(hostile_entries(&writable), 1);
    factory_check(quota);
    tear_down();
}

/* Pages of two trees in one window: the copy stops where the marked tree begins, and goes on when that is settled. */
static void test_window_over_two_trees(void **unused)
{
    u64 progress = 0, changed, mapping = 0, mapped;
    u64 window = l4_fpage_memory(SLOT_AT(1024), 14, 0);
    paddr_t frame;
    u32 rights, order;
    (void)unused;
    set_up(seed_first());
    for (u32 i = 0; i < 4; i++)
        assert_int_equal(map_page(hostile[0], victim, VICTIM_AT + (i == 3 ? 0 : L4_PAGE_SIZE), SLOT_AT(1024 + i), 7),
                         L4_OK);
    grow(3000);
    assert_int_equal(flexpage_unmap(victim, l4_fpage_memory(VICTIM_AT, 12, 0), L4_W, false, &progress, &changed),
                     RESTART);
    l4_err_t err = flexpage_map(hostile[1], hostile[0], window, SLOT_AT(4096), 7, MAP, &mapping, &mapped);
    assert_int_equal(err, RESTART);
    assert_true(page_at(hostile[1], SLOT_AT(4096 + 2), &frame, &rights, &order) && rights == 7);
    assert_false(page_at(hostile[1], SLOT_AT(4096 + 3), &frame, &rights, &order));
    while (err == RESTART)
        err = flexpage_map(hostile[1], hostile[0], window, SLOT_AT(4096), 7, MAP, &mapping, &mapped);
    assert_int_equal(err, L4_OK);
    assert_int_equal(mapped, 4);
    assert_true(page_at(hostile[1], SLOT_AT(4096 + 3), &frame, &rights, &order) && rights == 5);
    factory_check(quota);
    tear_down();
}

/* The whole factory is destroyed while a revocation is half done. */
static void test_destroyed_in_the_middle(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        u64 progress = 0, changed;
        set_up(seed);
        grow(3000);
        for (u64 i = random_below(20); i-- > 0; )
            flexpage_unmap(victim, l4_fpage_memory(VICTIM_AT, 12, 0), random_one_in(2) ? 7 : 2, true, &progress,
                        &changed);
        for (u64 i = random_below(30); i-- > 0; )
            remove_step(cap_find(&table, 1), false, &changed);
        tear_down();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revoker_finishes), cmocka_unit_test(test_revokers_meet),
        cmocka_unit_test(test_revoker_dies), cmocka_unit_test(test_destroyed_in_the_middle),
        cmocka_unit_test(test_window_over_two_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
