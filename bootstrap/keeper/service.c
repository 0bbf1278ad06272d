/* SPDX-License-Identifier: BSD-2-Clause */
/* service.c: a service as objects of the kernel: what is made once, what each task needs, what each incarnation needs.
 *
 *   once          gate, irq objects, state object, windows, pages           outlive every task
 *   a task        factory, task, thread, maps of all that, named slots      outlive every incarnation
 *   incarnation   private pages reset, volatile slots emptied, crash and startup page, irqs bound again */
#include "service.h"

#include <abi/fpage.h>
#include <abi/kip.h>
#include <abi/object.h>
#include <boot/manifest.h>
#include <factory.h>
#include <fs.h>
#include <gate.h>
#include <irq.h>
#include <l4/clock.h>
#include <l4/log.h>
#include <l4/panic.h>
#include <l4/server.h>
#include <l4/string.h>
#include <l4/task.h>
#include <l4/window.h>
#include <sched.h>
#include <sigma0.h>
#include <task.h>
#include <thread.h>

#include "frames.h"
#include "place.h"
#include "program.h"
#include "slots.h"

enum { SERVICES = 48, SLOT_EXCEPTION = 8, BACKTRACE = 8, LATE_WINDOWS = L4_WINDOWS_MOST };

struct service {
    struct program program;
    u8 *state, *windows, *old_state;        /* keeper's own view */
    u64 window_total, old_bytes;
    struct l4_crash *crash;                 /* pages of the service */
    struct l4_startup *startup;
    struct l4_registers stopped;            /* where its thread stood */
    bool is_stopped, has_task;
    void *late[LATE_WINDOWS];               /* windows of clients that the manifest does not know, by client and slot … */
    bool shown[LATE_WINDOWS];               /* … and whether everybody has them who must */
    struct l4_registers struck;             /* where it stood before it was sent to a crash routine */
    bool is_struck;
    u64 backtrace[BACKTRACE];
};

static struct service services[SERVICES] L4_VOLATILE_ZERO;
static const struct manifest *manifest L4_VOLATILE;

u32 service_count(void) { return manifest->services; }
const struct manifest_service *service_manifest(u32 n) { return manifest_service(manifest, n); }

static u64 page_up(u64 n) { return (n + L4_PAGE_SIZE - 1) & ~(L4_PAGE_SIZE - 1ul); }

u32 service_find(const u8 *name, u32 length)
{
    for (u32 n = 1; n <= manifest->services; n++) {
        if (l4_is_word((const char *)name, length, service_manifest(n)->name)) {
            return n;
        }
    }
    return 0;
}

u32 service_watcher(void)
{
    for (u32 n = 1; n <= manifest->services; n++) {
        if (service_manifest(n)->flags & MANIFEST_WATCHER) {
            return n;
        }
    }
    return 0;
}

/* Making what is there already is right. */
static void made(l4_err_t err, const char *what, u32 n)
{
    if (err != L4_OK && err != L4_EXISTS) {
        l4_panic("%s: no %s: %e", n ? service_manifest(n)->name : "keeper", what, err);
    }
}

/* ---- once ---- */
/* Answer slots of the manifest's clients, which are the first ones. */
static u64 windows_needed(u32 n)
{
    u32 clients = 0;
    for (u32 d = 0; d < manifest->doors; d++) {
        const struct manifest_door *door = manifest_door(manifest, d);
        if (door->server == n && (u16)door->label >= clients) {
            clients = (u16)door->label + 1u;
        }
    }
    return (u64)clients * services[n].program.card.slots * services[n].program.card.window_bytes;
}

static void place_make(u32 n)
{
    struct service *s = &services[n];
    const struct manifest_service *m = service_manifest(n);
    struct module module;
    if (!archive_find(m->program, (u32)strlen(m->program), &module)) {
        l4_panic("%s: the archive has no %s", m->name, m->program);
    }
    made(program_read(&module, &s->program), "program", n);
    s->window_total = windows_needed(n);
    u64 bytes = program_own(&s->program) + page_up(s->program.card.state_bytes) + page_up(s->window_total) + 2 * L4_PAGE_SIZE;
    if (bytes > m->memory) {
        l4_panic("%s: needs %lu KB, the manifest gives %lu KB", m->name, bytes >> 10, m->memory >> 10);
    }
    s->crash = memory_take(L4_PAGE_SIZE);
    s->startup = memory_take(L4_PAGE_SIZE);
    s->state = s->program.card.state_bytes ? memory_take(s->program.card.state_bytes) : NULL;
    s->windows = s->window_total ? memory_take(s->window_total) : NULL;
    bool has_state = s->state || !s->program.card.state_bytes, has_windows = s->windows || !s->window_total;
    if (!s->program.owned || !s->crash || !s->startup || !has_state || !has_windows) {
        l4_panic("%s: no memory", m->name);
    }
}

static void lines_make(u32 n)
{
    const struct manifest_service *m = service_manifest(n);
    for (u32 i = m->first_line; i < m->first_line + m->lines; i++) {
        const struct manifest_line *line = manifest_line(manifest, i);
        made(factory_make_line(L4_BOOT_FACTORY, (u32)line_slot(i), line->line, line->level), "interrupt line", n);
    }
    for (u32 i = m->first_ports; i < m->first_ports + m->ports; i++) {
        const struct manifest_ports *ports = manifest_ports(manifest, i);
        u32 order = (u32)__builtin_ctz(ports->count);
        made(sigma0_ports(L4_BOOT_SIGMA0, ports->first, order, l4_fpage_ports(ports->first, order)), "ports", n);
    }
}

static void objects_make(u32 n)
{
    static const enum service_object irqs[] = { OBJECT_WAKE, OBJECT_PULSE, OBJECT_EVENT };
    made(factory_make_gate(L4_BOOT_FACTORY, (u32)object_slot(n, OBJECT_GATE)), "gate", n);
    for (u32 i = 0; i < sizeof irqs / sizeof irqs[0]; i++) {
        made(factory_make_irq(L4_BOOT_FACTORY, (u32)object_slot(n, irqs[i])), "irq", n);
    }
    made(gate_mint(KEEPER_GATE, (u32)object_slot(n, OBJECT_EXCEPTION), KEEPER_EXCEPTION_LABEL | n, 0), "exception door", n);
    lines_make(n);
}

static void doors_make(void)
{
    for (u32 d = 0; d < manifest->doors; d++) {
        const struct manifest_door *door = manifest_door(manifest, d);
        cap_t gate = door->server ? object_slot(door->server, OBJECT_GATE) : KEEPER_GATE;
        made(gate_mint(gate, (u32)door_slot(d), door->label, door->rights), "door", door->server);
        made(factory_make_irq(L4_BOOT_FACTORY, (u32)event_slot(d)), "event", door->server);
    }
}

/* Nobody runs yet, so nothing is sent past a monitor. Both gates outlive their servers, and so does this: while a monitor is
 * down, whoever calls the service behind it waits. */
static void monitors_make(void)
{
    for (u32 n = 1; n <= manifest->services; n++) {
        u32 monitored = service_manifest(n)->monitors;
        if (monitored) {
            made(gate_monitor(object_slot(monitored, OBJECT_GATE), object_slot(n, OBJECT_GATE)), "monitor", monitored);
        }
    }
}

/* ---- a task ---- */
static void cap_give(u32 n, cap_t from, cap_t to, u32 rights)
{
    made(l4_map_cap(object_slot(n, OBJECT_TASK), L4_BOOT_TASK, from, to, rights), "capability", n);
}

static l4_err_t pages_map(u32 n, const void *from, vaddr_t to, u64 bytes, u32 rights)
{
    bool any = from && bytes;
    return any ? l4_map_range(object_slot(n, OBJECT_TASK), L4_BOOT_TASK, (vaddr_t)from, to, page_up(bytes), rights) : L4_OK;
}

static void pages_give(u32 n, const void *from, vaddr_t to, u64 bytes, u32 rights)
{
    made(pages_map(n, from, to, bytes, rights), "page", n);
}

static u64 door_event(const struct manifest_door *door) { return door->event; }

/* Capabilities that let it call, be told and be watched. */
static void doors_give(u32 n)
{
    const struct manifest_service *m = service_manifest(n);
    for (u32 d = 0; d < manifest->doors; d++) {
        const struct manifest_door *door = manifest_door(manifest, d);
        bool is_holder = d - m->first_door < m->doors;
        if (is_holder) {
            const struct l4_server_card *card = door->server ? &services[door->server].program.card : NULL;
            u64 bytes = card ? card->slots * card->window_bytes : 0;
            cap_give(n, door_slot(d), door->slot, door->rights);
            if (bytes) {
                const u8 *windows = services[door->server].windows + (u16)door->label * bytes;
                pages_give(n, windows, (vaddr_t)l4_window(door->slot, 0, 0), bytes, L4_R | L4_W);
            }
        }
        if (door->server == n) {
            cap_give(n, event_slot(d), MANIFEST_SLOT_CLIENTS + (u16)door->label, L4_W);
        }
    }
    for (u32 i = 1; m->flags & MANIFEST_WATCHER && i <= manifest->services; i++) {
        cap_give(n, object_slot(i, OBJECT_WAKE), MANIFEST_SLOT_WATCH + i, L4_W);
    }
    cap_give(n, object_slot(n, OBJECT_PULSE), MANIFEST_SLOT_HEARTBEAT, L4_W);
    if (m->debug) {
        cap_give(n, L4_BOOT_DEBUG, MANIFEST_SLOT_DEBUG, m->debug);
    }
    if (m->monitors) {
        cap_give(n, object_slot(m->monitors, OBJECT_GATE), MANIFEST_SLOT_MONITORED, L4_W);
    }
}

static void hardware_give(u32 n)
{
    const struct manifest_service *m = service_manifest(n);
    for (u32 i = m->first_line; i < m->first_line + m->lines; i++) {
        cap_give(n, line_slot(i), manifest_line(manifest, i)->slot, L4_R);
    }
    for (u32 i = m->first_ports; i < m->first_ports + m->ports; i++) {
        const struct manifest_ports *ports = manifest_ports(manifest, i);
        u64 mapped;
        made(task_map(object_slot(n, OBJECT_TASK), L4_BOOT_TASK, l4_fpage_ports(ports->first, (u32)__builtin_ctz(ports->count)),
                      ports->first, L4_R | L4_W, &mapped), "ports", n);
    }
}

static void late_windows_give(u32 n);
static void foreign_windows_give(u32 n);

static void memory_give(u32 n)
{
    struct service *s = &services[n];
    made(program_map(&s->program, object_slot(n, OBJECT_TASK)), "program", n);
    pages_give(n, (const void *)L4_KIP_ADDRESS, L4_KIP_ADDRESS, L4_PAGE_SIZE, L4_R);
    pages_give(n, s->startup, L4_STARTUP_ADDRESS, L4_PAGE_SIZE, L4_R);
    pages_give(n, s->crash, L4_CRASH_ADDRESS, L4_PAGE_SIZE, L4_R);
    pages_give(n, s->state, s->program.card.state_address, s->program.card.state_bytes, L4_R | L4_W);
    pages_give(n, s->windows, s->program.card.window_address, s->window_total, L4_R | L4_W);
    pages_give(n, s->old_state, L4_OLD_STATE_ADDRESS, s->old_bytes, L4_R | L4_W);
    late_windows_give(n);
    foreign_windows_give(n);
}

static u64 objects_of(const struct manifest_service *m)
{
    return page_up(m->objects + l4_kip()->kernel_bytes / 100 * m->share);
}

/* Destroying the factory destroys the task with all that it holds. */
static void task_make(u32 n)
{
    const struct manifest_service *m = service_manifest(n);
    cap_t factory = object_slot(n, OBJECT_FACTORY), thread = object_slot(n, OBJECT_THREAD);
    l4_unmap_cap(L4_BOOT_TASK, factory);
    made(factory_make_factory(L4_BOOT_FACTORY, (u32)factory, objects_of(m)), "factory", n);
    made(factory_make_task(factory, (u32)object_slot(n, OBJECT_TASK)), "task", n);
    made(factory_make_thread(factory, (u32)thread), "thread", n);
    memory_give(n);
    cap_give(n, object_slot(n, OBJECT_TASK), L4_SLOT_TASK, L4_R | L4_I);
    cap_give(n, thread, L4_SLOT_THREAD, L4_R);
    cap_give(n, L4_BOOT_LOG, L4_SLOT_LOG, L4_W);
    cap_give(n, object_slot(n, OBJECT_EVENT), L4_SLOT_EVENT, L4_W);
    cap_give(n, object_slot(n, OBJECT_EXCEPTION), SLOT_EXCEPTION, 0);
    doors_give(n);
    hardware_give(n);
    made(thread_bind(thread, object_slot(n, OBJECT_TASK), L4_STACK_ADDRESS), "thread in its task", n);
    made(thread_set_handlers(thread, 0, SLOT_EXCEPTION), "handler", n);
    made(thread_use_fpu(thread, m->flags & MANIFEST_FPU), "FPU", n);
    made(sched_set(L4_BOOT_SCHED, thread, m->priority, 0), "priority", n);
    made(sched_set_budget(L4_BOOT_SCHED, thread, m->budget_us * 1000ul, m->period_us * 1000ul), "budget", n);
    made(gate_bind(object_slot(n, OBJECT_GATE), thread), "gate", n);
    services[n].is_stopped = true;
    services[n].has_task = true;
    places_give(n);
}

/* ---- an incarnation ---- */
/* Bound again each rings once: what the last incarnation was told and had not done is not lost. */
static void irqs_bind(u32 n)
{
    const struct manifest_service *m = service_manifest(n);
    cap_t thread = object_slot(n, OBJECT_THREAD);
    made(irq_bind(object_slot(n, OBJECT_WAKE), thread, L4_IRQ_HEARTBEAT), "heartbeat", n);
    made(irq_bind(object_slot(n, OBJECT_EVENT), thread, L4_IRQ_PEER | 0xffff), "event", n);
    for (u32 d = m->first_door; d < m->first_door + m->doors; d++) {
        made(irq_bind(event_slot(d), thread, door_event(manifest_door(manifest, d))), "event", n);
    }
    for (u32 i = m->first_line; i < m->first_line + m->lines; i++) {
        made(irq_bind(line_slot(i), thread, manifest_line(manifest, i)->label), "interrupt line", n);
    }
    for (u32 i = 1; m->flags & MANIFEST_WATCHER && i <= manifest->services; i++) {
        bool is_itself = i == n;        /* whom keeper watches */
        cap_t hears = is_itself ? L4_BOOT_THREAD : thread;
        made(irq_bind(object_slot(i, OBJECT_PULSE), hears, is_itself ? KEEPER_PULSE_LABEL : i), "pulse", n);
    }
}

static void slot_name(struct l4_startup *page, const char *name, cap_t slot)
{
    if (page->slots < L4_STARTUP_SLOTS) {
        l4_copy_name(page->slot[page->slots].name, L4_NAME_BYTES, name);
        page->slot[page->slots++].slot = slot;
    }
}

/* The server learns which of its windows there are. */
static void window_tell(u32 n, u32 index)
{
    services[n].startup->window_there[index / 64] |= 1ul << index % 64;
}

static void startup_fill(u32 n, u32 incarnation)
{
    const struct manifest_service *m = service_manifest(n);
    const struct l4_server_card *card = &services[n].program.card;
    struct l4_startup *page = services[n].startup;
    *page = (struct l4_startup){
        .magic = L4_STARTUP_MAGIC, .version = 1, .incarnation = incarnation, .crash_page = L4_CRASH_ADDRESS,
        .state_address = card->state_address, .state_bytes = card->state_bytes, .window_address = card->window_address,
        .window_bytes = card->window_bytes, .windows = card->window_bytes ? services[n].window_total / card->window_bytes : 0,
    };
    for (u32 i = 0; i < LATE_WINDOWS; i++) {
        if (i < page->windows || services[n].shown[i]) {
            window_tell(n, i);
        }
    }
    l4_copy_name(page->name, sizeof page->name, m->name);
    l4_copy_name(page->arguments, sizeof page->arguments, m->arguments);
    for (u32 d = m->first_door; d < m->first_door + m->doors; d++) {
        slot_name(page, manifest_door(manifest, d)->name, manifest_door(manifest, d)->slot);
    }
    for (u32 i = m->first_line; i < m->first_line + m->lines; i++) {
        slot_name(page, manifest_line(manifest, i)->name, manifest_line(manifest, i)->slot);
    }
    slot_name(page, "clients", MANIFEST_SLOT_CLIENTS);
    slot_name(page, "heartbeat", MANIFEST_SLOT_HEARTBEAT);
    if (m->flags & MANIFEST_WATCHER) {
        slot_name(page, "watch", MANIFEST_SLOT_WATCH);
    }
    if (m->debug) {
        slot_name(page, "debug", MANIFEST_SLOT_DEBUG);
    }
    if (m->monitors) {
        slot_name(page, "monitored", MANIFEST_SLOT_MONITORED);
    }
}

/* Slots from L4_SLOT_VOLATILE to MANIFEST_SLOT_VOLATILE_END, as the largest flexpages that fit. */
static void volatile_slots_empty(u32 n)
{
    u64 changed;
    for (u32 order = (u32)__builtin_ctz(L4_SLOT_VOLATILE); 1u << order < MANIFEST_SLOT_VOLATILE_END; order++) {
        task_unmap(object_slot(n, OBJECT_TASK), l4_fpage_caps(1u << order, order), L4_RIGHTS_ALL, false, &changed);
    }
}

l4_err_t service_reset(u32 n, u32 incarnation, const struct l4_crash *crash, bool fresh)
{
    struct service *s = &services[n];
    if (fresh) {
        task_make(n);
    } else {
        volatile_slots_empty(n);
    }
    program_reset(&s->program);
    bool in_recovery = crash->request.label == L4_NOW_START && s->crash->incarnation;
    struct l4_registers device = in_recovery ? s->crash->device : s->is_struck ? s->struck : s->stopped;
    u32 old_state = s->crash->old_state_version;
    *s->crash = *crash;
    s->crash->device = device;
    s->crash->old_state_version = old_state;
    s->is_struck = false;
    startup_fill(n, incarnation);
    irqs_bind(n);
    return L4_OK;
}

void service_run(u32 n)
{
    const struct program *p = &services[n].program;
    if (!services[n].is_stopped) {
        return;
    }
    services[n].is_stopped = false;
    vaddr_t sp = L4_STACK_ADDRESS + L4_STACK_BYTES;
    made(thread_start(object_slot(n, OBJECT_THREAD), p->elf.entry, sp, L4_STARTUP_ADDRESS), "start", n);
}

static void registers_read(u32 n, struct l4_registers *to)
{
    struct thread_registers now;
    _Static_assert(sizeof now == sizeof *to, "the kernel's order of registers");
    if (thread_get_registers(object_slot(n, OBJECT_THREAD), &now) == L4_OK) {
        memcpy(to, &now, sizeof now);
    }
}

void service_stop(u32 n)
{
    struct service *s = &services[n];
    if (s->is_stopped) {
        return;
    }
    thread_stop(object_slot(n, OBJECT_THREAD));
    registers_read(n, &s->stopped);
    memset(s->backtrace, 0, sizeof s->backtrace);
    program_backtrace(&s->program, s->stopped.rsp, s->backtrace, BACKTRACE);
    s->is_stopped = true;
}

bool service_strike(u32 n, u32 way)
{
    struct service *s = &services[n];
    struct thread_registers moved;
    if (s->is_stopped || s->is_struck || way >= 4 || !s->program.routine[way]) {
        return false;
    }
    thread_stop(object_slot(n, OBJECT_THREAD));
    registers_read(n, &s->struck);
    s->is_struck = true;
    memcpy(&moved, &s->struck, sizeof moved);
    moved.rip = s->program.routine[way];
    thread_set_registers(object_slot(n, OBJECT_THREAD), &moved);
    thread_resume(object_slot(n, OBJECT_THREAD));
    return true;
}

l4_err_t service_load(u32 n, const u8 *name, u32 length)
{
    struct service *s = &services[n];
    struct module module;
    struct program next;
    if (!archive_find((const char *)name, length, &module)) {
        return L4_NOT_FOUND;
    }
    l4_err_t err = program_read(&module, &next);
    if (err != L4_OK) {
        return err;
    }
    bool converts = s->program.card.version != next.card.version && next.card.state_bytes;
    u8 *state = converts ? memory_take(next.card.state_bytes) : s->state;
    if (program_own(&next) == 0 || (next.card.state_bytes && !state)) {
        return L4_NO_MEMORY;
    }
    s->old_state = converts ? s->state : NULL;
    s->old_bytes = s->program.card.state_bytes;
    s->crash->old_state_version = converts ? s->program.card.version : 0;
    s->state = state;
    s->program = next;
    return L4_OK;
}

/* ---- windows of clients that come later ---- */
static vaddr_t window_place(u32 n, u32 index)
{
    const struct l4_server_card *card = &services[n].program.card;
    return card->window_address + (u64)index * card->window_bytes;
}

/* A window that everybody has who must; NULL: none. */
static const void *late_window(u32 n, u32 index) { return services[n].shown[index] ? services[n].late[index] : NULL; }

static void late_windows_give(u32 n)
{
    for (u32 i = 0; i < LATE_WINDOWS; i++) {
        pages_give(n, late_window(n, i), window_place(n, i), services[n].program.card.window_bytes, L4_R | L4_W);
    }
}

/* Data of files and terminals travels in windows of vfs: whoever is behind a door of the service `vfs` with W, through which
 * it sends data, sees them at FS_WINDOWS. */
static bool sees_windows_of(u32 n, u32 vfs)
{
    const struct manifest_service *m = vfs ? service_manifest(vfs) : NULL;
    for (u32 d = 0; m && d < m->doors; d++) {
        const struct manifest_door *door = manifest_door(manifest, m->first_door + d);
        if (door->server == n && door->rights & L4_W && services[vfs].program.card.window_bytes == FS_WINDOW) {
            return true;
        }
    }
    return false;
}

static void foreign_windows_give(u32 n)
{
    u32 vfs = service_find((const u8 *)"vfs", 3);
    if (!sees_windows_of(n, vfs)) {
        return;
    }
    pages_give(n, services[vfs].windows, FS_WINDOWS, services[vfs].window_total, L4_R | L4_W);
    for (u32 i = 0; i < LATE_WINDOWS; i++) {
        pages_give(n, late_window(vfs, i), FS_WINDOWS + (u64)i * FS_WINDOW, FS_WINDOW, L4_R | L4_W);
    }
}

/* Window number `index` of service `of`, which is new: to itself, and if it is vfs's, to the services behind its doors. Who has no kernel
 * memory left for it fails who wants the window. */
static l4_err_t window_show(u32 of, u32 index)
{
    const void *pages = services[of].late[index];
    bool is_vfs = of == service_find((const u8 *)"vfs", 3);
    l4_err_t err = pages_map(of, pages, window_place(of, index), services[of].program.card.window_bytes, L4_R | L4_W);
    for (u32 n = 1; is_vfs && err == L4_OK && n <= manifest->services; n++) {
        if (services[n].has_task && sees_windows_of(n, of)) {
            err = pages_map(n, pages, FS_WINDOWS + (u64)index * FS_WINDOW, FS_WINDOW, L4_R | L4_W);
        }
    }
    return err;
}

static l4_err_t window_make(u32 n, u32 index)
{
    struct service *s = &services[n];
    if (!s->late[index]) {
        s->late[index] = memory_take(s->program.card.window_bytes);
    }
    l4_err_t err = s->late[index] ? window_show(n, index) : L4_NO_MEMORY;
    if (err == L4_OK) {
        s->shown[index] = true;
        window_tell(n, index);
    }
    return err;
}

static bool has_window(u32 n) { return n && services[n].program.card.window_bytes; }
static u32 window_index(u32 n, u32 client, u32 slot) { return client * services[n].program.card.slots + slot; }

l4_err_t service_window(u32 n, u32 client, u32 slot, u64 task, u64 at)
{
    u32 index = window_index(n, client, slot);
    if (!has_window(n)) {
        return L4_OK;
    }
    if (index >= LATE_WINDOWS) {
        return L4_BAD_ARGUMENT;
    }
    l4_err_t err = services[n].shown[index] ? L4_OK : window_make(n, index);
    u64 bytes = services[n].program.card.window_bytes;
    return err == L4_OK ? l4_map_range(task, L4_BOOT_TASK, (vaddr_t)services[n].late[index], at, bytes, L4_R | L4_W) : err;
}

void service_window_clear(u32 n, u32 client, u32 slot)
{
    u32 index = window_index(n, client, slot);
    if (has_window(n) && index < LATE_WINDOWS && services[n].late[index]) {
        memset(services[n].late[index], 0, services[n].program.card.window_bytes);
    }
}

/* ---- what is known ---- */
bool service_has_task(u32 n) { return services[n].has_task; }
const struct manifest_door *service_door(u32 n, u32 index) { return manifest_door(manifest, service_manifest(n)->first_door + index); }

static const struct l4_now *now_of(u32 n)
{
    static const struct l4_now none;
    return services[n].state ? (const struct l4_now *)services[n].state : &none;
}

u64 service_completed(u32 n) { return now_of(n)->completed; }

u64 service_steps(u32 n)
{
    u32 state;
    u64 waits, id, progress = 0;
    thread_look(object_slot(n, OBJECT_THREAD), &state, &waits, &id, &progress);
    return now_of(n)->steps + progress;
}


struct l4_request service_request(u32 n) { return now_of(n)->request; }
const struct l4_crash *service_crash(u32 n) { return services[n].crash; }
const u64 *service_backtrace(u32 n) { return services[n].backtrace; }

static u64 object_id(cap_t slot)
{
    u32 rights, order;
    u64 id;
    return task_look(L4_BOOT_TASK, l4_fpage_caps(slot, 0), &rights, &order, &id) == L4_OK ? id : 0;
}

/* The service that owns the gate or thread of this id; 0: none. */
static u32 service_of_object(u64 id)
{
    for (u32 i = 1; i <= manifest->services; i++) {
        if (object_id(object_slot(i, OBJECT_GATE)) == id || object_id(object_slot(i, OBJECT_THREAD)) == id) {
            return i;
        }
    }
    return 0;
}

enum stance service_stance(u32 n, u32 *on)
{
    enum { READY = 1, RECEIVING = 4 };      /* thread.look */
    u32 state;
    u64 waits, id, progress;
    *on = 0;
    if (thread_look(object_slot(n, OBJECT_THREAD), &state, &waits, &id, &progress) != L4_OK) {
        return STANCE_AWAY;
    }
    if (state == READY || state == RECEIVING) {
        return state == READY ? STANCE_READY : STANCE_IDLE;
    }
    *on = waits ? service_of_object(waits) : 0;
    return *on ? STANCE_CALLS : STANCE_AWAY;
}

void service_wake(u32 n) { irq_ring(object_slot(n, OBJECT_WAKE)); }

void service_tell(void)
{
    for (u32 d = 0; d < manifest->doors; d++) {
        if (manifest_door(manifest, d)->server == 0) {
            irq_ring(event_slot(d));
        }
    }
}

void services_make(void)
{
    struct module module;
    if (!archive_find("manifest", 8, &module)) {
        l4_panic("the archive has no manifest");
    }
    manifest = (const struct manifest *)module.data;
    if (module.bytes < sizeof *manifest || manifest->magic != MANIFEST_MAGIC || manifest->version != MANIFEST_VERSION
        || manifest->bytes != module.bytes || manifest->services >= SERVICES) {
        l4_panic("the manifest is none of mine");
    }
    for (u32 n = 1; n <= manifest->services; n++) {
        place_make(n);
        objects_make(n);
    }
    doors_make();
    monitors_make();
    if (service_find((const u8 *)"vm", 2)) {
        frames_make();
    }
    for (u32 n = 1; n <= manifest->services; n++) {
        task_make(n);
    }
    places_make();
    l4_log("system %s: %u services, watched by %s", manifest->name, manifest->services,
           service_watcher() ? service_manifest(service_watcher())->name : "nobody");
}
