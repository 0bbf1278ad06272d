/* SPDX-License-Identifier: BSD-2-Clause */
/* drive.c: the random invocations. Three quarters are methods with arguments that may well be right, the rest is
 * garbage.
 * Slots are parted by kind so that guesses hit; whole parts are emptied now and then. */
#include <abi/fpage.h>
#include <abi/kip.h>
#include <l4/clock.h>
#include "debug.h"
#include "factory.h"
#include "fuzz.h"
#include "gate.h"
#include "irq.h"
#include "log.h"
#include "reply.h"
#include "sched.h"
#include "spawn.h"
#include "task.h"
#include "thread.h"
#include "wire.h"
#include <l4/start.h>
#include <l4/string.h>

enum {
    TASKS = 64,
    THREADS = 72,
    GATES = 80,
    IRQS = 88,
    FACTORIES = 96,
    DOORS = 104,
    REPLIES = 112,
    COPIES = 120,
    PART = 8
};
enum { VICTIM_PRIORITIES = 38 };

static u64 state L4_VOLATILE_ZERO, own_id L4_VOLATILE_ZERO;

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled". */
static u64 next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dul;
}
static u64 below(u64 n) { return (next() >> 16) % n; }
static cap_t in(cap_t part) { return part + below(PART); }
static cap_t any_slot(void) { return FUZZ_FIRST + below(FUZZ_LAST - FUZZ_FIRST + 1); }
static u64 odd_word(void)
{
    switch (below(4)) {
    case 0:
        return below(256);
    case 1:
        return 1ul << below(64);
    case 2:
        return ~0ul << below(64);
    default:
        return next();
    }
}

extern u8 l4_image_start[];
static u64 image_page(u32 order)
{
    return l4_fpage_memory((u64)l4_image_start + (below(8) << 12 & ~((1ul << order) - 1)), order, (u32)below(7) + 1);
}
static u64 place(u32 order) { return (0x100000 + (below(1024) << 12)) & ~((1ul << order) - 1); }

/* What victims run: without a stack, an open receive for ever. */
void fuzz_victim(void);
__asm__(
    ".text\nfuzz_victim:\n  xor %r10d, %r10d; mov $1, %edi; shl $44, %rdi; xor %eax, %eax; syscall; jmp fuzz_victim\n");

static u64 scrap[4] L4_VOLATILE_ZERO;
static struct thread_registers registers L4_VOLATILE_ZERO;

static l4_err_t factory_task(void) { return factory_make_task(FUZZ_FACTORY, (u32)in(TASKS)); }
static l4_err_t factory_thread(void) { return factory_make_thread(FUZZ_FACTORY, (u32)in(THREADS)); }
static l4_err_t factory_gate(void)
{
    return factory_make_gate(below(2) ? FUZZ_FACTORY : in(FACTORIES), (u32)in(GATES));
}
static l4_err_t factory_irq(void) { return factory_make_irq(below(2) ? FUZZ_FACTORY : in(FACTORIES), (u32)in(IRQS)); }
static l4_err_t factory_line(void)
{
    return factory_make_line(FUZZ_FACTORY, (u32)in(IRQS), 5 + (u32)below(20), below(2));
}
static l4_err_t factory_factory(void)
{
    return factory_make_factory(FUZZ_FACTORY, (u32)in(FACTORIES), below(64 << 10));
}
static l4_err_t factory_ask(void)
{
    return factory_quota(below(2) ? FUZZ_FACTORY : in(FACTORIES), &scrap[0], &scrap[1]);
}

static l4_err_t map_memory(void)
{
    u32 order = 12 + (u32)below(3);
    return task_map(
        below(4) ? in(TASKS) : FUZZ_HOME, below(4) ? FUZZ_STOCK : in(TASKS), image_page(order), place(order), 7, scrap);
}
static l4_err_t map_caps(void)
{
    cap_t from = any_slot();
    return task_map(in(TASKS), FUZZ_OWN_TASK, l4_fpage_caps(from, 0), from, (u32)below(128), scrap);
}
static l4_err_t copy_here(void)
{
    return task_map(FUZZ_OWN_TASK, FUZZ_OWN_TASK, l4_fpage_caps(FUZZ_FIRST + below(COPIES - FUZZ_FIRST), 0), in(COPIES),
        (u32)below(128), scrap);
}
static l4_err_t copy_memory(void)
{
    u32 order = 12 + (u32)below(3);
    return task_copy(in(TASKS), FUZZ_STOCK, image_page(order), place(order), (u32)below(7) + 1, scrap);
}
static l4_err_t unmap_memory(void)
{
    u32 order = 12 + (u32)below(12);
    if (!below(4)) /* what came from the stock, not the stock */
        return task_unmap(FUZZ_STOCK, image_page(12), (u32)below(8), true, scrap);
    return task_unmap(in(TASKS), l4_fpage_memory(place(order), order, 7), (u32)below(8), below(2), scrap);
}
static l4_err_t unmap_caps(void)
{
    u32 order = (u32)below(4);
    return task_unmap(
        FUZZ_OWN_TASK, l4_fpage_caps(any_slot() & ~((1ul << order) - 1), order), L4_RIGHTS_ALL, below(4) == 0, scrap);
}
static l4_err_t set_native(void) { return task_set_native(in(TASKS), odd_word(), odd_word(), odd_word(), odd_word()); }
static l4_err_t look_task(void)
{
    u64 what =
        below(2) ? l4_fpage_caps(below(256), 0) : l4_fpage_memory(below(2) ? place(12) : (u64)l4_image_start, 12, 0);
    return task_look(below(2) ? in(TASKS) : FUZZ_OWN_TASK, what, &(u32){ 0 }, &(u32){ 0 }, scrap);
}

static l4_err_t bind_thread(void)
{
    return thread_bind(in(THREADS), below(32) ? FUZZ_HOME : in(TASKS), 0x11000000 + below(64) * 1024);
}
static l4_err_t start_thread(void) { return thread_start(in(THREADS), (u64)fuzz_victim, odd_word(), odd_word()); }
static l4_err_t stop_thread(void) { return thread_stop(in(THREADS)); }
static l4_err_t resume_thread(void) { return thread_resume(in(THREADS)); }
static l4_err_t set_handlers(void) { return thread_set_handlers(in(THREADS), (u32)odd_word(), (u32)odd_word()); }
static l4_err_t set_upcall(void) { return thread_set_upcall(in(THREADS), 0, (u64)fuzz_victim, 0, below(1ul << 47)); }
static l4_err_t set_base(void) { return thread_set_base(in(THREADS), below(1ul << 47), below(1ul << 47)); }
static l4_err_t get_registers(void) { return thread_get_registers(in(THREADS), &registers); }
static l4_err_t set_registers(void)
{
    for (u32 i = 0; i < sizeof registers / 8; i++)
        ((u64 *)&registers)[i] = odd_word();
    registers.rip = (u64)fuzz_victim;
    return thread_set_registers(in(THREADS), &registers);
}
static l4_err_t kick(void) { return thread_kick(in(THREADS)); }
static l4_err_t switch_to(void) { return thread_switch_to(in(THREADS)); }
static l4_err_t use_fpu(void) { return thread_use_fpu(in(THREADS), below(2)); }
static l4_err_t look_thread(void) { return thread_look(in(THREADS), &(u32){ 0 }, &scrap[0], &scrap[1], &scrap[2]); }

static l4_err_t bind_gate(void) { return gate_bind(in(GATES), below(4) ? in(THREADS) : FUZZ_OWN_THREAD); }
static l4_err_t unbind_gate(void) { return gate_unbind(in(GATES)); }
static l4_err_t mint(void) { return gate_mint(in(GATES), (u32)in(DOORS), odd_word(), (u32)odd_word()); }
static l4_err_t revoke(void) { return gate_revoke(in(GATES), below(2) ? own_id : odd_word(), scrap); }
static l4_err_t look_gate(void) { return gate_look(in(GATES), &(bool){ 0 }, &(u32){ 0 }); }

static l4_err_t bind_irq(void) { return irq_bind(in(IRQS), below(4) ? in(THREADS) : FUZZ_OWN_THREAD, odd_word()); }
static l4_err_t unbind_irq(void) { return irq_unbind(in(IRQS)); }
static l4_err_t ring(void) { return irq_ring(in(IRQS)); }
static l4_err_t ack(void) { return irq_ack(in(IRQS)); }

static l4_err_t keep(void) { return reply_keep(0, (u32)in(REPLIES)); }
static l4_err_t probe(void) { return reply_probe(below(2) ? 0 : in(REPLIES), &(bool){ 0 }); }
static l4_err_t set_priority(void)
{
    return sched_set(FUZZ_SCHED, in(THREADS), (u32)below(VICTIM_PRIORITIES), below(100000));
}
static l4_err_t look_sched(void) { return sched_look(FUZZ_SCHED, &(u32){ 0 }, &(u32){ 0 }); }
static l4_err_t set_budget(void) { return sched_set_budget(FUZZ_SCHED, in(THREADS), below(4) * 50000, below(4) * 100000); }
static l4_err_t weaken(void) { return sched_weaken(FUZZ_SCHED, (u32)any_slot(), (u32)below(70), (u32)below(1100)); }
static l4_err_t usage(void) { return debug_usage(FUZZ_DEBUG, &scrap[0], &scrap[1]); }
static l4_err_t name(void) { return debug_name(FUZZ_DEBUG, (u32)any_slot(), l4_bytes(scrap, (u32)below(17))); }
static l4_err_t snapshot(void)
{
    static u64 cursor L4_VOLATILE_ZERO;
    return debug_snapshot(FUZZ_DEBUG, below(64) ? cursor : odd_word(), &cursor, &(struct debug_entry){ 0 });
}
static l4_err_t write_log(void) { return log_write(L4_BOOT_LOG, l4_bytes(".\n", below(64) ? 0 : 2)); }

/* ---- messages ---- */
static l4_err_t receive(void)
{
    struct l4_message m;
    wire_wait(&m, L4_TAG_NO_WAIT);
    return l4_tag_status(m.tag) < 0 ? l4_tag_status(m.tag) : L4_OK;
}
static l4_err_t answer(void)
{
    return wire_call(in(REPLIES), l4_tag((u32)below(256), (u32)below(64), 0), next(), next());
}
static l4_err_t call_door(void)
{
    /* A kicked victim spins, and a less urgent one that has received never gets to answer. */
    u64 tag = l4_tag((u32)odd_word(), (u32)below(64), 0) | L4_TAG_NO_WAIT | L4_TAG_TIMEOUT;
    l4_utcb()->deadline = l4_now() + 20000;
    return wire_call(below(2) ? in(DOORS) : FUZZ_SINK, tag, 1, 2);
}
static l4_err_t call_sink(void)
{
    u32 items = (u32)below(4);
    for (u32 i = 0; i < items; i++) {
        u64 fpage = below(2) ? image_page(12) : l4_fpage_caps(any_slot(), 0);
        l4_utcb()->item[i] = (struct l4_item){ fpage, (odd_word() & ~0xffful) | L4_R };
    }
    return wire_call(FUZZ_SINK, l4_tag(0x100001, (u32)below(64), items), next(), next());
}
static l4_err_t wait_idle(void)
{
    l4_utcb()->deadline = l4_now() + below(20000);
    return wire_call(FUZZ_IDLE, l4_tag(0x100001, 0, 0) | L4_TAG_TIMEOUT, 0, 0) == L4_TIMED_OUT ? L4_OK : L4_BAD_STATE;
}

static const struct {
    const char *name;
    l4_err_t (*invoke)(void);
    u32 at_most;
} methods[] = {
    { "factory.make_task", factory_task, 0 },
    { "factory.make_thread", factory_thread, 0 },
    { "factory.make_gate", factory_gate, 0 },
    { "factory.make_irq", factory_irq, 0 },
    { "factory.make_line", factory_line, 0 },
    { "factory.make_factory", factory_factory, 0 },
    { "factory.quota", factory_ask, 0 },
    { "task.map memory", map_memory, 0 },
    { "task.map capabilities", map_caps, 0 },
    { "task.map to itself", copy_here, 0 },
    { "task.copy", copy_memory, 0 },
    { "task.unmap memory", unmap_memory, 0 },
    { "task.unmap capabilities", unmap_caps, 0 },
    { "task.set_native", set_native, 0 },
    { "task.look", look_task, 0 },
    { "thread.bind", bind_thread, 0 },
    { "thread.start", start_thread, 0 },
    { "thread.stop", stop_thread, 0 },
    { "thread.resume", resume_thread, 0 },
    { "thread.set_handlers", set_handlers, 0 },
    { "thread.set_upcall", set_upcall, 0 },
    { "thread.set_base", set_base, 0 },
    { "thread.get_registers", get_registers, 0 },
    { "thread.set_registers", set_registers, 0 },
    { "thread.kick", kick, 0 },
    { "thread.switch_to", switch_to, 0 },
    { "thread.use_fpu", use_fpu, 0 },
    { "thread.look", look_thread, 0 },
    { "gate.bind", bind_gate, 0 },
    { "gate.unbind", unbind_gate, 0 },
    { "gate.mint", mint, 0 },
    { "gate.revoke", revoke, 0 },
    { "gate.look", look_gate, 0 },
    { "irq.bind", bind_irq, 0 },
    { "irq.unbind", unbind_irq, 0 },
    { "irq.ring", ring, 0 },
    { "irq.ack", ack, 0 },
    { "reply.keep", keep, 0 },
    { "reply.probe", probe, 0 },
    { "sched.set", set_priority, 0 },
    { "sched.look", look_sched, 0 },
    { "sched.set_budget", set_budget, 0 },
    { "sched.weaken", weaken, 0 },
    { "debug.usage", usage, 0 },
    { "debug.name", name, 0 },
    { "debug.snapshot", snapshot, 0 },
    { "log.write", write_log, 0 },
    { "receive", receive, 0 },
    { "answer", answer, 0 },
    { "call", call_door, 0 },
    { "call with items", call_sink, 0 },
    { "call with deadline", wait_idle, 0 },
};
enum { METHODS = sizeof methods / sizeof *methods, EACH_WAY = 200 };
_Static_assert(METHODS <= (int)FUZZ_METHODS, "one tally each");

const char *fuzz_name(u32 method) { return methods[method].name; }

/* Ways to call one method are neighbours and share its name up to the first space. */
u32 fuzz_first_way(u32 way)
{
    const char *name = methods[way].name, *end = strchr(name, ' ');
    size_t length = end ? (size_t)(end - name) : strlen(name);
    while (way && strncmp(methods[way - 1].name, name, length) == 0 && (methods[way - 1].name[length] == ' ' || !methods[way - 1].name[length])) {
        way--;
    }
    return way;
}

static u32 first_way[METHODS] L4_VOLATILE_ZERO;
static u64 by_method[METHODS] L4_VOLATILE_ZERO;        /* successes, at the first way */

/* Any tag at any slot with any words; it must come back, so it does not wait. */
static void garbage(void)
{
    struct l4_message m = { .tag = odd_word() << 32 | (below(2) ? odd_word() & 0xffff : below(16) << 8 | below(16)),
        .number = next(),
        .word = { odd_word(), odd_word(), odd_word(), odd_word() } };
    m.tag = (m.tag & ~(L4_TAG_TIMEOUT | L4_TAG_WAIT)) | L4_TAG_NO_WAIT;
    for (u32 i = 0; i < L4_ITEMS_MAX; i++)
        l4_utcb()->item[i] = (struct l4_item){ odd_word(), odd_word() };
    cap_t slot = below(8) ? any_slot() : below(2) ? odd_word() : FUZZ_FACTORY;
    if (slot == L4_BOOT_TASK || slot == L4_BOOT_THREAD)
        slot = FUZZ_FIRST;
    wire_invoke(slot, &m);
    fuzz_tally.garbage++;
    if (l4_tag_status(m.tag) == L4_OK) {
        fuzz_tally.garbage_succeeded++;
        fuzz_tally.successes++;
    }
}

static void guided(struct fuzz_tally *t)
{
    u32 i = (u32)below(METHODS);
    bool is_frequent = by_method[first_way[i]] * 22 > t->successes + 1000 && t->succeeded[i] >= EACH_WAY;
    if ((methods[i].at_most && t->succeeded[i] >= methods[i].at_most) || is_frequent)
        i = (i + 1) % METHODS;
    if (methods[i].at_most && t->succeeded[i] >= methods[i].at_most)
        return;
    t->tried[i]++;
    t->done++;
    if (methods[i].invoke() == L4_OK) {
        t->succeeded[i]++;
        t->successes++;
        by_method[first_way[i]]++;
    }
}

void fuzz_drive(u64 unused)
{
    struct fuzz_tally *t = &fuzz_tally;
    u32 own_state;
    state = t->seed * 0x9e3779b97f4a7c15ul | 1;
    t->methods = METHODS;
    for (u32 i = 0; i < METHODS; i++)
        first_way[i] = fuzz_first_way(i);
    thread_look(FUZZ_OWN_THREAD, &own_state, &scrap[0], &own_id, &scrap[1]);
    while (t->done < t->wanted) {
        if (below(4)) {
            guided(t);
        } else {
            t->done++;
            garbage();
        }
    }
    t->finished = 1;
    spawn_rest();
}
