/* SPDX-License-Identifier: BSD-2-Clause */
/* space.h: address space and I/O ports of a task: page table, shadow tables, and the mapping database over them.
 * Every leaf page table has a shadow table of pointers to mapping nodes, so that node <-> entry is O(1) both ways.
 * INVARIANT shadow: entry present <=> its shadow points to a node that names (space, address), except UTCB pages, which
 * have neither node nor derivation. */
#pragma once
#include "object.h"

struct node;

struct space {
    paddr_t root;               /* top-level page table */
    struct factory *factory;    /* pays for tables, shadows and nodes */
    u8 *ports;                  /* two contiguous frames of I/O bitmap (bit clear: allowed), or NULL */
    struct list port_nodes;     /* the task's I/O mappings */
    u32 port_count;             /* length of port_nodes, at most SPACE_PORT_NODES */
    u64 id;                     /* the task's object id, for traces */
    u64 going;                  /* progress of space_fini_step */
};
enum { SPACE_PORT_NODES = 128 };

l4_err_t space_init(struct space *space, struct factory *factory, u64 id);
/* One bounded step of unmapping everything (whatever was derived included) and freeing the tables. */
l4_err_t space_fini_step(struct space *space);

/* Roots of the derivation tree, at boot: frames [frame, frame + bytes) at `at`; uncached for device memory. Uses 2 MB
 * nodes where address, frame and size allow. sigma0 gets RAM and devices 1:1; sigma0 and keeper their own segments and
 * the info page. And all ports. */
l4_err_t space_add_root(struct space *space, vaddr_t at, paddr_t frame, u64 bytes, u32 rights, bool cached);
l4_err_t space_add_root_ports(struct space *sigma0);

/* Map memory or ports; see task.idl map (beside = false) and copy (beside = true). Bounded: RESTART with *progress
 * kept. *mapped counts entries over all steps (keep it in *progress too if need be). */
l4_err_t space_map(struct space *to, struct space *from, u64 fpage, u64 to_base, u32 rights, bool beside, bool grant,
                   u64 *progress, u64 *mapped);
/* Take rights away; see task.idl unmap. */
l4_err_t space_unmap(struct space *space, u64 fpage, u32 rights, bool derived_only, u64 *progress, u64 *changed);
/* What is mapped at `at`: its frame, rights, order; false if nothing. */
bool space_find(const struct space *space, vaddr_t at, paddr_t *frame, u32 *rights, u32 *order);
/* The range of ports that covers `port`. */
bool space_find_port(const struct space *space, u64 port, u32 *rights, u32 *order);

/* Map a kernel frame (UTCBs) without a node; user-writable, never derivable. Unmapped by space_fini or
 * space_remove_kernel. */
l4_err_t space_map_kernel(struct space *space, vaddr_t at, paddr_t frame);
void space_remove_kernel(struct space *space, vaddr_t at);

/* ---- for mapdb.c: what a revocation does to a mapping. The node itself is the caller's business ---- */
/* Its entry or port range goes. */
void space_drop(struct node *node);
/* It loses rights, but not L4_R. True if it had any of them. */
bool space_restrict(struct node *node, u32 taking);

/* For snapshots: the first mapping at or after `cursor` (memory by address; then ports); false at the end. */
struct space_entry { u64 at; u32 order, rights; bool is_port; u64 lineage, parent; paddr_t frame; };
bool space_next(const struct space *space, u64 *cursor, struct space_entry *entry);
