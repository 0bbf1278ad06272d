/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: from the boot record to the first two tasks: sigma0, which gets all memory, and keeper, which gets all authority. */
#include <abi/boot.h>
#include "arch.h"
#include "authority.h"
#include "factory.h"
#include "gate.h"
#include "memory.h"
#include "print.h"
#include "sched.h"
#include "string.h"
#include "task.h"

enum {
    SIGMA0_PRIORITY = 62, KEEPER_PRIORITY = 61, HIGHEST_PRIORITY = 63,
    SIGMA0_QUOTA = 1 << 20, KEEPER_LABEL = 1,
};

struct factory root_factory;
static struct l4_kip *kip;
static struct l4_boot_record boot;              /* the loader's memory is given away: this is our copy */

static void require(l4_err_t err, const char *what)
{
    if (err != L4_OK)
        panic("cannot %s: error %d. Give the machine more memory", what, err);
}

static struct object *made(struct object *object)
{
    require(object ? L4_OK : L4_NO_MEMORY, "make the first objects");
    return object;
}

/* An eighth of RAM, at least 16 MB, from the top of its largest region, 2 MB aligned, is for the kernel's objects. */
static u64 take_kernel_share(void)
{
    u64 total = 0;
    struct l4_region none = { 0 }, *largest = &none;
    for (u32 i = 0; i < kip->regions; i++) {
        if (kip->region[i].kind != L4_REGION_RAM)
            continue;
        total += kip->region[i].bytes;
        if (kip->region[i].bytes > largest->bytes)
            largest = &kip->region[i];
    }
    u64 share = total / 8 > 16ul << 20 ? total / 8 : 16ul << 20;
    if (share > largest->bytes / 2)
        panic("the machine has %lu KB of free memory; 48 MB are the least", total >> 10);
    paddr_t base = (largest->base + largest->bytes - share) & ~(paddr_t)(L4_LARGE_SIZE - 1);
    share = largest->base + largest->bytes - base;
    largest->bytes -= share;
    memory_init(base, share);
    kip->ram_bytes = total - share;
    kip->kernel_bytes = share;
    return share;
}

/* ---- the first two tasks ---- */
static struct cap *slot_of(struct task *task, u64 slot)
{
    struct cap *empty;
    require(cap_reserve(&task->caps, slot, &empty), "make a slot of the first tasks");
    return empty;
}

static void load(struct task *task, const struct l4_boot_task *image)
{
    for (u32 i = 0; i < image->segments; i++) {
        const struct l4_segment *s = &image->segment[i];
        require(space_add_root(&task->space, s->at, s->frames, s->bytes, (u32)s->rights, true), "map a segment of the first tasks");
    }
    require(space_add_root(&task->space, L4_KIP_ADDRESS, arch_image_paddr(kip), L4_PAGE_SIZE, L4_R, true), "map the info page");
}

static struct thread *start(struct task *task, const struct l4_boot_task *image, u32 priority, const char *name)
{
    struct thread *thread = thread_of(made(thread_create(&root_factory)));
    cap_make_root(slot_of(task, L4_BOOT_TASK), &task->object, L4_RIGHTS_ALL);
    cap_make_root(slot_of(task, L4_BOOT_THREAD), &thread->object, L4_RIGHTS_ALL);
    load(task, image);
    thread->utcb_at = l4_boot_stack(image->entry);
    require(task_utcb_take(task, thread->utcb_at, &thread->utcb), "make the first UTCBs");
    thread->utcb->thread_id = thread->object.id;
    thread->task = task;
    list_insert(&task->threads, &thread->in_task);
    thread->priority = (u8)priority;
    thread->frame.rip = image->entry;
    thread->frame.rsp = thread->utcb_at + L4_BOOT_STACK_BYTES;
    memcpy(thread->object.name, name, strlen(name));
    memcpy(task->object.name, name, strlen(name));
    thread_wake(thread);
    return thread;
}

static void give_memory(struct task *sigma0)
{
    static const u8 rights[] = { [L4_REGION_RAM] = L4_R | L4_W | L4_X, [L4_REGION_DEVICE] = L4_R | L4_W, [L4_REGION_ACPI] = L4_R,
                                 [L4_REGION_ARCHIVE] = L4_R | L4_W | L4_X };
    for (u32 i = 0; i < kip->regions; i++) {
        const struct l4_region *r = &kip->region[i];
        bool cached = r->kind != L4_REGION_DEVICE;
        require(space_add_root(&sigma0->space, r->base, r->base, r->bytes, rights[r->kind], cached), "give memory to sigma0");
    }
    require(space_add_root_ports(&sigma0->space), "give ports to sigma0");
}

static void start_tasks(void)
{
    struct task *sigma0 = task_of(made(task_create(&root_factory))), *keeper = task_of(made(task_create(&root_factory)));
    struct gate *gate = container_of(made(gate_create(&root_factory)), struct gate, object);
    struct factory *quota;
    require(factory_create(&root_factory, SIGMA0_QUOTA, &quota), "make sigma0's factory");
    struct thread *server = start(sigma0, &boot.sigma0, SIGMA0_PRIORITY, "sigma0");
    start(keeper, &boot.keeper, KEEPER_PRIORITY, "keeper");
    give_memory(sigma0);
    gate->server = server;
    list_insert(&server->gates, &gate->in_server);
    cap_make_root(slot_of(sigma0, L4_BOOT_FACTORY), &quota->object, L4_R | L4_W);
    cap_make_root(slot_of(sigma0, L4_BOOT_SIGMA0), &gate->object, L4_RIGHTS_ALL);
    cap_make_root(slot_of(keeper, L4_BOOT_FACTORY), &root_factory.object, L4_RIGHTS_ALL);
    cap_make_root(slot_of(keeper, L4_BOOT_LOG), &authority_log.object, L4_RIGHTS_ALL);
    cap_make_root(slot_of(keeper, L4_BOOT_SCHED), &authority_sched.object, L4_RIGHTS_ALL);
    cap_make_root(slot_of(keeper, L4_BOOT_DEBUG), &authority_debug.object, L4_RIGHTS_ALL);
    cap_derive(slot_of(sigma0, L4_BOOT_LOG), authority_log.object.root, L4_LOG, L4_W, 0);
    cap_derive(slot_of(keeper, L4_BOOT_SIGMA0), gate->object.root, L4_DOOR, L4_R | L4_W | L4_X | L4_O | L4_I, KEEPER_LABEL);
    authority_sched.object.root->label = HIGHEST_PRIORITY;
}

struct frame *kernel_main(const struct l4_boot_record *record)
{
    boot = *record;
    if (boot.magic != L4_BOOT_MAGIC || boot.version != 1)
        panic("the loader speaks another version of the boot record");
    static u8 kip_page[L4_PAGE_SIZE] __attribute__((aligned(L4_PAGE_SIZE)));
    kip = (struct l4_kip *)kip_page;
    kip->magic = L4_KIP_MAGIC;
    kip->abi_version = 1;
    memcpy(kip->version, AXO_VERSION, sizeof AXO_VERSION);
    arch_init(&boot, kip);
    kip->archive = boot.archive;
    kip->archive_bytes = boot.archive_bytes;
    kip->regions = boot.regions;
    memcpy(kip->region, boot.region, sizeof kip->region);
    u64 share = take_kernel_share();
    factory_init_root(&root_factory, share);
    authority_init(&root_factory);
    sched_init();
    start_tasks();
    print("Axolotl %s: %lu MB for tasks, %lu MB for the kernel, %s\n", kip->version, kip->ram_bytes >> 20, share >> 20, kip->cpu);
    return sched_next();
}
