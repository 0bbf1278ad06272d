/* SPDX-License-Identifier: BSD-2-Clause */
/* test_memory.c: nothing overlaps, all is zeroed and aligned to its size, blocks become pages again, charges balance. */
#include "machine.h"
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { HELD = 4000, OPERATIONS = 40000, SEEDS = 10 };

struct held { u8 *at; u32 bytes; u8 mark; };
static struct held held[HELD];
static u32 count;

static u32 random_size(void)
{
    static const u32 size[] = { 1, 64, 65, 128, 200, 640, 1408, 2016, 2048, 2049, 4096 };
    return size[random_below(sizeof size / sizeof *size)];
}

static void take(void)
{
    u32 bytes = random_size();
    u8 *at = memory_take(&root_factory, bytes), mark = (u8)(1 + random_below(255));
    if (!at)
        return;
    assert_int_equal(arch_paddr(at) % memory_cost(bytes), 0);
    for (u32 i = 0; i < bytes; i++)
        assert_int_equal(at[i], 0);
    memset(at, mark, bytes);
    held[count++] = (struct held){ at, bytes, mark };
}

static void give(void)
{
    u32 i = (u32)random_below(count);
    struct held h = held[i];
    for (u32 k = 0; k < h.bytes; k++)
        assert_int_equal(h.at[k], h.mark);
    memory_give(&root_factory, h.at, h.bytes);
    held[i] = held[--count];
}

static void test_pieces(void **unused)
{
    (void)unused;
    machine_init();
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        random_seed(seed);
        for (u32 i = 0; i < OPERATIONS; i++) {
            bool growing = i / (OPERATIONS / 4) % 2 == 0;
            if (count < HELD && (!count || random_one_in(growing ? 1 : 4) || (growing && random_one_in(2))))
                take();
            else
                give();
        }
        while (count)
            give();
        machine_expect_clean();
    }
}

/* All memory in blocks of one size, given back in random order, is all memory in pages again. */
static void join(u32 bytes)
{
    static void *block[ARENA_BYTES >> MEMORY_LEAST];
    u64 n = 0, all = memory_check();
    while ((block[n] = memory_take(&root_factory, bytes)))
        n++;
    assert_int_equal(n * bytes, all);
    assert_int_equal(memory_check(), 0);
    for (; n > 0; n--) {
        u64 i = random_below(n);
        memory_give(&root_factory, block[i], bytes);
        block[i] = block[n - 1];
    }
    assert_int_equal(memory_check(), all);
    for (u32 order = MEMORY_LEAST; order < MEMORY_MOST; order++)
        assert_true(list_is_empty(&memory_slabs[order]));
}

static void test_blocks_join(void **unused)
{
    (void)unused;
    machine_init();
    random_seed(seed_first());
    for (u32 bytes = 1 << MEMORY_LEAST; bytes <= 1 << MEMORY_MOST; bytes *= 8)
        join(bytes);
    machine_expect_clean();
}

/* A page that is given back zeroed is taken as it is; others are cleared first, and taken first for what need not be. */
static void test_zero_pages(void **unused)
{
    (void)unused;
    machine_init();
    u64 *table = memory_take_zero(&root_factory), *other = memory_take_zero(&root_factory), *page;
    assert_true(table && other && table != other);
    kpage_of(table)->mask = kpage_of(table)->used = 1;
    memory_give_zero(&root_factory, table);
    memset(other, 0xff, L4_PAGE_SIZE);
    memory_give(&root_factory, other, L4_PAGE_SIZE);
    page = memory_take_block(&root_factory, L4_PAGE_SHIFT);
    assert_ptr_equal(page, other);
    assert_ptr_equal(memory_take_zero(&root_factory), table);
    assert_true(!kpage_of(table)->mask && !kpage_of(table)->used);
    memory_give(&root_factory, page, L4_PAGE_SIZE);
    assert_ptr_equal(memory_take_zero(&root_factory), other);
    for (u32 i = 0; i < L4_PAGE_SIZE / sizeof *other; i++)
        assert_int_equal(other[i], 0);
    memory_give_zero(&root_factory, other);
    memory_give_zero(&root_factory, table);
    machine_expect_clean();
}

static void test_charges(void **unused)
{
    struct factory *small;
    (void)unused;
    machine_init();
    assert_int_equal(factory_create(&root_factory, 4096 + 64, &small), L4_OK);
    void *page = memory_take_zero(small), *piece = memory_take(small, 1);
    assert_true(page && piece);
    assert_null(memory_take(small, 1));
    assert_null(memory_take_zero(small));
    memory_give(small, piece, 1);
    memory_give_zero(small, page);
    assert_int_equal(small->used, 0);
    assert_int_equal(factory_create(small, 1 << 20, &(struct factory *){ NULL }), L4_NO_MEMORY);
    assert_int_equal(factory_create(small, ~0ul, &(struct factory *){ NULL }), L4_NO_MEMORY);
    assert_int_equal(object_destroy_step(&small->object, &(u32){ TREE_STEP }), L4_OK);
    machine_expect_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces), cmocka_unit_test(test_blocks_join), cmocka_unit_test(test_zero_pages),
        cmocka_unit_test(test_charges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
