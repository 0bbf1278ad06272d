/* SPDX-License-Identifier: BSD-2-Clause */
/* world.c: see world.h. Runs on the host, single threaded. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <l4/panic.h>
#include <l4/task.h>
#include "world.h"

enum { STACK_BYTES = 1 << 18, STATE_ROOM = 1 << 28 };

struct world world;
cap_t world_called;
void (*world_point)(void);
bool world_stepping;
u32 world_messages, world_late;
enum { CALLS_MOST = 10000 };
static u32 calls_since_delivery;
bool world_late_heard;
bool (*world_fault)(void *address);
__thread struct l4_utcb l4_utcb_host;

static const struct world_server *the;
static struct l4_startup startup;
static struct l4_crash crash_page;
static ucontext_t tester, incarnation;
static u8 *stack;
static char crash[256];
static struct l4_message next;
static u64 next_more[L4_WORDS_MAX];
static struct caller { bool waits, dead; u64 label, number; } implicit, parked[WORLD_PARKED];

/* The linker script volatile.ld puts all volatile memory between these. */
extern u8 host_volatile_start[], host_volatile_end[];

/* ---- single steps ---- */
static void trap_flag(bool on)
{
    if (on) {
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp" ::: "memory", "cc");
    } else {
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp" ::: "memory", "cc");
    }
}

static void point(void)
{
    if (world_point) {
        world_point();
    }
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    point();
}

/* Leave the incarnation for good. */
static _Noreturn void crashed(const char *format, ...)
{
    va_list list;
    trap_flag(false);
    va_start(list, format);
    vsnprintf(crash, sizeof crash, format, list);
    va_end(list);
    setcontext(&tester);
    abort();
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (world_fault && world_fault(info->si_addr)) {
        return;
    }
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    crashed("fault at %p", info->si_addr);
}

/* ---- what libl4 finds instead of a kernel ---- */
const struct l4_startup *l4_startup(void) { return &startup; }
bool world_monitors;

bool l4_window_is_there(u32 index) { return true; }

cap_t l4_slot(const char *name)
{
    for (u32 i = 0; i < the->server->doors; i++) {
        if (strcmp(name, the->server->uses[i].name) == 0) {
            return WORLD_DOOR + the->server->uses[i].first;
        }
    }
    if (strcmp(name, "monitored") == 0 && (world_monitors || the->server->judges(l4_volatile.ops))) {
        return WORLD_MONITORED;
    }
    return strcmp(name, "clients") == 0 ? WORLD_CLIENTS : strcmp(name, "heartbeat") == 0 ? WORLD_CLIENTS - 1 : 0;
}

void l4_log(const char *format, ...) { }

/* A test that plays the objects behind slots which are no doors has its own of these two. */
__attribute__((weak)) l4_err_t l4_unmap_cap(cap_t task, cap_t slot) { return L4_OK; }
__attribute__((weak)) bool world_object(cap_t cap, struct l4_message *m) { return false; }

void l4_panic(const char *format, ...)
{
    char text[200];
    va_list list;
    trap_flag(false);
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    crashed("%s", text);
}

static void answer_note(struct caller *to, u64 tag, const u64 *word)
{
    if (!to->waits) {
        return;
    }
    to->waits = false;
    struct world_answer *a = &world.answer[world.answers++ % WORLD_ANSWERS];
    memset(a, 0, sizeof *a);
    a->label = to->label;
    a->number = to->number;
    a->tag = tag & ~L4_TAG_FLAGS;
    memcpy(a->word, l4_utcb_host.mr, sizeof a->word);
    memcpy(a->word, word, L4_REGISTER_WORDS * sizeof *word);
    world.changes++;
}

static void effect_note(cap_t cap, u64 tag, const u64 *word)
{
    u64 hash = cap * 0x9e3779b97f4a7c15ul ^ tag;
    for (u32 i = 0; i < L4_REGISTER_WORDS; i++) {
        hash = (hash ^ word[i]) * 0x100000001b3ul;
    }
    for (u32 i = 0; i < world.effects; i++) {
        if (world.effect[i] == hash) {
            return;
        }
    }
    if (world.effects < WORLD_EFFECTS) {
        world.effect[world.effects++] = hash;
        world.changes++;
    }
}

static void callee_run(cap_t door, struct l4_message *m)
{
    if (++calls_since_delivery > CALLS_MOST) {
        crashed("call of %x once more: it does not come to rest", (u32)m->tag);
    }
    world_called = door;
    const struct world_rule *rule = the->rules;
    while (rule && rule->tag && rule->tag != (u32)m->tag) {
        rule++;
    }
    if (!rule) {
        m->tag = (u32)L4_NO_METHOD;     /* a test that has no servers below */
        return;
    }
    if (!rule->tag) {
        crashed("call of %x, which the test does not answer", (u32)m->tag);
    }
    if (!rule->once) {
        effect_note(door, m->tag, m->word);
        rule->answer(m);
        return;
    }
    bool is_late = ++world_messages == world_late;
    if (is_late && !world_late_heard) {
        m->tag = (u32)L4_TIMED_OUT;
        return;
    }
    u64 index = (u16)m->number;
    u32 i = 0;
    while (i < world.callees && (world.callee[i].door != door || world.callee[i].index != index)) {
        i++;
    }
    struct world_callee *c = &world.callee[i % WORLD_CALLEES];
    if (i == world.callees) {
        *c = (struct world_callee){ door, index, 0, 0, { 0 } };
        world.callees++;
    }
    if (c->number != m->number) {
        u64 number = m->number;
        rule->answer(m);
        if (l4_tag_status(m->tag) == L4_PENDING) {
            return;
        }
        c->number = number;
        c->tag = m->tag;
        memcpy(c->word, l4_utcb_host.mr, sizeof c->word);
        memcpy(c->word, m->word, sizeof m->word);
        world.executed[rule - the->rules]++;
        world.changes++;
    }
    m->tag = is_late ? (u32)L4_TIMED_OUT : c->tag;
    memcpy(m->word, c->word, sizeof m->word);
    memcpy(&l4_utcb_host.mr[L4_REGISTER_WORDS], &c->word[L4_REGISTER_WORDS], sizeof c->word - sizeof m->word);
}

static u64 reply_run(cap_t cap, u64 tag, u64 *word)
{
    struct caller *c = cap ? &parked[cap - L4_SLOT_PARK] : &implicit;
    switch ((u32)tag) {
    case L4_REPLY << 8 | 1:
        parked[word[0] - L4_SLOT_PARK] = *c;
        c->waits = false;
        return 0;
    case L4_REPLY << 8 | 2:
        word[0] = c->waits && !c->dead;
        return 1ul << L4_TAG_WORDS_SHIFT;
    }
    if (c->dead) {
        c->waits = false;
        return (u32)L4_NO_REPLY;
    }
    answer_note(c, tag, word);
    return 0;
}

/* gate.pass: the server behind answers at once. */
static u64 pass_run(u64 tag)
{
    u64 word[L4_REGISTER_WORDS] = { WORLD_PASSED };
    if ((u32)tag != (L4_GATE << 8 | 7) || !implicit.waits) {
        return (u32)((u32)tag == (L4_GATE << 8 | 7) ? L4_NO_REPLY : L4_NO_RIGHT);
    }
    effect_note(WORLD_MONITORED, tag, word);
    answer_note(&implicit, 1ul << L4_TAG_WORDS_SHIFT, word);
    return 0;
}

void l4_invoke(cap_t cap, u64 *tag, u64 number, u64 *w0, u64 *w1, u64 *w2, u64 *w3)
{
    trap_flag(false);
    point();
    struct l4_message m = { .tag = *tag, .number = number, .word = { *w0, *w1, *w2, *w3 } };
    if (cap == 0 || (cap >= L4_SLOT_PARK && cap < L4_SLOT_PARK + WORLD_PARKED)) {
        m.tag = reply_run(cap, m.tag, m.word);
    } else if (cap == WORLD_MONITORED) {
        m.tag = pass_run(m.tag);
    } else if (cap >= WORLD_DOOR && cap < WORLD_CLIENTS - 1) {
        callee_run(cap, &m);
    } else if (!world_object(cap, &m)) {
        effect_note(cap, m.tag, m.word);
        m.tag = 0;
    }
    *tag = m.tag;
    *w0 = m.word[0];
    *w1 = m.word[1];
    *w2 = m.word[2];
    *w3 = m.word[3];
    point();
    trap_flag(world_stepping);
}

void l4_answer_wait(cap_t reply, struct l4_message *m)
{
    trap_flag(false);
    if (reply) {
        reply_run(reply, m->tag, m->word);
    } else {
        answer_note(&implicit, m->tag, m->word);
    }
    point();
    swapcontext(&incarnation, &tester);
    *m = next;
    memcpy(&l4_utcb_host.mr[L4_REGISTER_WORDS], &next_more[L4_REGISTER_WORDS], sizeof next_more - 32);
    bool is_call = !l4_is_kernels(&next);
    implicit = (struct caller){ .waits = is_call, .label = next.label, .number = next.number };
    trap_flag(world_stepping);
}

/* ---- for tests ---- */
void world_init(const struct world_server *server)
{
    if (!the) {
        void *at = mmap((void *)L4_STATE_ADDRESS, STATE_ROOM, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
        stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at != (void *)L4_STATE_ADDRESS || stack == MAP_FAILED) {
            fprintf(stderr, "no memory at the state's address\n");
            exit(2);
        }
        static u8 signal_stack[1 << 16];
        sigaltstack(&(stack_t){ .ss_sp = signal_stack, .ss_size = sizeof signal_stack }, NULL);
        struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
        sigaction(SIGTRAP, &action, NULL);
        action.sa_sigaction = on_fault;
        sigaction(SIGSEGV, &action, NULL);
    }
    the = server;
    startup = (struct l4_startup){ .magic = L4_STARTUP_MAGIC, .crash_page = (u64)&crash_page };
}

u64 world_bytes(void)
{
    const struct l4_server *s = the->server;
    u64 windows = (u64)s->clients * s->slots * s->window_bytes;
    return windows ? the->window_at - L4_STATE_ADDRESS + windows : (the->state_bytes + 4095) & ~4095ul;
}

u8 *world_window(u64 label, u32 slot)
{
    const struct l4_server *s = the->server;
    return (u8 *)the->window_at + ((u64)(u16)label * s->slots + slot) * s->window_bytes;
}

void world_reset(void)
{
    memset((void *)L4_STATE_ADDRESS, 0, world_bytes());
    memset(&world, 0, sizeof world);
    memset(&crash_page, 0, sizeof crash_page);
}

#ifdef __SANITIZE_ADDRESS__
extern void __asan_unpoison_memory_region(void const volatile *at, size_t bytes);
static void stack_forget(void) { __asan_unpoison_memory_region(stack, STACK_BYTES); }
#else
static void stack_forget(void) { }
#endif

/* The incarnation's first instructions. */
static void begin(void)
{
    trap_flag(world_stepping);
    the->main();
}

static bool resume(void)
{
    crash[0] = 0;
    volatile bool left = false;
    getcontext(&tester);
    if (!left) {
        left = true;
        swapcontext(&tester, &incarnation);
    }
    return crash[0] == 0;
}

bool world_start(void)
{
    calls_since_delivery = 0;
    memset(host_volatile_start, 0, (size_t)(host_volatile_end - host_volatile_start));
    memset(parked, 0, sizeof parked);
    memset(&l4_utcb_host, 0, sizeof l4_utcb_host);
    implicit.waits = false;
    stack_forget();
    getcontext(&incarnation);
    incarnation.uc_stack = (stack_t){ .ss_sp = stack, .ss_size = STACK_BYTES };
    incarnation.uc_link = &tester;
    makecontext(&incarnation, begin, 0);
    return resume();
}

bool world_deliver(const struct l4_message *m, const u64 *more)
{
    calls_since_delivery = 0;
    next = *m;
    memset(next_more, 0, sizeof next_more);
    if (more) {
        memcpy(next_more, more, sizeof next_more);
    }
    return resume();
}

const struct world_answer *world_answer_to(u64 label, u64 number)
{
    for (u32 i = world.answers; i > 0 && i + WORLD_ANSWERS > world.answers; i--) {
        const struct world_answer *a = &world.answer[(i - 1) % WORLD_ANSWERS];
        if (a->label == label && a->number == number) {
            return a;
        }
    }
    return NULL;
}

const char *world_crash(void) { return crash; }
struct l4_crash *world_crash_page(void) { return &crash_page; }

u32 world_parked(void)
{
    u32 n = 0;
    for (u32 i = 0; i < WORLD_PARKED; i++) {
        n += parked[i].waits;
    }
    return n;
}

void world_kill_callers(void)
{
    for (u32 i = 0; i < WORLD_PARKED; i++) {
        parked[i].dead = parked[i].waits;
    }
}
