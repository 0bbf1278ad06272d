/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: one page, 64 pages, one capability: mapped into another task, and taken from it. */
#include "bench.h"
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include "spawn.h"
#include "task.h"

enum { FIRST_SLOT = 128, EXIT_PORT = 0xf4 };     /* EXIT_PORT: test_begin has got it */
#define FIRST_PAGE 0x60000000ul
#define FIRST_RUN  0x70000000ul
enum { RUN_ORDER = L4_PAGE_SHIFT + 6, RUN_PAGES = 64 };

static u8 page[L4_PAGE_SIZE] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static u8 run[RUN_PAGES][L4_PAGE_SIZE] __attribute__((aligned(262144))) L4_VOLATILE_ZERO;
static struct spawned other L4_VOLATILE_ZERO;

static u32 map(u64 from, u64 to, u32 rights)
{
    u64 mapped;
    u32 start = bench_begin();
    l4_err_t err = task_map(other.task, L4_BOOT_TASK, from, to, rights, &mapped);
    u32 took = bench_end() - start;
    l4_must(err);
    return took;
}

static u32 unmap(u64 fpage)
{
    u64 changed;
    u32 start = bench_begin();
    l4_err_t err = task_unmap(other.task, fpage, L4_RIGHTS_ALL, false, &changed);
    u32 took = bench_end() - start;
    l4_must(err);
    return took;
}

static vaddr_t page_at(u32 i) { return FIRST_PAGE + (u64)i * L4_PAGE_SIZE; }

static u32 map_page(u32 i) { return map(l4_fpage_memory((u64)page, L4_PAGE_SHIFT, 0), page_at(i), L4_R | L4_W); }
static u32 unmap_page(u32 i) { return unmap(l4_fpage_memory(page_at(i), L4_PAGE_SHIFT, 0)); }
static vaddr_t run_at(u32 i) { return FIRST_RUN + (u64)i * sizeof run; }

static u32 copy_run(u32 i)
{
    u64 copied;
    u32 start = bench_begin();
    l4_err_t err = task_copy(other.task, L4_BOOT_TASK, l4_fpage_memory((u64)run, RUN_ORDER, 0), run_at(i), L4_R, &copied);
    u32 took = bench_end() - start;
    l4_must(err);
    return took;
}

static u32 unmap_run(u32 i) { return unmap(l4_fpage_memory(run_at(i), RUN_ORDER, 0)); }
static u32 map_cap(u32 i) { return map(l4_fpage_caps(L4_BOOT_LOG, 0), FIRST_SLOT + i, L4_W); }
static u32 unmap_cap(u32 i) { return unmap(l4_fpage_caps(FIRST_SLOT + i, 0)); }

/* The first access to a port after the task's ports have changed, or another's were used: the CPU's bitmap is made anew. */
static u32 first_port(u32 i)
{
    u64 mapped;
    u8 value;
    l4_must(task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_ports(EXIT_PORT, 2), EXIT_PORT, L4_R | L4_W, &mapped));
    u32 start = bench_begin();
    __asm__ volatile("inb %1, %0" : "=a"(value) : "d"((u16)(EXIT_PORT + 2)));
    return bench_end() - start;
}

void bench_memory(void)
{
    other = spawn_task(1);
    bench_each("k_map", map_page);
    bench_each("k_unmap", unmap_page);
    bench_each_of("k_copy_page", copy_run, RUN_PAGES);
    bench_each_of("k_unmap_page", unmap_run, RUN_PAGES);
    bench_each("k_first_port", first_port);
    bench_each("k_cap_map", map_cap);
    bench_each("k_cap_unmap", unmap_cap);
    spawn_end(&other);
}
