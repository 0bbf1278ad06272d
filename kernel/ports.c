/* SPDX-License-Identifier: BSD-2-Clause */
/* ports.c: I/O ports of a task: nodes for ranges, and the bitmap that the CPU reads.
 * INVARIANT ports: a bit is clear <=> one node of the space covers the port; nodes of a space do not overlap.
 * A task has few ranges (SPACE_PORT_NODES at most), so everything but revoking is done in one step. */
#include "ports.h"
#include <abi/fpage.h>
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { PORTS = 1 << 16, BITMAP_BYTES = PORTS / 8 };

struct range { u64 first, end; };

static struct range range_of(const struct node *node) { return (struct range){ node->at,
    node->at + (1ul << node->order) }; }
static bool overlaps(struct range a, struct range b) { return a.first < b.end && b.first < a.end; }
static struct node *node_of(struct list *link) { return &container_of(link, struct port_node, in_space)->node; }
static struct list *link_of(struct node *node) { return &container_of(node, struct port_node, node)->in_space; }

static bool range_from(u64 fpage, struct range *range)
{
    u64 base = l4_fpage_base(fpage);
    u32 order = l4_fpage_order(fpage);
    if (order > 16 || base & ((1ul << order) - 1) || base >= PORTS)
        return false;
    *range = (struct range){ base, base + (1ul << order) };
    return true;
}

static void set_bits(struct space *space, const struct node *node, bool allowed)
{
    struct range r = range_of(node);
    for (u64 port = r.first; port < r.end; ) {
        bool whole = !(port & 7) && r.end - port >= 8;
        u8 mask = whole ? 0xff : (u8)(1 << (port & 7));
        u8 *byte = &space->ports[port / 8];
        *byte = allowed ? *byte & (u8)~mask : *byte | mask;
        port += whole ? 8 : 1;
    }
    arch_ports_changed(space);
}

static bool make_bitmap(struct space *space)
{
    if (space->ports)
        return true;
    paddr_t frames = memory_take_pair(space->factory);
    if (!frames)
        return false;
    space->ports = arch_pointer(frames);
    memset(space->ports, 0xff, BITMAP_BYTES);
    return true;
}

void ports_fini(struct space *space)
{
    if (space->ports)
        memory_give_pair(space->factory, arch_paddr(space->ports));
    space->ports = NULL;
}

static void link(struct node *node)
{
    list_insert(&node->space->port_nodes, link_of(node));
    node->space->port_count++;
    set_bits(node->space, node, true);
}

void ports_drop(struct node *node)
{
    list_remove(link_of(node));
    node->space->port_count--;
    set_bits(node->space, node, false);
}

static struct node *overlapping(const struct space *space, struct range range, bool with_child)
{
    list_for_each(at, &space->port_nodes) {
        struct node *node = node_of(at);
        if (overlaps(range_of(node), range) && (node->child || !with_child))
            return node;
    }
    return NULL;
}

l4_err_t space_add_root_ports(struct space *sigma0)
{
    struct node *node = make_bitmap(sigma0) ? node_create(sigma0, 0, 16, L4_R, true, NULL) : NULL;
    if (!node)
        return L4_NO_MEMORY;
    link(node);
    return L4_OK;
}

/* The part of `source` inside the window becomes a child in `to`. Both are powers of two: one lies inside the other. */
static l4_err_t map_range(struct space *to, struct node *source, struct range window, u32 window_order)
{
    bool whole = window_order >= source->order;
    struct range r = whole ? range_of(source) : window;
    u32 order = whole ? source->order : window_order;
    struct node *there = overlapping(to, r, false);
    if (there)
        return there->parent == source && there->at == r.first && there->order == order ? L4_OK : L4_SLOT_BUSY;
    if (to->port_count == SPACE_PORT_NODES || !make_bitmap(to))
        return L4_NO_MEMORY;
    struct node *node = node_create(to, r.first, order, L4_R, true, source);
    if (!node)
        return L4_NO_MEMORY;
    link(node);
    return L4_OK;
}

static l4_err_t grant_range(struct space *to, struct node *source, u32 window_order)
{
    struct space *from = source->space;
    if (to == from)
        return L4_OK;
    if (window_order < source->order)
        return L4_BAD_ARGUMENT;
    if (overlapping(to, range_of(source), false))
        return L4_SLOT_BUSY;
    if (to->port_count == SPACE_PORT_NODES || !make_bitmap(to))
        return L4_NO_MEMORY;
    ports_drop(source);
    bool moved = node_move(source, to, source->at);
    link(source);
    return moved ? L4_OK : L4_NO_MEMORY;
}

/* Starting over is harmless: what is mapped already is recognized, what was granted is counted in *progress. */
l4_err_t ports_map(struct space *to, struct space *from, u64 fpage, u64 to_base, bool grant, u64 *progress, u64 *mapped)
{
    struct range window;
    u64 count = 0, changed = 0;
    u32 order = l4_fpage_order(fpage);
    if (!range_from(fpage, &window) || to_base != window.first)
        return L4_BAD_ARGUMENT;
    for (struct list *at = from->port_nodes.next, *next; at != &from->port_nodes; at = next) {
        struct node *source = node_of(at);
        next = at->next;
        if (!overlaps(range_of(source), window))
            continue;
        l4_err_t err = mapdb_settle(source, &changed);
        if (err == L4_OK)
            err = grant ? grant_range(to, source, order) : map_range(to, source, window, order);
        if (err != L4_OK)
            return err;
        count++;
        *progress += grant;
    }
    *mapped = grant ? *progress : count;
    return *mapped ? L4_OK : L4_NOT_MAPPED;
}

l4_err_t ports_unmap(struct space *space, u64 fpage, bool derived_only, u32 *budget, u64 *changed)
{
    struct range window;
    struct node *node;
    if (!range_from(fpage, &window))
        return L4_BAD_ARGUMENT;
    while ((node = overlapping(space, window, derived_only))) {
        l4_err_t err = mapdb_settle(node, changed);
        if (err == L4_OK)
            err = mapdb_revoke(node, L4_R, derived_only, budget, changed);
        if (err != L4_OK)
            return err;
    }
    return L4_OK;
}

bool space_find_port(const struct space *space, u64 port, u32 *rights, u32 *order)
{
    const struct node *node = port < PORTS ? overlapping(space, (struct range){ port, port + 1 }, false) : NULL;
    if (!node)
        return false;
    *rights = L4_R | L4_W;
    *order = node->order;
    return true;
}

struct node *ports_next(const struct space *space, u64 port)
{
    struct node *first = NULL;
    list_for_each(at, &space->port_nodes) {
        struct node *node = node_of(at);
        if (node->at >= port && (!first || node->at < first->at))
            first = node;
    }
    return first;
}
