/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c: memory and capabilities; see check.h. */
#include "check.h"
#include "arch.h"
#include "gate.h"
#include "irq.h"
#include "paging.h"

static u64 *table_of(u64 entry) { return arch_pointer(entry & ENTRY_ADDRESS); }
/* ---- pages ---- */

static void check_inside(const struct cap *child, const struct cap *parent)
{
    u64 c = *child->entry, p = *parent->entry;
    vaddr_t at = space_at(child);
    INVARIANT("inside", paging_frame(c) >= paging_frame(p), at);
    INVARIANT("inside", paging_frame(c) + (1ul << child->order) <= paging_frame(p) + (1ul << parent->order), at);
    INVARIANT("inside", (c & ENTRY_UNCACHED) == (p & ENTRY_UNCACHED), at);
    INVARIANT("inside", child->kind == KIND_PAGE && (at < L4_USER_END) == (space_at(parent) < L4_USER_END), at);
}

static void check_family(const struct cap *cap)
{
    const struct cap *before = NULL;
    for (const struct cap *child = cap->child; child; before = child, child = child->next) {
        INVARIANT("family", child->parent == cap && child->tree == cap->tree && child->prev == before, cap->label);
        INVARIANT("given", !((child->rights | L4_R) & ~cap->given), cap->label);
        INVARIANT("inside", child->kind != cap->kind || !(child->rights & ~cap->rights), cap->label);
        if (cap->kind == KIND_PAGE)
            check_inside(child, cap);
    }
}

static void check_leaf(const struct space *space, u64 *entry, vaddr_t at, u32 order)
{
    const struct cap *page = *paging_page(entry);
    bool is_user = at < L4_USER_END;
    INVARIANT("shadow", is_user == !!(*entry & ENTRY_USER), at);
    if (*entry & ENTRY_KERNEL) {
        INVARIANT("shadow", !page && is_user, at);
        return;
    }
    INVARIANT("shadow", page && page->space == space && page->order == order && page->kind == KIND_PAGE, at);
    INVARIANT("shadow", page->entry == entry && space_at(page) == at, at);
    INVARIANT("shadow", page->rights & L4_R && !(page->rights & L4_W) == !(*entry & ENTRY_WRITE), at);
    INVARIANT("shadow", !(page->rights & L4_X) == !!(*entry & ENTRY_NX), at);
    INVARIANT("ports", is_user || (at >= PORTS_AT && at < PORTS_AT + PORTS * L4_PAGE_SIZE), at);
    INVARIANT("ports", is_user || paging_frame(*entry) == PORT_FRAMES + (at - PORTS_AT), at);
    check_family(page);
}

static bool is_kernel_half(u32 i, u32 order) { return order == 39 && i >= 256 && i != (PORTS_AT >> 39 & 511); }

/* Nothing in the eight entries from i on, nor in their shadows. */
static bool is_empty(u64 *table, u32 i, bool has_shadow)
{
    struct cap **shadow = has_shadow ? paging_page(&table[i]) : NULL;
    u64 any = 0;
    for (u32 n = 0; n < 8; n++)
        any |= table[i + n] | (shadow ? (u64)shadow[n] : 0);
    return !any;
}

/* Check the table whose entries map `order` each, and to which `up` points. */
static void check_table(const struct space *space, u64 *up, u64 *table, vaddr_t base, u32 order)
{
    const struct kpage *info = kpage_of(table);
    u32 used = 0;
    bool has_shadow = order <= L4_LARGE_SHIFT;
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        if (i % 8 == 0 && is_empty(table, i, has_shadow)) {
            i += 7;
            continue;
        }
        if (!table[i] && (!has_shadow || !*paging_page(&table[i])))
            continue;
        vaddr_t at = base + ((u64)i << order) + (order == 39 && i >= 256 ? 0xfffful << 48 : 0);
        bool leaf = order == L4_PAGE_SHIFT || table[i] & ENTRY_LARGE;
        if (is_kernel_half(i, order))
            continue;
        INVARIANT("shadow", !has_shadow || (table[i] && leaf) || !*paging_page(&table[i]), at);
        used++;
        INVARIANT("counts", table[i] & ENTRY_PRESENT && info->mask >> i / 8 & 1, at);
        if (leaf)
            check_leaf(space, &table[i], at, order);
        else
            check_table(space, &table[i], table_of(table[i]), at, order - 9);
    }
    INVARIANT("counts", used == info->used && (used || !up), base);
    INVARIANT("counts", info->up == up && info->at == base, base);
}

void space_check(const struct space *space) { check_table(space, NULL, arch_pointer(space->root), 0, 39); }

/* ---- capabilities ---- */

static void check_cap(const struct cap *cap, u64 slot)
{
    INVARIANT("root", (cap->object->root == cap) == !cap->parent, slot);
    INVARIANT("root", !cap->object->dying, slot);
    check_family(cap);
}

void cap_check(const struct cap_table *table)
{
    for (u64 slot = 0; slot < L4_CAP_SLOTS; slot++) {
        const struct cap *cap = cap_find(table, slot);
        if (!table->pages[slot / CAP_PAGE_SLOTS]) {
            slot |= CAP_PAGE_SLOTS - 1;     /* it is looked at below */
            continue;
        }
        if (cap->kind || cap->object)
            INVARIANT("mask", kpage_of(cap)->mask >> slot % CAP_PAGE_SLOTS & 1, slot);
        if (cap_is_tomb(cap))
            INVARIANT("root", cap->object->tomb == cap, slot);
        else if (cap->kind != L4_NOTHING && cap->kind != L4_REPLY)
            check_cap(cap, slot);
    }
    for (u32 i = 0; i < CAP_PAGE_SLOTS; i++)
        INVARIANT("absent", !cap_zero_page.slot[i].object && cap_zero_page.slot[i].kind == L4_NOTHING, i);
}

/* ---- memory ---- */

static u64 check_free(const struct kpage *page, bool is_zero)
{
    u64 bytes = 0;
    for (; page; page = page->next, bytes += L4_PAGE_SIZE)
        for (u32 i = 0; is_zero && i < TABLE_ENTRIES; i++)
            INVARIANT("zero", !((u64 *)kpage_pointer(page))[i], kpage_pointer(page));
    return bytes;
}

u64 memory_check(void)
{
    u64 bytes = check_free(memory_free[0], false) + check_free(memory_free[1], true) + memory_end - memory_unused;
    for (u32 order = MEMORY_LEAST; order < MEMORY_MOST; order++)
        list_for_each(node, &memory_slabs[order]) {
            const struct kpage *page = container_of(node, struct kpage, in_slabs);
            u64 all = ~0ul >> (64 - (L4_PAGE_SIZE >> order));
            INVARIANT("slabs", page->mask && page->mask != all && !(page->mask & ~all), kpage_pointer(page));
            bytes += (u64)__builtin_popcountl(page->mask) << order;
        }
    return bytes;
}

/* ---- quota ---- */

static u64 leaf_bytes(u64 *entry)
{
    if (*entry & ENTRY_KERNEL)
        return L4_PAGE_SIZE;
    return memory_cost(sizeof(struct cap)) + ((*paging_page(entry))->parent ? 0 : memory_cost(sizeof(struct tree)));
}

static u64 table_bytes(u64 *table, u32 order)
{
    u64 bytes = order <= L4_LARGE_SHIFT ? 2 * L4_PAGE_SIZE : L4_PAGE_SIZE, mask = kpage_of(table)->mask;
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        if (!(mask >> i / 8 & 1)) {     /* counts: there is nothing */
            i |= 7;
            continue;
        }
        if (!table[i] || is_kernel_half(i, order))
            continue;
        if (order > L4_PAGE_SHIFT && !(table[i] & ENTRY_LARGE))
            bytes += table_bytes(table_of(table[i]), order - 9);
        else
            bytes += leaf_bytes(&table[i]);
    }
    return bytes;
}

u64 space_bytes(const struct space *space) { return table_bytes(arch_pointer(space->root), 39); }

u64 cap_table_bytes(const struct cap_table *table)
{
    u64 bytes = L4_PAGE_SIZE;
    for (u32 i = 0; i < CAP_PAGES; i++)
        bytes += table->pages[i] ? L4_PAGE_SIZE : 0;
    return bytes;
}

static u64 thread_bytes(const struct thread *t)
{
    return memory_cost(sizeof *t) + (t->fpu ? memory_cost(arch_fpu_bytes) : 0);
}

/* What one living object takes of its factory; it is checked too. */
static u64 object_bytes(struct object *object)
{
    const struct task *task = container_of(object, struct task, object);
    const struct factory *factory = container_of(object, struct factory, object);
    switch (object->kind) {
    case L4_TASK:
        space_check(&task->space);
        cap_check(&task->caps);
        return memory_cost(sizeof *task) + space_bytes(&task->space) + cap_table_bytes(&task->caps);
    case L4_FACTORY:
        factory_check(factory);
        return memory_cost(sizeof *factory) + factory->limit;
    case L4_THREAD: return thread_bytes(thread_of(object));
    case L4_GATE:   return memory_cost(sizeof(struct gate));
    case L4_IRQ:    return memory_cost(sizeof(struct irq));
    default:        return memory_cost(sizeof(struct object));
    }
}

void factory_check(const struct factory *factory)
{
    u64 bytes = 0;
    list_for_each(at, &factory->objects) {
        struct object *object = container_of(at, struct object, in_factory);
        INVARIANT("owned", object->factory == factory, object->id);
        if (object->dying)
            return;             /* its parts go one by one */
        bytes += object_bytes(object);
    }
    INVARIANT("quota", factory->used == bytes && bytes <= factory->limit, bytes);
}
