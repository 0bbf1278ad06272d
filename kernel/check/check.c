/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c: see check.h. */
#include "check.h"
#include "arch.h"
#include "gate.h"
#include "irq.h"
#include "paging.h"
#include "ports.h"
#include "print.h"

#define INVARIANT(name, holds, at) do { \
        if (!(holds)) \
            panic("INVARIANT " name ": %s:%d: not so at %lx: %s", __FILE__, __LINE__, (u64)(at), #holds); \
    } while (0)

static u64 *table_of(u64 entry) { return arch_pointer(entry & ENTRY_ADDRESS); }
static u64 end_of(const struct node *node) { return node->at + (1ul << node->order); }

/* ---- mapdb ---- */

static void check_inside(const struct node *child, const struct node *parent)
{
    struct place c = paging_find(child->space->root, child->at), p = paging_find(parent->space->root, parent->at);
    paddr_t frame = paging_frame(*c.entry, c.order), whole = paging_frame(*p.entry, p.order);
    INVARIANT("inside", frame >= whole && frame + (1ul << c.order) <= whole + (1ul << p.order), child->at);
    INVARIANT("inside", (*c.entry & ENTRY_UNCACHED) == (*p.entry & ENTRY_UNCACHED), child->at);
    if (parent->root->top)
        return;
    INVARIANT("inside", !(paging_rights(*c.entry) & ~paging_rights(*p.entry)), child->at);
    INVARIANT("lacking", !(paging_rights(*c.entry) & parent->lacking), child->at);
}

static void check_family(const struct node *node)
{
    const struct node *before = NULL;
    INVARIANT("family", node->parent || node->root == node, node->at);
    for (const struct node *child = node->child; child; before = child, child = child->next) {
        INVARIANT("family", child->parent == node && child->root == node->root && child->prev == before, child->at);
        INVARIANT("family", child->is_port == node->is_port, child->at);
        if (!child->is_port)
            check_inside(child, node);
        else
            INVARIANT("inside", child->at >= node->at && end_of(child) <= end_of(node), child->at);
    }
}

static void check_leaf(const struct space *space, u64 *entry, vaddr_t at, u32 order)
{
    const struct node *node = *paging_node(entry);
    INVARIANT("shadow", at < L4_USER_END && *entry & ENTRY_USER, at);
    if (*entry & ENTRY_KERNEL) {
        INVARIANT("shadow", !node, at);
        return;
    }
    INVARIANT("shadow", node && node->space == space && node->at == at && node->order == order && !node->is_port, at);
    check_family(node);
}

/* Check the table whose entries map `order` each; returns how many it uses. */
static u32 check_table(const struct space *space, u64 *table, vaddr_t at, u32 order)
{
    u32 used = 0;
    for (u32 i = 0; i < (order == 39 ? 256 : 512); i++, at += 1ul << order) {
        bool leaf = order == L4_PAGE_SHIFT || table[i] & ENTRY_LARGE;
        if (order <= L4_LARGE_SHIFT && !(table[i] && leaf))
            INVARIANT("shadow", !*paging_node(&table[i]), at);
        if (!table[i])
            continue;
        used++;
        INVARIANT("counts", table[i] & ENTRY_PRESENT, at);
        if (leaf)
            check_leaf(space, &table[i], at, order);
        else
            INVARIANT("counts", check_table(space, table_of(table[i]), at,
                                            order - 9) == (table[i] & ENTRY_COUNTS) >> 52, at);
    }
    INVARIANT("counts", used || order == 39, at);
    return used;
}

static void check_ports(const struct space *space)
{
    u64 covered = 0, allowed = 0, cursor = 0, count = 0;
    for (const struct node *node; (node = ports_next(space, cursor)); cursor = end_of(node), count++) {
        INVARIANT("ports", node->space == space, node->at);
        check_family(node);
        covered += 1ul << node->order;
        for (u64 port = node->at; port < end_of(node); port++)
            INVARIANT("ports", !(space->ports[port / 8] & 1 << (port & 7)), port);
    }
    for (u64 port = 0; space->ports && port < 1 << 16; port++)
        allowed += !(space->ports[port / 8] & 1 << (port & 7));
    INVARIANT("ports", covered == allowed && count == space->port_count, covered);
}

void mapdb_check(const struct space *space)
{
    check_table(space, arch_pointer(space->root), 0, 39);
    check_ports(space);
}

/* ---- capabilities ---- */

static void check_cap(const struct cap *cap, u64 slot)
{
    const struct cap *before = NULL;
    INVARIANT("root", cap->is_root == (cap->object->root == cap), slot);
    INVARIANT("tree", cap->is_root == !cap->parent, slot);
    INVARIANT("tree", !cap->object->dying, slot);
    for (const struct cap *child = cap->child; child; before = child, child = child->next)
        INVARIANT("tree", child->parent == cap && child->object == cap->object && child->prev == before, slot);
}

void cap_check(const struct cap_table *table)
{
    for (u64 slot = 0; slot < L4_CAP_SLOTS; slot++) {
        const struct cap *cap = cap_find(table, slot);
        if (cap_is_tomb(cap))
            INVARIANT("root", cap->object->tomb == cap, slot);
        else if (cap->kind != L4_NOTHING && cap->kind != L4_REPLY)
            check_cap(cap, slot);
    }
    for (u32 i = 0; i < CAP_PAGE_SLOTS; i++)
        INVARIANT("tree", !cap_zero_page.slot[i].object && cap_zero_page.slot[i].kind == L4_NOTHING, i);
}

/* ---- memory ---- */

u64 memory_check(void)
{
    u64 bytes = 0;
    for (u32 order = MEMORY_LEAST; order <= MEMORY_MOST; order++)
        list_for_each(block, &memory_free[order]) {
            paddr_t at = arch_paddr(block);
            INVARIANT("buddies", at % (1ul << order) == 0, at);
            bytes += 1ul << order;
        }
    return bytes;
}

/* ---- quota ---- */

static u64 table_bytes(u64 *table, u32 order)
{
    u64 bytes = order <= L4_LARGE_SHIFT ? 2 * L4_PAGE_SIZE : L4_PAGE_SIZE;
    for (u32 i = 0; i < (order == 39 ? 256 : 512); i++) {
        if (!table[i])
            continue;
        if (order > L4_PAGE_SHIFT && !(table[i] & ENTRY_LARGE))
            bytes += table_bytes(table_of(table[i]), order - 9);
        else
            bytes += table[i] & ENTRY_KERNEL ? L4_PAGE_SIZE : memory_cost(sizeof(struct node));
    }
    return bytes;
}

u64 space_bytes(const struct space *space)
{
    return table_bytes(arch_pointer(space->root), 39) + (space->ports ? 2 * L4_PAGE_SIZE : 0)
        + space->port_count * memory_cost(sizeof(struct port_node));
}

u64 cap_table_bytes(const struct cap_table *table)
{
    u64 bytes = L4_PAGE_SIZE;
    for (u32 i = 0; i < CAP_PAGES; i++)
        bytes += table->pages[i] != &cap_zero_page ? L4_PAGE_SIZE : 0;
    return bytes;
}

static u64 thread_bytes(const struct thread *t)
{
    return memory_cost(sizeof *t) + (t->fpu ? memory_cost(arch_fpu_bytes()) : 0);
}

/* What one living object takes of its factory; it is checked too. */
static u64 object_bytes(struct object *object)
{
    const struct task *task = container_of(object, struct task, object);
    const struct factory *factory = container_of(object, struct factory, object);
    switch (object->kind) {
    case L4_TASK:
        mapdb_check(&task->space);
        cap_check(&task->caps);
        return memory_cost(sizeof *task) + space_bytes(&task->space) + cap_table_bytes(&task->caps);
    case L4_FACTORY:
        factory_check(factory);
        return memory_cost(sizeof *factory) + factory->limit;
    case L4_THREAD: return thread_bytes(thread_of(object));
    case L4_GATE:   return memory_cost(sizeof(struct gate));
    case L4_IRQ:    return memory_cost(sizeof(struct irq));
    default:        return 0;
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
