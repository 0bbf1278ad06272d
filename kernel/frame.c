/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c: physical frames for the kernel, singly or in aligned pairs; see memory.h.
 * Free frames are linked through themselves. A flag for each tells whether it is free and alone, so that it can join its
 * other half: a pair of free frames is never kept as two. The flags lie in the first frames of the region. */
#include "memory.h"
#include "arch.h"
#include "string.h"

enum { PAIR = 2 * L4_PAGE_SIZE };

static paddr_t first;           /* the first frame that can be taken; from here on there are whole pairs */
static bool *alone;             /* one for each frame from `first` on */
static struct list singles = { &singles, &singles }, pairs = { &pairs, &pairs };
static u64 free_frames;

/* Link the free frame among the singles, or take it out. */
static void single_insert(paddr_t frame)
{
    alone[(frame - first) / L4_PAGE_SIZE] = true;
    list_insert(singles.next, arch_pointer(frame));
}

static void single_remove(paddr_t frame)
{
    alone[(frame - first) / L4_PAGE_SIZE] = false;
    list_remove(arch_pointer(frame));
}

void frame_add(paddr_t base, u64 bytes)
{
    alone = arch_pointer(base);
    memset(alone, 0, bytes / L4_PAGE_SIZE);
    first = (base + bytes / L4_PAGE_SIZE + PAIR - 1) & ~(paddr_t)(PAIR - 1);
    for (paddr_t frame = first; frame + PAIR <= base + bytes; frame += PAIR, free_frames += 2)
        list_insert(&pairs, arch_pointer(frame));
}

static paddr_t pair_remove(void)
{
    struct list *link = list_first(&pairs);
    if (!link)
        return 0;
    list_remove(link);
    return arch_paddr(link);
}

paddr_t frame_take(void)
{
    struct list *single = list_first(&singles);
    paddr_t frame = single ? arch_paddr(single) : pair_remove();
    if (!frame)
        return 0;
    if (single)
        single_remove(frame);
    else
        single_insert(frame + L4_PAGE_SIZE);
    free_frames--;
    return arch_paddr(memset(arch_pointer(frame), 0, L4_PAGE_SIZE));
}

paddr_t frame_take_pair(void)
{
    paddr_t frame = pair_remove();
    if (!frame)
        return 0;
    free_frames -= 2;
    return arch_paddr(memset(arch_pointer(frame), 0, PAIR));
}

void frame_give(paddr_t frame)
{
    paddr_t other = frame ^ L4_PAGE_SIZE;
    free_frames++;
    if (!alone[(other - first) / L4_PAGE_SIZE]) {
        single_insert(frame);
        return;
    }
    single_remove(other);
    list_insert(pairs.next, arch_pointer(frame & ~(paddr_t)L4_PAGE_SIZE));
}

u64 frame_free_count(void) { return free_frames; }
