/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.c: what this CPU can do, found out once, so that the kernel need not ask: the features of the info page, the
 * value that the kernel loads into CR4, and XCR0. One line in the kernel's log says it.
 * Rule: qemu64 (no XSAVE, FSGSBASE, SMEP, SMAP, UMIP) must boot as well as the newest. */
#include "loader.h"

enum {
    CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11,
    CR4_FSGSBASE = 1 << 16, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
};
enum { XCR0_X87_SSE = 3, XCR0_AVX = 4, XCR0_AVX512 = 0xe0, FXSAVE_BYTES = 512 };

struct cpuid { u32 a, b, c, d; };
static struct cpuid cpuid(u32 leaf, u32 part)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(part));
    return r;
}

/* Each feature: where CPUID says it, the CR4 bit that turns it on, the info page's bit, its name. */
static const struct feature {
    u32 leaf, word, bit, cr4, kip;
    const char *name;
} features[] = {
    { 0x80000001, 3, 20, 0, L4_CPU_NX, "nx" },
    { 7, 1, 7, CR4_SMEP, L4_CPU_SMEP, "smep" },
    { 7, 1, 20, CR4_SMAP, L4_CPU_SMAP, "smap" },
    { 7, 2, 2, CR4_UMIP, L4_CPU_UMIP, "umip" },
    { 7, 1, 0, CR4_FSGSBASE, L4_CPU_FSGSBASE, "fsgsbase" },
    { 1, 2, 26, CR4_OSXSAVE, L4_CPU_XSAVE, "xsave" },
    { 1, 2, 28, 0, L4_CPU_AVX, "avx" },
    { 1, 3, 13, CR4_PGE, 0, "pge" },
};
enum { FEATURES = sizeof features / sizeof features[0] };

/* QEMU's emulator (7.2) makes the pops of an `iretq` in user mode as if the kernel did: with SMAP they fault. A Linux
 * signal handler's return ends in one (docs/decisions/0005-no-smap-in-tcg.md). */
static bool is_broken(const struct feature *feature)
{
    struct cpuid r = cpuid(0x40000000, 0);
    return feature->kip == L4_CPU_SMAP && cpuid(1, 0).c >> 31 && r.b == 0x54474354;    /* "TCGT" */
}

static bool feature_found(const struct feature *feature)
{
    if (cpuid(feature->leaf & 0x80000000, 0).a < feature->leaf)
        return false;
    struct cpuid r = cpuid(feature->leaf, 0);
    return (&r.a)[feature->word] >> feature->bit & 1 && !is_broken(feature);
}

/* The FPU components that threads may use: x87, SSE, AVX, AVX-512; CPUID says how large they are once they are on. */
static void xsave_on(struct l4_kip *kip)
{
    u64 cr4;
    u32 known = cpuid(13, 0).a, wide = (known & XCR0_AVX512) == XCR0_AVX512 ? XCR0_AVX512 : 0;
    kip->xcr0 = known & (XCR0_X87_SSE | XCR0_AVX | wide);
    __asm__ volatile("mov %%cr4, %0; or %1, %0; mov %0, %%cr4" : "=&r"(cr4) : "r"((u64)CR4_OSXSAVE));
    __asm__ volatile("xsetbv" : : "c"(0), "a"((u32)kip->xcr0), "d"(0));
    kip->xsave_bytes = cpuid(13, 0).b;
}

/* The brand string, without leading blanks; "" if there is none. */
static void name_cpu(char *to, u32 bytes)
{
    struct cpuid word[4] = { 0 };
    for (u32 i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++)
        word[i] = cpuid(0x80000002 + i, 0);
    const char *from = (const char *)word;
    while (*from == ' ')
        from++;
    for (u32 i = 0; i + 1 < bytes && *from; i++)
        *to++ = *from++;
    *to = 0;
}

static bool is_active(const struct feature *feature, const struct l4_machine *machine, const struct l4_kip *kip)
{
    return !(feature->cr4 & ~machine->cr4) && !(feature->kip & ~kip->features);
}

static void log_features(const struct l4_machine *machine, const struct l4_kip *kip)
{
    log_text("cpu: ", kip->cpu, "; active:", NULL);
    for (u32 i = 0; i < FEATURES; i++)
        log_text(is_active(&features[i], machine, kip) ? " " : " no-", features[i].name, NULL);
    log_text("; fpu ", NULL);
    log_number(kip->xsave_bytes, 10);
    log_text(" bytes, xcr0 ", NULL);
    log_number(kip->xcr0, 16);
    log_text("; tsc ", NULL);
    log_number((1000000ul << kip->tsc_shift) / kip->tsc_mul, 10);
    log_text(kip->features & L4_CPU_ICOUNT ? " kHz (icount)\n" : " kHz\n", NULL);
}

void cpu_find(struct l4_machine *machine, struct l4_kip *kip)
{
    name_cpu(kip->cpu, sizeof kip->cpu);
    machine->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (u32 i = 0; i < FEATURES; i++) {
        if (feature_found(&features[i])) {
            machine->cr4 |= features[i].cr4;
            kip->features |= features[i].kip;
        }
    }
    kip->xcr0 = XCR0_X87_SSE;
    kip->xsave_bytes = FXSAVE_BYTES;
    if (kip->features & L4_CPU_XSAVE)
        xsave_on(kip);
    if (!(kip->xcr0 & XCR0_AVX))
        kip->features &= ~(u32)L4_CPU_AVX;
    log_features(machine, kip);
}
