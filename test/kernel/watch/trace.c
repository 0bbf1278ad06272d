/* SPDX-License-Identifier: BSD-2-Clause */
/* trace.c: the trace ring: what a traced thread does is there, in order, with who gets what from whom; what others do is not; the ring
 * wraps around and tells by its numbers what is lost. */
#include <abi/fpage.h>
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "debug.h"
#include "exception.h"
#include "factory.h"
#include "gate.h"
#include "pager.h"
#include "sched.h"
#include "task.h"
#include "watch.h"
#include "wire.h"

#define FAR 0x31000000ul
#define WINDOW l4_fpage_caps(100, 0)
enum { RECORDS = 96, CLIENT = 40, SMALL = WEAK, TARGET = SPARE, LABEL = 0x4711 };

static u8 page[4096] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static struct debug_record ring[RECORDS] __attribute__((aligned(4096))) L4_VOLATILE_ZERO;
static u64 seen L4_VOLATILE_ZERO;       /* the last record that was looked at */
static volatile bool finished L4_VOLATILE_ZERO;

static const struct debug_record *place(u64 sequence)
{
    return &ring[(sequence - 1) % RECORDS];
}

/* The next record, or NULL. */
static const struct debug_record *next(void)
{
    const struct debug_record *r = place(seen + 1);
    if (r->sequence != seen + 1)
        return NULL;
    seen++;
    return r;
}

/* The next record of that thread and event. */
static const struct debug_record *next_of(u64 thread, u32 event)
{
    const struct debug_record *r;
    static const struct debug_record none;
    while ((r = next()))
        if (r->thread == thread && r->event == event)
            return r;
    test_true("there is a record", false);
    return &none;
}

static void skip(void)
{
    while (next())
        ;
}

static u64 id_of(cap_t thread)
{
    u32 state;
    u64 waits, id = 0, progress;
    l4_must(thread_look(thread, &state, &waits, &id, &progress));
    return id;
}

static u64 written(void)
{
    u64 count = 0;
    for (u32 i = 0; i < RECORDS; i++)
        count += ring[i].sequence != 0;
    return count;
}

static void trace(u64 at, u64 records, u64 thread) { l4_must(debug_trace(L4_BOOT_DEBUG, at, records, thread)); }

static void trace_ends(void) { trace(0, 0, 0); }

static void take_ring(u64 self)
{
    debug_trace(DOOR, (u64)ring, RECORDS, self);
    finished = true;
    spawn_rest();
}

/* Where no page is, nothing is written; nor where it may only be read, nor into a UTCB; the end of its task ends the ring. */
static void test_ring(void)
{
    u64 n, self = id_of(L4_BOOT_THREAD);
    test_status("a ring in the upper half of the addresses", debug_trace(L4_BOOT_DEBUG, 1ul << 46, 33, self), L4_BAD_ARGUMENT);
    test_status("or behind them", debug_trace(L4_BOOT_DEBUG, -4096ul, 33, self), L4_BAD_ARGUMENT);
    test_status("or is not aligned", debug_trace(L4_BOOT_DEBUG, (u64)ring + 8, RECORDS - 1, self), L4_BAD_ARGUMENT);
    test_status("or has no end", debug_trace(L4_BOOT_DEBUG, (u64)ring, 1ul << 60, self), L4_BAD_ARGUMENT);
    l4_must(task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((u64)ring, 12, 7), FAR, L4_R, &n));
    trace(FAR, 32, self);
    id_of(L4_BOOT_THREAD);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory(FAR, 12, 7), 7, false, &n));
    id_of(L4_BOOT_THREAD);
    test_is("nothing is written where it may not", written(), 0);
    l4_must(task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_memory((u64)ring, 12, 7), FAR, L4_R | L4_W, &n));
    id_of(L4_BOOT_THREAD);
    u64 before = written();
    test_true("but where it may", before > 2);
    l4_must(task_unmap(L4_BOOT_TASK, l4_fpage_memory(FAR, 12, 7), 7, false, &n));
    trace_ends();
    memset(ring, 0, sizeof ring);
    struct l4_utcb *mine = l4_utcb();
    trace((u64)mine & ~4095ul, 32, self);
    memset(mine->mr, 0, sizeof mine->mr);
    for (u32 i = 0; i < 40; i++)
        wire_call(L4_BOOT_THREAD, l4_tag(THREAD_METHOD_LOOK, 0, 0), 0, 0);
    trace_ends();
    for (u32 i = 4; i < 60; i++)
        n += mine->mr[i];
    test_is("nor into a UTCB", n, 1);

    struct spawned s = spawn_task(0);
    spawn_give(&s, L4_BOOT_DEBUG, DOOR, L4_RIGHTS_ALL);
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, CLIENT, 0));
    spawn_start(&s, take_ring, self);
    for (u32 i = 0; i < 1000 && !finished; i++)
        spawn_let_run(2);
    finished = false;
    id_of(L4_BOOT_THREAD);
    test_true("another task's ring", written() > 1);
    spawn_end(&s);
    memset(ring, 0, sizeof ring);
    id_of(L4_BOOT_THREAD);
    test_is("ends with it", written(), 0);
    trace_ends();
    struct debug_entry end;
    l4_must(debug_snapshot(L4_BOOT_DEBUG, ~0ul, &n, &end));
    test_is("the end of a snapshot", end.node, DEBUG_END);
    seen = end.at;
    test_true("tells how many there were", seen > before);
    id_of(L4_BOOT_THREAD);
    l4_must(debug_snapshot(L4_BOOT_DEBUG, ~0ul, &n, &end));
    test_is("no more of who is not traced any more", end.at, seen);
}

static u64 events(void)
{
    u64 next;
    struct debug_entry end;
    l4_must(debug_snapshot(L4_BOOT_DEBUG, ~0ul, &next, &end));
    return end.at;
}

static volatile u64 begun L4_VOLATILE_ZERO;

/* Who was traced while it was made traces all but its own task. */
static void take_over(u64 unused)
{
    u64 n;
    struct debug_entry end;
    debug_trace(DOOR, (u64)ring, RECORDS, 0);
    debug_snapshot(DOOR, ~0ul, &n, &end);
    begun = end.at;
    finished = true;
    spawn_rest();
}

/* A tracer makes the next one, which is its own affair from then on; and nobody is traced when that one's task has ended. */
static void test_succession(void)
{
    u64 self = id_of(L4_BOOT_THREAD), own = 0, others = 0;
    trace((u64)ring, RECORDS, self);
    struct spawned s = spawn_task(0);
    spawn_give(&s, L4_BOOT_DEBUG, DOOR, L4_RIGHTS_ALL);
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, CLIENT, 0));
    u64 heir = id_of(s.thread);
    spawn_start(&s, take_over, 0);
    for (u32 i = 0; i < 1000 && !finished; i++)
        spawn_let_run(2);
    finished = false;
    id_of(L4_BOOT_THREAD);
    for (u32 i = 0; i < RECORDS; i++) {
        own += ring[i].sequence > begun && ring[i].thread == heir;
        others += ring[i].sequence > begun && ring[i].thread == self;
    }
    test_is("a tracer that a traced thread made is not in its own trace", own, 0);
    test_true("but all others are", others > 2);
    spawn_end(&s);
    u64 before = events();
    id_of(L4_BOOT_THREAD);
    test_is("with it ends the trace for all", events(), before);
    trace((u64)ring, RECORDS, ~0ul);
    before = events();
    id_of(L4_BOOT_THREAD);
    test_is("and the next one begins with nobody", events(), before);
    trace_ends();
    memset(ring, 0, sizeof ring);
    seen = before;
}

static void serve(u64 unused)
{
    struct l4_message m;
    l4_utcb()->window_caps = WINDOW;
    wire_wait(&m, 0);
    for (;;) {
        m = (struct l4_message){ .tag = l4_tag(0, 1, 0), .word = { m.word[0] + 1 } };
        wire_reply_wait(&m, 0);
    }
}

/* A call with an item, one of an empty slot, which the machine refuses alone; a refused object, a capability. */
static void client(u64 unused)
{
    u64 n;
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_caps(L4_BOOT_LOG, 0), L4_W };
    wire_call(DOOR, l4_tag(0x100001, 1, 1), 41, 0);
    wire_call(EMPTY_SLOT, l4_tag(0x100001, 1, 0), 41, 0);
    factory_make_task(SMALL, TARGET);
    task_map(L4_BOOT_TASK, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_LOG, 0), l4_fpage_caps(TARGET, 0) >> 12, L4_W, &n);
    task_unmap(L4_BOOT_TASK, l4_fpage_caps(TARGET, 0), 127, false, &n);
    factory_make_irq(L4_BOOT_FACTORY, TARGET);
    finished = true;
    spawn_rest();
}

static void test_messages(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, LABEL, L4_W));
    l4_must(factory_make_factory(L4_BOOT_FACTORY, SMALL, 1024));
    struct spawned server = spawn_thread_run(1, CLIENT + 1, serve, 0);
    l4_must(gate_bind(GATE, server.thread));
    struct spawned s = spawn_thread(0);
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, CLIENT, 0));
    u64 who = id_of(s.thread), other = id_of(server.thread), task = test_object(L4_BOOT_TASK), gate = test_object(GATE);
    trace((u64)ring, RECORDS, who);
    trace((u64)ring, RECORDS, other);
    spawn_start(&s, client, 0);
    for (u32 i = 0; i < 1000 && !finished; i++)
        spawn_let_run(2);

    u64 first = seen;
    const struct debug_record *r = next_of(who, DEBUG_INVOKE);
    test_is("a call", r->kind, L4_DOOR);
    test_is("by a thread of this task", r->task, task);
    test_is("through a door of the gate", r->object, gate);
    test_is("its label", r->door, LABEL);
    test_is("its slot", r->label, DOOR);
    test_is("its method", (u32)r->tag, 0x100001);
    test_is("its word", r->word[0], 41);
    r = next_of(who, DEBUG_ITEM);
    test_is("its item", r->word[0], l4_fpage_caps(L4_BOOT_LOG, 0));
    test_is("with rights", r->word[1], L4_W);
    r = next_of(other, DEBUG_RUN);
    test_is("the server has it, with its label", r->label, LABEL);
    test_is("and word", r->word[0], 41);
    test_is("from there", r->object, who);
    test_is("into this window", r->lineage, WINDOW);
    r = next_of(other, DEBUG_INVOKE);
    test_is("its answer", r->kind, L4_REPLY);
    test_is("by the implicit reply", r->label, 0);
    test_is("its word", r->word[0], 42);
    test_is("the caller goes on", next_of(who, DEBUG_RUN)->word[0], 42);
    r = next_of(who, DEBUG_INVOKE);
    test_is("a factory", r->kind, L4_FACTORY);
    test_true("it has a lineage", r->lineage != 0);
    r = next_of(who, DEBUG_RUN);
    test_is("refuses for its quota", (u64)(i64)l4_tag_status(r->tag), (u64)(i64)L4_NO_MEMORY);
    test_is("as an invocation", r->status, 257);
    r = next_of(who, DEBUG_INVOKE);
    test_is("a capability is mapped", (u32)r->tag, TASK_METHOD_MAP);
    test_is("from there", r->word[1], l4_fpage_caps(L4_BOOT_LOG, 0));
    test_is("to there", r->word[2], TARGET);
    r = next_of(who, DEBUG_RUN);
    test_is("done", (u64)l4_tag_status(r->tag), L4_OK);
    test_is("one", r->word[0], 1);
    test_is("and unmapped", (u32)next_of(who, DEBUG_INVOKE)->tag, TASK_METHOD_UNMAP);
    r = next_of(who, DEBUG_INVOKE);
    test_is("an object is made", (u32)r->tag, FACTORY_METHOD_MAKE_IRQ);
    test_true("it is there", test_object(TARGET) != 0);
    u64 time = 0, before = 0, count = 0;
    for (u64 i = first + 1; i <= seen; i++) {
        const struct debug_record *at = place(i);
        count += at->sequence > before && at->ns >= time;
        before = at->sequence;
        time = at->ns;
    }
    test_is("numbers and times only grow", count, seen - first);
    skip();
    trace_ends();
    wire_call(DOOR, l4_tag(0x100001, 1, 0), 41, 0);
    test_true("nobody who is not traced is in it", !next());
    test_drop(l4_fpage_base(WINDOW));
    test_drop(TARGET);
    test_drop(SMALL);
    spawn_end(&s);
    spawn_end(&server);
    test_drop(GATE);
}

static void touch(u64 at)
{
    *(volatile u64 *)at = 1;
    __asm__ volatile("ud2");
}

/* Its pager is traced, and hence whom it has started. It maps a page; the exception nobody handles. */
static void test_faults(void)
{
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, LABEL, L4_W));
    l4_must(gate_bind(GATE, L4_BOOT_THREAD));
    struct spawned s = spawn_task(0);
    u64 who = id_of(s.thread), self = id_of(L4_BOOT_THREAD);
    spawn_give(&s, DOOR, 80, L4_RIGHTS_ALL);
    l4_must(thread_set_handlers(s.thread, 80, 80));
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, CLIENT, 0));
    trace((u64)ring, RECORDS, self);
    spawn_start(&s, touch, FAR);
    struct l4_message m;
    wire_wait(&m, 0);
    l4_utcb()->item[0] = (struct l4_item){ l4_fpage_memory((u64)page, 12, L4_R | L4_W), FAR };
    wire_call(0, l4_tag(0, 0, 1), 0, 0);
    wire_wait(&m, 0);
    const struct debug_record *r = next_of(who, DEBUG_FAULT);
    test_is("a page fault", (u32)r->tag, PAGER_METHOD_FAULT);
    test_is("a page fault", r->status, 14);
    test_is("its address", r->word[0], FAR);
    test_is("to its pager's door", r->door, LABEL);
    r = next_of(self, DEBUG_RUN);
    test_is("the pager has it", r->word[0], FAR);
    test_is("from there", r->object, who);
    r = next_of(self, DEBUG_ITEM);
    test_is("what it maps", r->word[0], l4_fpage_memory((u64)page, 12, L4_R | L4_W));
    test_is("there", r->word[1], FAR);
    test_is("it goes on", next_of(who, DEBUG_RUN)->status, 14);
    r = next_of(who, DEBUG_FAULT);
    test_is("an exception", r->word[0], 6);
    test_is("to its handler's", (u32)r->tag, EXCEPTION_METHOD_RAISE);
    trace_ends();
    skip();
    spawn_end(&s);
    test_drop(GATE);
}

/* More than the ring holds: the last are there, and their numbers tell how many are not. */
static void test_lost(void)
{
    u64 first = seen, n;
    trace((u64)ring, RECORDS, id_of(L4_BOOT_THREAD));
    for (u32 i = 0; i < 3 * RECORDS; i++)
        l4_must(factory_quota(L4_BOOT_FACTORY, &n, &n));
    trace_ends();
    u64 least = ~0ul, most = 0;
    for (u32 i = 0; i < RECORDS; i++) {
        u64 sequence = place(i + 1)->sequence;
        least = sequence < least ? sequence : least;
        most = sequence > most ? sequence : most;
    }
    test_is("the ring is full, without a gap", most - least + 1, RECORDS);
    test_true("three times as many were written", most - first >= 3 * RECORDS);
    seen = most;
}

void test_trace(void)
{
    test_ring();
    test_succession();
    struct test_usage before = test_usage();
    test_messages();
    test_faults();
    test_lost();
    test_balance("but for the ring, memory is as before", before);
}
