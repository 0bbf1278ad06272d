/* SPDX-License-Identifier: BSD-2-Clause */
/* slab.c: frames cut into equal pieces, for objects and mapping nodes; see memory.h.
 * A slab is one frame: this header, then pieces of one size, a multiple of 64. Sizes of which no two fit take a whole
 * frame.
 * INVARIANT slab: a slab with a free piece is on its size's list; one without any piece in use is given back. */
#include "memory.h"
#include "arch.h"
#include "factory.h"
#include "string.h"

enum { UNIT = 64, SLAB_BYTES = L4_PAGE_SIZE - UNIT, SIZES = SLAB_BYTES / 2 / UNIT + 1 };

struct slab {
    struct list in_size;
    void *free;             /* given back: linked through their first word */
    u32 fresh;              /* offset of the first piece that was never used */
    u32 used;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct slab) == UNIT, "the header takes one unit");

static struct list partial[SIZES];      /* by size in units: slabs with a free piece */

static struct slab *slab_create(struct list *list)
{
    paddr_t frame = frame_take();
    if (!frame)
        return NULL;
    struct slab *slab = arch_pointer(frame);
    slab->fresh = UNIT;
    list_insert(list, &slab->in_size);
    return slab;
}

static bool is_full(const struct slab *slab, u32 size) { return !slab->free && slab->fresh + size > L4_PAGE_SIZE; }

static void *piece_take(u32 size)
{
    struct list *list = &partial[size / UNIT];
    if (!list->next)
        list_init(list);
    struct slab *slab = list_is_empty(list) ? slab_create(list) : container_of(list->next, struct slab, in_size);
    if (!slab)
        return NULL;
    void *piece = slab->free;
    if (piece) {
        slab->free = *(void **)piece;
        memset(piece, 0, size);
    } else {
        piece = (char *)slab + slab->fresh;
        slab->fresh += size;
    }
    slab->used++;
    if (is_full(slab, size))
        list_remove(&slab->in_size);
    return piece;
}

static void piece_give(void *piece, u32 size)
{
    struct slab *slab = (struct slab *)((u64)piece & ~(u64)(L4_PAGE_SIZE - 1));
    if (is_full(slab, size))
        list_insert(&partial[size / UNIT], &slab->in_size);
    *(void **)piece = slab->free;
    slab->free = piece;
    if (--slab->used)
        return;
    list_remove(&slab->in_size);
    frame_give(arch_paddr(slab));
}

/* ---- charged ---- */

static void *frames_take(u32 size)
{
    paddr_t frames = size > L4_PAGE_SIZE ? frame_take_pair() : frame_take();
    return frames ? arch_pointer(frames) : NULL;
}

static void frames_give(void *at, u32 size)
{
    for (u32 offset = 0; offset < size; offset += L4_PAGE_SIZE)
        frame_give(arch_paddr(at) + offset);
}

void *memory_take(struct factory *factory, u32 bytes)
{
    u32 size = memory_cost(bytes);
    if (!factory_charge(factory, size))
        return NULL;
    void *at = size <= SLAB_BYTES / 2 ? piece_take(size) : frames_take(size);
    if (!at)
        factory_credit(factory, size);
    return at;
}

void memory_give(struct factory *factory, void *at, u32 bytes)
{
    u32 size = memory_cost(bytes);
    if (size <= SLAB_BYTES / 2)
        piece_give(at, size);
    else
        frames_give(at, size);
    factory_credit(factory, size);
}

paddr_t memory_take_frame(struct factory *factory)
{
    void *frame = memory_take(factory, L4_PAGE_SIZE);
    return frame ? arch_paddr(frame) : 0;
}

void memory_give_frame(struct factory *factory, paddr_t frame) { memory_give(factory, arch_pointer(frame), L4_PAGE_SIZE); }
