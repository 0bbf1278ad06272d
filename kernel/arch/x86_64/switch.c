/* SPDX-License-Identifier: BSD-2-Clause */
/* switch.c: from one thread to the next, and a thread's registers as others see them.
 * With FSGSBASE user code sets its bases itself, so they are read back when a thread stops running; without it
 * thread->fs_base and gs_base are always right.
 * INVARIANT context: TSS.rsp0 is the end of the frame of the thread whose context is loaded: page table, bases, FPU
 * (thread_nobody's at first, and after arch_forget). */
#include "cpu.h"
#include "task.h"
#include "thread.h"

/* CF PF AF ZF SF TF DF OF RF AC ID */
enum { USER_FLAGS = 0x250dd5, ALWAYS_FLAGS = 0x202 };

static struct thread *loaded(void) { return container_of((void *)this_cpu->tss.rsp[0], struct thread, frame_end); }

struct frame *arch_idle_frame(void) { return &this_cpu->self->idle; }

static void bases_change(const struct thread *from, const struct thread *to)
{
    if (from->fs_base != to->fs_base)
        msr_write(MSR_FS_BASE, to->fs_base);
    if (from->gs_base != to->gs_base)
        msr_write(MSR_KERNEL_GS_BASE, to->gs_base);
}

static INLINE void bases_switch(struct thread *from, const struct thread *to)
{
    u64 base;
    __asm__ volatile("rdfsbase %0; mov %0, %1; swapgs; rdgsbase %0; mov %0, %2; mov %4, %0; wrgsbase %0; swapgs;"
                     "mov %3, %0; wrfsbase %0"
        : "=&r"(base), "=m"(from->fs_base), "=m"(from->gs_base) : "m"(to->fs_base), "m"(to->gs_base));
}

static INLINE void root_switch(paddr_t root)
{
    if (root == this_cpu->root)
        return;
    this_cpu->root = root;
    this_cpu->tss.io_base = TSS_BASE_NONE;
    if (!KPTI)
        root_write(root);
}

/* The FPU is to be turned on or off or loaded, or the CPU has no short way for bases. */
static OTHER_PATH void switch_extra(struct thread *from, struct thread *to, paddr_t root)
{
    struct arch_cpu *cpu = this_cpu->self;
    fpu_switch(cpu, from, to);
    if (cpu->extra & EXTRA_BASES)
        bases_change(from, to);
    else
        bases_switch(from, to);
    root_switch(root);
}

static INLINE void context_switch(struct thread *from, struct thread *to, paddr_t root)
{
    this_cpu->tss.rsp[0] = (u64)to->frame_end;
    if (!COMMON((u64)to->fpu == this_cpu->extra)) {
        switch_extra(from, to, root);
        return;
    }
    bases_switch(from, to);
    root_switch(root);
}

/* The stack is not needed any more, nor anything on it. The tail is entry.S's, which switches GS's base on its way. */
struct frame *arch_hand_over(struct thread *from, struct thread *to)
{
    paddr_t root = to->root;
    this_cpu->tss.rsp[0] = (u64)to->frame_end;
    if (!COMMON((u64)to->fpu == this_cpu->extra)) {
        switch_extra(from, to, root);
        return &to->frame;
    }
    u64 base;
    __asm__ volatile("rdfsbase %0; mov %0, %1; mov %2, %0; wrfsbase %0"
        : "=&r"(base), "=m"(from->fs_base) : "m"(to->fs_base));
    root_switch(root);
    register struct thread *r11 __asm__("r11") = from;
    __asm__ volatile("lea %c0(%1), %%rsp; jmp entry_resume_handed"
        : : "i"(offsetof(struct thread, frame)), "r"(to), "r"(r11) : "memory");
    __builtin_unreachable();
}

struct frame *arch_switch(struct thread *to)
{
    struct thread *from = loaded();
    if (to->frame.vector == VECTOR_SYSCALL)
        return arch_hand_over(from, to);
    if (from != to)
        context_switch(from, to, to->root);
    return &to->frame;
}

void arch_forget(const struct thread *t)
{
    struct thread *from = loaded();
    if (from == t)
        context_switch(from, &thread_nobody, cpu_kernel_root);
}

void arch_bases_changed(const struct thread *t)
{
    if (t != loaded())
        return;
    msr_write(MSR_FS_BASE, t->fs_base);
    msr_write(MSR_KERNEL_GS_BASE, t->gs_base);
}

void arch_frame_init(struct frame *frame)
{
    frame->cs = USER_CS;
    frame->rflags = ALWAYS_FLAGS;
    frame->ss = USER_SS;
}

bool arch_is_user_address(vaddr_t at) { return at < L4_USER_END; }

void arch_registers_get(const struct thread *t, struct l4_registers *to)
{
    const struct frame *f = &t->frame;
    const struct message *m = &f->message;
    u64 fs = t->fs_base, gs = t->gs_base;
    if (t == loaded() && cpu_features & L4_CPU_FSGSBASE)
        __asm__ volatile("rdfsbase %0; swapgs; rdgsbase %1; swapgs" : "=r"(fs), "=r"(gs));
    *to = (struct l4_registers){
        m->number, f->rbx, f->rcx, m->word[1], m->word[0], m->tag, f->rbp, m->word[2], m->word[3], m->label, f->r11,
        f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags, f->rsp, fs, gs,
    };
}

void arch_registers_set(struct thread *t, const struct l4_registers *r)
{
    struct frame *f = &t->frame;
    f->r15 = r->r15, f->r14 = r->r14, f->r13 = r->r13, f->r12 = r->r12, f->rbp = r->rbp, f->rbx = r->rbx;
    f->r11 = r->r11, f->rcx = r->rcx;
    f->message = (struct message){ r->r10, r->rdi, r->rax, { r->rsi, r->rdx, r->r8, r->r9 } };
    f->vector = 0;
    f->rip = arch_is_user_address(r->rip) ? r->rip : L4_USER_END;
    f->rflags = (r->rflags & USER_FLAGS) | ALWAYS_FLAGS;
    f->rsp = r->rsp;
    t->fs_base = arch_is_user_address(r->fs_base) ? r->fs_base : 0;
    t->gs_base = arch_is_user_address(r->gs_base) ? r->gs_base : 0;
    arch_bases_changed(t);
}
