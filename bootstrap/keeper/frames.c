/* SPDX-License-Identifier: BSD-2-Clause */
/* frames.c: RAM from sigma0 in the largest blocks there are, which makes large pages. The same frames lie in keeper's
 * task, whose
 * mapping is the parent of all others, in the task `frames`, from which vm maps into processes, and in vm's own. */
#include "frames.h"

#include <abi/fpage.h>
#include <abi/kip.h>
#include <abi/object.h>
#include <boot/frames.h>
#include <factory.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include <sigma0.h>

#include "memory.h"
#include "slots.h"

#define VIEW 0x200000000000ul       /* where the blocks lie in keeper, one behind the other, aligned to their size */
#define ASK  (1ul << 32)            /* sigma0 tells requests by this count; memory.c counts from 0 */
enum { BLOCKS = 256, ORDER_MOST = 30, ORDER_LEAST = 14, KEPT_LEAST = 2 << 20, KEPT_PART = 8, KEPT_MOST = 16 << 20 };

static struct { u64 physical, view; u32 order; } block[BLOCKS] L4_VOLATILE_ZERO;
static u32 blocks L4_VOLATILE_ZERO;
static struct frames_page *page L4_VOLATILE_ZERO;
static void *pool L4_VOLATILE_ZERO;

static u64 left(u32 *largest)
{
    u64 bytes;
    l4_must(sigma0_left(L4_BOOT_SIGMA0, &bytes, largest));
    return bytes;
}

/* What stays for windows of processes, crash pages and programs loaded later. */
static u64 kept(u64 bytes)
{
    u64 part = bytes / KEPT_PART;
    return part < KEPT_LEAST ? KEPT_LEAST : part > KEPT_MOST ? KEPT_MOST : part;
}

static u64 top_of_memory(void)
{
    const struct l4_kip *kip = l4_kip();
    u64 top = kip->archive + kip->archive_bytes;
    for (u64 i = 0; i < kip->regions; i++) {
        u64 end = kip->region[i].base + kip->region[i].bytes;
        top = kip->region[i].kind == L4_REGION_RAM && end > top ? end : top;
    }
    return (top + L4_PAGE_SIZE - 1) >> L4_PAGE_SHIFT;
}

static bool block_take(u32 order)
{
    u64 last = blocks ? block[blocks - 1].view + (1ul << block[blocks - 1].order) : VIEW, bytes = 1ul << order;
    u64 view = (last + bytes - 1) & ~(bytes - 1), physical;
    if (blocks == BLOCKS || sigma0_ram(L4_BOOT_SIGMA0, ASK + blocks, order, &physical,
                                l4_fpage_memory(view, order, L4_R | L4_W | L4_X)) != L4_OK) {
        return false;
    }
    l4_must(l4_map_range(FRAMES_IN_KEEPER, L4_BOOT_TASK, view, FRAMES_BASE + physical, bytes, L4_R | L4_W | L4_X));
    block[blocks].physical = physical;
    block[blocks].view = view;
    block[blocks++].order = order;
    return true;
}

/* Neighbours are one range. */
static void range_add(u64 first, u64 count)
{
    for (u64 i = 0; i < page->ranges; i++) {
        if (page->range[i].first + page->range[i].count == first) {
            page->range[i].count += count;
            return;
        }
        if (first + count == page->range[i].first) {
            page->range[i].first = first;
            page->range[i].count += count;
            return;
        }
    }
    if (page->ranges < FRAMES_RANGES) {
        page->range[page->ranges].first = first;
        page->range[page->ranges++].count = count;
    }
}

static void ram_take(void)
{
    u32 largest;
    u64 keep = kept(left(&largest));
    for (u32 order = largest; order >= ORDER_LEAST; order--) {
        while (left(&largest) >= keep + (1ul << order) && largest >= order && block_take(order)) {
            range_add(block[blocks - 1].physical >> L4_PAGE_SHIFT, 1ul << (order - L4_PAGE_SHIFT));
        }
    }
}

static void module_tell(const char *name, u64 *physical, u64 *bytes)
{
    struct module module;
    if (archive_find(name, (u32)strlen(name), &module)) {
        *physical = l4_kip()->archive + (u64)(module.data - archive_start());
        *bytes = module.bytes;
    }
}

static u64 archive_bytes(void) { return (l4_kip()->archive_bytes + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul); }

void frames_make(void)
{
    u32 largest;
    page = memory_take(L4_PAGE_SIZE);
    if (!page) {
        l4_panic("no memory for the page of frames");
    }
    page->magic = FRAMES_MAGIC;
    page->top = top_of_memory();
    page->chunks = frames_chunks(left(&largest) >> L4_PAGE_SHIFT);
    page->pool_bytes = frames_pool_bytes(page->top, page->chunks);
    page->archive = l4_kip()->archive;
    page->archive_bytes = l4_kip()->archive_bytes;
    module_tell("runtime", &page->runtime, &page->runtime_bytes);
    module_tell("root", &page->adoptable, &page->adoptable_bytes);
    pool = memory_take(page->pool_bytes);
    if (!pool) {
        l4_panic("no memory for the tables of %lu frames", page->top);
    }
    l4_must(factory_make_task(L4_BOOT_FACTORY, FRAMES_IN_KEEPER));
    l4_must(l4_map_range(FRAMES_IN_KEEPER, L4_BOOT_TASK, (vaddr_t)archive_start(), FRAMES_BASE + page->archive,
        archive_bytes(), L4_R | L4_W | L4_X));
    ram_take();
    l4_log("%u blocks of frames", blocks);
}

l4_err_t frames_give(cap_t task)
{
    l4_err_t err = l4_map_cap(task, L4_BOOT_TASK, FRAMES_IN_KEEPER, FRAMES_TASK, L4_O | L4_I);
    for (u32 i = 0; err == L4_OK && i < blocks; i++) {
        err = l4_map_range(
            task, L4_BOOT_TASK, block[i].view, FRAMES_BASE + block[i].physical, 1ul << block[i].order, L4_R | L4_W);
    }
    if (err == L4_OK) {
        err = l4_map_range(
            task, L4_BOOT_TASK, (vaddr_t)archive_start(), FRAMES_BASE + page->archive, archive_bytes(), L4_R | L4_W);
    }
    if (err == L4_OK) {
        err = l4_map_range(task, L4_BOOT_TASK, (vaddr_t)page, FRAMES_PAGE, L4_PAGE_SIZE, L4_R);
    }
    return err == L4_OK ? l4_map_range(task, L4_BOOT_TASK, (vaddr_t)pool, FRAMES_POOL, page->pool_bytes, L4_R | L4_W)
                        : err;
}
