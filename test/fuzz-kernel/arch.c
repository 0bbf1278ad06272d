/* SPDX-License-Identifier: BSD-2-Clause */
/* arch.c: kernel/arch/x86_64/arch.h without a machine; see machine.h. What it keeps is part of the kernel's state
 * (kernel_state.ld): machine_restore brings it back. */
#include "arch.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lock.h"
#include "machine.h"
#include "paging.h"
#include "percpu.h"
#include "task.h"
#include "thread.h"

enum { TLB_ENTRIES = 16, LOG_BYTES = 2048, FPU_BYTES = 512, USER_FLAGS = 0x250dd5, ALWAYS_FLAGS = 0x202 };

/* In the frame where SYSCALL saves nothing. */
#define NOT_SAVED 0xbadbadbadbadbad0ul

static u64 kernel_half[TABLE_ENTRIES / 2];
static struct frame idle, *next;        /* `next`: what the kernel said is to run */
static enum { NOTHING, SELF, ALL } held;        /* of the locks */
static struct thread *loaded;           /* whose context the CPU has */
static paddr_t root;                    /* in CR3 */
struct cpu host_cpu;
static u64 now_ns = 1000, timer_ns = ~0ul, fault_address;
static bool ports_are_new;
static struct { bool is_open, is_masked; } lines[MACHINE_LINES];
static struct { paddr_t root; vaddr_t at; u64 entry; u32 order; } tlb[TLB_ENTRIES];
static u32 tlb_next;
static char log_text[LOG_BYTES];
static u32 log_bytes;

/* ---- arch.h ---- */
const u64 *arch_kernel_half(void) { return kernel_half; }

void arch_init(const struct l4_boot_record *record, struct l4_kip *kip)
{
    for (u32 i = 0; i < TABLE_ENTRIES / 2; i++)     /* never looked at: no address of the kernel's is walked to */
        kernel_half[i] = i == (PORTS_AT >> 39 & (TABLE_ENTRIES / 2 - 1)) ? 0 : 0x1000ul * i;
    paging_nx = true;
}

void arch_tlb_forget(paddr_t of, vaddr_t at)
{
    for (u32 i = 0; i < TLB_ENTRIES; i++)
        if (tlb[i].entry && tlb[i].root == of && !((tlb[i].at ^ at) >> tlb[i].order))
            tlb[i].entry = 0;
}

static void root_load(paddr_t to)
{
    if (root != to)
        memset(tlb, 0, sizeof tlb);
    root = to;
}

struct frame *arch_switch(struct thread *to)
{
    if (!arena_is_block(to) || !to->task || to->root != to->task->space.root)
        machine_fail("a thread is to run without a task, or in another one's page table");
    loaded = to;
    root_load(to->root);
    return &to->frame;
}

struct frame *arch_hand_over(struct thread *from, struct thread *to)
{
    if (from != loaded || to->frame.vector != VECTOR_SYSCALL)
        machine_fail("a message is handed over to a thread that is in no system call, or by one that does not run");
    return arch_switch(to);
}

void arch_forget(const struct thread *t)
{
    if (loaded != t)
        return;
    loaded = NULL;
    root_load(0);
}

struct frame *arch_idle_frame(void) { return &idle; }

void arch_halt(void) { machine_fail("the kernel stopped"); }

void arch_frame_init(struct frame *frame)
{
    frame->cs = frame->ss = 3;
    frame->rflags = ALWAYS_FLAGS;
}

static void get(const struct thread *t, struct l4_registers *to)
{
    const struct frame *f = &t->frame;
    const struct message *m = &f->message;
    *to = (struct l4_registers){
        m->number, f->rbx, 0, m->word[1], m->word[0], m->tag, f->rbp, m->word[2], m->word[3], m->label, 0, f->r12,
        f->r13, f->r14, f->r15, f->rip, f->rflags, f->rsp, t->fs_base, t->gs_base,
    };
}

static void set(struct thread *t, const struct l4_registers *r)
{
    t->frame = (struct frame){
        .r15 = r->r15, .r14 = r->r14, .r13 = r->r13, .r12 = r->r12, .rbp = r->rbp, .rbx = r->rbx,
        .message = { r->r10, r->rdi, r->rax, { r->rsi, r->rdx, r->r8, r->r9 } }, .rip = r->rip, .cs = 3,
        .rflags = r->rflags, .rsp = r->rsp, .ss = 3,
    };
    t->fs_base = r->fs_base;
    t->gs_base = r->gs_base;
}

void arch_registers_get(const struct thread *t, struct l4_registers *to) { get(t, to); }

void arch_registers_set(struct thread *t, const struct l4_registers *from)
{
    struct l4_registers r = *from;
    r.rip = arch_is_user_address(r.rip) ? r.rip : L4_USER_END;
    r.rflags = (r.rflags & USER_FLAGS) | ALWAYS_FLAGS;
    r.fs_base = arch_is_user_address(r.fs_base) ? r.fs_base : 0;
    r.gs_base = arch_is_user_address(r.gs_base) ? r.gs_base : 0;
    set(t, &r);
}

void arch_bases_changed(const struct thread *t) {}
bool arch_is_user_address(vaddr_t at) { return at < L4_USER_END; }
u64 arch_fault_address(void) { return fault_address; }
u32 arch_fpu_bytes = FPU_BYTES;
void arch_fpu_init(struct fpu_area *area) { memset(area, 0x1f, FPU_BYTES); }
bool arch_ports_load(struct thread *t) { return ports_are_new; }
u64 arch_now_ns(void) { return now_ns; }
void arch_timer_at(u64 ns) { timer_ns = ns; }

bool arch_line_open(u32 line, bool level)
{
    if (line >= MACHINE_LINES)
        return false;
    lines[line].is_open = true;
    lines[line].is_masked = false;
    return true;
}

void arch_line_mask(u32 line, bool masked)
{
    if (line >= MACHINE_LINES || !lines[line].is_open)
        machine_fail("line %u is masked, but was never opened", line);
    lines[line].is_masked = masked;
}

void arch_interrupt_done(void) {}

bool arch_log(char c)
{
    log_text[log_bytes++ % LOG_BYTES] = c;
    return true;
}

/* ---- machine.h ---- */
void machine_fail(const char *format, ...)
{
    va_list arguments;
    u32 bytes = log_bytes < LOG_BYTES ? log_bytes : LOG_BYTES;
    va_start(arguments, format);
    fprintf(stderr, "\nfuzz-kernel: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nthe end of the kernel's log:\n");
    for (u32 i = log_bytes - bytes; i < log_bytes; i++)
        fputc(log_text[i % LOG_BYTES], stderr);
    fputc('\n', stderr);
    abort();
}

/* ---- lock.h ---- */
void lock_self(void)
{
    if (held == NOTHING)
        held = SELF;
}

void lock_all(void) { held = ALL; }

void lock_needs_all(void)
{
    if (held != ALL)
        machine_fail("what all CPUs share changes without lock_all");
}

/* ---- in and out ---- */
static void resume(struct frame *frame)
{
    held = NOTHING;
    next = frame;
    if (frame != &idle && (!loaded || frame != &loaded->frame))
        machine_fail("the frame to resume is not the loaded thread's");
    if (loaded && root != loaded->task->space.root)
        machine_fail("the page table of another task is loaded");
    if (root && !arena_is_block(arch_pointer(root)))
        machine_fail("the loaded page table is free memory");
}

static void enter(u64 vector)
{
    next->vector = vector;
    resume(kernel_entry(next));
}

void machine_boot(void)
{
    static struct l4_boot_record record = {
        .magic = L4_BOOT_MAGIC, .version = L4_BOOT_VERSION, .info_page = MACHINE_INFO,
        .share = { MACHINE_SHARE, MACHINE_SHARE_BYTES, L4_REGION_RAM },
        .entry = { 0x400000, 0x400000 }, .segments = 8, .segment = {
            { 0x400000, MACHINE_SIGMA0, 2 << 12, L4_R | L4_X, L4_SIGMA0, false },
            { L4_KIP_ADDRESS, MACHINE_INFO, L4_PAGE_SIZE, L4_R, L4_SIGMA0, false },
            { MACHINE_LARGE, MACHINE_LARGE, MACHINE_LARGE_BYTES, L4_R | L4_W | L4_X, L4_SIGMA0, false },
            { MACHINE_SMALL, MACHINE_SMALL, MACHINE_SMALL_BYTES, L4_R | L4_W | L4_X, L4_SIGMA0, false },
            { MACHINE_DEVICE, MACHINE_DEVICE, MACHINE_DEVICE_BYTES, L4_R | L4_W, L4_SIGMA0, true },
            { 0x400000, MACHINE_KEEPER, 2 << 12, L4_R | L4_X, L4_KEEPER, false },
            { 0x500000, MACHINE_KEEPER + (2 << 12), 4 << 12, L4_R | L4_W, L4_KEEPER, false },
            { L4_KIP_ADDRESS, MACHINE_INFO, L4_PAGE_SIZE, L4_R, L4_KEEPER, false },
        },
    };
    arena_init();
    struct l4_kip *kip = arch_pointer(MACHINE_INFO);
    *kip = (struct l4_kip){
        .magic = L4_KIP_MAGIC, .regions = 3, .region = {
            { MACHINE_LARGE, MACHINE_LARGE_BYTES, L4_REGION_RAM }, { MACHINE_SMALL, MACHINE_SMALL_BYTES, L4_REGION_RAM },
            { MACHINE_DEVICE, MACHINE_DEVICE_BYTES, L4_REGION_DEVICE },
        },
    };
    lock_all();
    resume(kernel_main(&record));
}

void machine_save(void) { arena_save(); }
void machine_restore(void) { arena_restore(); }
u64 machine_runs(void) { return next == &idle ? 0 : loaded->object.id; }
struct l4_utcb *machine_utcb(void)
{
    *paging_find(&loaded->task->space, loaded->utcb_at).entry |= ENTRY_DIRTY;       /* it is written to */
    return loaded->utcb;
}
void machine_registers_get(struct l4_registers *registers) { get(loaded, registers); }
void machine_registers_set(const struct l4_registers *registers) { set(loaded, registers); }
/* What the machine does alone (arch.h): a foreign system call goes to the runtime, an empty slot is refused. */
static bool settles_alone(struct thread *t, const struct cap *cap)
{
    struct frame *f = &t->frame;
    bool is_native = f->rip - t->task->native.start < t->task->native.bytes;
    if (is_native && (!f->message.label || cap->kind != L4_NOTHING))
        return false;
    if (is_native) {
        f->message = (struct message){ .tag = (u32)L4_NO_CAPABILITY };
    } else if (!t->upcall.system_call) {
        f->error = 0;
        enter(VECTOR_FOREIGN);
    } else {
        t->utcb->reflect_rip = f->rip;
        t->utcb->reflect_rflags = f->rflags;
        t->utcb->reflect_rsp = f->rsp;
        f->rip = t->upcall.system_call;
        f->rsp = t->upcall.stack;
        f->rflags &= t->runtime_flags;
    }
    return true;
}

void machine_system_call(void)
{
    struct thread *t = loaded;
    struct message m = t->frame.message;
    struct cap *cap = cap_find(&t->task->caps, m.label);
    if (settles_alone(t, cap))
        return;
    t->frame.vector = VECTOR_SYSCALL;
    t->frame.error = 0;
    t->frame.message = (struct message){ m.label ? m.label : NOT_SAVED, NOT_SAVED, m.number,
                                         { NOT_SAVED, NOT_SAVED, NOT_SAVED, NOT_SAVED } };
    if (!m.label)
        resume(kernel_answer(m.tag, m.word[0], m.word[1], 0, m.word[2], m.word[3]));
    else if (cap->kind == L4_DOOR)
        resume(kernel_call(m.tag, m.word[0], m.word[1], cap, m.word[2], m.word[3]));
    else
        resume(invoke_how(m.tag, m.word[0], m.word[1], cap, m.word[2], m.word[3]));
}

void machine_exception(u64 vector, u64 error, u64 address)
{
    fault_address = address;
    next->error = error;
    enter(vector);
}

void machine_timer(void)
{
    timer_ns = ~0ul;
    enter(VECTOR_TIMER);
}

void machine_line(u32 line) { enter(VECTOR_LINES + line); }

void machine_spurious(void)
{
    next = &idle;
    enter(VECTOR_LINES + L4_LINES - 1);       /* a line that nobody can open */
}

u64 machine_now(void) { return now_ns; }
void machine_pass(u64 ns) { now_ns += ns; }
u64 machine_timer_at(void) { return timer_ns; }
bool machine_line_rings(u32 line) { return line < MACHINE_LINES && lines[line].is_open && !lines[line].is_masked; }
void machine_ports(bool are_new) { ports_are_new = are_new; }

u64 *machine_word(u64 at)
{
    bool is_share = at - MACHINE_SHARE < MACHINE_SHARE_BYTES;
    return at < MACHINE_BYTES && !is_share && !(at % sizeof(u64)) ? arch_pointer(at) : NULL;
}

static struct place find(paddr_t of, u64 at)
{
    struct space space = { .root = of };
    return paging_walk(&space, at);
}

void machine_touch(u64 at)
{
    struct place place = find(root, at);
    if (at >= L4_USER_END || !(*place.entry & ENTRY_PRESENT))
        return;
    tlb[tlb_next].root = root;
    tlb[tlb_next].at = at;
    tlb[tlb_next].entry = *place.entry;
    tlb[tlb_next].order = place.order;
    tlb_next = (tlb_next + 1) % TLB_ENTRIES;
}

/* What the TLB has may allow less than the page table, never more. */
void machine_check(void)
{
    for (u32 i = 0; i < TLB_ENTRIES; i++) {
        if (!tlb[i].entry)
            continue;
        u64 had = tlb[i].entry, has = *find(tlb[i].root, tlb[i].at).entry;
        if (!(has & ENTRY_PRESENT) || paging_frame(had) != paging_frame(has) || (had & ~has & ENTRY_WRITE)
            || (has & ~had & ENTRY_NX))
            machine_fail("the TLB still knows %lx as %lx, but the page table says %lx", tlb[i].at, had, has);
    }
}
