/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: the first pager's five methods. It answers one client after the other and never waits for anybody but
 * callers. */
#include <abi/kip.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <sigma0_server.h>
#include "given.h"
#include "ram.h"

enum { ORDER_MAX = 30, CLIENTS = 8 };

/* The last block of each client, so that asking again gives the same again. */
struct last {
    u64 label, ask;
    u32 order;
    paddr_t block;
};
static struct last last[CLIENTS] L4_VOLATILE_ZERO;
static struct given devices L4_VOLATILE_ZERO, port_ranges L4_VOLATILE_ZERO;

static struct last *last_of(u64 label)
{
    for (u32 i = 0; i < CLIENTS; i++) {
        if (last[i].label == label || last[i].label == 0) {
            last[i].label = label;
            return &last[i];
        }
    }
    return NULL;
}

static bool is_aligned(u64 base, u32 order) { return (base & ((1ul << order) - 1)) == 0; }

static l4_err_t give_ram(u64 label, u64 ask, u32 order, u64 *physical, u64 *frames)
{
    struct last *client = last_of(label);
    if (!client || order < L4_PAGE_SHIFT || order > ORDER_MAX)
        return L4_BAD_ARGUMENT;
    if (client->order != order || client->ask != ask) {
        paddr_t block;
        if (!ram_take(order, &block))
            return SIGMA0_EXHAUSTED;
        *client = (struct last){ label, ask, order, block };
    }
    *physical = client->block;
    *frames = l4_fpage_memory(client->block, order, L4_R | L4_W | L4_X);
    return L4_OK;
}

/* Whether [base, base + 2^order) lies in one region of these kinds (bit n: kind n). */
static bool in_regions(u64 base, u32 order, u32 kinds)
{
    const struct l4_kip *kip = l4_kip();
    for (u64 i = 0; i < kip->regions; i++) {
        const struct l4_region *r = &kip->region[i];
        if ((kinds >> r->kind & 1) && base >= r->base && base + (1ul << order) <= r->base + r->bytes)
            return true;
    }
    return false;
}

static l4_err_t give_device(u64 label, u64 physical, u32 order, u64 *frames)
{
    if (order < L4_PAGE_SHIFT || order > ORDER_MAX || physical >> 46 || !is_aligned(physical, order))
        return L4_BAD_ARGUMENT;
    if (!in_regions(physical, order, 1u << L4_REGION_DEVICE))
        return SIGMA0_NOT_HERE;
    if (!given_to(&devices, label, physical, order))
        return SIGMA0_TAKEN;
    *frames = l4_fpage_memory(physical, order, L4_R | L4_W);
    return L4_OK;
}

static l4_err_t give_ports(u64 label, u32 base, u32 order, u64 *range)
{
    if (order > 16 || base >> 16 || !is_aligned(base, order))
        return L4_BAD_ARGUMENT;
    if (!given_to(&port_ranges, label, base, order))
        return SIGMA0_TAKEN;
    *range = l4_fpage_ports(base, order);
    return L4_OK;
}

static l4_err_t look(u64 label, u64 physical, u32 order, u64 *frames)
{
    if (order < L4_PAGE_SHIFT || order > ORDER_MAX || physical >> 46 || !is_aligned(physical, order))
        return L4_BAD_ARGUMENT;
    if (!in_regions(physical, order, 1u << L4_REGION_ACPI | 1u << L4_REGION_ARCHIVE))
        return SIGMA0_NOT_HERE;
    u32 rights = in_regions(physical, order, 1u << L4_REGION_ARCHIVE) ? L4_R | L4_W | L4_X : L4_R;
    *frames = l4_fpage_memory(physical, order, rights);
    return L4_OK;
}

static l4_err_t left(u64 label, u64 *bytes, u32 *largest)
{
    *bytes = ram_left();
    *largest = ram_largest();
    return L4_OK;
}

static const struct sigma0_ops ops = {
    .ram = give_ram,
    .device = give_device,
    .ports = give_ports,
    .look = look,
    .left = left,
};

void l4_main(void)
{
    const struct l4_kip *kip = l4_kip();
    for (u64 i = 0; i < kip->regions; i++) {
        if (kip->region[i].kind == L4_REGION_RAM)
            ram_add(kip->region[i].base, kip->region[i].bytes);
    }
    struct l4_message m = { 0 };
    for (;;) {
        l4_reply_wait(&m);
        sigma0_dispatch(&ops, &m);
    }
}
