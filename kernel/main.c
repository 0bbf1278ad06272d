/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: from the boot record to the first two tasks: sigma0, which gets all memory, and keeper, which gets all
 * authority. */
#include "factory.h"
#include "gate.h"
#include "gate_kernel.h"
#include "print.h"
#include "sched.h"
#include "task.h"
#include "thread_kernel.h"

enum {
    SIGMA0_PRIORITY = 62, KEEPER_PRIORITY = 61, HIGHEST_PRIORITY = 63,
    SIGMA0_QUOTA = 1 << 20, KEEPER_LABEL = 1,
};

struct factory root_factory;
static const struct l4_boot_record *boot;

static void require(l4_err_t err, const char *what)
{
    if (err != L4_OK)
        panic("cannot %s: error -%u. Give the machine more memory", what, -(u32)err);
}

static void *make(enum l4_kind kind)
{
    struct object *object = object_create(&root_factory, kind);
    require(object ? L4_OK : L4_NO_MEMORY, "make the first objects");
    return object;
}

static struct cap *slot_of(struct task *task, u64 slot)
{
    struct cap *empty;
    require(cap_reserve(&task->caps, slot, &empty), "make a slot of the first tasks");
    return empty;
}

static void give_root(struct task *task, u64 slot, struct object *object)
{
    cap_make_root(slot_of(task, slot), object, L4_RIGHTS_ALL);
}

static void map(struct task *const first[])
{
    for (const struct l4_segment *s = boot->segment; s < boot->segment + boot->segments; s++)
        require(space_add_root(&first[s->task]->space, s->at, s->frames, s->bytes, s->rights, !s->is_device),
                "map the first tasks");
    require(space_add_root(&first[L4_SIGMA0]->space, PORTS_AT, PORT_FRAMES, PORTS * L4_PAGE_SIZE, L4_R | L4_W, true),
            "give ports to sigma0");
}

static struct thread *start(struct task *task, vaddr_t entry, u32 priority, const char *name)
{
    struct thread *thread = make(L4_THREAD);
    vaddr_t stack = l4_boot_stack(entry);
    give_root(task, L4_BOOT_TASK, &task->object);
    give_root(task, L4_BOOT_THREAD, &thread->object);
    for (u32 i = 0; name[i]; i++)
        task->object.name[i] = thread->object.name[i] = name[i];
    require(thread_bind(thread, NULL, task, stack), "make the first UTCBs");
    thread->priority = (u8)priority;
    thread_start(thread, NULL, entry, stack + L4_BOOT_STACK_BYTES, 0);
    return thread;
}

static void start_tasks(void)
{
    struct task *sigma0 = make(L4_TASK), *keeper = make(L4_TASK), *const first[] = { sigma0, keeper };
    struct gate *gate = make(L4_GATE);
    struct object *log = make(L4_LOG), *sched = make(L4_SCHED);
    struct factory *quota;
    require(factory_create(&root_factory, SIGMA0_QUOTA, &quota), "make sigma0's factory");
    map(first);
    gate_bind(gate, NULL, start(sigma0, boot->entry[L4_SIGMA0], SIGMA0_PRIORITY, "sigma0"));
    start(keeper, boot->entry[L4_KEEPER], KEEPER_PRIORITY, "keeper");
    cap_make_root(slot_of(sigma0, L4_BOOT_FACTORY), &quota->object, L4_R | L4_W);
    give_root(sigma0, L4_BOOT_SIGMA0, &gate->object);
    give_root(keeper, L4_BOOT_FACTORY, &root_factory.object);
    give_root(keeper, L4_BOOT_LOG, log);
    give_root(keeper, L4_BOOT_SCHED, sched);
    give_root(keeper, L4_BOOT_DEBUG, make(L4_DEBUG));
    cap_derive(slot_of(sigma0, L4_BOOT_LOG), log->root, L4_LOG, L4_W, 0);
    cap_derive(slot_of(keeper, L4_BOOT_SIGMA0), gate->object.root, L4_DOOR, L4_R | L4_W | L4_X | L4_O | L4_I,
               KEEPER_LABEL);
    sched->root->label = HIGHEST_PRIORITY | SHARE_ALL << SCHED_SHARE_SHIFT;
}

struct frame *kernel_main(const struct l4_boot_record *record)
{
    boot = record;
    if (boot->magic != L4_BOOT_MAGIC || boot->version != L4_BOOT_VERSION)
        panic("the loader speaks another version of the boot record");
    struct l4_kip *kip = arch_pointer(boot->info_page);
    arch_init(boot, kip);
    memory_init(boot->share.base, boot->share.bytes);
    factory_init_root(&root_factory, boot->share.bytes);
    sched_init();
    start_tasks();
    print("Axolotl %s: %lu MB for tasks, %lu MB for the kernel, %u of %u CPUs, %s\n", kip->version, kip->ram_bytes >> 20,
          kip->kernel_bytes >> 20, kip->cpus, kip->cpus_found, kip->cpu);
    sched_come_back(0);
    return arch_switch(sched_next());
}
