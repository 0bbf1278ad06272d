/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c: physical frames for the kernel, singly or in aligned pairs; see memory.h.
 * Free frames are linked through themselves. A bit for each tells whether it is free and alone, so that it can join its
 * other half: a pair of free frames is never kept as two. The bitmaps lie in the first frames of their region. */
#include "memory.h"
#include "arch.h"
#include "string.h"

enum { REGIONS = 16 };

struct region {
    paddr_t base, end;          /* the frames that can be taken: whole pairs */
    u8 *alone;                  /* a bit each frame from base on */
};

static struct region region[REGIONS];
static u32 regions;
static struct list singles = { &singles, &singles }, pairs = { &pairs, &pairs };
static u64 free_frames;

static struct list *link_of(paddr_t frame) { return arch_pointer(frame); }
static paddr_t frame_of(struct list *link) { return arch_paddr(link); }

static u8 *bit_of(paddr_t frame, u8 *mask)
{
    struct region *r = region;
    while (frame < r->base || frame >= r->end)
        r++;
    u64 index = (frame - r->base) / L4_PAGE_SIZE;
    *mask = (u8)(1 << (index & 7));
    return &r->alone[index / 8];
}

static bool is_alone(paddr_t frame)
{
    u8 mask;
    return *bit_of(frame, &mask) & mask;
}

/* Link the free frame among the singles, or take it out. */
static void single_insert(paddr_t frame)
{
    u8 mask, *byte = bit_of(frame, &mask);
    *byte |= mask;
    list_insert(singles.next, link_of(frame));
}

static void single_remove(paddr_t frame)
{
    u8 mask, *byte = bit_of(frame, &mask);
    *byte &= (u8)~mask;
    list_remove(link_of(frame));
}

void frame_add(paddr_t base, u64 bytes)
{
    u64 pair = 2 * L4_PAGE_SIZE, bitmap = (bytes / L4_PAGE_SIZE / 8 + L4_PAGE_SIZE) & ~(u64)(L4_PAGE_SIZE - 1);
    paddr_t first = (base + bitmap + pair - 1) & ~(pair - 1), end = (base + bytes) & ~(pair - 1);
    if (regions == REGIONS || first >= end)
        return;
    region[regions++] = (struct region){ first, end, arch_pointer(base) };
    memset(arch_pointer(base), 0, bitmap);
    for (paddr_t frame = first; frame < end; frame += pair)
        list_insert(&pairs, link_of(frame));
    free_frames += (end - first) / L4_PAGE_SIZE;
}

paddr_t frame_take(void)
{
    struct list *link = list_first(&singles);
    paddr_t frame;
    if (link) {
        frame = frame_of(link);
        single_remove(frame);
    } else {
        link = list_first(&pairs);
        if (!link)
            return 0;
        list_remove(link);
        frame = frame_of(link);
        single_insert(frame + L4_PAGE_SIZE);
    }
    free_frames--;
    memset(arch_pointer(frame), 0, L4_PAGE_SIZE);
    return frame;
}

paddr_t frame_take_pair(void)
{
    struct list *link = list_first(&pairs);
    if (!link)
        return 0;
    list_remove(link);
    free_frames -= 2;
    memset(link, 0, 2 * L4_PAGE_SIZE);
    return frame_of(link);
}

void frame_give(paddr_t frame)
{
    paddr_t other = frame ^ L4_PAGE_SIZE;
    free_frames++;
    if (!is_alone(other)) {
        single_insert(frame);
        return;
    }
    single_remove(other);
    list_insert(pairs.next, link_of(frame & ~(paddr_t)L4_PAGE_SIZE));
}

u64 frame_free_count(void) { return free_frames; }
