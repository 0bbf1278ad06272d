/* SPDX-License-Identifier: BSD-2-Clause */
/* test_pages.c: map, copy, grant, unmap of memory against a naive model, a flat list of mappings, in seeded random
 * order; with quotas that end at every allocation. AXO_SEED=n replays. */
#include "machine.h"
#include <abi/fpage.h>
#include <stdio.h>
#include <stdlib.h>
#include "arch.h"
#include "paging.h"
#include "string.h"

enum { SPACES = 4, MAPPINGS = 4096, OPERATIONS = 400, SEEDS = 40, PAGES = 20, LARGES = 3 };
#define LARGE_AT(i) (0x40000000ul + (u64)(i) * L4_LARGE_SIZE)
#define PAGE_AT(i)  (0x00400000ul + (u64)(i) * L4_PAGE_SIZE)
#define RAM_LARGE   0x80000000ul
#define RAM_PAGES   0x90000000ul

/* ---- the model ---- */
struct mapping {
    bool used;
    u32 space, order, rights;
    vaddr_t at;
    paddr_t frame;
    int parent;                 /* -1: a root */
};

static struct mapping model[MAPPINGS];
static int models;              /* one past the highest used */
static struct task *task[SPACES];
static struct factory *quota[SPACES];

static u64 size_of(const struct mapping *m) { return 1ul << m->order; }

static int model_find(u32 space, vaddr_t at, u64 bytes)
{
    for (int i = 0; i < models; i++)
        if (model[i].used && model[i].space == space && model[i].at < at + bytes
            && at < model[i].at + size_of(&model[i]))
            return i;
    return -1;
}

static int model_add(struct mapping m)
{
    int i = 0;
    while (model[i].used)
        i++;
    assert_true(i < MAPPINGS - 1);
    models = i < models ? models : i + 1;
    model[i] = m;
    return i;
}

static bool model_is_below(int i, int top)
{
    while (i >= 0 && i != top)
        i = model[i].parent;
    return i == top;
}

/* Take rights from what is below `top`, perhaps from itself; removals leave `used` for a second pass: parents are still
 * needed. */
static u64 model_take(int top, u32 taking, bool derived_only)
{
    u64 changed = 0;
    static bool gone[MAPPINGS];
    for (int i = 0; i < models; i++) {
        gone[i] = false;
        if (!model[i].used || !model_is_below(i, top) || (i == top && derived_only) || !(model[i].rights & taking))
            continue;
        changed++;
        gone[i] = taking & L4_R;
        model[i].rights &= ~taking;
    }
    for (int i = 0; i < models; i++)
        if (gone[i])
            model[i].used = false;
    return changed;
}

struct operation {
    u32 to, from, order, rights;
    vaddr_t at, to_at;
    bool beside, grant;
};

static l4_err_t model_map_entry(const struct operation *r, int source, vaddr_t at, u32 order, vaddr_t to_at)
{
    struct mapping *s = &model[source];
    if (r->grant && s->order != order)
        return L4_BAD_ARGUMENT;
    if (r->grant)
        model_take(source, s->rights & ~r->rights, false);
    struct mapping m = { true, r->to, order, s->rights & r->rights, to_at, s->frame + (at - s->at),
                         r->beside && s->parent >= 0 ? s->parent : source };
    int there = model_find(r->to, to_at, 1ul << order);
    if (there < 0) {
        if (r->grant)
            m.parent = s->parent;
        if (r->grant)
            *s = m;
        else
            model_add(m);
        return L4_OK;
    }
    const struct mapping *t = &model[there];
    bool same = t->at == to_at && t->order == order && t->rights == m.rights && t->frame == m.frame;
    return same && (there == source || (!r->grant && t->parent == m.parent)) ? L4_OK : L4_SLOT_BUSY;
}

static l4_err_t model_map(const struct operation *r, u64 *mapped)
{
    *mapped = 0;
    if (!(r->rights & L4_R))
        return L4_BAD_ARGUMENT;
    for (u64 at = r->at, end = at + (1ul << r->order); at < end; ) {
        int source = model_find(r->from, at, L4_PAGE_SIZE);
        bool large = source >= 0 && model[source].order == L4_LARGE_SHIFT && r->order >= L4_LARGE_SHIFT;
        u32 order = large ? L4_LARGE_SHIFT : L4_PAGE_SHIFT;
        l4_err_t err = source < 0 ? L4_OK : model_map_entry(r, source, at, order, r->to_at + (at - r->at));
        if (err != L4_OK)
            return err;
        *mapped += source >= 0;
        at += 1ul << order;
    }
    return *mapped ? L4_OK : L4_NOT_MAPPED;
}

static u64 model_unmap(u32 space, vaddr_t at, u32 order, u32 rights, bool derived_only)
{
    u64 changed = 0;
    for (vaddr_t end = at + (1ul << order); at < end; ) {
        int i = model_find(space, at, L4_PAGE_SIZE);
        vaddr_t next = i < 0 ? at + L4_PAGE_SIZE : model[i].at + size_of(&model[i]);
        if (i >= 0)
            changed += model_take(i, rights & L4_R ? L4_R | L4_W | L4_X : rights, derived_only);
        at = next;
    }
    return changed;
}

/* ---- comparison ---- */
static u64 name_of(int i)
{
    return i < 0 ? 0 : task[model[i].space]->object.id << 36 | model[i].at >> L4_PAGE_SHIFT;
}

static void compare_space(u32 space)
{
    u64 unit = 0, count = 0, expected = 0;
    struct found found;
    while (page_next(task[space], L4_FPAGE_MEMORY, &unit, &found)) {
        const struct cap *page = found.cap;
        int i = model_find(space, space_at(page), 1);
        assert_true(i >= 0 && model[i].at == space_at(page) && model[i].order == page->order);
        assert_true(model[i].rights == page->rights && found.order == page->order);
        assert_int_equal(space_name(page), name_of(i));
        assert_int_equal(space_name(page->parent), name_of(model[i].parent));
        assert_int_equal(paging_frame(*found.place.entry), model[i].frame);
        count++;
    }
    for (int i = 0; i < models; i++)
        expected += model[i].used && model[i].space == space;
    assert_int_equal(count, expected);
}

static void check_quotas(void)
{
    for (u32 s = 0; s < SPACES; s++)
        factory_check(quota[s]);
}

static void compare(void)
{
    for (u32 s = 0; s < SPACES; s++)
        compare_space(s);
    check_quotas();
}

/* ---- running ---- */
static l4_err_t map(const struct operation *r, u64 *mapped)
{
    u64 progress = 0;
    l4_err_t err;
    do {
        err = flexpage_map(task[r->to], task[r->from], l4_fpage_memory(r->at, r->order, 0), r->to_at, r->rights,
                           r->grant ? GRANT : r->beside ? COPY : MAP, &progress, mapped);
        if (err == RESTART)
            check_quotas();
    } while (err == RESTART);
    return err;
}

static u64 unmap(u32 space, vaddr_t at, u32 order, u32 rights, bool derived_only)
{
    u64 progress = 0, changed;
    while (flexpage_unmap(task[space], l4_fpage_memory(at, order, 0), rights, derived_only, &progress,
                       &changed) == RESTART)
        check_quotas();
    return changed;
}

static vaddr_t random_place(u32 order)
{
    vaddr_t at = random_one_in(2) ? PAGE_AT(random_below(PAGES))
        : LARGE_AT(random_below(LARGES)) + PAGE_AT(random_below(8)) - PAGE_AT(0);
    if (random_one_in(8))
        at = LARGE_AT(0) - L4_PAGE_SIZE * random_below(3);
    return at & ~((1ul << order) - 1);
}

static u32 random_order(void)
{
    static const u32 order[] = { 12, 12, 12, 12, 13, 14, 15, 21, 21, 22 };
    return order[random_below(sizeof order / sizeof *order)];
}

static struct operation random_request(void)
{
    u32 order = random_order(), rights = random_one_in(2) ? 7 : (u32)random_below(8);
    bool beside = random_one_in(3);
    return (struct operation){
        (u32)random_below(SPACES), (u32)random_below(SPACES), order, rights, random_place(order), random_place(order),
            beside,
        !beside && random_one_in(5),
    };
}

/* First with a quota that may end anywhere inside; what was mapped until then must be recognized when it goes on. */
static bool map_starved(const struct operation *r)
{
    struct factory *f = quota[r->to];
    u64 limit = f->limit, mapped;
    if (r->to == r->from)
        return false;
    f->limit = f->used + 64 * random_below(random_one_in(2) ? 8 : 700);
    l4_err_t err = map(r, &mapped);
    factory_check(f);
    f->limit = limit;
    if (err == L4_NO_MEMORY)
        map(r, &mapped);
    return err == L4_NO_MEMORY;
}

static void random_map(void)
{
    struct operation r = random_request();
    u64 expected_count, count = 0;
    bool starve = random_one_in(6) && r.to != r.from, starved = starve && map_starved(&r);
    l4_err_t err = starve && !starved ? L4_OK : map(&r, &count), expected;
    if (starve) {               /* results of what was done already differ; the outcome may not */
        model_map(&r, &expected_count);
        return;
    }
    expected = model_map(&r, &expected_count);
    assert_int_equal(err, expected);
    if (err == L4_OK)
        assert_int_equal(count, expected_count);
}

static void random_unmap(void)
{
    u32 space = (u32)random_below(SPACES), order = random_order(), rights = random_one_in(2) ? 7
        : 1 + (u32)random_below(7);
    bool derived_only = random_one_in(2);
    vaddr_t at = random_place(order);
    if (space == 0 && rights & L4_R)
        derived_only = true;    /* keep the roots */
    u64 changed = unmap(space, at, order, rights, derived_only);
    assert_int_equal(changed, model_unmap(space, at, order, rights, derived_only));
}

static void add_root(vaddr_t at, paddr_t frame, u64 bytes, u32 order)
{
    assert_int_equal(space_add_root(&task[0]->space, at, frame, bytes, 7, true), L4_OK);
    for (u64 done = 0; done < bytes; done += 1ul << order)
        model_add((struct mapping){ true, 0, order, 7, at + done, frame + done, -1 });
}

static struct cap_table root_table;

static void set_up(void)
{
    struct cap *empty;
    machine_init();
    memset(model, 0, sizeof model);
    models = 0;
    assert_int_equal(cap_table_init(&root_table, &root_factory), L4_OK);
    for (u32 s = 0; s < SPACES; s++) {
        assert_int_equal(factory_create(&root_factory, 4 << 20, &quota[s]), L4_OK);
        assert_int_equal(cap_reserve(&root_table, 1 + s, &empty), L4_OK);
        cap_make_root(empty, &quota[s]->object, L4_RIGHTS_ALL);
        task[s] = make_task(quota[s]);
    }
    add_root(LARGE_AT(0), RAM_LARGE, 2 * L4_LARGE_SIZE, L4_LARGE_SHIFT);
    add_root(PAGE_AT(0), RAM_PAGES, 16 * L4_PAGE_SIZE, L4_PAGE_SHIFT);
}

static void tear_down(void)
{
    for (u32 s = SPACES; s-- > 0; )
        destroy(cap_find(&root_table, 1 + s));
    while (cap_table_fini_step(&root_table, &(u32){ TREE_STEP }) == RESTART)
        ;
}

static void test_random(void **unused)
{
    (void)unused;
    machine_init();
    for (u64 seed = seed_first(), end = seed + seed_count(SEEDS); seed < end; seed++) {
        random_seed(seed);
        set_up();
        for (u32 i = 0; i < OPERATIONS; i++) {
            if (getenv("AXO_SEED"))
                print_message("operation %u\n", i);
            if (random_one_in(3 + seed % 24))
                random_unmap();
            else
                random_map();
            if (random_one_in(8) || getenv("AXO_SEED"))
                compare();
        }
        compare();
        if (getenv("AXO_SEED"))
            print_message("%d mappings\n", models);
        tear_down();
        machine_expect_clean();
    }
}

/* A word of a task's memory, which the kernel reads where there is memory and nowhere else. */
static void test_word(void **unused)
{
    enum { FRAME = 32 << 20, OFFSET = 0x5000, LAST = L4_PAGE_SIZE - 8 };
    (void)unused;
    set_up();
    struct space *space = &task[0]->space;
    const vaddr_t large = LARGE_AT(4), page = PAGE_AT(64), device = PAGE_AT(80);
    u64 *word = arch_pointer(FRAME + OFFSET + LAST), was = *word;
    assert_int_equal(space_add_root(space, large, FRAME, L4_LARGE_SIZE, 7, true), L4_OK);
    assert_int_equal(space_add_root(space, page, FRAME + OFFSET, L4_PAGE_SIZE, 1, true), L4_OK);
    assert_int_equal(space_add_root(space, device, FRAME + OFFSET, L4_PAGE_SIZE, 3, false), L4_OK);
    for (u32 i = 0; i < 3; i++) {
        *word = i ? 1ul << 63 >> 21 * i : 0;
        assert_int_equal(space_is_zero(space, large + OFFSET + LAST), i == 0);
        assert_int_equal(space_is_zero(space, page + LAST), i == 0);
    }
    *word = 0;
    const vaddr_t none[] = { device + LAST, page + LAST + 1, page + LAST - 4, page + L4_PAGE_SIZE, large + L4_LARGE_SIZE, 0, 1ul << 38,
                             L4_USER_END, ARCH_DIRECT_MAP, PORTS_AT, ~7ul, 1ul << 63 };
    for (u32 i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(space_is_zero(space, none[i]));
    *word = was;
    tear_down();
    machine_expect_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_word) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
