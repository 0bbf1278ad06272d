/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: seeded random invocations from a native task that holds a factory, two tasks to work on and capabilities
 * that come and go.
 * Afterwards at least 30 % must have succeeded, each method 100 times, none more than 5 % of all successes, and memory
 * must be
 * back to the byte. Kernel command line: seed=N, invocations=N. */
#include <abi/kip.h>
#include <l4/clock.h>
#include <l4/format.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "factory.h"
#include "fuzz.h"
#include "gate.h"
#include "sched.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { FACTORY = TEST_SLOTS, GATE, SINK_GATE, IDLE_GATE, DOOR, CALLERS = 6 };
enum { PLACE_DRIVER, PLACE_STOCK, PLACE_HOME, PLACE_SINK, PLACE_CALLERS };
enum { DRIVER_PRIORITY = 40, SERVER_PRIORITY = 45, QUOTA = 2 << 20 };

struct fuzz_tally fuzz_tally L4_VOLATILE_ZERO;

static u64 option(const char *key, u64 otherwise)
{
    const char *line = l4_kip()->command_line;
    size_t length = strlen(key);
    u64 number;
    for (; *line; line++) {
        if (strncmp(line, key, length) == 0) {
            const char *end = strchr(line, ' ');
            line += length;
            return l4_parse_number(line, end ? (size_t)(end - line) : strlen(line), &number) ? number : otherwise;
        }
    }
    return otherwise;
}

/* Calls the driver for ever, whatever becomes of it. */
static void caller(u64 unused)
{
    for (;;) {
        l4_err_t err = wire_call(FUZZ_DOOR, l4_tag(0x100001, 2, 0), 1, 2);
        if (err == L4_GATE_DESTROYED || err == L4_NO_CAPABILITY)
            spawn_rest();
    }
}

/* Takes whatever is mapped to it. */
static void sink(u64 unused)
{
    struct l4_message m = { 0 };
    l4_utcb()->window_memory = l4_fpage_memory(0x30000000, 20, 7);
    l4_utcb()->window_caps = l4_fpage_caps(128, 6);
    for (;;) {
        wire_reply_wait(&m, 0);
        m = (struct l4_message){ .tag = l4_tag(0, 0, 0) };
    }
}

static struct spawned driver L4_VOLATILE_ZERO, stock L4_VOLATILE_ZERO, home L4_VOLATILE_ZERO, taker L4_VOLATILE_ZERO;
static struct spawned callers[CALLERS] L4_VOLATILE_ZERO;

static void set_up(void)
{
    l4_must(factory_make_factory(L4_BOOT_FACTORY, FACTORY, QUOTA));
    for (cap_t gate = GATE; gate <= IDLE_GATE; gate++)
        l4_must(factory_make_gate(L4_BOOT_FACTORY, (u32)gate));
    driver = spawn_task(PLACE_DRIVER);
    stock = spawn_task(PLACE_STOCK);
    home = spawn_task(PLACE_HOME);
    taker = spawn_task_run(PLACE_SINK, SERVER_PRIORITY, sink, 0);
    l4_must(gate_bind(SINK_GATE, taker.thread));
    l4_must(gate_bind(GATE, driver.thread));
    const struct {
        cap_t from, to;
    } give[] = {
        { FACTORY, FUZZ_FACTORY },
        { driver.task, FUZZ_OWN_TASK },
        { driver.thread, FUZZ_OWN_THREAD },
        { stock.task, FUZZ_STOCK },
        { home.task, FUZZ_HOME },
        { L4_BOOT_SCHED, FUZZ_SCHED },
        { L4_BOOT_DEBUG, FUZZ_DEBUG },
    };
    for (u32 i = 0; i < sizeof give / sizeof *give; i++)
        spawn_give(&driver, give[i].from, give[i].to, L4_RIGHTS_ALL);
}

static void start(void)
{
    static const struct {
        cap_t gate, at;
    } doors[] = { { SINK_GATE, FUZZ_SINK }, { IDLE_GATE, FUZZ_IDLE } };
    for (u32 i = 0; i < 2; i++) {
        l4_must(gate_mint(doors[i].gate, DOOR + 1 + i, 7, L4_R | L4_W));
        spawn_give(&driver, DOOR + 1 + i, doors[i].at, L4_RIGHTS_ALL);
    }
    l4_must(gate_mint(GATE, DOOR, 7, L4_R | L4_W));
    for (u32 i = 0; i < CALLERS; i++) {
        callers[i] = spawn_task(PLACE_CALLERS + i);
        spawn_give(&callers[i], DOOR, FUZZ_DOOR, L4_RIGHTS_ALL);
        l4_must(sched_set(L4_BOOT_SCHED, callers[i].thread, SERVER_PRIORITY, 0));
        spawn_start(&callers[i], caller, 0);
    }
    l4_must(sched_set(L4_BOOT_SCHED, driver.thread, DRIVER_PRIORITY, 0));
    fuzz_tally.seed = option("seed=", 1);
    fuzz_tally.wanted = option("invocations=", 1000000);
    l4_print("# seed %lu, %lu invocations\n", fuzz_tally.seed, fuzz_tally.wanted);
    spawn_start(&driver, fuzz_drive, 0);
}

static void tear_down(void)
{
    test_drop(FACTORY);
    spawn_end(&driver);
    spawn_end(&stock);
    spawn_end(&home);
    spawn_end(&taker);
    for (u32 i = 0; i < CALLERS; i++)
        spawn_end(&callers[i]);
    for (cap_t gate = GATE; gate <= IDLE_GATE; gate++)
        test_drop(gate);
}

static void report(void)
{
    const struct fuzz_tally *t = &fuzz_tally;
    u64 of_method = 0, least = ~0ul, most = 0;
    for (u32 i = 0; i < t->methods; i++) {
        u64 permille = t->succeeded[i] * 1000 / (t->successes + 1);
        l4_print("# %-24s %8lu tried %8lu succeeded %3lu.%lu %%\n", fuzz_name(i), t->tried[i], t->succeeded[i],
            permille / 10, permille % 10);
        of_method = fuzz_first_way(i) == i ? t->succeeded[i] : of_method + t->succeeded[i];
        least = t->succeeded[i] < least ? t->succeeded[i] : least;
        most = of_method > most ? of_method : most;
    }
    l4_print("# garbage: %lu tried, %lu succeeded; in all %lu of %lu succeeded\n", t->garbage, t->garbage_succeeded,
        t->successes, t->done);
    test_is("every invocation came back", t->done, t->wanted);
    test_true("at least 30 % succeeded", t->successes * 10 >= t->done * 3);
    if (t->wanted < 1000000)
        return;
    test_true("each method at least 100 times", least >= 100);
    test_true("none is over 5 % of the successes", most * 20 <= t->successes);
}

void l4_main(void)
{
    test_begin("fuzz");
    struct test_usage before = test_usage();
    set_up();
    start();
    while (!fuzz_tally.finished)
        spawn_let_run(20);
    tear_down();
    report();
    test_balance("memory is as before", before);
    test_end();
}
