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
static const u64 DEVICE_END = 1ul << 32;        /* device memory that sigma0 can hand out ends here */

struct factory root_factory;
static struct l4_kip *kip;
static struct l4_boot_record boot;              /* the loader's memory is given away: this is our copy */

static void require(l4_err_t err, const char *what)
{
    if (err != L4_OK)
        panic("cannot %s: error %d. Give the machine more memory", what, err);
}

/* ---- memory: RAM less what is in use; an eighth of it, at least 16 MB, for the kernel's objects ---- */
struct hole { paddr_t base, end; };

static u32 used_holes(struct hole *hole)
{
    u32 n = 0;
    hole[n++] = (struct hole){ 0, 1 << 20 };
    hole[n++] = (struct hole){ boot.kernel, boot.kernel + boot.kernel_bytes };
    hole[n++] = (struct hole){ boot.archive, boot.archive + boot.archive_bytes };
    const struct l4_boot_task *const tasks[] = { &boot.sigma0, &boot.keeper };
    for (u32 t = 0; t < 2; t++)
        for (u32 i = 0; i < tasks[t]->segments; i++)
            hole[n++] = (struct hole){ tasks[t]->segment[i].frames, tasks[t]->segment[i].frames + tasks[t]->segment[i].bytes };
    return n;
}

/* Add [base, end) without the holes to the info page's regions as RAM. */
static void add_ram(paddr_t base, paddr_t end, const struct hole *hole, u32 holes)
{
    base = (base + L4_PAGE_SIZE - 1) & ~(paddr_t)(L4_PAGE_SIZE - 1);
    end &= ~(paddr_t)(L4_PAGE_SIZE - 1);
    for (u32 i = 0; i < holes && base < end; i++)
        if (hole[i].base < end && hole[i].end > base) {
            add_ram(base, hole[i].base, hole + i + 1, holes - i - 1);
            base = (hole[i].end + L4_PAGE_SIZE - 1) & ~(paddr_t)(L4_PAGE_SIZE - 1);
        }
    if (base < end && kip->regions < L4_REGIONS)
        kip->region[kip->regions++] = (struct l4_region){ base, end - base, L4_REGION_RAM };
}

static void list_ram(void)
{
    struct hole hole[32];
    u32 holes = used_holes(hole);
    for (u32 i = 0; i < boot.regions; i++)
        if (boot.region[i].kind == L4_REGION_RAM)
            add_ram(boot.region[i].base, boot.region[i].base + boot.region[i].bytes, hole, holes);
}

/* What sigma0 may show but never hands out as free: the archive, and the firmware's tables. */
static void list_readable(void)
{
    kip->archive = boot.archive;
    kip->archive_bytes = boot.archive_bytes;
    u64 bytes = (boot.archive_bytes + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1);
    if (kip->regions < L4_REGIONS)
        kip->region[kip->regions++] = (struct l4_region){ boot.archive, bytes, L4_REGION_ARCHIVE };
    for (u32 i = 0; i < boot.regions && kip->regions < L4_REGIONS; i++) {
        paddr_t base = boot.region[i].base & ~(paddr_t)(L4_PAGE_SIZE - 1);
        paddr_t end = (boot.region[i].base + boot.region[i].bytes + L4_PAGE_SIZE - 1) & ~(paddr_t)(L4_PAGE_SIZE - 1);
        if (boot.region[i].kind == L4_REGION_ACPI)
            kip->region[kip->regions++] = (struct l4_region){ base, end - base, L4_REGION_ACPI };
    }
}

/* Take the kernel's share from the top of the largest region, 2 MB aligned. */
static u64 take_kernel_share(void)
{
    u64 total = 0;
    struct l4_region *largest = &kip->region[0];
    for (u32 i = 0; i < kip->regions; i++) {
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
    frame_add(base, share);
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
    struct thread *thread = thread_create(&root_factory);
    require(thread ? L4_OK : L4_NO_MEMORY, "make the first threads");
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

/* Device memory from `at` to `end`, but for the interrupt controllers: they are the kernel's. */
static void give_device(struct task *sigma0, paddr_t at, paddr_t end)
{
    static const paddr_t controllers[] = { 0xfec00000, 0xfee00000 };    /* I/O APIC, local APIC: SDM vol. 3, 11.4 */
    for (u32 i = 0; i < 2 && at < end; i++)
        if (controllers[i] >= at && controllers[i] < end) {
            give_device(sigma0, at, controllers[i]);
            at = controllers[i] + L4_PAGE_SIZE;
        }
    if (at < end)
        require(space_add_root(&sigma0->space, at, at, end - at, L4_R | L4_W, false), "give devices to sigma0");
}

/* Whatever below 4 GB is neither RAM nor ACPI tables may be a device. */
static void give_devices(struct task *sigma0)
{
    paddr_t at = 0xa0000;
    for (u32 i = 0; i < boot.regions; i++) {
        const struct l4_region *r = &boot.region[i];
        if (r->kind == L4_REGION_RESERVED || r->base >= DEVICE_END)
            continue;
        give_device(sigma0, at, r->base);
        if (r->base + r->bytes > at)
            at = (r->base + r->bytes + L4_PAGE_SIZE - 1) & ~(paddr_t)(L4_PAGE_SIZE - 1);
    }
    give_device(sigma0, at, DEVICE_END);
}

static void give_memory(struct task *sigma0)
{
    for (u32 i = 0; i < kip->regions; i++) {
        const struct l4_region *r = &kip->region[i];
        u32 rights = r->kind == L4_REGION_RAM ? L4_R | L4_W | L4_X : r->kind == L4_REGION_ARCHIVE ? L4_R | L4_X : L4_R;
        require(space_add_root(&sigma0->space, r->base, r->base, r->bytes, rights, true), "give memory to sigma0");
    }
    give_devices(sigma0);
    require(space_add_root_ports(&sigma0->space), "give ports to sigma0");
}

static void start_tasks(void)
{
    struct task *sigma0, *keeper;
    struct factory *quota;
    require(task_create(&root_factory, &sigma0), "make sigma0");
    require(task_create(&root_factory, &keeper), "make keeper");
    require(factory_create(&root_factory, SIGMA0_QUOTA, &quota), "make sigma0's factory");
    struct gate *gate = gate_create(&root_factory);
    require(gate ? L4_OK : L4_NO_MEMORY, "make sigma0's gate");
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
    list_ram();
    u64 share = take_kernel_share();
    list_readable();
    factory_init_root(&root_factory, share);
    authority_init(&root_factory);
    sched_init();
    start_tasks();
    print("Axolotl %s: %lu MB for tasks, %lu MB for the kernel, %s\n", kip->version, kip->ram_bytes >> 20, share >> 20, kip->cpu);
    return sched_next();
}
