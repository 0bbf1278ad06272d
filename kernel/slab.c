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

void *memory_take(struct factory *factory, u32 bytes)
{
    u32 size = memory_cost(bytes);
    if (!factory_charge(factory, size))
        return NULL;
    void *at;
    if (size <= SLAB_BYTES / 2)
        at = piece_take(size);
    else {
        paddr_t frame = frame_take();
        at = frame ? arch_pointer(frame) : NULL;
    }
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
        frame_give(arch_paddr(at));
    factory_credit(factory, size);
}

static paddr_t charged(struct factory *factory, u64 bytes, paddr_t (*take)(void))
{
    if (!factory_charge(factory, bytes))
        return 0;
    paddr_t frame = take();
    if (!frame)
        factory_credit(factory, bytes);
    return frame;
}

paddr_t memory_take_frame(struct factory *factory) { return charged(factory, L4_PAGE_SIZE, frame_take); }
paddr_t memory_take_pair(struct factory *factory) { return charged(factory, 2 * L4_PAGE_SIZE, frame_take_pair); }

void memory_give_frame(struct factory *factory, paddr_t frame)
{
    frame_give(frame);
    factory_credit(factory, L4_PAGE_SIZE);
}

void memory_give_pair(struct factory *factory, paddr_t frames)
{
    frame_give(frames);
    frame_give(frames + L4_PAGE_SIZE);
    factory_credit(factory, 2 * L4_PAGE_SIZE);
}
