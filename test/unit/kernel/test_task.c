/* SPDX-License-Identifier: BSD-2-Clause */
/* test_task.c: life and death of tasks and factories, however they hold each other; UTCB pages; the methods of
 * task.idl. */
#include "machine.h"
#include <abi/fpage.h>
#include "arch.h"
#include "gate.h"
#include "invoke.h"
#include "memory.h"
#include "reap.h"
#include "string.h"
#include "task_kernel.h"
#include "watch.h"

enum { SEEDS = 60, OBJECTS = 24 };

static struct cap_table table;
static struct factory *quota;
static struct cap *root;

static struct cap *reserve(struct cap_table *t, u64 slot)
{
    struct cap *empty;
    assert_int_equal(cap_reserve(t, slot, &empty), L4_OK);
    return empty;
}

static void set_up(void)
{
    machine_init();
    assert_int_equal(cap_table_init(&table, &root_factory), L4_OK);
    assert_int_equal(factory_create(&root_factory, 16 << 20, &quota), L4_OK);
    root = reserve(&table, 1);
    cap_make_root(root, &quota->object, L4_RIGHTS_ALL);
}

static void tear_down(void)
{
    destroy(root);
    assert_null(root->object);
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

static struct task *make_held(struct cap_table *holder, u64 slot)
{
    struct task *task = make_task(quota);
    cap_make_root(reserve(holder, slot), &task->object, L4_RIGHTS_ALL);
    return task;
}

/* Destroy a task in the middle of a chain in which each holds the root of the next: no recursion, however long. */
static void test_chain(void **unused)
{
    (void)unused;
    set_up();
    struct task *first = make_held(&table, 2), *last = first;
    for (u32 i = 0; i < 500; i++)
        last = make_held(&last->caps, 10);
    factory_check(quota);
    destroy(cap_find(&table, 2));
    assert_int_equal(quota->used, 0);
    tear_down();
}

/* A task that holds its own root can only die with its factory; two that hold each other's, too. */
static void test_cycles(void **unused)
{
    (void)unused;
    set_up();
    struct task *a = make_held(&table, 2), *b = make_held(&table, 3), *c = make_held(&table, 4);
    assert_int_equal(map_one(&a->caps, 7, cap_find(&table, 2), 127, true), L4_OK);
    assert_int_equal(map_one(&c->caps, 7, cap_find(&table, 3), 127, true), L4_OK);
    assert_int_equal(map_one(&b->caps, 7, cap_find(&table, 4), 127, true), L4_OK);
    assert_int_equal(map_one(&b->caps, 8, root, 127, false), L4_OK);
    factory_check(quota);
    tear_down();
}

/* A factory's root inside a task that the factory made. */
static void test_factory_inside(void **unused)
{
    u64 changed = 0;
    (void)unused;
    set_up();
    struct task *holder = make_held(&table, 2);
    assert_int_equal(map_one(&holder->caps, 9, root, 127, true), L4_OK);
    while (remove_step(cap_find(&table, 2), false, &changed) == RESTART)
        ;
    while (reap_step())
        ;
    while (cap_table_fini_step(&table, &(u32){ TREE_STEP }) == RESTART)
        ;
    machine_expect_clean();
}

/* A random heap of tasks, gates and factories that hold each other's roots and copies; two destroyers take turns, one
 * gives up. */
struct heap {
    struct object *object[OBJECTS];
    struct task *task[OBJECTS];
    u32 tasks;
};

static struct cap_table *random_holder(struct heap *h) { return &h->task[random_below(h->tasks)]->caps; }

static void grow_heap(struct heap *h, struct factory *factory)
{
    for (u32 i = 0; i < OBJECTS; i++) {
        struct cap_table *holder = h->tasks ? random_holder(h) : &table;
        struct factory *child;
        u64 slot = 10 + i;
        if (random_one_in(3) && h->tasks) {
            h->object[i] = object_create(factory, L4_GATE);
        } else if (random_one_in(4) && factory_create(factory, 1 << 20, &child) == L4_OK) {
            factory = child;
            h->object[i] = &child->object;
        } else {
            h->task[h->tasks] = make_task(factory);
            h->object[i] = &h->task[h->tasks++]->object;
        }
        cap_make_root(reserve(holder, slot), h->object[i], L4_RIGHTS_ALL);
        for (u32 copies = 0; copies < 3 && h->tasks; copies++) {
            bool grant = random_one_in(3);
            map_one(random_holder(h), 100 + random_below(400), h->object[random_below(i + 1)]->root, 127, grant);
        }
    }
}

static void test_random_heap(void **unused)
{
    (void)unused;
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        struct heap h = { .tasks = 0 };
        u64 changed = 0;
        random_seed(seed);
        set_up();
        struct task *bystander = make_held(&table, 3);
        grow_heap(&h, quota);
        u64 given_up = random_below(60), other = 2 + random_below(9);
        for (u64 i = 0; i < given_up; i++) {
            remove_step(cap_find(&table, 10), false, &changed);
            if (i % other == 0)
                remove_step(cap_find(&table, 3), false, &changed);
            cap_check(&table);
        }
        (void)bystander;
        if (random_one_in(2))
            destroy(cap_find(&table, 10));
        tear_down();
    }
}

static void test_utcbs(void **unused)
{
    struct l4_utcb *utcb[8], *again;
    u32 rights, order;
    u64 progress = 0, count, id;
    (void)unused;
    set_up();
    struct task *task = make_held(&table, 2), *other = make_held(&table, 3);
    u64 used = quota->used;
    for (u32 i = 0; i < 8; i++) {
        assert_int_equal(task_utcb_take(task, 0x7f0000000000 + i * L4_UTCB_SIZE, &utcb[i]), L4_OK);
        memset(utcb[i], 0x55, sizeof *utcb[i]);
    }
    assert_int_equal(task_utcb_take(task, 0x7f0000000400, &again), L4_SLOT_BUSY);
    assert_int_equal(task_utcb_take(task, 0x7f0000000401, &again), L4_BAD_ARGUMENT);
    assert_int_equal(task_utcb_take(task, L4_USER_END, &again), L4_BAD_ARGUMENT);
    assert_int_equal(task_look(task, NULL, l4_fpage_memory(0x7f0000000000, 12, 0), &rights, &order, &id), L4_OK);
    assert_true(rights == 3 && order == 12);
    assert_int_equal(flexpage_map(other, task, l4_fpage_memory(0x7f0000000000, 13, 0), 0, 7, MAP, &progress,
                              &count), L4_NOT_MAPPED);
    progress = 0;
    while (flexpage_unmap(task, L4_FPAGE_EVERYTHING, 7, false, &progress, &count) == RESTART)
        ;
    assert_int_equal(count, 0);
    factory_check(quota);
    for (u32 i = 0; i < 8; i++)
        task_utcb_give(task, 0x7f0000000000 + i * L4_UTCB_SIZE);
    assert_int_equal(quota->used, used);
    tear_down();
}

/* ---- methods ---- */
static struct thread caller;
static struct invocation inv = { .caller = &caller };

#define FINISH(call) ({ l4_err_t err_; caller.progress = 0; do err_ = (call); while (err_ == RESTART); err_; })

static void test_methods_on_caps(void **unused)
{
    u64 n = 0, id;
    u32 rights, order;
    (void)unused;
    set_up();
    struct task *a = make_held(&table, 2), *b = make_held(&table, 3);
    for (u64 slot = 64; slot < 64 + 300; slot += 3)
        assert_int_equal(map_one(&a->caps, slot, cap_find(&table, 3), 127, false), L4_OK);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_caps(0, 9), 512, L4_R, &n)), L4_OK);
    assert_int_equal(n, 100);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_caps(0, 9), 512, L4_R, &n)), L4_OK);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_caps(0, 9), 512, L4_R | L4_W, &n)), L4_SLOT_BUSY);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_caps(0, 3), 1024, L4_R, &n)), L4_NOT_MAPPED);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_caps(8, 4), 1024, L4_R, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_copy(b, &inv, a, l4_fpage_caps(0, 9), 512, L4_R, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(task_look(b, &inv, l4_fpage_caps(512 + 64, 0), &rights, &order, &id), L4_OK);
    assert_true(rights == L4_R && id == b->object.id);
    assert_int_equal(task_look(b, &inv, l4_fpage_caps(513, 0), &rights, &order, &id), L4_NOT_MAPPED);
    assert_int_equal(FINISH(task_unmap(a, &inv, l4_fpage_caps(0, 9), L4_R, false, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_unmap(a, &inv, l4_fpage_caps(0, 9), L4_RIGHTS_ALL, true, &n)), L4_OK);
    assert_int_equal(n, 100);
    assert_int_equal(FINISH(task_unmap(a, &inv, l4_fpage_caps(0, 15), L4_RIGHTS_ALL, false, &n)), L4_OK);
    assert_int_equal(n, 100);
    tear_down();
}

/* Unmapping a window that holds roots destroys their objects; the other slots of the window go on. */
static void test_unmap_roots(void **unused)
{
    u64 n = 0;
    (void)unused;
    set_up();
    struct task *a = make_held(&table, 2);
    for (u64 slot = 16; slot < 32; slot++)
        make_held(&a->caps, slot);
    u64 alive = object_count;
    assert_int_equal(FINISH(task_unmap(a, &inv, l4_fpage_caps(16, 4), L4_RIGHTS_ALL, false, &n)), L4_OK);
    assert_int_equal(n, 16);
    assert_int_equal(object_count, alive - 16);
    factory_check(quota);
    tear_down();
}

static void test_methods_on_memory(void **unused)
{
    u64 n = 0, id;
    u32 rights, order;
    (void)unused;
    set_up();
    struct task *a = make_held(&table, 2), *b = make_held(&table, 3), *c = make_held(&table, 4);
    assert_int_equal(space_add_root(&a->space, 0x200000, 0x200000, 2 * L4_LARGE_SIZE, 7, true), L4_OK);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 21, 0), 0x40000000, 7, &n)), L4_OK);
    assert_int_equal(n, 1);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x400000, 20, 0), 0x80000000, 7, &n)), L4_OK);
    assert_int_equal(n, 256);
    assert_int_equal(FINISH(task_map(c, &inv, b, l4_fpage_memory(0x80000000, 14, 0), 0x7fffffffc000, 7, &n)),
                     L4_BAD_ARGUMENT);
    assert_int_equal(task_look(c, &inv, l4_fpage_memory(0x7fffffffe000, 12, 0), &rights, &order, &id), L4_OK);
    assert_int_equal(task_look(c, &inv, l4_fpage_memory(0x7ffffffff000, 12, 0), &rights, &order, &id), L4_NOT_MAPPED);
    factory_check(quota);
    assert_int_equal(FINISH(task_unmap(c, &inv, L4_FPAGE_EVERYTHING, 7, false, &n)), L4_OK);
    assert_int_equal(n, 3);
    assert_int_equal(FINISH(task_copy(c, &inv, b, l4_fpage_memory(0, 47, 0), 0, 5, &n)), L4_OK);
    assert_int_equal(n, 257);
    assert_int_equal(task_look(c, &inv, l4_fpage_memory(0x40000000, 12, 0), &rights, &order, &id), L4_OK);
    assert_true(rights == 5 && order == 21);
    assert_int_equal(FINISH(task_unmap(b, &inv, L4_FPAGE_EVERYTHING, 7, false, &n)), L4_OK);
    assert_int_equal(n, 257);
    assert_int_equal(task_look(c, &inv, l4_fpage_memory(0x40000000, 12, 0), &rights, &order, &id), L4_OK);
    assert_int_equal(FINISH(task_unmap(a, &inv, L4_FPAGE_EVERYTHING, 7, true, &n)), L4_OK);
    assert_int_equal(task_look(c, &inv, l4_fpage_memory(0x40000000, 12, 0), &rights, &order, &id), L4_NOT_MAPPED);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 21, 0), 0x40001000, 7, &n)),
                     L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 12, 0), L4_USER_END, 7, &n)),
                     L4_BAD_ARGUMENT);
    for (u32 order = 0; order < L4_PAGE_SHIFT; order++)     /* less than a page is no flexpage */
        assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, order, 7), 0x60000000, 7, &n)),
                         L4_BAD_ARGUMENT);
    vaddr_t last = L4_USER_END & -L4_LARGE_SIZE;       /* would cover the last page, which is never mapped */
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 21, 0), last, 7, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 12, 0), 0x1000, 6, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x800000, 12, 0), 0x1000, 7, &n)), L4_NOT_MAPPED);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 60, 0), 0x1000, 7, &n)), L4_BAD_ARGUMENT);
    assert_int_equal(FINISH(task_map(b, &inv, a, l4_fpage_memory(0x200000, 12, 0) | 3 << 4, 0x1000, 7, &n)),
                     L4_BAD_ARGUMENT);
    factory_check(quota);
    tear_down();
}

/* Whoever loses a right is told so, and the CPU forgets what it knew of the page. */
static void test_downgrade(void **unused)
{
    u64 n = 0, id;
    u32 rights, order;
    const u64 page = l4_fpage_memory(0x200000, 12, 0);
    (void)unused;
    set_up();
    struct task *a = make_held(&table, 2), *b = make_held(&table, 3), *c = make_held(&table, 4);
    assert_int_equal(space_add_root(&a->space, 0x200000, 0x200000, L4_PAGE_SIZE, 7, true), L4_OK);
    assert_int_equal(FINISH(task_map(b, &inv, a, page, 0x200000, 7, &n)), L4_OK);
    assert_int_equal(FINISH(task_map(c, &inv, b, page, 0x200000, 7, &n)), L4_OK);
    u64 before = tlb_forgotten;
    assert_int_equal(FINISH(task_unmap(b, &inv, page, L4_W, false, &n)), L4_OK);
    assert_int_equal(n, 2);
    assert_int_equal(tlb_forgotten, before + 2);
    assert_int_equal(task_look(c, &inv, page, &rights, &order, &id), L4_OK);
    assert_int_equal(rights, L4_R | L4_X);
    tear_down();
}

/* Until an object is destroyed, the slot that held its root is not free. */
static void test_tomb(void **unused)
{
    u64 changed = 0;
    struct cap *slot;
    (void)unused;
    set_up();
    make_held(&table, 2);
    assert_int_equal(cap_revoke(cap_find(&table, 2), false, &(u32){ TREE_STEP }, &changed), L4_OK);
    assert_true(cap_is_tomb(cap_find(&table, 2)));
    assert_int_equal(cap_reserve(&table, 2, &slot), L4_SLOT_BUSY);
    while (reap_step())
        ;
    assert_int_equal(cap_reserve(&table, 2, &slot), L4_OK);
    tear_down();
}

static struct frame *looked_at(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3) { return NULL; }

/* With the task that reads a trace ends that invocations are looked at; with another it goes on. */
static void test_tracer(void **unused)
{
    (void)unused;
    set_up();
    trace_home = make_held(&table, 2);
    invoke_how = looked_at;
    make_held(&table, 3);
    destroy(cap_find(&table, 3));
    assert_non_null(trace_home);
    assert_ptr_equal(invoke_how, looked_at);
    destroy(cap_find(&table, 2));
    assert_null(trace_home);
    assert_ptr_equal(invoke_how, kernel_invoke);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain), cmocka_unit_test(test_cycles), cmocka_unit_test(test_factory_inside),
        cmocka_unit_test(test_random_heap), cmocka_unit_test(test_utcbs), cmocka_unit_test(test_methods_on_caps),
        cmocka_unit_test(test_unmap_roots), cmocka_unit_test(test_methods_on_memory),
        cmocka_unit_test(test_downgrade), cmocka_unit_test(test_tomb), cmocka_unit_test(test_tracer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
