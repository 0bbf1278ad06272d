/* SPDX-License-Identifier: BSD-2-Clause */
/* driver.c: see driver.h. */
#define _GNU_SOURCE
#include "driver.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <chardev.h>
#include <fs.h>
#include <l4/window.h>

#include <ports.h>

#include "ttyd_server.h"

enum { WINDOWS = 512, SLOT_WRITE = 0, SLOT_READ = 1 };

u8 driver_heard[DRIVER_BYTES];
u64 driver_heard_bytes;
u32 driver_departed;
static u8 typed[DRIVER_BYTES];
static u64 typed_bytes;
static bool blocked;

void port_out(u16 port, u8 value) { driver_departed++; }
u8 port_in(u16 port) { return 0; }

static void map(void *at, size_t bytes)
{
    if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0) != at) {
        abort();
    }
}

static u8 *window(u32 slot) { return l4_window(WORLD_DOOR + TTYD_USES_CHARDEV, slot, 4096); }

__attribute__((constructor)) static void windows_map(void)
{
    map((void *)FS_WINDOWS, (size_t)WINDOWS * FS_WINDOW);
    map(window(0), L4_WINDOWS_BYTES);
}

u8 *driver_window(void) { return (u8 *)FS_WINDOWS; }

void driver_reset(void)
{
    memset(driver_heard, 0, driver_heard_bytes);
    driver_heard_bytes = typed_bytes = driver_departed = 0;
    blocked = false;
}

void driver_type(const void *at, u32 bytes)
{
    memcpy(typed + typed_bytes, at, bytes);
    typed_bytes += bytes;
}

void driver_event(void)
{
    struct l4_message m = { .tag = l4_tag(L4_IRQ << 8, 0, 0), .label = L4_IRQ_PEER + TTYD_USES_CHARDEV };
    world_deliver(&m, NULL);
}

void driver_block(bool on) { blocked = on; }

static u64 position(const struct l4_message *m) { return (m->number >> 16) - 1; }

static void answer(struct l4_message *m, l4_err_t status, u64 word)
{
    *m = (struct l4_message){ .tag = status ? (u32)status : 1ul << L4_TAG_WORDS_SHIFT, .word = { word } };
}

static void take(struct l4_message *m)
{
    u64 at = position(m), bytes = m->word[0];
    if (blocked) {
        answer(m, L4_PENDING, 0);
        return;
    }
    memcpy(driver_heard + at, window(SLOT_WRITE), bytes);
    driver_heard_bytes = at + bytes > driver_heard_bytes ? at + bytes : driver_heard_bytes;
    answer(m, L4_OK, bytes);
}

static void give(struct l4_message *m)
{
    u64 at = position(m), most = m->word[0], there = typed_bytes > at ? typed_bytes - at : 0, bytes = there < most ? there : most;
    if (!bytes) {
        answer(m, L4_PENDING, 0);
        return;
    }
    memcpy(window(SLOT_READ), typed + at, bytes);
    answer(m, L4_OK, bytes);
}

static void drain(struct l4_message *m) { answer(m, blocked ? L4_PENDING : L4_OK, 0); }
static void subscribe(struct l4_message *m) { answer(m, L4_OK, 0); }

const struct world_rule driver_rules[] = {
    { CHARDEV_METHOD_WRITE, true, take },
    { CHARDEV_METHOD_READ, true, give },
    { CHARDEV_METHOD_DRAIN, true, drain },
    { CHARDEV_PROTOCOL << 8 | L4_METHOD_SUBSCRIBE, false, subscribe },
    { 0 },
};
