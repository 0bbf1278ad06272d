/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.c: libFuzzer's target: bytes become steps (step.c), each is done by the kernel and by the model, and then the two
 * are compared and every invariant of the kernel's is checked.
 * An invocation that the kernel restarts is run to its end, unless the step lets an interrupt in, or its death makes
 * somebody ready who is more urgent: while something is half done the model says nothing (it knows whole steps only),
 * and it starts anew from the kernel's state when all is settled again. */
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "machine.h"
#include "model.h"
#include "scene.h"
#include "transcript.h"

enum { ENTRIES_MOST = 200000, UNSETTLED_MOST = 6, IDLE_MOST = 4, WRITTEN = 64 };

struct seen now;
static struct seen start;
static bool in_step;            /* the model is where the kernel is */
static u32 unsettled_steps;
static u64 *written[WRITTEN];
static u32 written_count;
static struct { u64 runs, calls, entries, compared, unsettled, anew; } tally;
static u64 wanted_calls, next_report;       /* a hundred reports on the way */

/* ---- pictures ---- */
static void copy_seen(struct seen *to, const struct seen *from)
{
    memcpy(to, from, offsetof(struct seen, object));
    memcpy(to->object, from->object, from->objects * sizeof *from->object);
    memcpy(to->cap, from->cap, from->caps * sizeof *from->cap);
    memcpy(to->page, from->page, from->pages * sizeof *from->page);
}

static bool take_picture(void)
{
    if (!peek(&now))
        return false;
    peek_check();
    machine_check();
    return true;
}

/* The timer rings no later than the first deadline, and at the end of the slice if an equal waits. */
static void check_timer(void)
{
    const struct seen_thread *running = NULL, *first = NULL;
    for (u64 i = 0; i < now.objects; i++) {
        const struct seen_object *o = &now.object[i];
        if (o->kind != L4_THREAD)
            continue;
        if ((o->thread.timed || o->thread.rests) && o->thread.deadline < machine_timer_at())
            machine_fail("the timer rings at %lu, thread %lu's deadline is %lu", machine_timer_at(), o->id,
                         o->thread.deadline);
        running = o->id == now.current ? &o->thread : running;
        first = now.ready.count && o->id == now.ready.id[0] ? &o->thread : first;
    }
    if (now.metered && machine_timer_at() > now.metered_ns + running->budget_left_ns)
        machine_fail("the timer rings at %lu, the budget is spent at %lu", machine_timer_at(), now.metered_ns + running->budget_left_ns);
    if (first && running && first->priority == running->priority && machine_timer_at() > now.slice_end_ns)
        machine_fail("the timer rings at %lu, the slice ends at %lu", machine_timer_at(), now.slice_end_ns);
}

const struct seen_thread *running_thread(void)
{
    for (u64 i = 0; i < now.objects; i++)
        if (now.object[i].id == now.current)
            return &now.object[i].thread;
    return NULL;
}

/* ---- user code ---- */
void user_registers(const struct l4_registers *r)
{
    machine_registers_set(r);
    if (in_step)
        thread_find(now.current)->registers = *r;
}

void user_utcb(const struct l4_utcb *utcb)
{
    memcpy(machine_utcb(), utcb, sizeof *utcb);
    if (in_step)
        thread_find(now.current)->utcb = *utcb;
}

void user_write(u64 frame, u64 value)
{
    u64 *word = machine_word(frame);
    if (!word || written_count == WRITTEN)
        return;
    written[written_count++] = word;
    *word = value;
}

/* ---- steps of both ---- */
static bool is_restarted(u64 self)
{
    struct l4_registers r;
    if (machine_runs() != self)
        return false;
    machine_registers_get(&r);
    return r.rip == CODE_AT;
}

static void again(void)
{
    struct l4_registers r;
    machine_registers_get(&r);
    r.rip = CODE_AT + 2;
    machine_registers_set(&r);
    machine_system_call();
    tally.entries++;
}

void do_system_call(bool lets_interrupt_in)
{
    u64 self = now.current, entries = 0;
    struct l4_registers r;
    machine_registers_get(&r);
    transcript_system_call();
    machine_system_call();
    tally.calls++;
    tally.entries++;
    while (is_restarted(self)) {
        if (lets_interrupt_in && !entries) {
            machine_pass(20 * 1000 * 1000);
            machine_timer();
            in_step = false;
        } else {
            again();
        }
        if (++entries > ENTRIES_MOST)
            machine_fail("an invocation does not come to its end");
    }
    model_step = (struct model_step){ STEP_SYSTEM_CALL, self, 0, 0, 0, false, entries && r.rdi & L4_TAG_WAIT };
}

void do_exception(u64 vector, u64 error, u64 address, bool ports_are_new)
{
    transcript_exception(vector, error, address);
    machine_ports(ports_are_new);
    machine_exception(vector, error, address);
    model_step = (struct model_step){ STEP_EXCEPTION, now.current, vector, error, address, ports_are_new, false };
    tally.calls++;
    tally.entries++;
}

void do_timer(void)
{
    transcript_timer();
    machine_timer();
    model_step = (struct model_step){ STEP_TIMER, 0, 0, 0, 0, false, false };
    tally.calls++;
    tally.entries++;
}

void do_line(u32 line)
{
    if (!machine_line_rings(line))
        return;
    transcript_line(line);
    machine_line(line);
    model_step = (struct model_step){ STEP_LINE, 0, line, 0, 0, false, false };
    tally.calls++;
    tally.entries++;
}

struct model_step model_step;

static void step_of_model(void)
{
    const struct model_step *s = &model_step;
    model_any_order = false;
    model_oracle = &now;
    switch (s->what) {
    case STEP_NONE: break;
    case STEP_SYSTEM_CALL: model_system_call(); model_any_order |= s->chose_before; break;
    case STEP_EXCEPTION: model_exception(s->a, s->error, s->address, s->ports_are_new); break;
    case STEP_TIMER: model_timer(); break;
    case STEP_LINE: model_line((u32)s->a); break;
    }
}

/* A thread whose system call is not finished: it is ready, and its next instruction is that call. */
static bool is_half_done(u64 thread)
{
    for (u64 i = 0; i < now.objects; i++) {
        const struct seen_object *o = &now.object[i];
        bool is_it = o->kind == L4_THREAD && (!thread || o->id == thread);
        if (is_it && o->thread.state == SEEN_READY && o->thread.registers.rip == CODE_AT)
            return true;
    }
    return false;
}

static bool settle(void)
{
    peek_settle();
    machine_spurious();
    return take_picture();
}

/* After a step: compare, or see whether that is possible again. False: the run is over. */
static bool judge(bool settle_at_once)
{
    if (!take_picture())
        return false;
    check_timer();
    bool ended = model_step.what != STEP_SYSTEM_CALL || !is_half_done(model_step.self);
    bool was_settled = now.settled;
    if (!was_settled && settle_at_once && !is_half_done(0) && !settle())
        return false;
    in_step &= ended && now.settled;
    if (in_step) {
        step_of_model();
        model_any_order |= !was_settled;
        if (model_differs(&now))
            machine_fail("the kernel and the model differ after step %lu of this input", fuzz_step);
        tally.compared++;
        unsettled_steps = 0;
        return true;
    }
    tally.unsettled++;
    if (++unsettled_steps > UNSETTLED_MOST && !is_half_done(0) && !settle())
        return false;
    if (now.settled) {
        copy_seen(&model, &now);
        in_step = true;
        unsettled_steps = 0;
        tally.anew++;
    }
    return true;
}

/* ---- runs ---- */
u64 fuzz_step;

static void begin(void)
{
    if (!tally.runs++) {
        const char *calls = getenv("AXO_CALLS");
        wanted_calls = calls ? strtoul(calls, NULL, 0) : ~0ul;
        next_report = wanted_calls / 100;
        scene_make();
        machine_save();
        peek_costs(&model_costs);
        if (!take_picture() || !now.settled)
            machine_fail("the scene is not settled");
        copy_seen(&start, &now);
    }
    while (written_count)
        *written[--written_count] = 0;
    machine_restore();
    copy_seen(&now, &start);
    copy_seen(&model, &start);
    in_step = true;
    unsettled_steps = 0;
}

static void report(void)
{
    printf("fuzz-kernel: %lu calls in %lu runs, %lu entries into the kernel; after %lu steps compared with the model, "
           "after %lu not (half done), %lu times anew\n", tally.calls, tally.runs, tally.entries, tally.compared,
           tally.unsettled, tally.anew);
    fflush(stdout);
}

static bool step(const u8 *record)
{
    model_step = (struct model_step){ 0 };
    if (!now.current)
        step_idle(record);
    else if (running_thread()->registers.rip == CODE_AT)
        step_again();
    else
        step_running(record);
    transcript_after();
    return judge(record[RECORD - 1] & RECORD_SETTLE);
}

void step_again(void)
{
    struct l4_registers r = running_thread()->registers;
    r.rip = CODE_AT + 2;
    user_registers(&r);
    do_system_call(false);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u32 idle = 0;
    begin();
    for (fuzz_step = 0; fuzz_step < size / RECORD && idle < IDLE_MOST; fuzz_step++) {
        idle = now.current ? 0 : idle + 1;
        if (!step(data + fuzz_step * RECORD))
            break;
    }
    if (tally.calls >= next_report || tally.calls >= wanted_calls) {
        report();
        next_report += wanted_calls / 100;
    }
    if (tally.calls >= wanted_calls)
        _exit(0);
    return 0;
}
