/* SPDX-License-Identifier: BSD-2-Clause */
/* program.c: the beginning of a program, in a fresh task: its ELF is mapped, its stack is built, then the jump. What fails here
 * kills, as on Linux: the old program is gone. */
#include "elf.h"
#include "exec.h"
#include "file.h"
#include "pm.h"
#include "program.h"
#include "runtime.h"
#include "vm.h"

#define PAGE_UP(x) (((x) + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1))
#define PAGE_DOWN(x) ((x) & ~(u64)(L4_PAGE_SIZE - 1))
#define STACK_TOP 0x7f7ffffff000ul
#define PIE_BASE  0x555555554000ul
enum { STACK_BYTES = 8 << 20, RFLAGS_START = 0x202, FRAME_ROOM = 1024 };

static u32 protection_of(const struct elf_segment *s)
{
    return (s->flags & PF_R ? VM_R : 0) | (s->flags & PF_W ? VM_W : 0) | (s->flags & PF_X ? VM_X : 0);
}

/* The file's part by pages, zeros behind it: the rest of its last page, then whole pages. */
static i64 map_segment(struct thread *t, const struct elf_segment *s, u64 bias)
{
    u64 start = PAGE_DOWN(s->vaddr + bias), file_end = s->vaddr + bias + s->filesz, end = PAGE_UP(s->vaddr + bias + s->memsz), at;
    u64 mapped = s->filesz ? PAGE_UP(file_end) : start;
    i64 err = 0;
    if (s->filesz)
        err = ASK(vfs_map(&t->vfs, VFS_PROGRAM, PAGE_DOWN(s->offset), start, mapped - start, protection_of(s), VM_PRIVATE | VM_FIXED, &at));
    if (!err && s->memsz > s->filesz && mapped > file_end && (s->flags & PF_W) && user_clear((void *)file_end, mapped - file_end))
        err = -EFAULT;
    if (!err && end > mapped)
        err = ASK(vm_map(&t->vm, mapped, end - mapped, protection_of(s), VM_PRIVATE | VM_FIXED, &at));
    return err;
}

static i64 map_program(struct thread *t, const struct elf_plan *plan, u64 *bias)
{
    i64 err = 0;
    *bias = 0;
    if (plan->relocatable) {
        u64 at = 0;
        err = ASK(vm_map(&t->vm, PIE_BASE, plan->high - plan->low, VM_NONE, VM_PRIVATE, &at));
        *bias = at - plan->low;
    }
    for (u32 i = 0; !err && i < plan->loads; i++)
        err = map_segment(t, &plan->load[i], *bias);
    return err;
}

static u32 cpu_features(void)
{
    u32 a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d;
}

/* Smallest stack that a handler's frame fits on: AT_MINSIGSTKSZ. */
static u32 frame_bytes(void) { return (kip()->features & L4_CPU_XSAVE ? kip()->xsave_bytes : FPU_FXSAVE) + FRAME_ROOM; }

static i64 build_stack(struct thread *t, const struct elf_plan *plan, const struct pm_self *me, u64 bias, u64 *sp)
{
    const struct program *program = (const struct program *)VM_RUNTIME_PROGRAM;
    u64 bytes = program_stack_bytes(program), room = me->stack_limit < STACK_BYTES ? PAGE_UP(me->stack_limit) : STACK_BYTES, at;
    i64 err = ASK(vm_map(&t->vm, STACK_TOP - room, room, VM_RW, VM_PRIVATE | VM_FIXED | VM_STACK, &at));
    if (err || bytes > room)
        return err ? err : -E2BIG;
    struct program_start start = {
        .program = program, .top = STACK_TOP, .headers = plan->headers ? plan->headers + bias : 0, .header_count = plan->header_count,
        .entry = plan->entry + bias, .seed = { me->seed0, me->seed1 }, .uid = me->ids.uid, .euid = me->ids.euid, .gid = me->ids.gid,
        .egid = me->ids.egid, .secure = me->secure, .hwcap = cpu_features(), .minsigstksz = frame_bytes(),
    };
    *sp = program_stack_build(&start, (u8 *)(STACK_TOP - bytes));
    mm()->shown.arg_start = start.arg_start;
    mm()->shown.arg_end = mm()->shown.env_start = start.arg_end;
    mm()->shown.env_end = start.env_end;
    return 0;
}

static i64 load(struct thread *t, const struct pm_self *me)
{
    struct l4_bytes first = { 0 };
    struct elf_plan plan;
    u64 bias, sp = 0;
    i64 err = ASK(vfs_read_at(&t->vfs, VFS_PROGRAM, 0, WINDOW, &first));
    if (!err)
        err = elf_read(first.at, first.length, VM_ADDRESS_END, &plan);
    if (!err && plan.interpreted)
        err = -ENOEXEC;
    if (!err)
        err = map_program(t, &plan, &bias);
    if (!err)
        err = build_stack(t, &plan, me, bias, &sp);
    if (err)
        return err;
    mm()->brk_start = mm()->brk = PAGE_UP(plan.end + bias);
    t->at = (struct l4_registers){ .rip = plan.entry + bias, .rsp = sp, .rflags = RFLAGS_START };
    t->full = 1;
    return 0;
}

void program_start(struct thread *t)
{
    struct pm_self me;
    const struct program *program = (const struct program *)VM_RUNTIME_PROGRAM;
    if (program->magic != PROGRAM_MAGIC || pm_self(t->pm.gate, t->slot, &me))
        runtime_die(t, SIGSEGV);
    process()->strace = program->strace;
    process()->counting = program->counting;
    mask_set(t, program->mask);
    struct l4_bytes name = base_name(program->text);
    __builtin_memcpy(mm()->shown.name, name.at, name.length);
    if (process()->strace)
        strace_started(t, program);
    if (load(t, &me))
        runtime_die(t, SIGSEGV);
    vm_unmap(&t->vm, VM_RUNTIME_PROGRAM, VM_RUNTIME_PROGRAM_BYTES);
    runtime_leave(t);
}
