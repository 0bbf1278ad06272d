/* SPDX-License-Identifier: BSD-2-Clause */
/* transcript.c: see transcript.h. One line a step: who does what with which capability, what the kernel answers, who
 * runs then. Names are those of the pictures: objects by id, capabilities by slot. */
#include "transcript.h"
#include <abi/error.h>
#include <abi/fpage.h>
#include <stdio.h>
#include <stdlib.h>
#include "fuzz.h"
#include "interfaces_names.h"
#include "machine.h"
#include "scene.h"

static u64 self;                /* whose system call this step is; 0: it is none */
static bool is_told;            /* the line of this step has begun */

static bool is_wanted(void)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("AXO_TRANSCRIPT") != NULL;
    return wanted;
}

static const char *kind_name(u64 kind)
{
    static const char *const names[] = { "nothing", "factory", "task", "thread", "gate", "irq", "reply", "sched", "debug",
                                         "log" };
    return kind < sizeof names / sizeof *names ? names[kind] : "object";
}

static const char *status_name(i32 status)
{
    switch (status) {
    case 0: return "OK";
#define E(name, number, sentence) case number: return #name;
#include <abi/error.def>
#undef E
    }
    return NULL;
}

static void print_status(u64 tag)
{
    i32 status = l4_tag_status(tag);
    const char *name = status_name(status);
    if (name)
        printf("%s", name);
    else
        printf("%d", status);
}

static const struct seen_cap *cap_at(u64 task, u64 slot)
{
    for (u64 i = 0; i < now.caps; i++)
        if (now.cap[i].task == task && now.cap[i].slot == slot)
            return &now.cap[i];
    return NULL;
}

static void begin_line(void)
{
    is_told = true;
    if (now.current)
        printf("%4lu  thread %lu: ", fuzz_step, now.current);
    else
        printf("%4lu  idle: ", fuzz_step);
}

static void print_method(u64 tag)
{
    const struct l4_method_name *m = l4_method_names;
    while (m->interface && m->what != (u32)tag)
        m++;
    if (m->interface)
        printf("%s.%s", m->interface, m->method);
    else
        printf("method %x", (u32)tag);
}

static void print_flags(u64 tag)
{
    static const struct { u64 flag; const char *name; } flags[] = {
        { L4_TAG_WAIT, "wait" }, { L4_TAG_TIMEOUT, "timeout" }, { L4_TAG_NO_WAIT, "no wait" }, { L4_TAG_NO_PARK, "no park" },
    };
    for (u32 i = 0; i < sizeof flags / sizeof *flags; i++)
        if (tag & flags[i].flag)
            printf(", %s", flags[i].name);
}

static void print_words(const struct l4_registers *r)
{
    const u64 word[4] = { r->rsi, r->rdx, r->r8, r->r9 };
    u32 words = l4_tag_words(r->rdi), items = l4_tag_items(r->rdi);
    printf("(");
    for (u32 i = 0; i < words && i < 4; i++)
        printf("%s%lx", i ? ", " : "", word[i]);
    printf("%s)", words > 4 ? ", …" : "");
    if (items)
        printf(", %u items", items);
}

void transcript_system_call(void)
{
    struct l4_registers r;
    if (!is_wanted())
        return;
    machine_registers_get(&r);
    u64 task = running_thread()->task;
    const struct seen_cap *cap = r.r10 ? cap_at(task, r.r10) : NULL;
    begin_line();
    self = now.current;
    if (r.rip != CODE_AT + 2) {
        self = 0;               /* it has no status */
        printf("a foreign system call");
    } else if (!r.r10 && (u32)r.rdi >> 8 != L4_REPLY) {
        printf("answers ");
        print_status(r.rdi);
        print_words(&r);
    } else if (cap && cap->kind != L4_DOOR) {
        printf("%s %lu by slot %lu: ", kind_name(cap->kind), cap->object, r.r10);
        print_method(r.rdi);
        print_words(&r);
    } else {
        if (cap)
            printf("calls the door to gate %lu by slot %lu", cap->object, r.r10);
        else
            printf("uses the empty slot %lu", r.r10);
        print_words(&r);
    }
    print_flags(r.rdi);
}

void transcript_exception(u64 vector, u64 error, u64 address)
{
    if (!is_wanted())
        return;
    begin_line();
    if (vector == 14)
        printf("page fault at %lx, error %lx", address, error);
    else
        printf("exception %lu, error %lx", vector, error);
}

void transcript_timer(void)
{
    if (!is_wanted())
        return;
    begin_line();
    printf("the timer rings at %lu", machine_now());
}

void transcript_line(u32 line)
{
    if (!is_wanted())
        return;
    begin_line();
    printf("line %u rings", line);
}

void transcript_after(void)
{
    struct l4_registers r;
    if (!is_wanted())
        return;
    if (!is_told) {
        begin_line();
        printf("user code alone, or time passes\n");
    } else {
        if (self && machine_runs() == self) {
            machine_registers_get(&r);
            printf(" -> ");
            print_status(r.rdi);
            if (l4_tag_words(r.rdi))
                print_words(&r);
        }
        if (machine_runs() != now.current && machine_runs())
            printf("; now thread %lu", machine_runs());
        else if (machine_runs() != now.current)
            printf("; now nobody");
        putchar('\n');
    }
    is_told = false;
    self = 0;
    fflush(stdout);
}
