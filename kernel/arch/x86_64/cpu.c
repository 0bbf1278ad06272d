/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.c: turns on what the loader has found this CPU to have, and builds its tables. */
#include "cpu.h"
#include "paging.h"
#include "thread.h"

enum { MSR_STAR = 0xc0000081, MSR_LSTAR, MSR_SFMASK = 0xc0000084 };
enum { FLAG_IF = 1 << 9, FLAG_DF = 1 << 10, FLAG_NT = 1 << 14, FLAG_AC = 1 << 18 };
enum { GATE_INTERRUPT = 0x8e00, GATE_USER = 0x6000, VECTOR_DOUBLE_FAULT = 8, VECTOR_NMI = 2 };

extern char boot_stack_end[], fault_stack_end[];
u64 arch_direct_map = ARCH_DIRECT_MAP;
u32 cpu_features, arch_fpu_bytes;
u64 cpu_xcr0;
paddr_t cpu_kernel_root ENTRY_DATA;
static struct arch_cpu boot_cpu ENTRY_DATA __attribute__((aligned(4096)));
static u64 idt[256][2] ENTRY_DATA __attribute__((aligned(4096)));

/* SDM vol. 3, 6.14.1 */
static void gate_set(u32 vector, const void *entry, u64 flags)
{
    u64 at = (u64)entry;
    flags |= GATE_INTERRUPT;
    idt[vector][0] = (at & 0xffff) | KERNEL_CS << 16 | flags << 32 | (at >> 16 & 0xffff) << 48;
    idt[vector][1] = at >> 32;
}

static void tables_init(struct arch_cpu *cpu)
{
    for (u32 i = 0; i < 256; i++)
        gate_set(i, entry_vectors[i], IST_TRAP);
    gate_set(VECTOR_NMI, entry_nmi, IST_FAULT);
    gate_set(VECTOR_DOUBLE_FAULT, entry_vectors[VECTOR_DOUBLE_FAULT], IST_FAULT);
    gate_set(VECTOR_BREAKPOINT, entry_vectors[VECTOR_BREAKPOINT], GATE_USER | IST_TRAP);
    gate_set(VECTOR_INT_80, entry_vectors[VECTOR_INT_80], GATE_USER | IST_TRAP);
    cpu->tss.ist[IST_FAULT - 1] = (u64)fault_stack_end;
    if_kpti(cpu->tss.ist[IST_TRAP - 1] = (u64)(&cpu->trap + 1);)
    cpu->tss.io_base = TSS_BASE_NONE;
    cpu->ports[PORTS_BYTES] = 0xff;

    u64 tss = (u64)&cpu->tss;
    cpu->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
    cpu->gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
    cpu->gdt[USER_SS / 8] = 0x00cff3000000ffff;
    cpu->gdt[USER_CS / 8] = 0x00affb000000ffff;
    cpu->gdt[TSS_AT / 8] = TSS_LIMIT | (tss & 0xffffff) << 16 | 0x89ul << 40 | (tss >> 24 & 0xff) << 56;
    cpu->gdt[TSS_AT / 8 + 1] = tss >> 32;

    struct { u16 limit; u64 base; } __attribute__((packed)) gdtr = { sizeof cpu->gdt - 1, (u64)cpu->gdt },
        idtr = { sizeof idt - 1, (u64)idt };
    __asm__ volatile("lgdt %0; lidt %1; pushq %2; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
        : : "m"(gdtr), "m"(idtr), "i"(KERNEL_CS) : "rax", "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %1, %%fs; mov %1, %%gs; ltr %w2"
        : : "r"(KERNEL_SS), "r"(0), "r"(TSS_AT) : "memory");
}

static void entries_init(struct arch_cpu *cpu)
{
    cpu->self = cpu;
    cpu->stack = (u64)boot_stack_end;
    cpu->idle = (struct frame){ .rip = (u64)entry_idle, .cs = KERNEL_CS, .rflags = FLAG_IF | 2,
        .rsp = (u64)boot_stack_end, .ss = KERNEL_SS };
    cpu->tss.rsp[0] = (u64)thread_nobody.frame_end;
    cpu->extra = cpu_features & L4_CPU_FSGSBASE ? 0 : EXTRA_BASES;
    msr_write(MSR_GS_BASE, (u64)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    msr_write(MSR_STAR, (u64)KERNEL_CS << 32 | (u64)(USER_SS - 8) << 48);
    msr_write(MSR_LSTAR, (u64)entry_system_call);
    msr_write(MSR_SFMASK, FLAG_TRAP | FLAG_IF | FLAG_DF | FLAG_AC | FLAG_NT);
}

void arch_init(const struct l4_boot_record *record, struct l4_kip *kip)
{
    struct arch_cpu *cpu = &boot_cpu;
    cpu->root = cpu_kernel_root = record->root;
    root_write(record->root);
    tables_init(cpu);
    __asm__ volatile("mov %0, %%cr4" : : "r"(record->machine.cr4) : "memory");  /* as found; PGE after CR3 */
    cpu_features = kip->features;
    cpu_xcr0 = kip->xcr0;
    arch_fpu_bytes = kip->xsave_bytes;
    paging_nx = cpu_features & L4_CPU_NX;
    entries_init(cpu);
    apic_init(&record->machine, kip);
}

const u64 *arch_kernel_half(void) { return (const u64 *)arch_pointer(cpu_kernel_root + KPTI * L4_PAGE_SIZE) + 256; }

/* One CPU and no PCIDs: what is not in CR3 is not in the TLB. What is known of a port is in the bitmap, and its tables may
 * be in the paging caches, which INVLPG empties too. */
void arch_tlb_forget(paddr_t root, vaddr_t at)
{
    if (at >= PORTS_AT)
        ports_forget(root);
    if (root == this_cpu->root)
        __asm__ volatile("invlpg (%0)" : : "r"(at) : "memory");
}
