/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: no register of one task ever shows another's: over preemption, over messages, at a thread's start. Every register is filled, and
 * every one is looked at afterwards. Nor does memory that the kernel hands out: a UTCB, a table. */
#include <l4/clock.h>
#include <l4/panic.h>
#include <l4/start.h>
#include <l4/string.h>
#include <l4/task.h>
#include "factory.h"
#include "filled.h"
#include "gate.h"
#include "sched.h"
#include "spawn.h"
#include "test.h"
#include "thread.h"
#include "wire.h"

enum { GATE = TEST_SLOTS, DOOR, PRIORITY = 20, CALLS = 50, SPINS = 20000, PREEMPTED = 100 };
enum { ST_AT = 32, ST_BYTES = 16, ST_USED = 10, XMM_AT = 160, XMM_END = 416, HEADER_AT = 512, YMM_AT = 576, YMM_END = 832, MXCSR_AT = 24 };
enum { THREAD_HALTED_STATE = 5 };
enum { LABEL = 0x1abe1, NUMBER_OF_CALL = 0x10101 };

static struct filled filled[2] L4_VOLATILE_ZERO;
struct filled filled_at_start L4_VOLATILE_ZERO;
static volatile u64 rounds[2] L4_VOLATILE_ZERO, wrong[2] L4_VOLATILE_ZERO, done L4_VOLATILE_ZERO;

/* ---- patterns: the upper half of each word says whose it is ---- */
static u64 word_of(u64 who, u64 index) { return (0xaaaa0000 + who) << 32 | (index * 0x01010101 & 0xffffffff); }
static bool is_of(u64 word, u64 who) { return word >> 32 == 0xaaaa0000 + who; }

static u64 state_end(void) { return l4_kip()->features & L4_CPU_AVX ? YMM_END : XMM_END; }
static bool is_register_byte(u64 at)
{
    return (at >= ST_AT && at < XMM_AT && (at - ST_AT) % ST_BYTES < ST_USED) || (at >= XMM_AT && at < XMM_END) || at >= YMM_AT;
}

static void fill(struct filled *f, u64 who)
{
    memset(f, 0, sizeof *f);
    for (u64 i = 0; i < REGISTERS; i++)
        f->in[i] = word_of(who, i + 1);
    for (u64 at = 0; at < state_end(); at++)
        if (is_register_byte(at))
            f->state_in[at] = (u8)(who * 131 + at * 7 + 1);
    f->state_in[0] = 0x7f, f->state_in[1] = 3;          /* x87: the control word of FNINIT, all registers in use */
    f->state_in[4] = 0xff;
    f->state_in[MXCSR_AT] = 0x80, f->state_in[MXCSR_AT + 1] = (u8)(0x1f | (who + 1) << 5);      /* a rounding of its own */
    f->state_in[HEADER_AT] = l4_kip()->features & L4_CPU_AVX ? 7 : 3;
    f->has_xsave = l4_kip()->features & L4_CPU_XSAVE;
}

/* How many bytes of x87, SSE and AVX registers and of MXCSR are not what they were. */
static u64 state_changed(const struct filled *f)
{
    u64 changed = memcmp(f->state_in + MXCSR_AT, f->state_out + MXCSR_AT, 4) != 0;
    for (u64 at = 0; at < state_end(); at++)
        changed += is_register_byte(at) && f->state_in[at] != f->state_out[at];
    return changed;
}

/* ---- preemption ---- */
static void spin(u64 who)
{
    for (;;) {
        fill(&filled[who], who);
        filled[who].spins = SPINS;
        filled_run(&filled[who]);
        wrong[who] += state_changed(&filled[who]) + (memcmp(filled[who].in, filled[who].out, sizeof filled[who].in) != 0);
        rounds[who]++;
    }
}

static struct spawned filler(u32 place, void (*entry)(u64))
{
    struct spawned s = spawn_task(place);
    l4_must(thread_use_fpu(s.thread, true));
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, PRIORITY, 100000));
    spawn_start(&s, entry, place);
    return s;
}

static void test_preemption(void)
{
    struct spawned a = filler(0, spin), b = filler(1, spin);
    while (rounds[0] < PREEMPTED || rounds[1] < PREEMPTED)
        spawn_let_run(20);
    test_is("the first one's registers are its own whenever it was preempted", wrong[0], 0);
    test_is("and the second one's", wrong[1], 0);
    spawn_end(&a);
    spawn_end(&b);
}

/* ---- messages ---- */
enum { CLIENT, SERVER };

/* What a message carries is the other's; everything else is one's own, or of nobody. */
static u64 judge(const struct filled *f, u64 who)
{
    static const u8 kept[] = { RBX, RBP, R12, R13, R14, R15 }, words[] = { RSI, RDX, R8, R9 }, lost[] = { RCX, R11, R10 };
    u64 bad = state_changed(f), other = 1 - who;
    for (u32 i = 0; i < sizeof kept; i++)
        bad += f->out[kept[i]] != f->in[kept[i]];
    for (u32 i = 0; i < sizeof words; i++)
        bad += f->out[words[i]] != word_of(other, words[i] + 1u);
    for (u32 i = 0; i < sizeof lost; i++)
        bad += is_of(f->out[lost[i]], other);
    return bad + (f->out[RAX] != NUMBER_OF_CALL) + (f->out[R10] != (who == SERVER ? LABEL : 0));
}

static void serve(u64 who)
{
    struct filled *f = &filled[who];
    u64 tag = L4_TAG_WAIT;
    for (;;) {
        fill(f, who);
        f->in[R10] = 0;
        f->in[RDI] = tag;
        f->in[RAX] = NUMBER_OF_CALL;
        filled_run(f);
        wrong[who] += judge(f, who);
        tag = l4_tag(0, 4, 0) | L4_TAG_WAIT;
    }
}

static void call(u64 who)
{
    struct filled *f = &filled[who];
    for (u64 i = 0; i < CALLS; i++) {
        fill(f, who);
        f->in[R10] = DOOR;
        f->in[RDI] = l4_tag(0x100001, 4, 0);
        f->in[RAX] = NUMBER_OF_CALL;
        filled_run(f);
        wrong[who] += judge(f, who) + (l4_tag_status(f->out[RDI]) != L4_OK);
    }
    done = 1;
    spawn_rest();
}

static void test_messages(const char *of_client, const char *of_server, u32 server_priority)
{
    wrong[0] = wrong[1] = done = 0;
    l4_must(factory_make_gate(L4_BOOT_FACTORY, GATE));
    l4_must(gate_mint(GATE, DOOR, LABEL, L4_R | L4_W));
    struct spawned server = filler(SERVER, serve);
    l4_must(sched_set(L4_BOOT_SCHED, server.thread, server_priority, 0));
    l4_must(gate_bind(GATE, server.thread));
    struct spawned client = spawn_task(CLIENT);
    spawn_give(&client, DOOR, DOOR, L4_RIGHTS_ALL);
    l4_must(thread_use_fpu(client.thread, true));
    l4_must(sched_set(L4_BOOT_SCHED, client.thread, PRIORITY, 0));
    spawn_start(&client, call, CLIENT);
    while (!done)
        spawn_let_run(20);
    test_is(of_client, wrong[CLIENT], 0);
    test_is(of_server, wrong[SERVER], 0);
    spawn_end(&client);
    spawn_end(&server);
    test_drop(GATE);
}

/* ---- what is new is empty ---- */
void filled_started(void)
{
    done = 1;
    spawn_rest();
}

static void test_start(void)
{
    static const u8 empty_st[XMM_AT - ST_AT], empty[XMM_END - XMM_AT];
    struct spawned before = filler(0, spin);
    spawn_let_run(20);
    spawn_end(&before);
    memset(&filled_at_start, 0xff, sizeof filled_at_start);
    memset(filled_at_start.state_out, 0, STATE_BYTES);
    filled_at_start.has_xsave = l4_kip()->features & L4_CPU_XSAVE;
    done = 0;
    struct spawned s = filler(0, filled_start);
    while (!done)
        spawn_let_run(5);
    u64 others = 0;
    for (u32 i = 0; i < REGISTERS; i++)
        others += i != RDI && i != RCX && i != R11 && filled_at_start.out[i] != 0;
    test_is("a new thread's registers are empty", others, 0);
    test_is("but for its argument", filled_at_start.out[RDI], 0);
    bool has_xsave = filled_at_start.has_xsave;       /* components that are as after INIT are not written */
    u8 written = has_xsave ? filled_at_start.state_out[HEADER_AT] : 3;
    test_true("x87 is as after FNINIT", !(written & 1) || (filled_at_start.state_out[0] == 0x7f && filled_at_start.state_out[4] == 0
        && memcmp(filled_at_start.state_out + ST_AT, empty_st, sizeof empty_st) == 0));
    test_true("SSE registers are empty", !(written & 2) || memcmp(filled_at_start.state_out + XMM_AT, empty, sizeof empty) == 0);
    test_true("AVX registers are empty", !(written & 4) || memcmp(filled_at_start.state_out + YMM_AT, empty, YMM_END - YMM_AT) == 0);
    spawn_end(&s);
}

/* Of a thread that may not use the FPU: the CPU refuses, or there is nothing to be seen. */
static void test_without_fpu(void)
{
    struct spawned before = filler(0, spin), s = spawn_task(1);
    spawn_let_run(20);
    memset(&filled_at_start, 0, sizeof filled_at_start);
    filled_at_start.has_xsave = l4_kip()->features & L4_CPU_XSAVE;
    done = 0;
    l4_must(sched_set(L4_BOOT_SCHED, s.thread, PRIORITY + 1, 0));
    spawn_start(&s, filled_start, 0);
    u32 state = 0;
    u64 id, waits_for, progress, seen = 0;
    while (!done && state != THREAD_HALTED_STATE) {
        spawn_let_run(5);
        l4_must(thread_look(s.thread, &state, &waits_for, &id, &progress));
    }
    for (u64 at = ST_AT; at < state_end(); at++)
        seen += is_register_byte(at) && filled_at_start.state_out[at] != 0;
    test_is("without the FPU nobody's registers can be stored", seen, 0);
    spawn_end(&s);
    spawn_end(&before);
}

static void fill_utcb(u64 argument)
{
    memset((void *)l4_utcb()->mr, 0xee, sizeof l4_utcb()->mr);
    memset((void *)l4_utcb()->item, 0xee, sizeof l4_utcb()->item);
    done = 1;
    spawn_rest();
}

static void look_utcb(u64 argument)
{
    for (u32 i = 0; i < sizeof l4_utcb()->mr; i++)
        wrong[0] += ((const u8 *)l4_utcb()->mr)[i] != 0;
    for (u32 i = 0; i < sizeof l4_utcb()->item; i++)
        wrong[0] += ((const u8 *)l4_utcb()->item)[i] != 0;
    done = 1;
    spawn_rest();
}

static void run_once(void (*entry)(u64))
{
    done = 0;
    struct spawned s = spawn_task_run(0, PRIORITY, entry, 0);
    while (!done)
        spawn_let_run(5);
    spawn_end(&s);
}

static void test_utcb(void)
{
    wrong[0] = 0;
    run_once(fill_utcb);
    run_once(look_utcb);
    test_is("a new UTCB is empty", wrong[0], 0);
}

void l4_main(void)
{
    test_begin("isolation");
    struct test_usage before = test_usage();
    test_preemption();
    test_messages("a client keeps its registers, and sees of the server's what it sent", "and so does the server", PRIORITY);
    test_messages("when the server is less urgent, too", "on both sides", PRIORITY - 5);
    test_start();
    test_without_fpu();
    test_utcb();
    test_balance("memory is as before", before);
    test_end();
}
