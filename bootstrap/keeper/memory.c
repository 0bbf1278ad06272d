/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: RAM from sigma0 in blocks, one behind the other, given out from the front. */
#include "memory.h"

#include <abi/fpage.h>
#include <abi/object.h>
#include <l4/clock.h>
#include <l4/cpio.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include <sigma0.h>

enum { BLOCK_ORDER = 21 };
#define ARENA   0x100000000ul
#define ARCHIVE 0x400000000000ul    /* + physical address */

static struct { u64 ask; vaddr_t next, end; } arena L4_VOLATILE = { 0, ARENA, ARENA };
static struct { vaddr_t next, end; } gap L4_VOLATILE_ZERO;

static u64 round_up(u64 n, u64 unit) { return (n + unit - 1) & ~(unit - 1); }

static u32 order_of(u64 bytes) { return bytes <= L4_PAGE_SIZE ? L4_PAGE_SHIFT : 64 - (u32)__builtin_clzl(bytes - 1); }

/* The arena grows by the largest block that its end is aligned to and sigma0 has: 2 MB, which make large pages, as long as there are any. */
static bool arena_grow(void)
{
    u32 order = (u32)__builtin_ctzl(arena.end);
    u64 physical;
    for (order = order < BLOCK_ORDER ? order : BLOCK_ORDER; order >= L4_PAGE_SHIFT; order--) {
        u64 window = l4_fpage_memory(arena.end, order, L4_R | L4_W | L4_X);
        if (sigma0_ram(L4_BOOT_SIGMA0, ++arena.ask, order, &physical, window) == L4_OK) {
            arena.end += 1ul << order;
            return true;
        }
    }
    return false;
}

/* The part between `from` and `to` stays free for smaller ones; the largest such part is remembered. */
static void gap_keep(vaddr_t from, vaddr_t to)
{
    if (to - from > gap.end - gap.next) {
        gap.next = from;
        gap.end = to;
    }
}

static vaddr_t gap_take(u64 bytes, u64 unit)
{
    vaddr_t at = round_up(gap.next, unit);
    if (at + bytes > gap.end) {
        return 0;
    }
    gap.next = at + bytes;
    return at;
}

void *memory_take(u64 bytes)
{
    bytes = round_up(bytes, L4_PAGE_SIZE);
    u64 unit = 1ul << order_of(bytes);
    unit = unit < L4_LARGE_SIZE ? unit : L4_LARGE_SIZE;
    vaddr_t at = gap_take(bytes, unit);
    if (at) {
        return memset((void *)at, 0, bytes);
    }
    at = round_up(arena.next, unit);
    while (at + bytes > arena.end) {
        if (!arena_grow()) {
            return NULL;
        }
    }
    gap_keep(arena.next, at);
    arena.next = at + bytes;
    return memset((void *)at, 0, bytes);
}

bool memory_take_at(vaddr_t at, u64 bytes)
{
    void *pages = memory_take(bytes);
    return pages && l4_map_range(L4_BOOT_TASK, L4_BOOT_TASK, (vaddr_t)pages, at, round_up(bytes, L4_PAGE_SIZE), L4_R | L4_W) == L4_OK;
}

void archive_map(void)
{
    const struct l4_kip *kip = l4_kip();
    u64 bytes = round_up(kip->archive_bytes, L4_PAGE_SIZE);
    for (u64 done = 0; done < bytes;) {
        u32 order = l4_order_fit(kip->archive + done, ARCHIVE + kip->archive + done, bytes - done);
        order = order < 30 ? order : 30;
        u64 window = l4_fpage_memory(ARCHIVE + kip->archive + done, order, L4_R | L4_W | L4_X);
        l4_must(sigma0_look(L4_BOOT_SIGMA0, kip->archive + done, order, window));
        done += 1ul << order;
    }
}

const u8 *archive_start(void) { return (const u8 *)(ARCHIVE + l4_kip()->archive); }

bool archive_find(const char *name, u32 length, struct module *found)
{
    const struct l4_kip *kip = l4_kip();
    struct l4_cpio_member member;
    for (u64 at = 0; l4_cpio_next((const void *)(ARCHIVE + kip->archive), kip->archive_bytes, &at, &member);) {
        if (l4_is_word(name, length, member.name)) {
            *found = (struct module){ member.name, member.data, member.bytes };
            return true;
        }
    }
    return false;
}
