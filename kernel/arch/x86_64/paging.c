/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.c: walks through page tables; see paging.h. Whoever changes an entry of a live space forgets it in the TLB
 * here. */
#include "paging.h"
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { TOP_ORDER = 39, TABLE_BITS = 9, HALF = TABLE_ENTRIES / 2 };

bool paging_nx;

static u64 *table_of(u64 entry) { return arch_pointer(entry & ENTRY_ADDRESS); }

/* Bytes of the table below an entry of this order: the top-level table's has no shadow. */
static u32 table_bytes(u32 order) { return order == TOP_ORDER ? L4_PAGE_SIZE : 2 * L4_PAGE_SIZE; }

paddr_t paging_create(struct factory *factory)
{
    paddr_t root = memory_take_frame(factory);
    if (root)
        memcpy((u64 *)arch_pointer(root) + HALF, arch_kernel_half(), HALF * sizeof(u64));
    return root;
}

void paging_destroy(paddr_t root, struct factory *factory) { memory_give_frame(factory, root); }

struct place paging_find(paddr_t root, vaddr_t at)
{
    u64 *table = arch_pointer(root);
    struct place place = { NULL, NULL, TOP_ORDER };
    for (;; place.order -= TABLE_BITS) {
        place.entry = &table[at >> place.order & (TABLE_ENTRIES - 1)];
        if (place.order == L4_PAGE_SHIFT || (*place.entry & (ENTRY_PRESENT | ENTRY_LARGE)) != ENTRY_PRESENT)
            return place;
        place.up = place.entry;
        table = table_of(*place.entry);
    }
}

/* The entry at `place` is empty: free the tables that are empty now. The TLB keeps whole paths, so it forgets first. */
static void trim(paddr_t root, struct factory *factory, vaddr_t at, struct place place)
{
    while (place.up && !(*place.up & ENTRY_COUNTS)) {
        u64 *table = table_of(*place.up);
        *place.up = 0;
        place = paging_find(root, at);
        if (place.up)
            *place.up -= ENTRY_COUNT;
        arch_tlb_forget(root, at);
        memory_give(factory, table, table_bytes(place.order));
    }
}

void paging_trim(paddr_t root, struct factory *factory, vaddr_t at)
{
    struct place place = paging_find(root, at);
    if (!*place.entry)
        trim(root, factory, at, place);
}

void paging_clear(paddr_t root, struct factory *factory, vaddr_t at)
{
    struct place place = paging_find(root, at);
    *place.entry = 0;
    *paging_page(place.entry) = NULL;
    *place.up -= ENTRY_COUNT;
    arch_tlb_forget(root, at);
    trim(root, factory, at, place);
}

l4_err_t paging_make(paddr_t root, struct factory *factory, vaddr_t at, u32 order, struct place *place)
{
    while (*place = paging_find(root, at), place->order > order && !*place->entry) {
        u64 *table = memory_take(factory, table_bytes(place->order));
        if (!table) {
            paging_trim(root, factory, at);
            return L4_NO_MEMORY;
        }
        *place->entry = arch_paddr(table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED;
        if (place->up)
            *place->up += ENTRY_COUNT;
    }
    return L4_OK;
}
