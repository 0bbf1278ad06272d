/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_places.c: what keeper's process.c finds instead of an archive, frames and the tasks of services. */
#include <boot/frames.h>
#include <boot/manifest.h>
#include <abi/error.h>
#include <l4/task.h>
#include "frames.h"
#include "memory.h"
#include "service.h"

static const u64 header[8] = { 0, 0x7f8000001000, 0x7f8000000100, 0x7f8000000200, 0x7f8000000040 };

bool archive_find(const char *name, u32 length, struct module *found)
{
    *found = (struct module){ name, (const u8 *)header, sizeof header };
    return true;
}

l4_err_t frames_give(cap_t task) { return L4_OK; }
bool service_has_task(u32 service) { return true; }
l4_err_t service_window(u32 service, u32 client, u32 slot, u64 task, u64 at) { return L4_OK; }
void service_window_clear(u32 service, u32 client, u32 slot) { }

const struct manifest_door *service_door(u32 service, u32 index)
{
    static const struct manifest_door door;
    return &door;
}

l4_err_t l4_map_cap(cap_t destination, cap_t source, cap_t from, cap_t to, u32 rights) { return L4_OK; }
l4_err_t l4_map_range(cap_t destination, cap_t source, vaddr_t from, vaddr_t to, u64 bytes, u32 rights) { return L4_OK; }
l4_err_t l4_unmap_range(cap_t task, vaddr_t at, u64 bytes, u32 rights, bool derived_only) { return L4_OK; }
