/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper_objects.c: the services of keeper's host test: what service.c does to kernel objects, played. Three start
 * at boot. Each thing done is an invocation of a slot that only this file knows, so the harness sees it as an
 * effect. */
#include "keeperd_server.h"

#include <boot/manifest.h>
#include <l4/invoke.h>
#include <string.h>

#include "handlers.h"
#include "keeper_machine.h"
#include "place.h"
#include "service.h"

enum { SERVICES = 6, SLOT_DONE = 0x2000 };

static const struct manifest_service manifest[SERVICES] = {
    { .name = "serial", .flags = MANIFEST_BOOT, .heartbeat_ms = 100 },
    { .name = "ds", .flags = MANIFEST_BOOT },
    { .name = "late", .flags = MANIFEST_ASK },
    { .name = "pm", .flags = MANIFEST_BOOT },
    { .name = "vm" },
    { .name = "vfs" },
};
static const struct l4_crash none;

static void act(u32 what, u64 n, u64 detail)
{
    u64 tag = what, w0 = n, w1 = detail, w2 = 0, w3 = 0;
    l4_invoke(SLOT_DONE, &tag, 0, &w0, &w1, &w2, &w3);
}

/* With a fresh state comes a fresh machine. */
void l4_main(void)
{
    if (l4_state()->version == 0) {
        memset(machine(), 0, sizeof *machine());
    }
    places_make();
    keeperd_serve(&keeper_ops);
}

u32 service_count(void) { return SERVICES; }
const struct manifest_service *service_manifest(u32 n) { return &manifest[n - 1]; }

u32 service_watcher(void) { return 1; }
void service_wake(u32 n) { act(7, n, 0); }

enum stance service_stance(u32 n, u32 *on)
{
    *on = n == 1 ? 2 : 0;
    return n == 1 ? STANCE_CALLS : STANCE_READY;
}

u32 service_find(const u8 *name, u32 length)
{
    for (u32 n = 1; n <= SERVICES; n++) {
        if (strlen(manifest[n - 1].name) == length && memcmp(manifest[n - 1].name, name, length) == 0) {
            return n;
        }
    }
    return 0;
}

u64 service_completed(u32 n) { return 10 * n; }
u64 service_steps(u32 n) { return 20 * n; }
struct l4_request service_request(u32 n) { return (struct l4_request){ n, n, n }; }
void service_stop(u32 n) { act(1, n, 0); }
void service_run(u32 n) { act(2, n, 0); }
void service_tell(void) { act(3, 0, 0); }
const struct l4_crash *service_crash(u32 n) { return &none; }

const u64 *service_backtrace(u32 n)
{
    static const u64 pc[8] = { 0x401000 };
    return pc;
}

l4_err_t service_reset(u32 n, u32 incarnation, const struct l4_crash *crash, bool fresh)
{
    act(4, n, incarnation << 1 | fresh);
    if (fresh) {
        machine_lost_by(n);
        places_give(n);
    }
    return L4_OK;
}

bool service_strike(u32 n, u32 way)
{
    act(5, n, way);
    return true;
}

l4_err_t service_load(u32 n, const u8 *name, u32 length)
{
    act(6, n, length);
    return length == 6 ? L4_OK : L4_NOT_FOUND;
}
