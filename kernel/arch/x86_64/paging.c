/* SPDX-License-Identifier: BSD-2-Clause */
/* paging.c: walks through page tables; see paging.h. Whoever changes an entry of a live space forgets it in the TLB
 * here. */
#include "paging.h"
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { TOP_ORDER = 39, TABLE_BITS = 9, HALF = 256, SINGLE_LEVELS = 1 };

bool paging_nx;

static u64 *table_of(u64 entry) { return arch_pointer(entry & ENTRY_ADDRESS); }

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
    struct place place = { .order = TOP_ORDER, .region = NO_REGION };
    u64 *table = arch_pointer(root);
    for (;; place.order -= TABLE_BITS) {
        place.entry = &table[at >> place.order & 511];
        if (place.order == L4_PAGE_SHIFT)
            place.region = (u32)(at >> L4_LARGE_SHIFT);
        if (place.order == L4_PAGE_SHIFT || (*place.entry & (ENTRY_PRESENT | ENTRY_LARGE)) != ENTRY_PRESENT)
            return place;
        place.up = place.entry;
        table = table_of(*place.entry);
    }
}

/* The entries on the way to `at`, the top-level one first; returns the index of the last. */
static u32 walk(paddr_t root, vaddr_t at, u64 *path[4])
{
    u64 *table = arch_pointer(root);
    for (u32 level = 0;; level++) {
        u32 order = TOP_ORDER - level * TABLE_BITS;
        path[level] = &table[at >> order & 511];
        if (order == L4_PAGE_SHIFT || (*path[level] & (ENTRY_PRESENT | ENTRY_LARGE)) != ENTRY_PRESENT)
            return level;
        table = table_of(*path[level]);
    }
}

/* Bytes of the table below an entry of `level` of the path: the 512 GB level has no shadow. */
static u32 table_bytes(u32 level) { return level < SINGLE_LEVELS ? L4_PAGE_SIZE : 2 * L4_PAGE_SIZE; }

/* The entry path[level] has become empty: free the tables that are empty now. The TLB keeps whole paths, so it forgets
 * first. */
static void trim(paddr_t root, struct factory *factory, vaddr_t at, u64 *path[4], u32 level)
{
    while (level && !(*path[level - 1] & ENTRY_COUNTS)) {
        u64 *table = table_of(*path[--level]);
        *path[level] = 0;
        if (level)
            *path[level - 1] -= ENTRY_COUNT;
        arch_tlb_forget(root, at);
        memory_give(factory, table, table_bytes(level));
    }
}

void paging_trim(paddr_t root, struct factory *factory, vaddr_t at)
{
    u64 *path[4];
    u32 level = walk(root, at, path);
    if (!*path[level])
        trim(root, factory, at, path, level);
}

void paging_clear(paddr_t root, struct factory *factory, vaddr_t at)
{
    u64 *path[4];
    u32 level = walk(root, at, path);
    *path[level] = 0;
    *paging_node(path[level]) = NULL;
    *path[level - 1] -= ENTRY_COUNT;
    arch_tlb_forget(root, at);
    trim(root, factory, at, path, level);
}

l4_err_t paging_make(paddr_t root, struct factory *factory, vaddr_t at, u32 order, struct place *place)
{
    while (*place = paging_find(root, at), place->order > order && !*place->entry) {
        u64 *table = memory_take(factory, table_bytes((TOP_ORDER - place->order) / TABLE_BITS));
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
