/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: from what GRUB or QEMU left in memory to a running kernel, in the order of the text. */
#include "loader.h"

extern char loader_start[], loader_end[];

static struct start start;
static struct l4_boot_record *record;   /* it and the info page lie behind the kernel's image */
static struct l4_kip *kip;
static struct kernel_image kernel;
static paddr_t kernel_end;              /* of image, info page, record and page tables */

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

static void load(void)
{
    struct member file = archive_member(&start, 0, "kernel");
    elf_load_kernel(&file, &kernel, paging_bytes_needed() + 2 * L4_PAGE_SIZE);
    kip = (struct l4_kip *)(kernel.frames + kernel.bytes);
    record = (struct l4_boot_record *)((paddr_t)kip + L4_PAGE_SIZE);
    _Static_assert(sizeof *record <= L4_PAGE_SIZE, "the boot record is one page");
    record->root = (paddr_t)record + L4_PAGE_SIZE;
    kernel_end = record->root + paging_build(record->root, &kernel);
    if (kernel.entry_pages)
        log_text("loader: KPTI: user mode has of the kernel only the way in\n", NULL);
    file = archive_member(&start, 1, "sigma0");
    elf_load_task(&file, L4_SIGMA0, record);
    file = archive_member(&start, 2, "keeper");
    elf_load_task(&file, L4_KEEPER, record);
}

/* What is spoken for: low memory, kernel, the first tasks, the archive, the interrupt controllers. The loader's own
 * memory is free. */
static void keep_what_is_used(void)
{
    const struct l4_machine *machine = &record->machine;
    memory_keep(0, 0xa0000, 0);
    memory_keep(kernel.frames, kernel_end - kernel.frames, 0);
    for (u32 i = 0; i < record->segments; i++)
        memory_keep(record->segment[i].frames, record->segment[i].bytes, 0);
    memory_keep(start.archive, start.archive_bytes, L4_REGION_ARCHIVE);
    memory_keep(machine->lapic, L4_PAGE_SIZE, 0);
    acpi_keep();
}

static void fill_info_page(void)
{
    kip->magic = L4_KIP_MAGIC;
    kip->abi_version = 1;
    memcpy(kip->version, AXO_VERSION, sizeof AXO_VERSION);
    kip->archive = start.archive;
    kip->archive_bytes = start.archive_bytes;
    kip->rsdp = start.rsdp;
    kip->boot_seconds = clock_seconds();
    cpu_find(&record->machine, kip);
    memcpy(kip->command_line, start.command_line, sizeof kip->command_line);
    kip->regions = memory_regions(kip->region, L4_REGIONS);
}

/* An eighth of RAM, at least 16 MB, from the top of its largest region, 2 MB aligned, is for the kernel's objects. */
static struct l4_region take_kernel_share(void)
{
    struct l4_region none = { 0 }, *largest = &none;
    for (u64 i = 0; i < kip->regions; i++) {
        if (kip->region[i].kind != L4_REGION_RAM)
            continue;
        kip->ram_bytes += kip->region[i].bytes;
        if (kip->region[i].bytes > largest->bytes)
            largest = &kip->region[i];
    }
    u64 share = kip->ram_bytes / 8 > 16ul << 20 ? kip->ram_bytes / 8 : 16ul << 20;
    if (share > largest->bytes / 2)
        fail("the machine has too little memory for the kernel's objects; give it more (QEMU: -m 64M or more)", NULL);
    paddr_t end = largest->base + largest->bytes, base = round_down(end - share, L4_LARGE_SIZE);
    kip->kernel_bytes = end - base;
    kip->ram_bytes -= kip->kernel_bytes;
    largest->bytes -= kip->kernel_bytes;
    return (struct l4_region){ base, kip->kernel_bytes, L4_REGION_RAM };
}

/* The first tasks' memory beside their programs: the info page for each, all regions for sigma0. */
static void give_memory(void)
{
    static const u8 rights[] = { [L4_REGION_RAM] = L4_R | L4_W | L4_X, [L4_REGION_DEVICE] = L4_R | L4_W,
        [L4_REGION_ACPI] = L4_R, [L4_REGION_ARCHIVE] = L4_R | L4_W | L4_X };
    struct l4_segment *next = &record->segment[record->segments];
    for (u16 task = 0; task < L4_FIRST_TASKS; task++)
        *next++ = (struct l4_segment){ L4_KIP_ADDRESS, (paddr_t)kip, L4_PAGE_SIZE, L4_R, task, false };
    for (u32 i = 0; i < kip->regions; i++) {
        const struct l4_region *r = &kip->region[i];
        *next++ = (struct l4_segment){ r->base, r->base, r->bytes, rights[r->kind], L4_SIGMA0, r->kind == L4_REGION_DEVICE };
    }
    record->segments = (u64)(next - record->segment);
}

void loader_main(bool is_multiboot2, paddr_t info)
{
    console_init();
    memory_add(0, L4_PAGE_SIZE, 2);     /* the BIOS's; and frame 0 means "none" to the kernel */
    if (is_multiboot2)
        multiboot2_parse(&start, info);
    else
        pvh_parse(&start, info);
    memory_reserve((paddr_t)loader_start, (u64)(loader_end - loader_start));
    check_archive();
    memory_reserve(start.archive, start.archive_bytes);

    keep_rsdp();
    load();
    record->magic = L4_BOOT_MAGIC;
    record->version = L4_BOOT_VERSION;
    record->info_page = (paddr_t)kip;
    machine_find(&record->machine, kip, &start);
    keep_what_is_used();
    fill_info_page();
    record->share = take_kernel_share();
    give_memory();
    enter_kernel(record, kernel.entry);
}
