/* SPDX-License-Identifier: BSD-2-Clause */
/* process.c: see place.h. Everything may be done again: what is there already is right, a place that could not be
 * filled is emptied, and a new incarnation ends what the last one had made without a commit. A place whose process
 * has ended is a spare one at first: its task waits for the next process there.
 *
 * INVARIANT spare: a place in the list has no process; its task and its first thread are there and whole. */
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
#include <l4/piece.h>
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

enum { DOORS = 3, PRIORITY = 10, KEPT_OBJECTS = 2 << 20, ROOM_FORK = 4,
       SPARES = sizeof ((const struct keeperd_state *)0)->spare / sizeof(u64) };

/* The head of the runtime's image. */
struct runtime_header { u64 magic, end, leave, leave_end, start, child, thread_start, spare; };

/* Who has doors to whom: pm, vm, vfs, in the order of the process's slots from 1 on. */
static u32 servers[DOORS] L4_VOLATILE_ZERO;
static const struct runtime_header *runtime L4_VOLATILE_ZERO;
static u64 runtime_bytes L4_VOLATILE_ZERO;

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
        runtime_bytes = (module.bytes + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul);
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
                cap_give(task_of(door->server), task_of(n), PROCESS_TASKS_AT_VM + (u16)door->label, L4_O | L4_I));
        }
    }
}

/* What is not there went when keeper died while it ended it: whoever ordered that asks again. */
static void must_give(l4_err_t err)
{
    if (err != L4_NOT_MAPPED) {
        l4_must(err);
    }
}

/* What vm or pm has of a place that is not empty. */
static void place_give(u32 p, bool is_vm)
{
    if (is_vm && threads_at(p)) {
        must_give(task_to_vm(p));
    }
    for (u32 t = 0; !is_vm && t < PROCESS_THREADS; t++) {
        if (threads_at(p) >> t & 1) {
            must_give(thread_to_pm(p, t));
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
        place_give(p, is_vm);
    }
}

/* ---- a place ---- */
static void slots_empty(cap_t first, u32 order)
{
    u64 changed;
    task_unmap(L4_BOOT_TASK, l4_fpage_caps(first, order), L4_RIGHTS_ALL, false, &changed);
}

static u64 block_of(u32 t) { return VM_RUNTIME_THREADS + (u64)t * VM_BLOCK; }

static void thread_empty(u32 place, u32 thread)
{
    l4_unmap_range(place_slot(place, PLACE_TASK), block_of(thread) + VM_BLOCK_WINDOW, VM_BLOCK_STACK - VM_BLOCK_WINDOW, L4_R, false);
    l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_THREAD + thread));
    l4_unmap_cap(L4_BOOT_TASK, place_slot(place, PLACE_IRQ + thread));
}

static void place_empty(u32 place) { slots_empty(place_slot(place, PLACE_TASK), PLACE_ORDER); }
static void doors_empty(u32 place) { slots_empty(place_slot(place, PLACE_DOOR), PLACE_DOORS_ORDER); }

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
    return is_there(err) ? L4_OK : err;
}

/* What every process sees alike: the runtime's text and the info page. */
static l4_err_t pages_give(u32 place)
{
    cap_t task = place_slot(place, PLACE_TASK);
    l4_err_t err = l4_map_range(task, L4_BOOT_TASK, L4_KIP_ADDRESS, VM_RUNTIME_INFO, L4_PAGE_SIZE, L4_R);
    return is_there(err) ? l4_map_range(task, L4_BOOT_TASK, (vaddr_t)runtime, VM_RUNTIME_TEXT, runtime_bytes, L4_R | L4_X) : err;
}

static l4_err_t place_fill(u32 place, u64 label)
{
    cap_t task = place_slot(place, PLACE_TASK);
    l4_err_t err = factory_make_task(PROCESS_FACTORY, (u32)task);
    err = is_there(err) ? cap_give(task, L4_BOOT_LOG, PROCESS_LOG, L4_W) : err;
    err = is_there(err) ? doors_give(place, label) : err;
    err = is_there(err) ? pages_give(place) : err;
    err =
        is_there(err) ? task_set_native(task, L4_RUNTIME_BASE, runtime->end, runtime->leave, runtime->leave_end) : err;
    return is_there(err) ? task_to_vm(place) : err;
}

/* ---- a thread ---- */
static l4_err_t window_give(u32 place, u32 t)
{
    return service_window(servers[2], place, t, place_slot(place, PLACE_TASK), block_of(t) + VM_BLOCK_WINDOW);
}

/* Nothing of whoever had the window before is left in it. */
static void window_clear(u32 place, u32 t) { service_window_clear(servers[2], place, t); }

static l4_err_t thread_fill(u32 place, u32 t)
{
    cap_t task = place_slot(place, PLACE_TASK), thread = place_slot(place, PLACE_THREAD + t),
          irq = place_slot(place, PLACE_IRQ + t);
    l4_err_t err = factory_make_thread(PROCESS_FACTORY, (u32)thread);
    err = is_there(err) ? factory_make_irq(PROCESS_FACTORY, (u32)irq) : err;
    err = is_there(err) ? thread_bind(thread, task, block_of(t)) : err;
    err = is_there(err) ? thread_set_handlers(thread, PROCESS_VM, 0) : err;
    err = is_there(err) ? thread_use_fpu(thread, true) : err;
    err = is_there(err) ? sched_set(L4_BOOT_SCHED, thread, PRIORITY, 0) : err;
    err = is_there(err) ? irq_bind(irq, thread, t) : err;
    err = is_there(err) ? cap_give(task, thread, PROCESS_THREAD + 4 * t, L4_W) : err;
    err = is_there(err) ? cap_give(task, irq, PROCESS_THREAD + 4 * t + 1, L4_R | L4_W) : err;
    err = is_there(err) ? window_give(place, t) : err;
    window_clear(place, t);
    return is_there(err) ? thread_to_pm(place, t) : err;
}

/* The first thread as if it were new: nothing of its past is in its registers nor its UTCB, which is bound elsewhere for a moment. What
 * thread_fill has set else is as it was. */
static l4_err_t thread_again(u32 place)
{
    cap_t task = place_slot(place, PLACE_TASK), thread = place_slot(place, PLACE_THREAD);
    thread_stop(thread);
    l4_err_t err = thread_bind(thread, task, block_of(0) + L4_UTCB_SIZE);
    err = is_there(err) ? thread_bind(thread, task, block_of(0)) : err;
    err = is_there(err) ? thread_use_fpu(thread, false) : err;
    err = is_there(err) ? thread_use_fpu(thread, true) : err;
    return is_there(err) ? thread_set_base(thread, 0, 0) : err;
}

/* All threads but the first go. */
static void threads_thin(struct keeperd_tx tx, u32 place)
{
    for (u32 t = 1; t < PROCESS_THREADS; t++) {
        if (threads_at(place) >> t & 1) {
            thread_empty(place, t);
        }
    }
    threads_set(tx, place, threads_at(place) & 1);
}

/* ---- spare places: a task with its first thread, but neither doors nor memory of its own ---- */
static u64 spare_at(u32 n) { return keeperd_state()->spare[n]; }

/* Where the place is in the list; SPARES: nowhere. */
static u32 spare_find(u32 place)
{
    u32 n = 0;
    while (n < SPARES && spare_at(n) != place) {
        n++;
    }
    return n;
}

/* The list with `place` in front instead of its number n: those before it move behind it. */
static void spare_put(struct keeperd_tx tx, u32 n, u64 place)
{
    u64 *spare = keeperd_writable()->spare;
    l4_keep(spare, SPARES);
    for (; n; n--) {
        spare[n] = spare[n - 1];
    }
    spare[0] = place;
    l4_hook();
}

/* Number n leaves the list, those behind it move up. */
static void spare_take(struct keeperd_tx tx, u32 n)
{
    u64 *spare = keeperd_writable()->spare;
    l4_keep(spare, SPARES);
    for (; n + 1 < SPARES; n++) {
        spare[n] = spare[n + 1];
    }
    spare[n] = 0;
    l4_hook();
}

/* What is destroyed stays destroyed: whoever may be refused afterwards does this in a piece. */
static void spare_end(struct keeperd_tx tx, u32 n)
{
    u32 place = (u32)spare_at(n);
    if (place) {
        place_empty(place);
        threads_set(tx, place, 0);
        spare_take(tx, n);
    }
}

/* ---- after a death of keeper ---- */
/* A spare place leaves the list if it was being ended: its task has gone then, or has lost what every task has. */
static void spares_check(struct keeperd_tx tx)
{
    for (u32 n = SPARES; n; n--) {
        u32 place = (u32)spare_at(n - 1);
        if (place && !is_there(cap_give(place_slot(place, PLACE_TASK), L4_BOOT_LOG, PROCESS_LOG, L4_W))) {
            spare_end(tx, n - 1);
        }
    }
}

void places_check(struct keeperd_tx tx)
{
    spares_check(tx);
    for (u32 p = VM_PROCESS_FIRST; p < PROCESS_PLACES; p++) {
        if (!label_at(p) && spare_find(p) == SPARES) {
            place_empty(p);
        }
        for (u32 t = 0; label_at(p) && t < PROCESS_THREADS; t++) {
            if (!(threads_at(p) >> t & 1)) {
                thread_empty(p, t);
            }
        }
    }
}

/* ---- a process ---- */
/* Of the kernel memory of processes a part stays for the page tables of those that are there, or a fork bomb would take it all and somebody
 * had to end. */
static bool has_room(void)
{
    u64 limit, used;
    return factory_quota(PROCESS_FACTORY, &limit, &used) == L4_OK && limit - used >= limit / ROOM_FORK;
}

/* In a piece: at the cost of spare places, if need be. */
static bool room_make(struct keeperd_tx tx)
{
    if (has_room()) {
        return true;
    }
    struct pieces own = pieces_open();
    for (u32 n = SPARES; n && !has_room(); n--) {
        spare_end(tx, n - 1);
    }
    pieces_close(own);
    return has_room();
}

/* Who has no memory left for a spare one's doors ends it first, or what is half made would be taken for a spare one. */
static l4_err_t place_make(struct keeperd_tx tx, u32 place, u64 process)
{
    u32 n = spare_find(place);
    if (n < SPARES) {
        window_clear(place, 0);
        if (is_there(doors_give(place, process)) && is_there(thread_again(place))) {
            spare_take(tx, n);
            return L4_OK;
        }
        struct pieces own = pieces_open();
        spare_end(tx, n);
        pieces_close(own);
    }
    l4_err_t err = place_fill(place, process);
    err = is_there(err) ? thread_fill(place, 0) : err;
    return is_there(err) ? L4_OK : err;
}

l4_err_t do_process_make(struct keeperd_tx tx, u64 label, u32 place, u64 process, u64 *start)
{
    if (place < VM_PROCESS_FIRST || place >= PROCESS_PLACES || place != (u16)process || !runtime_find()) {
        return PROCESS_INVAL;
    }
    *start = runtime->start;
    if (label_at(place)) {
        return label_at(place) == process ? L4_OK : PROCESS_EXIST;
    }
    if (!room_make(tx)) {
        return PROCESS_NOMEM;
    }
    if (place_make(tx, place, process) != L4_OK) {
        place_empty(place);
        return PROCESS_NOMEM;
    }
    label_set(tx, place, process);
    threads_set(tx, place, 1);
    return L4_OK;
}

/* As it is at the beginning of a program. */
static bool first_thread_renew(u32 place)
{
    if (threads_at(place) & 1) {
        return is_there(thread_again(place));
    }
    bool made = is_there(thread_fill(place, 0));
    if (!made) {
        thread_empty(place, 0);
    }
    return made;
}

l4_err_t do_process_renew(struct keeperd_tx tx, u64 label, u32 place, u64 *start)
{
    if (place >= PROCESS_PLACES || !label_at(place) || !runtime_find()) {
        return PROCESS_INVAL;
    }
    *start = runtime->start;
    if (!first_thread_renew(place)) {
        return PROCESS_NOMEM;
    }
    threads_thin(tx, place);
    threads_set(tx, place, 1);
    return L4_OK;
}

/* ---- further threads ---- */

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
    if (place < VM_PROCESS_FIRST || place >= PROCESS_PLACES) {
        return PROCESS_INVAL;
    }
    if (!label_at(place)) {
        return L4_OK;
    }
    label_set(tx, place, 0);
    if (!(threads_at(place) & 1)) {
        place_empty(place);
        threads_set(tx, place, 0);
        return L4_OK;
    }
    thread_stop(place_slot(place, PLACE_THREAD));
    threads_thin(tx, place);
    doors_empty(place);
    spare_end(tx, SPARES - 1);
    spare_put(tx, SPARES - 1, place);
    return L4_OK;
}
