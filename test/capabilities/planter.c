/* SPDX-License-Identifier: BSD-2-Clause */
/* planter.c: keeper's own sources and this one: it can also give a service what its manifest does not grant, so that
 * a test sees whether that is found. Never part of a system.
 *
 * keeper.find("plant N") plants what is number N at every service, and says of each in the log `plant SERVICE WHAT PLACE`. A service that
 * has nothing of the kind is left out; no_service: N is behind the last. keeper.find("undo") takes all of it back. */
#include "keeperd_server.h"

#include <abi/fpage.h>
#include <abi/object.h>
#include <boot/manifest.h>
#include <factory.h>
#include <gate.h>
#include <irq.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/string.h>
#include <l4/task.h>
#include <sigma0.h>
#include <task.h>

#include "memory.h"
#include "service.h"
#include "slots.h"

/* Extra capabilities come first, one a kind; `reply` is not among them: it cannot be mapped. */
enum plant {
    PLANT_FACTORY, PLANT_TASK, PLANT_THREAD, PLANT_GATE, PLANT_IRQ, PLANT_SCHED, PLANT_DEBUG, PLANT_LOG, PLANT_DOOR,
    PLANT_MORE_RIGHTS, PLANT_FEWER_RIGHTS, PLANT_OTHER_OBJECT, PLANT_OTHER_LABEL, PLANT_NO_CAPABILITY,
    PLANT_PAGE, PLANT_PAGE_RIGHTS, PLANT_OTHER_PAGE, PLANT_NO_PAGE, PLANT_PORT, PLANT_NO_PORT, PLANTS,
};
static const char *const plant_name[PLANTS] = {
    "factory", "task", "thread", "gate", "irq", "sched", "debug", "log", "door",
    "more-rights", "fewer-rights", "other-object", "other-label", "no-capability",
    "page", "page-rights", "other-page", "no-page", "port", "no-port",
};

enum { SLOT_OWN = 30000, SLOT_EXCEPTION = 8, SLOT_PLANT = 700, PORT = 0x80 };
#define PLANT_ADDRESS 0x30000000ul

extern const struct keeperd_ops __real_keeper_ops;
static u32 planted L4_VOLATILE_ZERO;        /* 1 + number of what is there; 0: nothing */
static void *page L4_VOLATILE_ZERO;

static u32 other_than(u32 n) { return n % service_count() + 1; }
static cap_t task_of(u32 n) { return object_slot(n, OBJECT_TASK); }

static void give(u32 n, cap_t from, cap_t to, u32 rights) { l4_must(l4_map_cap(task_of(n), L4_BOOT_TASK, from, to, rights)); }
static void take(u32 n, cap_t slot) { l4_must(l4_unmap_cap(task_of(n), slot)); }

static void page_give(u32 n, const void *from, vaddr_t to, u32 rights)
{
    l4_must(l4_map_range(task_of(n), L4_BOOT_TASK, (vaddr_t)from, to, L4_PAGE_SIZE, rights));
}
static void page_take(u32 n, vaddr_t at) { l4_must(l4_unmap_range(task_of(n), at, L4_PAGE_SIZE, L4_R | L4_W | L4_X, false)); }

static void ports_give(u32 n, u32 first, u32 count)
{
    u64 mapped;
    l4_must(task_map(task_of(n), L4_BOOT_TASK, l4_fpage_ports(first, (u32)__builtin_ctz(count)), first, L4_R | L4_W, &mapped));
}
static void ports_take(u32 n, u32 first, u32 count)
{
    u64 changed;
    l4_must(task_unmap(task_of(n), l4_fpage_ports(first, (u32)__builtin_ctz(count)), L4_R | L4_W, false, &changed));
}

/* The first I/O ports of the manifest's for it; false: it has none. */
static bool ports_of(u32 n, const struct manifest_ports **ports)
{
    struct module module;
    if (!archive_find("manifest", 8, &module)) {
        return false;
    }
    const struct manifest *m = (const struct manifest *)module.data;
    *ports = manifest_ports(m, service_manifest(n)->first_ports);
    return service_manifest(n)->ports > 0;
}

/* What an extra capability is made from: another service's, where each has its own. */
static cap_t source_of(u32 n, enum plant what)
{
    u32 other = other_than(n);
    switch (what) {
    case PLANT_FACTORY: return object_slot(other, OBJECT_FACTORY);
    case PLANT_TASK:    return object_slot(other, OBJECT_TASK);
    case PLANT_THREAD:  return object_slot(other, OBJECT_THREAD);
    case PLANT_GATE:    return object_slot(other, OBJECT_GATE);
    case PLANT_IRQ:     return object_slot(other, OBJECT_WAKE);
    case PLANT_SCHED:   return L4_BOOT_SCHED;
    case PLANT_DEBUG:   return L4_BOOT_DEBUG;
    case PLANT_LOG:     return L4_BOOT_LOG;
    default:            return L4_BOOT_SIGMA0;
    }
}

/* Slot 2, its own thread: it holds R, and nobody needs it in the meantime. */
static void thread_replace(u32 n, u32 whose, u32 rights)
{
    take(n, L4_SLOT_THREAD);
    give(n, object_slot(whose, OBJECT_THREAD), L4_SLOT_THREAD, rights);
}

static void crash_page_replace(u32 n, u32 whose, u32 rights)
{
    page_take(n, L4_CRASH_ADDRESS);
    page_give(n, service_crash(whose), L4_CRASH_ADDRESS, rights);
}

static void exception_replace(u32 n, cap_t door)
{
    take(n, SLOT_EXCEPTION);
    give(n, door, SLOT_EXCEPTION, 0);
}

/* The place of the plant, for the log. */
static u64 plant(u32 n, enum plant what, const struct manifest_ports *ports)
{
    switch (what) {
    case PLANT_MORE_RIGHTS:     thread_replace(n, n, L4_R | L4_W); return L4_SLOT_THREAD;
    case PLANT_FEWER_RIGHTS:    thread_replace(n, n, 0); return L4_SLOT_THREAD;
    case PLANT_OTHER_OBJECT:    thread_replace(n, other_than(n), L4_R); return L4_SLOT_THREAD;
    case PLANT_OTHER_LABEL:
        l4_must(gate_mint(KEEPER_GATE, SLOT_OWN + n, KEEPER_EXCEPTION_LABEL | other_than(n), 0));
        exception_replace(n, SLOT_OWN + n);
        return SLOT_EXCEPTION;
    case PLANT_NO_CAPABILITY:   take(n, L4_SLOT_THREAD); return L4_SLOT_THREAD;
    case PLANT_PAGE:            page_give(n, page, PLANT_ADDRESS, L4_R); return PLANT_ADDRESS;
    case PLANT_PAGE_RIGHTS:     crash_page_replace(n, n, L4_R | L4_W); return L4_CRASH_ADDRESS;
    case PLANT_OTHER_PAGE:      crash_page_replace(n, other_than(n), L4_R); return L4_CRASH_ADDRESS;
    case PLANT_NO_PAGE:         page_take(n, L4_CRASH_ADDRESS); return L4_CRASH_ADDRESS;
    case PLANT_PORT:            ports_give(n, PORT, 1); return PORT;
    case PLANT_NO_PORT:         ports_take(n, ports->first, ports->count); return ports->first;
    default:                    give(n, source_of(n, what), SLOT_PLANT + what, L4_RIGHTS_ALL); return SLOT_PLANT + what;
    }
}

static void undo(u32 n, enum plant what, const struct manifest_ports *ports)
{
    switch (what) {
    case PLANT_MORE_RIGHTS: case PLANT_FEWER_RIGHTS: case PLANT_OTHER_OBJECT: case PLANT_NO_CAPABILITY:
        thread_replace(n, n, L4_R);
        break;
    case PLANT_OTHER_LABEL:
        exception_replace(n, object_slot(n, OBJECT_EXCEPTION));
        l4_must(l4_unmap_cap(L4_BOOT_TASK, SLOT_OWN + n));
        break;
    case PLANT_PAGE:
        page_take(n, PLANT_ADDRESS);
        break;
    case PLANT_PAGE_RIGHTS: case PLANT_OTHER_PAGE: case PLANT_NO_PAGE:
        crash_page_replace(n, n, L4_R);
        break;
    case PLANT_PORT:
        ports_take(n, PORT, 1);
        break;
    case PLANT_NO_PORT:
        ports_give(n, ports->first, ports->count);
        break;
    default:
        take(n, SLOT_PLANT + what);
    }
}

static void plant_all(enum plant what)
{
    const struct manifest_ports *ports;
    for (u32 n = 1; n <= service_count(); n++) {
        if (ports_of(n, &ports) || what != PLANT_NO_PORT) {
            l4_print("plant %s %s %lx\n", service_manifest(n)->name, plant_name[what], plant(n, what, ports));
        }
    }
}

static l4_err_t plant_number(u32 number)
{
    if (number >= PLANTS || !page || planted) {
        return KEEPER_NO_SERVICE;
    }
    plant_all((enum plant)number);
    planted = number + 1;
    return L4_OK;
}

static l4_err_t plant_undo(void)
{
    const struct manifest_ports *ports;
    if (!planted) {
        return KEEPER_NO_SERVICE;
    }
    for (u32 n = 1; n <= service_count(); n++) {
        if (ports_of(n, &ports) || planted - 1 != PLANT_NO_PORT) {
            undo(n, (enum plant)(planted - 1), ports);
        }
    }
    planted = 0;
    return L4_OK;
}

static l4_err_t find(u64 label, struct l4_bytes name, u32 *service)
{
    static const char order[] = "plant ";
    u32 number = 0, at = sizeof order - 1;
    *service = 0;
    if (name.length == 4 && memcmp(name.at, "undo", 4) == 0) {
        return plant_undo();
    }
    if (name.length <= at || memcmp(name.at, order, at) != 0) {
        return __real_keeper_ops.keeper_find(label, name, service);
    }
    for (; at < name.length && name.at[at]; at++) {
        number = 10 * number + name.at[at] - '0';
    }
    return plant_number(number);
}

/* main.c makes all services and serves with these; the linker's --wrap puts them between. */
struct keeperd_ops __wrap_keeper_ops L4_VOLATILE_ZERO;
extern void __real_services_make(void);
extern void __wrap_services_make(void);

void __wrap_services_make(void)
{
    __wrap_keeper_ops = __real_keeper_ops;
    __wrap_keeper_ops.keeper_find = find;
    page = memory_take(L4_PAGE_SIZE);
    l4_must(sigma0_ports(L4_BOOT_SIGMA0, PORT, 0, l4_fpage_ports(PORT, 0)));
    __real_services_make();
}
