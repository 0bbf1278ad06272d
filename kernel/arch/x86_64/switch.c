/* SPDX-License-Identifier: BSD-2-Clause */
/* switch.c: from one thread to the next, and a thread's registers as others see them.
 * With FSGSBASE user code sets its bases itself, so they are read back when a thread stops running; without it
 * thread->fs_base and gs_base are always right. */
#include "cpu.h"
#include "task.h"
#include "thread.h"

enum { MSR_FS_BASE = 0xc0000100, MSR_KERNEL_GS_BASE = 0xc0000102 };
/* CF PF AF ZF SF TF DF OF RF AC ID */
enum { USER_FLAGS = 0x250dd5, ALWAYS_FLAGS = 0x202 };

static __attribute__((noinline)) void bases_load(const struct thread *t)
{
    if (cpu_features & L4_CPU_FSGSBASE) {
        __asm__ volatile("wrfsbase %0; swapgs; wrgsbase %1; swapgs" : : "r"(t->fs_base), "r"(t->gs_base) : "memory");
        return;
    }
    msr_write(MSR_FS_BASE, t->fs_base);
    msr_write(MSR_KERNEL_GS_BASE, t->gs_base);
}

/* `from` stops running, `to` runs next: one pass through the user's GS base for both. */
static void bases_switch(struct thread *from, const struct thread *to)
{
    u64 fs, gs;
    __asm__ volatile("rdfsbase %0; swapgs; rdgsbase %1; wrgsbase %3; swapgs; wrfsbase %2"
        : "=&r"(fs), "=&r"(gs) : "r"(to->fs_base), "r"(to->gs_base) : "memory");
    from->fs_base = fs;
    from->gs_base = gs;
}

struct frame *arch_idle_frame(void) { return &this_cpu->self->idle; }

static void root_switch(struct arch_cpu *cpu, paddr_t root)
{
    if (root == cpu->root)
        return;
    cpu->root = root;
    root_write(root);
}

void arch_forget(const struct thread *t)
{
    struct arch_cpu *cpu = this_cpu->self;
    if (cpu->fpu_of == t)
        cpu->fpu_of = NULL;
    if (cpu->current != t)
        return;
    fpu_switch(cpu, NULL, NULL);
    cpu->current = NULL;
    root_switch(cpu, cpu_kernel_root);
}

static __attribute__((noinline)) void switch_threads(struct thread *from, struct thread *to)
{
    struct arch_cpu *cpu = this_cpu->self;
    if (__builtin_expect(!cpu->fpu_is_off || to->fpu, 0))
        fpu_switch(cpu, from, to);
    if (__builtin_expect(from && cpu_features & L4_CPU_FSGSBASE, 1))
        bases_switch(from, to);
    else
        bases_load(to);
    cpu->current = to;
    cpu->tss.rsp[0] = (u64)&to->frame + sizeof to->frame;
    root_switch(cpu, to->task->space.root);
    if (__builtin_expect(cpu->ports_of, 0))
        ports_switch(cpu, to);
}

void arch_switch(struct thread *to)
{
    if (this_cpu->current != to)
        switch_threads(this_cpu->current, to);
}

void arch_bases_changed(const struct thread *t)
{
    if (t == this_cpu->current)
        bases_load(t);
}

void arch_frame_init(struct frame *frame)
{
    *frame = (struct frame){ .cs = USER_CS, .rflags = ALWAYS_FLAGS, .ss = USER_SS };
}

bool arch_is_user_address(vaddr_t at) { return at < L4_USER_END; }

void arch_registers_get(const struct thread *t, struct l4_registers *to)
{
    const struct frame *f = &t->frame;
    const struct message *m = &f->message;
    u64 fs = t->fs_base, gs = t->gs_base;
    if (t == this_cpu->current && cpu_features & L4_CPU_FSGSBASE)
        __asm__ volatile("rdfsbase %0; swapgs; rdgsbase %1; swapgs" : "=r"(fs), "=r"(gs));
    *to = (struct l4_registers){
        m->number, f->rbx, f->rcx, m->word[1], m->word[0], m->tag, f->rbp, m->word[2], m->word[3], m->label, f->r11,
        f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags, f->rsp, fs, gs,
    };
}

void arch_registers_set(struct thread *t, const struct l4_registers *r)
{
    t->frame = (struct frame){
        .r15 = r->r15, .r14 = r->r14, .r13 = r->r13, .r12 = r->r12, .rbp = r->rbp, .rbx = r->rbx,
        .r11 = r->r11, .rcx = r->rcx, .message = { r->r10, r->rdi, r->rax, { r->rsi, r->rdx, r->r8, r->r9 } },
        .rip = arch_is_user_address(r->rip) ? r->rip : L4_USER_END, .cs = USER_CS,
        .rflags = (r->rflags & USER_FLAGS) | ALWAYS_FLAGS, .rsp = r->rsp, .ss = USER_SS,
    };
    t->fs_base = arch_is_user_address(r->fs_base) ? r->fs_base : 0;
    t->gs_base = arch_is_user_address(r->gs_base) ? r->gs_base : 0;
    arch_bases_changed(t);
}
