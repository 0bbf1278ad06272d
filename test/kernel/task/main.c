/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the methods of task.idl: map, copy, unmap of memory, ports and capabilities; look; rights; destruction. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "factory.h"
#include "sigma0.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "wire.h"

enum { A = TEST_SLOTS, B, WEAK, EXTRA, FACTORY };
#define RAM 0x60000000ul /* 2 MB from sigma0 */
enum { RAM_ORDER = 21, ALL = L4_RIGHTS_ALL };

static u8 pages[8][4096] __attribute__((aligned(32768))) L4_VOLATILE_ZERO;
static u64 n L4_VOLATILE_ZERO;

static u64 memory(vaddr_t at, u32 order) { return l4_fpage_memory(at, order, 7); }
static u64 page(u32 i) { return memory((vaddr_t)pages[i], 12); }

static u32 rights_at(cap_t task, u64 fpage)
{
    u32 rights = 0, order;
    u64 id;
    return task_look(task, fpage, &rights, &order, &id) ? 0xff : rights;
}

static void test_map(void)
{
    test_ok("map a page", task_map(A, L4_BOOT_TASK, page(0), 0x100000, 3, &n));
    test_is("one entry", n, 1);
    test_is("its rights", rights_at(A, memory(0x100000, 12)), 3);
    test_ok("map it again the same way", task_map(A, L4_BOOT_TASK, page(0), 0x100000, 3, &n));
    test_status("another page there", task_map(A, L4_BOOT_TASK, page(1), 0x100000, 3, &n), L4_SLOT_BUSY);
    test_ok("map eight, one right", task_map(A, L4_BOOT_TASK, memory((vaddr_t)pages, 15), 0x108000, 1, &n));
    test_is("eight entries", n, 8);
    test_ok("from there to the next task", task_map(B, A, memory(0x108000, 15), 0x200000, 7, &n));
    test_is("no right can be gained", rights_at(B, memory(0x207000, 12)), 1);
    test_status("from a hole", task_map(B, A, memory(0x300000, 12), 0x300000, 7, &n), L4_NOT_MAPPED);
    test_ok("holes stay holes", task_map(B, A, memory(0x100000, 16), 0x400000, 7, &n));
    test_is("nine of sixteen", n, 9);
    test_is("a hole", rights_at(B, memory(0x401000, 12)), 0xff);
}

static void test_bad_arguments(void)
{
    test_status("an order below a page",
        task_map(A, L4_BOOT_TASK, l4_fpage(0, (u64)pages >> 12, 3, 7), 0x500000, 7, &n), L4_BAD_ARGUMENT);
    test_status("an order beyond everything", task_map(A, L4_BOOT_TASK, l4_fpage(0, 0, 63, 7), 0x500000, 7, &n),
        L4_BAD_ARGUMENT);
    test_status("a source not aligned",
        task_map(A, L4_BOOT_TASK, l4_fpage(0, ((u64)pages >> 12) + 1, 13, 7), 0x500000, 7, &n), L4_BAD_ARGUMENT);
    test_status("a destination not aligned", task_map(A, L4_BOOT_TASK, memory((vaddr_t)pages, 15), 0x501000, 7, &n),
        L4_BAD_ARGUMENT);
    test_status("the kernel's half", task_map(A, L4_BOOT_TASK, page(0), 0xffff800000000000ul, 7, &n), L4_BAD_ARGUMENT);
    test_status("from the kernel's half", task_map(A, L4_BOOT_TASK, memory(0xffffffff80000000ul, 12), 0x500000, 7, &n),
        L4_BAD_ARGUMENT);
    test_status("the last user page", task_map(A, L4_BOOT_TASK, page(0), L4_USER_END, 7, &n), L4_BAD_ARGUMENT);
    test_status(
        "a type that is none", task_map(A, L4_BOOT_TASK, l4_fpage(3, 0, 12, 7), 0x500000, 7, &n), L4_BAD_ARGUMENT);
    test_status("slots beyond the table",
        task_map(A, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_LOG, 0), L4_CAP_SLOTS, ALL, &n), L4_BAD_ARGUMENT);
    test_status(
        "capability slot 0", task_map(A, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_LOG, 0), 0, ALL, &n), L4_BAD_ARGUMENT);
    test_status("memory without rights", task_map(A, L4_BOOT_TASK, page(0), 0x500000, 0, &n), L4_BAD_ARGUMENT);
    test_status("a source that is no task", task_map(A, L4_BOOT_LOG, page(0), 0x500000, 7, &n), L4_WRONG_KIND);
    test_status("a source that is nothing", task_map(A, TEST_SLOTS + 50, page(0), 0x500000, 7, &n), L4_NO_CAPABILITY);
}

static void test_unmap(void)
{
    test_ok("take write away", task_unmap(L4_BOOT_TASK, page(0), L4_W, true, &n));
    test_is("where it was mapped", rights_at(A, memory(0x100000, 12)), L4_R);
    test_is("not at home", rights_at(L4_BOOT_TASK, page(0)), 3);
    test_ok("take all from one page", task_unmap(L4_BOOT_TASK, page(1), 7, true, &n));
    test_is("gone there", rights_at(A, memory(0x109000, 12)), 0xff);
    test_is("gone at the next", rights_at(B, memory(0x201000, 12)), 0xff);
    test_ok("nothing to take is no error", task_unmap(A, memory(0x900000, 14), 7, false, &n));
    test_is("nothing changed", n, 0);
    test_ok("unmap the middle task's pages", task_unmap(A, memory(0x108000, 15), 7, false, &n));
    test_is("with what came from them", rights_at(B, memory(0x207000, 12)), 0xff);
    test_status("some rights of a capability", task_unmap(A, l4_fpage_caps(9, 0), L4_R, false, &n), L4_BAD_ARGUMENT);
    test_status("some rights of ports", task_unmap(A, l4_fpage_ports(0, 4), L4_R, false, &n), L4_BAD_ARGUMENT);
    test_status("an order beyond everything", task_unmap(A, l4_fpage(0, 0, 60, 7), 7, false, &n), L4_BAD_ARGUMENT);
}

static void test_copy(void)
{
    l4_must(task_map(A, L4_BOOT_TASK, page(2), 0x700000, 3, &n));
    test_ok("copy beside", task_copy(B, A, memory(0x700000, 12), 0x700000, 1, &n));
    test_is("its rights", rights_at(B, memory(0x700000, 12)), 1);
    test_ok("the source goes", task_unmap(A, memory(0x700000, 12), 7, false, &n));
    test_is("the copy outlives it", rights_at(B, memory(0x700000, 12)), 1);
    test_ok("the parent revokes", task_unmap(L4_BOOT_TASK, page(2), 7, true, &n));
    test_is("the copy is gone too", rights_at(B, memory(0x700000, 12)), 0xff);
    test_status("copies of capabilities", task_copy(B, A, l4_fpage_caps(1, 0), 40, ALL, &n), L4_BAD_ARGUMENT);
}

static void test_large(void)
{
    u64 physical;
    test_ok("2 MB from sigma0", sigma0_ram(L4_BOOT_SIGMA0, 7, RAM_ORDER, &physical, memory(RAM, RAM_ORDER)));
    *(volatile u64 *)(RAM + 0x1ff000) = 42;
    test_is("it is memory", *(volatile u64 *)(RAM + 0x1ff000), 42);
    test_ok("all of it to a task", task_map(A, L4_BOOT_TASK, memory(RAM, RAM_ORDER), 0x40000000, 3, &n));
    test_is("its last page", rights_at(A, memory(0x401ff000, 12)), 3);
    test_ok("one page of it", task_map(B, L4_BOOT_TASK, memory(RAM + 0x3000, 12), 0x40000000, 1, &n));
    test_is("one entry", n, 1);
    test_ok("64 KB from the middle of the copy", task_map(B, A, memory(0x40010000, 16), 0x41000000, 1, &n));
    test_is("sixteen entries", n, 16);
    test_ok("take write from all", task_unmap(L4_BOOT_TASK, memory(RAM, RAM_ORDER), L4_W, true, &n));
    test_is("in the copy", rights_at(A, memory(0x40000000, 12)), 1);
    test_ok("take all", task_unmap(L4_BOOT_TASK, memory(RAM, RAM_ORDER), 7, true, &n));
    test_is("the copy is gone", rights_at(A, memory(0x40000000, 12)), 0xff);
    test_is("and the page from its middle", rights_at(B, memory(0x4100f000, 12)), 0xff);
    test_is("the memory is not", *(volatile u64 *)(RAM + 0x1ff000), 42);
    l4_must(task_unmap(L4_BOOT_TASK, memory(RAM, RAM_ORDER), 7, false, &n));
}

static void test_caps(void)
{
    l4_must(factory_make_irq(L4_BOOT_FACTORY, EXTRA));
    test_ok("map a capability", task_map(A, L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0), 100, L4_R | L4_W, &n));
    test_is("its rights", rights_at(A, l4_fpage_caps(100, 0)), L4_R | L4_W);
    test_ok("the same again", task_map(A, L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0), 100, L4_R | L4_W, &n));
    test_status("with other rights", task_map(A, L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0), 100, L4_R, &n), L4_SLOT_BUSY);
    test_status("over another", task_map(A, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_LOG, 0), 100, ALL, &n), L4_SLOT_BUSY);
    test_ok("on to the next task", task_map(B, A, l4_fpage_caps(100, 0), 100, ALL, &n));
    test_is("no right can be gained", rights_at(B, l4_fpage_caps(100, 0)), L4_R | L4_W);
    test_status("an empty slot", task_map(B, A, l4_fpage_caps(101, 0), 101, ALL, &n), L4_NOT_MAPPED);
    test_ok("remove it in the middle", task_unmap(A, l4_fpage_caps(100, 0), ALL, false, &n));
    test_is("two went", n, 2);
    test_is("gone at the end", rights_at(B, l4_fpage_caps(100, 0)), 0xff);
    test_ok("again", task_map(A, L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0), 100, ALL, &n));
    test_ok("removing a copy destroys nothing", task_unmap(A, l4_fpage_caps(100, 0), ALL, false, &n));
    test_is("the root is there", rights_at(L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0)), L4_RIGHTS_ALL);
    test_ok("again", task_map(A, L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0), 100, ALL, &n));
    test_drop(EXTRA);
    test_is("removing the root takes all", rights_at(A, l4_fpage_caps(100, 0)), 0xff);
    test_ok("a window of eight", task_map(A, L4_BOOT_TASK, l4_fpage_caps(0, 3), 208, ALL, &n));
    test_is("seven of them", n, 7);
}

static void test_rights(void)
{
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, A, WEAK, L4_R));
    test_status("map needs I", task_map(WEAK, L4_BOOT_TASK, page(0), 0x800000, 7, &n), L4_NO_RIGHT);
    test_status("copy needs I", task_copy(WEAK, L4_BOOT_TASK, page(0), 0x800000, 7, &n), L4_NO_RIGHT);
    test_status("unmap needs I", task_unmap(WEAK, page(0), 7, false, &n), L4_NO_RIGHT);
    test_status("the source needs O", task_map(B, WEAK, page(0), 0x800000, 7, &n), L4_NO_RIGHT);
    test_status("set_native needs C", task_set_native(WEAK, 0, 1, 0, 0), L4_NO_RIGHT);
    test_is("look needs R", rights_at(WEAK, memory(0x100000, 12)), 1);
    struct l4_message m = { .tag = l4_tag(TASK_METHOD_SET_NATIVE, 4, 0) };
    wire_invoke(WEAK, &m);
    test_is("a refusal names the rights held", m.word[0], L4_R);
    test_is("and the right needed", m.word[1], L4_C);
    test_drop(WEAK);
    l4_must(l4_map_cap(L4_BOOT_TASK, L4_BOOT_TASK, A, WEAK, L4_W));
    test_is("look without R", rights_at(WEAK, memory(0x100000, 12)), 0xff);
    test_drop(WEAK);
}

/* What lives in a task is charged to its factory, and no more than its quota. */
static void test_quota(void)
{
    l4_must(factory_make_factory(L4_BOOT_FACTORY, FACTORY, 64 << 10));
    test_ok("a task in a small quota", factory_make_task(FACTORY, EXTRA));
    l4_err_t err = L4_OK;
    for (u32 i = 0; i < 64 && !err; i++)
        err = task_map(EXTRA, L4_BOOT_TASK, page(0), (u64)i << 30, 1, &n);
    test_status("its tables use the quota up", err, L4_NO_MEMORY);
    u64 limit, used;
    test_ok("ask the factory", factory_quota(FACTORY, &limit, &used));
    test_true("never more than the limit", used <= limit);
    test_drop(FACTORY);
    test_is("the task went with its factory", rights_at(L4_BOOT_TASK, l4_fpage_caps(EXTRA, 0)), 0xff);
    l4_must(task_unmap(L4_BOOT_TASK, page(0), 7, true, &n));
}

void l4_main(void)
{
    test_begin("task");
    struct test_usage before = test_usage();
    test_ok("make a task", factory_make_task(L4_BOOT_FACTORY, A));
    test_ok("make another", factory_make_task(L4_BOOT_FACTORY, B));
    test_map();
    test_bad_arguments();
    test_unmap();
    test_copy();
    test_caps();
    test_rights();
    test_quota();
    test_drop(A);
    test_drop(B);
    test_balance("memory is as before", before);
    l4_must(factory_make_task(L4_BOOT_FACTORY, A));
    l4_must(factory_make_task(L4_BOOT_FACTORY, B));
    test_large();
    test_drop(A);
    test_drop(B);
    struct test_usage first = test_usage();
    l4_must(factory_make_task(L4_BOOT_FACTORY, A));
    l4_must(task_map(A, L4_BOOT_TASK, memory((vaddr_t)pages, 15), 0x108000, 1, &n));
    l4_must(task_map(L4_BOOT_TASK, A, memory(0x108000, 12), 0x70000000, 1, &n));
    test_drop(A);
    test_is("what a dead task handed on is gone", rights_at(L4_BOOT_TASK, memory(0x70000000, 12)), 0xff);
    test_true("and its memory is back", test_usage().bytes <= first.bytes + 3 * 8192);
    test_end();
}
