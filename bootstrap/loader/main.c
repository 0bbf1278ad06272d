/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: from what GRUB or QEMU left in memory to a running kernel, in the order of the text. */
#include "loader.h"

extern char loader_start[], loader_end[];

static struct start start;
static struct l4_boot_record record;    /* in the loader's own memory: the kernel copies it */
static struct kernel_image kernel;

void start_command_line(struct start *to, const char *text)
{
    size_t bytes = strlen(text);
    if (bytes >= sizeof to->command_line)
        fail("the command line is longer than 1023 characters; shorten it", NULL);
    memcpy(to->command_line, text, bytes + 1);
}

static void check_archive(void)
{
    if (!start.archive || !start.archive_bytes)
        fail("no boot archive was given; pass it with QEMU's -initrd FILE or GRUB's `module2 /FILE`", NULL);
    if (start.archive % L4_PAGE_SIZE)
        fail("the boot archive is not page aligned in memory; start the loader with GRUB's `multiboot2`", NULL);
    if (start.archive + start.archive_bytes > 0x100000000ul)
        fail("the boot archive lies above 4 GB, where the loader cannot see it; use GRUB or QEMU's -kernel", NULL);
}

/* Multiboot2 hands over a copy of the ACPI root pointer: keep it in a page that the memory map then calls ACPI's. */
static void keep_rsdp(void)
{
    if (start.rsdp || !start.rsdp_copy_bytes)
        return;
    start.rsdp = memory_take(L4_PAGE_SIZE, "the ACPI root pointer");
    memcpy((void *)start.rsdp, start.rsdp_copy, start.rsdp_copy_bytes);
    memory_add(start.rsdp, L4_PAGE_SIZE, 3);
}

static paddr_t load(void)
{
    struct member file = archive_member(&start, 0, "kernel");
    elf_load_kernel(&file, &kernel, paging_bytes_needed());
    paddr_t tables = kernel.frames + kernel.bytes;
    record.kernel = kernel.frames;
    record.kernel_bytes = kernel.bytes + paging_build(tables, &kernel);
    file = archive_member(&start, 1, "sigma0");
    elf_load_task(&file, &record.sigma0);
    file = archive_member(&start, 2, "keeper");
    elf_load_task(&file, &record.keeper);
    return tables;
}

static void keep_task(const struct l4_boot_task *task)
{
    for (u32 i = 0; i < task->segments; i++)
        memory_keep(task->segment[i].frames, task->segment[i].bytes, 0);
}

/* What is spoken for: low memory, kernel, the first tasks, the archive, the interrupt controllers. The loader's own memory is free. */
static void keep_what_is_used(void)
{
    const struct l4_machine *machine = &record.machine;
    memory_keep(0, 0xa0000, 0);
    memory_keep(record.kernel, record.kernel_bytes, 0);
    keep_task(&record.sigma0);
    keep_task(&record.keeper);
    memory_keep(start.archive, start.archive_bytes, L4_REGION_ARCHIVE);
    memory_keep(machine->lapic, L4_PAGE_SIZE, 0);
    for (u32 i = 0; i < machine->ioapics; i++)
        memory_keep(machine->ioapic[i].at, L4_PAGE_SIZE, 0);
}

void loader_main(bool is_multiboot2, paddr_t info)
{
    memory_add(0, L4_PAGE_SIZE, 2);     /* the BIOS's; and frame 0 means "none" to the kernel */
    if (is_multiboot2)
        multiboot2_parse(&start, info);
    else
        pvh_parse(&start, info);
    memory_reserve((paddr_t)loader_start, (u64)(loader_end - loader_start));
    check_archive();
    memory_reserve(start.archive, start.archive_bytes);

    keep_rsdp();
    paddr_t root = load();
    record.magic = L4_BOOT_MAGIC;
    record.version = 1;
    record.archive = start.archive;
    record.archive_bytes = start.archive_bytes;
    record.loader_end = (paddr_t)loader_end;
    record.rsdp = start.rsdp;
    machine_find(&record.machine, &start);
    keep_what_is_used();
    record.regions = memory_regions(record.region, L4_REGIONS);
    machine_name_cpu(record.cpu, sizeof record.cpu);
    record.boot_seconds = clock_seconds();
    memcpy(record.command_line, start.command_line, sizeof record.command_line);
    enter_kernel(root, &record, kernel.entry);
}
