/* SPDX-License-Identifier: BSD-2-Clause */
/* offsets.c: where assembly finds the members of C's structures: absolute symbols, so that no number is written twice.
 * END_*: from the end of a thread's frame, where rsp starts (TSS.rsp0). */
#include "cpu.h"
#include "task.h"
#include "thread.h"

#define SYMBOL(name, value) __asm__ volatile(".globl " #name "; .set " #name ", %c0" : : "i"((long)(value)))
#define END_OF(member) ((long)offsetof(struct thread, member) - (long)offsetof(struct thread, frame_end))

void offsets(void);
__attribute__((used)) void offsets(void)
{
    SYMBOL(CPU_SELF, offsetof(struct arch_cpu, self));
    SYMBOL(CPU_USER_RSP, offsetof(struct arch_cpu, user_rsp));
    SYMBOL(CPU_STACK, offsetof(struct arch_cpu, stack));
    SYMBOL(CPU_IDLE, offsetof(struct arch_cpu, idle));
    SYMBOL(CPU_ROOT, offsetof(struct arch_cpu, root));
    SYMBOL(CPU_TRAP_END, offsetof(struct arch_cpu, trap) + sizeof(this_cpu->trap));
    SYMBOL(CPU_RSP0, offsetof(struct arch_cpu, tss.rsp[0]));
    SYMBOL(FRAME_MESSAGE, offsetof(struct frame, message));
    SYMBOL(FRAME_VECTOR, offsetof(struct frame, vector));
    SYMBOL(FRAME_RIP, offsetof(struct frame, rip));
    SYMBOL(FRAME_CS, offsetof(struct frame, cs));
    SYMBOL(FRAME_RFLAGS, offsetof(struct frame, rflags));
    SYMBOL(FRAME_RSP, offsetof(struct frame, rsp));
    SYMBOL(FRAME_GS_BASE, offsetof(struct thread, gs_base) - offsetof(struct thread, frame));
    SYMBOL(THREAD_GS_BASE, offsetof(struct thread, gs_base));
    SYMBOL(END_TASK, END_OF(task));
    SYMBOL(END_UTCB, END_OF(utcb));
    SYMBOL(END_UPCALL, END_OF(upcall.system_call));
    SYMBOL(END_UPCALL_STACK, END_OF(upcall.stack));
    SYMBOL(END_RUNTIME_FLAGS, END_OF(runtime_flags));
    SYMBOL(END_PROGRESS, END_OF(progress));
    SYMBOL(END_ITEMS_TO, END_OF(items_to));
    SYMBOL(UTCB_REFLECT, offsetof(struct l4_utcb, reflect_rip));
    SYMBOL(TASK_NATIVE, offsetof(struct task, native.start));
    SYMBOL(TASK_NATIVE_BYTES, offsetof(struct task, native.bytes));
    SYMBOL(TASK_SLOTS, offsetof(struct task, caps.pages));
    SYMBOL(CAP_KIND, offsetof(struct cap, kind));
    SYMBOL(HAS_SMAP, L4_CPU_SMAP);
    SYMBOL(NOTHING, L4_NOTHING);
    SYMBOL(DOOR, L4_DOOR);
}
_Static_assert(sizeof(struct frame) == FRAME_BYTES && !(FRAME_BYTES % 16) && !(offsetof(struct thread, frame) % 16),
    "as entry.S has it; the CPU aligns rsp when it pushes");
_Static_assert(sizeof(struct cap) == 64 && CAP_PAGE_SLOTS == 64 && CAP_PAGES == 512, "as entry.S finds a slot");
