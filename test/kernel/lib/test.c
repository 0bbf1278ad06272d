/* SPDX-License-Identifier: BSD-2-Clause */
/* test.c: checks, and the way out through isa-debug-exit. */
#include "test.h"
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "debug.h"
#include "sigma0.h"
#include "task.h"

enum { EXIT_PORT = 0xf4, EXIT_PASS = 0x10, EXIT_FAIL = 0x11 };

static const char *program L4_VOLATILE_ZERO;
static u32 passed L4_VOLATILE_ZERO, failed L4_VOLATILE_ZERO;

void test_begin(const char *name)
{
    program = name;
    l4_must(sigma0_ports(L4_BOOT_SIGMA0, EXIT_PORT, 2, l4_fpage_ports(EXIT_PORT, 2)));
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, L4_BOOT_LOG, TEST_SLOTS, L4_W)); /* its page of slots stays */
    test_drop(TEST_SLOTS);
}

void test_end(void)
{
    l4_print("%s: %u passed, %u failed\n", program, passed, failed);
    u32 status = failed || !passed ? EXIT_FAIL : EXIT_PASS;
    for (;;)
        __asm__ volatile("outl %0, %1" : : "a"(status), "d"((u16)EXIT_PORT));
}

void test_is(const char *name, u64 got, u64 want)
{
    if (got == want) {
        passed++;
        l4_print("ok %s\n", name);
    } else {
        failed++;
        l4_print("not ok %s: got 0x%lx want 0x%lx\n", name, got, want);
    }
}

void test_status(const char *name, l4_err_t got, l4_err_t want)
{
    if (got == want) {
        passed++;
        l4_print("ok %s\n", name);
    } else {
        failed++;
        l4_print("not ok %s: got %e want %e\n", name, got, want);
    }
}

struct test_usage test_usage(void)
{
    struct test_usage now;
    l4_must(debug_usage(L4_BOOT_DEBUG, &now.bytes, &now.objects));
    return now;
}

void test_balance(const char *name, struct test_usage before)
{
    struct test_usage now = test_usage();
    if (now.objects != before.objects)
        l4_print("# objects: %lu, before %lu\n", now.objects, before.objects);
    test_is(name, now.bytes, before.bytes);
}

u64 test_object(cap_t slot)
{
    u32 rights, order;
    u64 id = 0;
    l4_must(task_look(L4_BOOT_TASK, l4_fpage_caps(slot, 0), &rights, &order, &id));
    return id;
}

void test_drop(cap_t slot) { l4_must(l4_unmap_cap(L4_BOOT_TASK, slot)); }
