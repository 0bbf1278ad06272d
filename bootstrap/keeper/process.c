/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: see place.h. Everything may be done again: what is there already is right, and a place that could not be
 * filled is emptied. */
#include <abi/fpage.h>
#include <abi/kip.h>
#include <abi/object.h>
#include <boot/frames.h>
#include <boot/manifest.h>
#include <factory.h>
#include <gate.h>
#include <irq.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include <process.h>
#include <sched.h>
#include <task.h>
#include <thread.h>
#include <vm.h>

#include "frames.h"
#include "memory.h"
#include "place.h"
#include "place_handlers.h"
#include "service.h"
#include "slots.h"

enum { DOORS = 3, PRIORITY = 10, KEPT_OBJECTS = 2 << 20, PLACE_FIRST = 2 * VM_PROCESS_FIRST, ROOM_FORK = 4, ROOM_EXEC = 16 };

/* The head of the runtime's image. */
struct runtime_header { u64 magic, end, leave, leave_end, start, child, thread_start, spare; };

/* Who has doors to whom: pm, vm, vfs, in the order of the process's slots from 1 on. */
static u32 servers[DOORS] L4_VOLATILE_ZERO;
static const struct runtime_header *runtime L4_VOLATILE_ZERO;

static u64 label_at(u32 place) { return keeperd_state()->place[place]; }
static u64 threads_at(u32 place) { return keeperd_state()->place_threads[place]; }

static void label_set(struct keeperd_tx tx, u32 place, u64 label)
{
    l4_keep(&keeperd_state()->place[place], 1);
    keeperd_writable()->place[place] = label;
    l4_hook();
}

static void threads_set(struct keeperd_tx tx, u32 place, u64 threads)
{
    l4_keep(&keeperd_state()->place_threads[place], 1);
    keeperd_writable()->place_threads[place] = threads;
    l4_hook();
}

static const struct runtime_header *runtime_find(void)
{
    struct module module;
    if (!runtime && archive_find("runtime", 7, &module)) {
        runtime = (const struct runtime_header *)module.data;
    }
    return runtime;
}

static bool is_there(l4_err_t err) { return err == L4_OK || err == L4_EXISTS; }
static cap_t task_of(u32 service) { return object_slot(service, OBJECT_TASK); }

static l4_err_t cap_give(cap_t task, cap_t from, cap_t to, u32 rights)
{
    return l4_map_cap(task, L4_BOOT_TASK, from, to, rights);
}

void places_make(void)
{
    static const char *const names[DOORS] = { "pm", "vm", "vfs" };
    static const u32 lengths[DOORS] = { 2, 2, 3 };
    u64 limit, used;
    for (u32 i = 0; i < DOORS; i++) {
        servers[i] = service_find((const u8 *)names[i], lengths[i]);
    }
    l4_must(factory_quota(L4_BOOT_FACTORY, &limit, &used));
    u64 bytes = limit - used > 2 * KEPT_OBJECTS ? (limit - used - KEPT_OBJECTS) & ~(L4_PAGE_SIZE - 1ul) : 0;
    if (servers[0] && bytes) {
        l4_must(factory_make_factory(L4_BOOT_FACTORY, PROCESS_FACTORY, bytes));
    }
}

/* ---- what servers hold of tasks ---- */
static l4_err_t task_to_vm(u32 place)
{
    return servers[1]
               ? cap_give(task_of(servers[1]), place_slot(place, PLACE_TASK), PROCESS_TASKS_AT_VM + place, L4_O | L4_I)
               : L4_OK;
}

static l4_err_t thread_to_pm(u32 place, u32 thread)
{
    return cap_give(task_of(servers[0]), place_slot(place, PLACE_THREAD + thread),
        PROCESS_THREADS_AT_PM + PROCESS_THREADS * place + thread, L4_R | L4_W | L4_C);
}

/* A service whose label at vm has this index maps objects: its task lies where a process's would. */
static void service_to_vm(u32 n)
{
    for (u32 d = 0; d < service_manifest(n)->doors; d++) {
        const struct manifest_door *door = service_door(n, d);
        if (door->server == service_find((const u8 *)"vm", 2) && door->server) {
            l4_must(
                cap_give(task_of(door->server), task_of(n), PROCESS_TASKS_AT_VM + 2 * (u16)door->label, L4_O | L4_I));
        }
    }
}

void places_give(u32 n)
{
    bool is_vm = n == service_find((const u8 *)"vm", 2), is_pm = n == service_find((const u8 *)"pm", 2);
    if (is_vm) {
        l4_must(frames_give(task_of(n)));
    }
    for (u32 i = is_vm ? 1 : n; i <= (is_vm ? service_count() : n); i++) {
        if (service_has_task(i)) {
            service_to_vm(i);
        }
    }
    for (u32 p = 0; (is_vm || is_pm) && p < PROCESS_PLACES; p++) {
        if (label_at(p) && is_vm) {
            l4_must(task_to_vm(p));
        }
        for (u32 t = 0; is_pm && t < PROCESS_THREADS; t++) {
            if (threads_at(p) >> t & 1) {
                l4_must(thread_to_pm(p, t));
            }
        }
    }
}

/* ---- a place ---- */
static void thread_empty(u32 place, u32 thread)
{
    l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_THREAD + thread));
    l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_IRQ + thread));
}

static void place_empty(u32 place)
{
    for (u32 t = 0; t < PROCESS_THREADS; t++) {
        thread_empty(place, t);
    }
    l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_TASK));
    for (u32 i = 0; i < DOORS; i++) {
        l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_DOOR + i));
    }
}

static l4_err_t doors_give(u32 place, u64 label)
{
    cap_t task = place_slot(place, PLACE_TASK);
    l4_err_t err = L4_OK;
    for (u32 i = 0; i < DOORS && is_there(err); i++) {
        cap_t door = place_slot(place, PLACE_DOOR + i);
        if (servers[i]) {
            err = gate_mint(object_slot(servers[i], OBJECT_GATE), (u32)door, label, L4_W);
            err = is_there(err) ? cap_give(task, door, PROCESS_PM + i, L4_W) : err;
        }
    }
    return is_there(err) ? cap_give(task, L4_BOOT_LOG, PROCESS_LOG, L4_W) : err;
}

static l4_err_t place_fill(u32 place, u64 label)
{
    cap_t task = place_slot(place, PLACE_TASK);
    l4_err_t err = factory_make_task(PROCESS_FACTORY, (u32)task);
    err = is_there(err) ? doors_give(place, label) : err;
    err = is_there(err) ? l4_map_range(task, L4_BOOT_TASK, L4_KIP_ADDRESS, VM_RUNTIME_INFO, L4_PAGE_SIZE, L4_R) : err;
    err =
        is_there(err) ? task_set_native(task, L4_RUNTIME_BASE, runtime->end, runtime->leave, runtime->leave_end) : err;
    return is_there(err) ? task_to_vm(place) : err;
}

/* Of the kernel memory of processes a part stays for the page tables of those that are there, or a fork bomb would take it all and somebody
 * had to end; of that, a little less must stay when a program is replaced, which soon frees the old one's. */
static bool has_room(u32 place, u64 process)
{
    u64 limit, used, part = label_at(place ^ 1) == process ? ROOM_EXEC : ROOM_FORK;
    return factory_quota(PROCESS_FACTORY, &limit, &used) == L4_OK && limit - used >= limit / part;
}

l4_err_t do_process_make(struct keeperd_tx tx, u64 label, u32 place, u64 process, u64 *start)
{
    if (place < PLACE_FIRST || place >= PROCESS_PLACES || place / 2 != (u16)process || !runtime_find()) {
        return PROCESS_INVAL;
    }
    if (label_at(place) && label_at(place) != process) {
        return PROCESS_EXIST;
    }
    if (!label_at(place) && !has_room(place, process)) {
        return PROCESS_NOMEM;
    }
    if (!label_at(place) && !is_there(place_fill(place, process))) {
        place_empty(place);
        return PROCESS_NOMEM;
    }
    label_set(tx, place, process);
    *start = runtime->start;
    return L4_OK;
}

/* ---- a thread ---- */
static l4_err_t thread_fill(u32 place, u32 t)
{
    cap_t task = place_slot(place, PLACE_TASK), thread = place_slot(place, PLACE_THREAD + t),
          irq = place_slot(place, PLACE_IRQ + t);
    u64 block = VM_RUNTIME_THREADS + (u64)t * VM_BLOCK;
    l4_err_t err = factory_make_thread(PROCESS_FACTORY, (u32)thread);
    bool fresh = err == L4_OK;          /* nothing of whoever had the window before is left in it */
    err = is_there(err) ? factory_make_irq(PROCESS_FACTORY, (u32)irq) : err;
    err = is_there(err) ? thread_bind(thread, task, block) : err;
    err = is_there(err) ? thread_set_handlers(thread, PROCESS_VM, 0) : err;
    err = is_there(err) ? thread_use_fpu(thread, true) : err;
    err = is_there(err) ? sched_set(L4_BOOT_SCHED, thread, PRIORITY, 0) : err;
    err = is_there(err) ? irq_bind(irq, thread, t) : err;
    err = is_there(err) ? cap_give(task, thread, PROCESS_THREAD + 4 * t, L4_W) : err;
    err = is_there(err) ? cap_give(task, irq, PROCESS_THREAD + 4 * t + 1, L4_R | L4_W) : err;
    err = is_there(err) ? service_window(servers[2], (u16)label_at(place), t, fresh, task, block + VM_BLOCK_WINDOW) : err;
    return is_there(err) ? thread_to_pm(place, t) : err;
}

static bool is_thread(u32 place, u32 thread)
{
    return place < PROCESS_PLACES && label_at(place) && thread < PROCESS_THREADS;
}

l4_err_t do_process_make_thread(struct keeperd_tx tx, u64 label, u32 place, u32 thread)
{
    if (!is_thread(place, thread)) {
        return PROCESS_INVAL;
    }
    if (!(threads_at(place) >> thread & 1) && !is_there(thread_fill(place, thread))) {
        thread_empty(place, thread);
        return PROCESS_NOMEM;
    }
    threads_set(tx, place, threads_at(place) | 1u << thread);
    return L4_OK;
}

l4_err_t do_process_drop_thread(struct keeperd_tx tx, u64 label, u32 place, u32 thread)
{
    if (!is_thread(place, thread)) {
        return PROCESS_INVAL;
    }
    thread_empty(place, thread);
    threads_set(tx, place, threads_at(place) & ~(1ul << thread));
    return L4_OK;
}

l4_err_t do_process_drop(struct keeperd_tx tx, u64 label, u32 place)
{
    if (place < PLACE_FIRST || place >= PROCESS_PLACES) {
        return PROCESS_INVAL;
    }
    place_empty(place);
    label_set(tx, place, 0);
    threads_set(tx, place, 0);
    return L4_OK;
}
