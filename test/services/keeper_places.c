/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_places.c: what keeper's process.c finds instead of an archive and of frames. */
#include <boot/frames.h>
#include <boot/manifest.h>
#include <abi/error.h>
#include "frames.h"
#include "memory.h"
#include "service.h"

static const u64 header[512] __attribute__((aligned(4096))) = { 0, 0x7f8000001000, 0x7f8000000100, 0x7f8000000200, 0x7f8000000040 };

bool archive_find(const char *name, u32 length, struct module *found)
{
    *found = (struct module){ name, (const u8 *)header, sizeof header };
    return true;
}

l4_err_t frames_give(cap_t task) { return L4_OK; }
bool service_has_task(u32 service) { return true; }

const struct manifest_door *service_door(u32 service, u32 index)
{
    static const struct manifest_door door;
    return &door;
}
