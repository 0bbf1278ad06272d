/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: see machine.h. */
#include "machine.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "arch.h"
#include "gate.h"
#include "invoke.h"
#include "irq.h"
#include "memory.h"
#include "paging.h"
#include "percpu.h"
#include "print.h"
#include "reap.h"
#include "reply.h"

enum { ARENA_AT = 16 << 20 };

struct cpu host_cpu;
u64 arch_direct_map, tlb_forgotten;
struct factory root_factory;
static u64 state, clean_bytes, clean_objects, clean_used;
static u64 kernel_half[256];

/* ---- the machine ---- */
const u64 *arch_kernel_half(void) { return kernel_half; }
void arch_tlb_forget(paddr_t root, vaddr_t at) { tlb_forgotten += root && at < L4_USER_END; }
u32 arch_fpu_bytes = 512;

/* ---- the kernel's other half ---- */
void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

struct task *trace_home;
struct frame *(*invoke_how)(u64, u64, u64, struct cap *, u64, u64);
struct frame *kernel_invoke(u64 tag, u64 w0, u64 w1, struct cap *cap, u64 w2, u64 w3) { return NULL; }
bool invocation_stands(const struct invocation *inv, const void *object) { return true; }
void reply_abort(struct cap *kept) { *kept = (struct cap){ 0 }; }

l4_err_t thread_unbind_step(struct thread *t, u32 *budget)
{
    task_utcb_give(t->task, t->utcb_at);
    list_remove(&t->in_task);
    t->task = NULL;
    return L4_OK;
}

l4_err_t thread_init(struct object *object)
{
    list_init(&thread_of(object)->in_task);
    return L4_OK;
}

l4_err_t thread_destroy_step(struct object *object, u32 *budget)
{
    if (thread_of(object)->task)
        thread_unbind_step(thread_of(object), budget);
    return L4_OK;
}

l4_err_t gate_init(struct object *object) { return L4_OK; }
l4_err_t gate_destroy_step(struct object *object, u32 *budget) { return L4_OK; }
l4_err_t irq_attach_line(struct irq *irq, u32 line, bool level) { return L4_BAD_ARGUMENT; }
l4_err_t irq_init(struct object *object) { return L4_OK; }
l4_err_t irq_destroy_step(struct object *object, u32 *budget) { return L4_OK; }

/* ---- the arena ---- */
void machine_init(void)
{
    if (arch_direct_map)
        return;
    char *arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(arena != MAP_FAILED);
    arch_direct_map = (u64)arena - ARENA_AT;
    paging_nx = true;
    for (u32 i = 0; i < 256; i++)
        kernel_half[i] = i == (PORTS_AT >> 39 & 255) ? 0 : 0x1000 * i;
    memory_init(ARENA_AT, ARENA_BYTES);
    factory_init_root(&root_factory, ARENA_BYTES);
    clean_bytes = memory_check();
    clean_objects = object_count;
    clean_used = root_factory.used;
}

static void same(u64 is, u64 was)
{
    if (is != was)
        panic("0x%lx is left, 0x%lx was there before", is, was);
}

void machine_expect_clean(void)
{
    while (reap_step())
        ;
    same(root_factory.used, clean_used);
    same(object_count, clean_objects);
    same(memory_check(), clean_bytes);
}

/* ---- chance: xorshift64* ---- */
u64 seed_first(void)
{
    const char *text = getenv("AXO_SEED");
    return text ? strtoul(text, NULL, 0) : 1;
}

u64 seed_count(u64 usual) { return getenv("AXO_SEED") ? 1 : usual; }

void random_seed(u64 seed)
{
    state = seed * 0x9e3779b97f4a7c15ul + 1;
    for (u32 i = 0; i < 8; i++)
        random_below(2);
}

u64 random_below(u64 limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 0x2545f4914f6cdd1dul >> 11) % limit;
}

bool random_one_in(u64 n) { return random_below(n) == 0; }

/* ---- objects ---- */
struct task *make_task(struct factory *factory)
{
    struct object *task = object_create(factory, L4_TASK);
    assert_non_null(task);
    return task_of(task);
}

l4_err_t remove_step(struct cap *cap, bool derived_only, u64 *changed)
{
    l4_err_t err = cap_revoke(cap, derived_only, &(u32){ TREE_STEP }, changed);
    if (err != L4_OK || !cap_is_tomb(cap))
        return err;
    reap_step();
    return RESTART;
}

void destroy(struct cap *root)
{
    u64 changed = 0;
    while (remove_step(root, false, &changed) == RESTART)
        ;
}

bool page_next(struct task *task, enum l4_fpage_type type, u64 *unit, struct found *found)
{
    while (*unit < flexpage_units(type)) {
        *found = flexpage_find(task, type, *unit);
        *unit = found->end;
        if (found->cap)
            return true;
    }
    return false;
}

bool page_at(struct task *task, vaddr_t at, paddr_t *frame, u32 *rights, u32 *order)
{
    struct found found = flexpage_find(task, L4_FPAGE_MEMORY, at >> L4_PAGE_SHIFT);
    if (!found.cap)
        return false;
    *frame = paging_frame(*found.place.entry);
    *rights = found.cap->rights;
    *order = found.order;
    return true;
}
