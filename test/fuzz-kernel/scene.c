/* SPDX-License-Identifier: BSD-2-Clause */
/* scene.c: see scene.h. Keeper does all of it, by the same system calls as anybody; sigma0 gives it memory. */
#include "scene.h"
#include <abi/error.h>
#include <abi/fpage.h>
#include <abi/ipc.h>
#include <abi/object.h>
#include "machine.h"

#define WAIT (L4_TAG_WAIT)

static struct l4_registers invoke(u64 slot, u64 tag, u64 w0, u64 w1, u64 w2, u64 w3)
{
    struct l4_registers r;
    u64 self = machine_runs();
    machine_registers_get(&r);
    r.r10 = slot;
    r.rdi = tag;
    r.rsi = w0;
    r.rdx = w1;
    r.r8 = w2;
    r.r9 = w3;
    do {
        r.rip = CODE_AT + 2;
        machine_registers_set(&r);
        machine_system_call();
        if (machine_runs() == self)
            machine_registers_get(&r);
    } while (machine_runs() == self && r.rip == CODE_AT);
    return r;
}

static void must(u64 slot, u32 method, u32 words, u64 w0, u64 w1, u64 w2, u64 w3)
{
    struct l4_registers r = invoke(slot, l4_tag(method, words, 0), w0, w1, w2, w3);
    if (l4_tag_status(r.rdi) != L4_OK)
        machine_fail("the scene: method %x of slot %lu answers %d", method, slot, l4_tag_status(r.rdi));
}

static void wait_for_message(void) { invoke(0, WAIT, 0, 0, 0, 0); }

static void windows(void)
{
    struct l4_utcb *utcb = machine_utcb();
    utcb->window_memory = l4_fpage_memory(MEMORY_AT, 23, 7);
    utcb->window_caps = l4_fpage_caps(SCENE_SLOTS, 4);
    utcb->window_io = l4_fpage_ports(0, 16);
}

static void take_memory(void)
{
    windows();
    invoke(L4_BOOT_SIGMA0, l4_tag(0x5000001, 0, 0), 0, 0, 0, 0);
    struct l4_utcb *sigma0 = machine_utcb();
    windows();
    sigma0->item[0] = (struct l4_item){ l4_fpage_memory(MACHINE_LARGE, 22, 7), 0 };
    sigma0->item[1] = (struct l4_item){ l4_fpage_memory(MACHINE_SMALL, 16, 7), 4 << 20 };
    sigma0->item[2] = (struct l4_item){ l4_fpage_ports(0x400, 10), 0x400ul << 12 };
    sigma0->item[3] = (struct l4_item){ l4_fpage_memory(MACHINE_DEVICE, 13, 3), (4 << 20) + (64 << 12) };
    struct l4_registers r = invoke(0, l4_tag(0, 0, 4) | WAIT, 0, 0, 0, 0);
    if (machine_registers_get(&r), l4_tag_status(r.rdi) != L4_OK)
        machine_fail("the scene: sigma0 gives no memory: %d, item %lu", l4_tag_status(r.rdi), r.rsi);
}

static u64 factory_of_task(u32 i) { return SCENE_FACTORIES + i / 2; }

static void make_objects(void)
{
    static const u64 quota[] = { 448 << 10, 320 << 10, 96 << 10, 12 << 10 };
    for (u32 i = 0; i < 4; i++)
        must(L4_BOOT_FACTORY, 0x106, 2, SCENE_FACTORIES + i, quota[i], 0, 0);
    for (u32 i = 0; i < TASKS; i++)
        must(factory_of_task(i), 0x101, 1, SCENE_TASKS + i, 0, 0, 0);
    for (u32 i = 0; i < THREADS; i++)
        must(factory_of_task(i / 2), 0x102, 1, SCENE_THREADS + i, 0, 0, 0);
    for (u32 i = 0; i < GATES; i++)
        must(SCENE_FACTORIES + i / 2, 0x103, 1, SCENE_GATES + i, 0, 0, 0);
    for (u32 i = 0; i < 2; i++)
        must(SCENE_FACTORIES + 2, 0x104, 1, SCENE_IRQS + i, 0, 0, 0);
    must(SCENE_FACTORIES + 2, 0x105, 3, SCENE_IRQS + 2, KEEPERS_LINE, false, 0);
    must(SCENE_FACTORIES + 2, 0x105, 3, SCENE_IRQS + 3, LEVEL_LINE, true, 0);
    for (u32 i = 0; i < GATES; i++)
        must(SCENE_GATES + i, 0x403, 3, SCENE_DOORS + i, 0x100 + i, 31, 0);
}

static void give_capabilities(void)
{
    static const u64 rights[TASKS] = { 127, 127, L4_R | L4_W | L4_X | L4_O | L4_I, 127 & ~L4_W };
    for (u32 i = 0; i < TASKS; i++) {
        for (u64 from = 16; from < 48; from += 16)
            must(SCENE_TASKS + i, 0x201, 4, L4_BOOT_TASK, l4_fpage_caps(from, 4), from, rights[i]);
        if (i % 2)
            continue;
        must(SCENE_TASKS + i, 0x201, 4, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_SCHED, 0), SCENE_SCHED, rights[i]);
        must(SCENE_TASKS + i, 0x201, 4, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_LOG, 0), SCENE_LOG, rights[i]);
        must(SCENE_TASKS + i, 0x201, 4, L4_BOOT_TASK, l4_fpage_caps(L4_BOOT_DEBUG, 0), SCENE_DEBUG, rights[i]);
    }
}

static void give_memory(void)
{
    enum { SMALL_AT = MEMORY_AT + (4 << 20), LARGE_AT = MEMORY_AT };
    const u64 small = l4_fpage_memory(SMALL_AT, 14, 7);
    must(SCENE_TASKS, 0x201, 4, L4_BOOT_TASK, l4_fpage_memory(LARGE_AT, 21, 7), LARGE_AT, 7);
    must(SCENE_TASKS, 0x201, 4, L4_BOOT_TASK, small, SMALL_AT, 7);
    must(SCENE_TASKS + 1, 0x201, 4, L4_BOOT_TASK, small, SMALL_AT, 3);
    must(SCENE_TASKS + 1, 0x201, 4, L4_BOOT_TASK, l4_fpage_ports(0x400, 5), 0x400, 3);
    must(SCENE_TASKS + 2, 0x202, 4, SCENE_TASKS + 1, small, SMALL_AT, 3);
    must(SCENE_TASKS + 3, 0x201, 4, SCENE_TASKS, small, SMALL_AT, 5);
}

static void make_threads(void)
{
    static const u64 priority[THREADS] = { 20, 20, 20, 30, 25, 25, 10, 20 }, order[] = { 1, 2, 0, 3, 4, 5, 6, 7 };
    for (u32 n = 0; n < THREADS; n++) {
        u64 i = order[n], thread = SCENE_THREADS + i;
        must(thread, 0x301, 2, SCENE_TASKS + i / 2, UTCBS_AT + i * L4_UTCB_SIZE, 0, 0);
        must(thread, 0x305, 2, i % 4 < 2 ? SCENE_DOORS + 4 : 0, i % 2 ? 0 : SCENE_DOORS + 5, 0, 0);
        if (i < 2)
            must(thread, 0x306, 4, UPCALL_AT, UPCALL_AT + 16, i ? 0 : UPCALL_AT + 32, STACK_AT);
        must(L4_BOOT_SCHED, 0x701, 3, thread, priority[i], i % 3 * 1000000, 0);
        must(thread, 0x302, 3, CODE_AT + 2, STACK_AT, i, 0);
    }
    must(SCENE_TASKS, 0x204, 4, 0x400000, 0x480000, 0x470000, 0x471000);
    for (u32 gate = 0; gate < GATES; gate++)
        if (gate != 3)
            must(SCENE_GATES + gate, 0x401, 1, SCENE_THREADS + 1 + gate - gate / 4, 0, 0, 0);
    must(SCENE_GATES + 1, 0x406, 1, SCENE_GATES + 2, 0, 0, 0);
    must(SCENE_IRQS, 0x501, 2, SCENE_THREADS + 6, 0x11, 0, 0);
    must(SCENE_IRQS + 2, 0x501, 2, L4_BOOT_THREAD, 0x33, 0, 0);
    must(SCENE_IRQS + 3, 0x501, 2, SCENE_THREADS + 4, 0x55, 0, 0);
}

void scene_make(void)
{
    machine_boot();
    wait_for_message();         /* sigma0 */
    take_memory();
    make_objects();
    give_capabilities();
    give_memory();
    make_threads();
    wait_for_message();         /* keeper: first the bit that binding its line has set, then it waits */
    wait_for_message();
    for (u32 i = 0; i < 6; i++) {   /* the servers, as urgent as they are; thread 0 runs */
        windows();
        wait_for_message();
    }
}
