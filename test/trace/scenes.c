/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes.c: in keeper's place: scenes of some hundred invocations at random, each traced between two snapshots, for test_replay.py, which
 * replays each trace onto the first snapshot and must get the second. The host finds all of it in the machine's memory (area.h): scene n lies
 * between snapshots n and n + 1.
 *
 * Capabilities: objects are made, mapped and dropped in the playground's slots, doors in slots of their own, for who invoked one would wait. Memory: pages of the arena. Messages with items go to
 * a server, which takes them into its window, gives some back, keeps some replies for later; and a thread of another task has its pages
 * from this one, as its pager. */
#include <abi/fpage.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/task.h>
#include "area.h"
#include "factory.h"
#include "gate.h"
#include "reply.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { SCENES = 12, STEPS = 250, RECORDS = 1 << 14, ENTRIES = 1 << 17, PRIORITY = 40 };
enum { PLAY = 256, PLAY_ORDER = 6, PLAYS = 1 << PLAY_ORDER, SERVERS = 384, KEPT = 352, KEPTS = 4, MINE = 400, DOORS = 448 };
enum { SERVER_GATE = TEST_SLOTS, SERVER_DOOR, PAGER_GATE, PAGER_DOOR, WATCH_GATE, FACTORY, OTHER };
#define ARENA_TO 0x50000000ul
#define SERVER_TO 0x58000000ul
#define TOUCHED 0x31000000ul

static struct area area __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static struct {
    struct debug_record ring[RECORDS];
    struct debug_entry shots[ENTRIES];
} memory __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static u64 taken L4_VOLATILE_ZERO;      /* of the entries */
static u8 arena[64 * 4096] __attribute__((aligned(1 << 18))) L4_VOLATILE_ZERO;
static u64 state L4_VOLATILE_ZERO;

static u32 some(u32 below)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (u32)(state >> 33) % below;
}

static cap_t slot(void) { return PLAY + some(PLAYS); }

static cap_t task(void) { return some(3) ? slot() : L4_BOOT_TASK; }

static cap_t factory(void) { return some(3) ? FACTORY : slot(); }

static u64 id_of_slot(cap_t of)
{
    u32 rights, order;
    u64 id = 0;
    task_look(L4_BOOT_TASK, l4_fpage_caps(of, 0), &rights, &order, &id);
    return id;
}

/* Slots of the playground. */
static u64 slots(void)
{
    u32 order = some(4) ? 0 : some(PLAY_ORDER);
    return l4_fpage_caps(PLAY + (some(PLAYS) >> order << order), order);
}

static cap_t door(void) { return DOORS + some(16); }

static u64 pages(vaddr_t base)
{
    u32 order = some(3) ? 12 : 12 + some(6);
    return l4_fpage_memory(base + ((u64)some(64) * 4096 >> order << order), order, 1 + some(7));
}

static u32 rights(void) { return some(4) ? L4_RIGHTS_ALL : some(128); }

/* ---- the server: window of its own, answers with items now and then, keeps some replies ---- */
static void serve(u64 unused)
{
    struct l4_message m;
    u32 kept = 0, n = 0;
    l4_utcb()->window_caps = l4_fpage_caps(SERVERS, 4);
    l4_utcb()->window_memory = l4_fpage_memory(SERVER_TO, 18, 7);
    wire_wait(&m, 0);
    for (;; n++) {
        u32 items = n % 3 == 0;
        if (n % 5 == 4 && wire_call(0, l4_tag(REPLY_METHOD_KEEP, 1, 0), KEPT + kept % KEPTS, 0) == L4_OK)
            kept++;
        if (n % 7 == 6) {
            m = (struct l4_message){ .tag = l4_tag(0, 0, 0) };
            wire_invoke(KEPT + some(KEPTS), &m);
        }
        l4_utcb()->item[0] = some(2) ? (struct l4_item){ l4_fpage_caps(SERVERS + some(16), 0), (u64)some(64) << 12 | rights() }
                                     : (struct l4_item){ pages(SERVER_TO), (u64)some(64) << 12 };
        m = (struct l4_message){ .tag = l4_tag(0, 0, items) };
        wire_reply_wait(&m, 0);
    }
}

/* ---- who monitors the server in two scenes of three: passes most messages on, and answers the rest with an item ---- */
static void watch(u64 unused)
{
    struct l4_message m;
    l4_utcb()->window_caps = l4_fpage_caps(SERVERS, 4);         /* where nothing lands of what it only sees */
    l4_utcb()->window_memory = l4_fpage_memory(SERVER_TO, 18, 7);
    wire_wait(&m, 0);
    for (;;) {
        u32 items = some(4) == 0 || gate_pass(SERVER_GATE) != L4_OK;
        l4_utcb()->item[0] = (struct l4_item){ pages((u64)arena), (u64)some(64) << 12 };
        m = (struct l4_message){ .tag = l4_tag(0, 0, items) };
        wire_reply_wait(&m, 0);
    }
}

static void call_server(void)
{
    u32 count = some(4);
    for (u32 i = 0; i < count; i++) {
        u64 grant = some(4) ? 0 : L4_ITEM_GRANT;
        l4_utcb()->item[i] = some(2) ? (struct l4_item){ some(3) ? slots() : l4_fpage_caps(door(), 0), (u64)some(16) << 12 | rights() | grant }
                                     : (struct l4_item){ pages(ARENA_TO), (u64)some(64) << 12 | grant };
    }
    l4_utcb()->window_caps = l4_fpage_caps(MINE, 4);
    l4_utcb()->window_memory = l4_fpage_memory(ARENA_TO, 18, 7);
    l4_utcb()->deadline = 1;            /* of what is kept for ever */
    struct l4_message m = { .tag = l4_tag(0x100001, 0, count) | L4_TAG_TIMEOUT };
    wire_invoke(SERVER_DOOR, &m);
}

/* ---- a thread that has its page from here ---- */
static void touch(u64 at)
{
    *(volatile u64 *)at = 1;
    for (;;)
        __asm__ volatile("ud2");        /* no handler: halted */
}

static void page_somebody(void)
{
    struct spawned s = spawn_task(3);
    struct l4_message m;
    spawn_give(&s, PAGER_DOOR, 80, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(s.thread, 80, 0));
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, PRIORITY, 0));
    spawn_start(&s, touch, TOUCHED + some(16) * 4096);
    wire_wait(&m, 0);
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)arena, 16, L4_R | L4_W), TOUCHED };
    l4_utcb()->item[1] = (struct l4_item){ l4_fpage_memory(0x7000000, 12, L4_R), 0 };      /* nothing is there */
    wire_call(0, l4_tag(0, 0, 1 + some(2)), 0, 0);
    spawn_let_run(1);
    bool task_first = some(2);
    test_drop(task_first ? s.task : s.thread);
    test_drop(task_first ? s.thread : s.task);
}

static void make(void)
{
    cap_t to = slot(), from = factory();
    switch (some(7)) {
    case 0: factory_make_task(from, (u32)to); break;
    case 1: factory_make_thread(from, (u32)to); break;
    case 2: factory_make_irq(from, (u32)to); break;
    case 3: factory_make_line(from, (u32)to, 20 + some(8), some(2)); break;
    case 4: factory_make_factory(from, (u32)to, some(3) ? 300000 : 1ul << 40); break;
    default: factory_make_gate(from, (u32)to); break;
    }
}

static void step(void)
{
    u64 n;
    switch (some(16)) {
    case 0 ... 2: make(); break;
    case 3 ... 4: task_map(task(), task(), slots(), slot(), rights(), &n); break;
    case 5: task_map(task(), L4_BOOT_TASK, pages((u64)arena), ARENA_TO + (u64)some(16) * 0x4000, 1 + some(7), &n); break;
    case 6: task_map(task(), task(), pages(ARENA_TO), ARENA_TO + (u64)some(16) * 0x4000, 1 + some(7), &n); break;
    case 7: task_copy(task(), task(), pages(ARENA_TO), ARENA_TO + (u64)some(16) * 0x4000, 1 + some(7), &n); break;
    case 8: task_unmap(task(), some(2) ? slots() : l4_fpage_caps(door(), 0), 127, some(3) == 0, &n); break;
    case 9: task_unmap(task(), pages(ARENA_TO), 1 + some(7), some(3) == 0, &n); break;
    case 10:
        gate_mint(slot(), (u32)door(), some(4), some(256));
        task_map(task(), L4_BOOT_TASK, l4_fpage_caps(door(), 0), l4_fpage_caps(door(), 0) >> 12, rights(), &n);
        break;
    case 11: gate_revoke(slot(), id_of_slot(L4_BOOT_THREAD), &n); break;
    case 12: sched_weaken(some(2) ? L4_BOOT_SCHED : slot(), (u32)slot(), some(64), some(1001)); break;
    default: call_server(); break;
    }
}

static void server_begins(struct spawned *server, struct spawned *monitor)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, SERVER_GATE));
    l4_must(gate_mint(SERVER_GATE, SERVER_DOOR, 7, L4_W));
    l4_must(factory_make_gate(L4_BOOT_FACTORY, PAGER_GATE));
    l4_must(gate_mint(PAGER_GATE, PAGER_DOOR, 8, L4_W));
    *server = spawn_thread(1);
    l4_must(gate_bind(SERVER_GATE, server->thread));
    l4_must(gate_bind(PAGER_GATE, L4_BOOT_THREAD));
    l4_must(sched_set(L4_BOOT_SCHED, server->thread, 60, 0));
    spawn_start(server, serve, 0);
    l4_must(factory_make_gate(L4_BOOT_FACTORY, WATCH_GATE));
    *monitor = spawn_thread_run(2, 61, watch, 0);
    l4_must(gate_bind(WATCH_GATE, monitor->thread));
    spawn_let_run(1);
}

static void snapshot(void)
{
    u64 count = area_snapshot(L4_BOOT_DEBUG, &memory.shots[taken], ENTRIES - taken, false);
    test_true("a snapshot", count > 0);
    taken += count;
}

/* A gate gets a monitor before the snapshot, or after some steps, and loses it after some more. */
static void scene(u32 number, const struct spawned *server, const struct spawned *monitor)
{
    state = number;
    if (number % 3 == 1)
        l4_must(gate_monitor(SERVER_GATE, WATCH_GATE));
    snapshot();
    l4_must(debug_trace(L4_BOOT_DEBUG, (u64)memory.ring, RECORDS, id_of_slot(server->thread)));
    l4_must(debug_trace(L4_BOOT_DEBUG, (u64)memory.ring, RECORDS, id_of_slot(monitor->thread)));
    l4_must(debug_trace(L4_BOOT_DEBUG, (u64)memory.ring, RECORDS, id_of_slot(L4_BOOT_THREAD)));
    for (u32 i = 0; i < STEPS; i++) {
        if (number % 3 == 2 && i % 80 == 40)
            l4_must(gate_monitor(SERVER_GATE, i % 160 == 40 ? WATCH_GATE : SERVER_GATE));
        step();
    }
    if (number % 2)
        page_somebody();
    spawn_let_run(1);                   /* whoever got a message goes on with it: then it is known into which window */
    l4_must(debug_trace(L4_BOOT_DEBUG, 0, 0, 0));
    l4_must(gate_monitor(SERVER_GATE, SERVER_GATE));
}

void l4_main(void)
{
    struct spawned server, monitor;
    test_begin("scenes");
    l4_must(factory_make_factory(L4_BOOT_FACTORY, FACTORY, 8 << 20));
    server_begins(&server, &monitor);
    l4_must(area_open(&area, L4_BOOT_DEBUG, memory.ring, RECORDS, ENTRIES));
    for (u32 i = 0; i < SCENES; i++)
        scene(i, &server, &monitor);
    snapshot();
    test_end();
}
