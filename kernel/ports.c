/* SPDX-License-Identifier: BSD-2-Clause */
/* ports.c: I/O ports of a task: nodes for ranges, and the bitmap that the CPU reads.
 * INVARIANT ports: a bit is clear <=> one node of the space covers the port; nodes of a space do not overlap.
 * A task has few ranges (SPACE_PORT_NODES at most), so everything but revoking is done in one step. */
#include "ports.h"
#include <abi/fpage.h>
#include "arch.h"
#include "memory.h"
#include "string.h"

enum { PORTS_LOG2 = 16, PORTS = 1 << PORTS_LOG2, BITMAP_BYTES = PORTS / 8 };

static struct node *node_of(struct list *link) { return &container_of(link, struct port_node, in_space)->node; }
static struct list *link_of(struct node *node) { return &container_of(node, struct port_node, node)->in_space; }

/* Ranges are powers of two and aligned: of two that overlap, one lies inside the other. */
static bool overlaps(const struct node *node, u64 at, u32 order)
{
    return (node->at ^ at) >> (node->order > order ? node->order : order) == 0;
}

static bool is_range(u64 fpage)
{
    u64 base = l4_fpage_base(fpage);
    u32 order = l4_fpage_order(fpage);
    return order <= PORTS_LOG2 && !(base & ((1ul << order) - 1)) && base < PORTS;
}

static void set_bits(const struct node *node, bool allowed)
{
    u8 *byte = &node->space->ports[node->at / 8];
    u32 ports = 1u << node->order, mask = ((1u << (ports & 7)) - 1) << (node->at & 7);
    if (ports >= 8)
        memset(byte, allowed ? 0 : 0xff, ports / 8);
    else
        *byte = (u8)(allowed ? *byte & ~mask : *byte | mask);
    arch_ports_changed(node->space);
}

static bool make_bitmap(struct space *space)
{
    if (space->ports)
        return true;
    space->ports = memory_take(space->factory, BITMAP_BYTES);
    return space->ports && memset(space->ports, 0xff, BITMAP_BYTES);
}

void ports_fini(struct space *space)
{
    if (space->ports)
        memory_give(space->factory, space->ports, BITMAP_BYTES);
    space->ports = NULL;
}

static void link(struct node *node)
{
    list_insert(&node->space->port_nodes, link_of(node));
    node->space->port_count++;
    set_bits(node, true);
}

void ports_drop(struct node *node)
{
    list_remove(link_of(node));
    node->space->port_count--;
    set_bits(node, false);
}

static struct node *overlapping(const struct space *space, u64 at, u32 order, bool with_child)
{
    list_for_each(link, &space->port_nodes) {
        struct node *node = node_of(link);
        if (overlaps(node, at, order) && (node->child || !with_child))
            return node;
    }
    return NULL;
}

/* A range where there is none. */
static l4_err_t insert(struct space *to, u64 at, u32 order, struct node *parent)
{
    struct node *node = make_bitmap(to) ? node_create(to, at, order, L4_R, true, parent) : NULL;
    if (!node)
        return L4_NO_MEMORY;
    link(node);
    return L4_OK;
}

l4_err_t space_add_root_ports(struct space *sigma0) { return insert(sigma0, 0, PORTS_LOG2, NULL); }

static l4_err_t move(struct space *to, struct node *node)
{
    if (!make_bitmap(to))
        return L4_NO_MEMORY;
    ports_drop(node);
    bool moved = node_move(node, to, node->at);
    link(node);
    return moved ? L4_OK : L4_NO_MEMORY;
}

/* The part of `source` inside the window becomes a child in `to`; or the source, all inside the window, moves. */
static l4_err_t map_range(struct space *to, struct node *source, u64 at, u32 order, bool grant)
{
    if (grant && to == source->space)
        return L4_OK;
    if (grant && order < source->order)
        return L4_BAD_ARGUMENT;
    if (order >= source->order) {
        at = source->at;
        order = source->order;
    }
    const struct node *there = overlapping(to, at, order, false);
    if (there)
        return !grant && there->parent == source && there->at == at && there->order == order ? L4_OK : L4_SLOT_BUSY;
    if (to->port_count == SPACE_PORT_NODES)
        return L4_NO_MEMORY;
    return grant ? move(to, source) : insert(to, at, order, source);
}

/* Starting over is harmless: what is mapped already is recognized, what was granted is counted in *progress. */
l4_err_t ports_map(struct space *to, struct space *from, u64 fpage, u64 to_base, bool grant, u64 *progress, u64 *mapped)
{
    u64 base = l4_fpage_base(fpage), count = 0, changed = 0;
    u32 order = l4_fpage_order(fpage);
    if (!is_range(fpage) || to_base != base)
        return L4_BAD_ARGUMENT;
    for (struct list *link = from->port_nodes.next, *next; link != &from->port_nodes; link = next) {
        struct node *source = node_of(link);
        next = link->next;
        if (!overlaps(source, base, order))
            continue;
        l4_err_t err = mapdb_settle(source, &changed);
        if (err == L4_OK)
            err = map_range(to, source, base, order, grant);
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
    l4_err_t err = is_range(fpage) ? L4_OK : L4_BAD_ARGUMENT;
    struct node *node;
    while (err == L4_OK && (node = overlapping(space, l4_fpage_base(fpage), l4_fpage_order(fpage), derived_only))) {
        err = mapdb_settle(node, changed);
        if (err == L4_OK)
            err = mapdb_revoke(node, L4_R, derived_only, budget, changed);
    }
    return err;
}

bool space_find_port(const struct space *space, u64 port, u32 *rights, u32 *order)
{
    const struct node *node = overlapping(space, port, 0, false);
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
