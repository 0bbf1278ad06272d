/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.c: the frame that a signal handler finds on its stack, byte for byte as Linux lays it out, and the way back from it.
 *
 *   rsp of the program
 *     128 bytes red zone                (or the end of the alternate stack)
 *     FPU state, 64 byte aligned        FXSAVE image with the note at 464, XSAVE header and components, magic 2
 *     struct linux_frame                restorer, ucontext, siginfo; its address is 8 below a multiple of 16
 * Linux: arch/x86/kernel/signal.c and fpu/signal.c define this layout; AT_MINSIGSTKSZ tells programs how large it is. */
#include "proc.h"
#include "user.h"

enum { RED_ZONE = 128, FPU_ALIGN = 64, XSAVE_HEADER = 512, XSAVE_HEADER_BYTES = 64, FX_MXCSR = 24 };
enum { MXCSR_DEFAULT = 0x1f80, FCW_DEFAULT = 0x37f, XSTATE_LEGACY = 3 };
enum { USER_CS = 0x33, USER_SS = 0x2b };
/* What a frame may set in rflags: AC RF OF DF TF SF ZF AF PF CF. */
enum { RFLAGS_FREE = 0x50dd5, RFLAGS_FIXED = 0x202, RFLAGS_CLEARED = 0x10500 };

static bool has_xsave(void) { return kip()->features & L4_CPU_XSAVE; }
static u32 fpu_bytes(void) { return has_xsave() ? kip()->xsave_bytes : FPU_FXSAVE; }
static u32 fpu_frame_bytes(void) { return fpu_bytes() + (has_xsave() ? FPU_MAGIC2_BYTES : 0); }

static bool is_on_altstack(const struct thread *t, u64 sp)
{
    return sp > t->altstack.sp && sp - t->altstack.sp <= t->altstack.size;
}

static i32 altstack_flags(const struct thread *t, u64 sp)
{
    return t->altstack.size == 0 ? SS_DISABLE : is_on_altstack(t, sp) ? SS_ONSTACK : 0;
}

/* ---- FPU state ---- */
static bool save_fpu(u64 to)
{
    if (!user_range(to, fpu_frame_bytes()))
        return false;
    if (!has_xsave())
        return user_fxsave((void *)to) == 0;
    struct linux_fpu_note note = { FPU_MAGIC1, fpu_frame_bytes(), kip()->xcr0, fpu_bytes(), { 0 } };
    u32 magic2 = FPU_MAGIC2;
    return user_clear((void *)(to + XSAVE_HEADER), XSAVE_HEADER_BYTES) == 0 && user_xsave((void *)to) == 0
        && user_put(to + FPU_NOTE, &note, sizeof note) && user_put(to + fpu_bytes(), &magic2, sizeof magic2);
}

/* As a program finds it at its start: no component, and the two control words. */
static const struct { u16 fcw; u8 rest[FX_MXCSR - 2]; u32 mxcsr; u8 more[XSAVE_HEADER + XSAVE_HEADER_BYTES - FX_MXCSR - 4]; }
    fpu_initial __attribute__((aligned(FPU_ALIGN))) = { .fcw = FCW_DEFAULT, .mxcsr = MXCSR_DEFAULT };

static void reset_fpu(void)
{
    if (has_xsave())
        user_xrstor(&fpu_initial);
    else
        user_fxrstor(&fpu_initial);
}

/* Whether the frame's note says that all components are there. */
static bool is_extended(u64 from)
{
    struct linux_fpu_note note;
    u32 magic2;
    return has_xsave() && user_get(&note, from + FPU_NOTE, sizeof note) && note.magic == FPU_MAGIC1 && note.size >= XSAVE_HEADER + XSAVE_HEADER_BYTES
        && note.size <= fpu_bytes() && note.extended_size == note.size + FPU_MAGIC2_BYTES
        && user_get(&magic2, from + note.size, sizeof magic2) && magic2 == FPU_MAGIC2;
}

/* The state is the program's to choose: where the CPU refuses it, as it does for a reserved bit, it is loaded without what is wrong. */
static bool load_fpu(struct thread *t, u64 from)
{
    bool extended = is_extended(from);
    if (extended && from % FPU_ALIGN == 0 && user_xrstor((const void *)from) == 0)
        return true;
    if (!user_get(t->fpu, from, extended ? fpu_bytes() : FPU_FXSAVE))
        return false;
    u64 *header = (u64 *)(t->fpu + XSAVE_HEADER);
    u64 features = extended ? header[0] & kip()->xcr0 : XSTATE_LEGACY;
    __builtin_memset(header, 0, XSAVE_HEADER_BYTES);
    header[0] = features;
    *(u32 *)(t->fpu + FX_MXCSR) &= 0xffff;
    return (has_xsave() ? user_xrstor(t->fpu) : user_fxrstor(t->fpu)) == 0;
}

/* ---- registers ---- */
static void save_registers(const struct thread *t, struct linux_context *c)
{
    const struct l4_registers *r = &t->at;
    *c = (struct linux_context){
        r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rdi, r->rsi, r->rbp, r->rbx, r->rdx, r->rax, r->rcx,
        r->rsp, r->rip, r->rflags, USER_CS, 0, 0, USER_SS, t->fault.error, t->fault.vector,
        .old_mask = t->mask_saved ? t->saved_mask : t->mask, .cr2 = t->fault.address,
    };
}

static void load_registers(struct thread *t, const struct linux_context *c)
{
    struct l4_registers *r = &t->at;
    *r = (struct l4_registers){
        c->rax, c->rbx, c->rcx, c->rdx, c->rsi, c->rdi, c->rbp, c->r8, c->r9, c->r10, c->r11, c->r12, c->r13, c->r14, c->r15,
        c->rip, (c->rflags & RFLAGS_FREE) | RFLAGS_FIXED, c->rsp, r->fs_base, r->gs_base,
    };
    t->full = 1;
}

bool frame_build(struct thread *t, const struct linux_sigaction *action, const struct linux_siginfo *info)
{
    u64 sp = t->at.rsp - RED_ZONE;
    bool nested = is_on_altstack(t, sp), entering = (action->flags & SA_ONSTACK) && t->altstack.size && !nested;
    if (entering)
        sp = t->altstack.sp + t->altstack.size;
    u64 fpu = (sp - fpu_frame_bytes()) & ~(u64)(FPU_ALIGN - 1);
    u64 at = ((fpu - sizeof(struct linux_frame)) & ~15ul) - 8;
    if ((nested || entering) && !is_on_altstack(t, at))
        return false;

    struct linux_frame frame = { .restorer = action->restorer, .info = *info };
    frame.uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (has_xsave() ? UC_FP_XSTATE : 0);
    frame.uc.stack = (struct linux_stack){ t->altstack.sp, altstack_flags(t, t->at.rsp), t->altstack.size };
    save_registers(t, &frame.uc.context);
    frame.uc.context.fpu = fpu;
    frame.uc.mask = t->mask_saved ? t->saved_mask : t->mask;
    if (!save_fpu(fpu) || !user_put(at, &frame, sizeof frame))
        return false;
    reset_fpu();

    t->at.rdi = (u64)info->number;
    t->at.rsi = at + offsetof(struct linux_frame, info);
    t->at.rdx = at + offsetof(struct linux_frame, uc);
    t->at.rax = 0;
    t->at.rip = action->handler;
    t->at.rsp = at;
    t->at.rflags &= ~(u64)RFLAGS_CLEARED;
    t->full = 1;
    return true;
}

bool frame_restore(struct thread *t)
{
    struct linux_ucontext uc;
    if (!user_get(&uc, t->at.rsp - 8 + offsetof(struct linux_frame, uc), sizeof uc) || uc.context.rip >= USER_END)
        return false;
    if (uc.context.fpu ? !load_fpu(t, uc.context.fpu) : (reset_fpu(), false))
        return false;
    load_registers(t, &uc.context);
    mask_set(t, uc.mask & ~SIGNALS_UNBLOCKABLE);
    if (!is_on_altstack(t, t->at.rsp) && !(uc.stack.flags & SS_DISABLE))
        t->altstack = (struct linux_stack){ uc.stack.sp, 0, uc.stack.size };
    return true;
}

/* ---- over a fork ---- */
void fpu_save(struct thread *t)
{
    __builtin_memset(t->fpu + XSAVE_HEADER, 0, XSAVE_HEADER_BYTES);
    if (has_xsave())
        user_xsave(t->fpu);
    else
        user_fxsave(t->fpu);
}

void fpu_load(struct thread *t)
{
    if (has_xsave())
        user_xrstor(t->fpu);
    else
        user_fxrstor(t->fpu);
}
