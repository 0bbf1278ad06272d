/* SPDX-License-Identifier: BSD-2-Clause */
/* pvh.c: reads the start info of the x86/HVM direct boot ABI (QEMU -kernel). */
#include "loader.h"

struct pvh_info {
    u32 magic, version, flags, modules;
    u64 module_list, command_line, rsdp;
    u64 map;                    /* from version 1 on */
    u32 map_lines, spare;
};
struct pvh_module {
    u64 at, bytes, command_line, spare;
};
struct pvh_line {
    u64 base, bytes;
    u32 e820_type, spare;
};

void pvh_parse(struct start *start, paddr_t at)
{
    const struct pvh_info *info = (const struct pvh_info *)at;
    if (info->magic != 0x336ec578 || info->version < 1)
        fail("the PVH start info has no memory map (version 1); use a newer QEMU", NULL);
    const struct pvh_line *line = (const struct pvh_line *)info->map;
    for (u32 i = 0; i < info->map_lines; i++)
        memory_add(line[i].base, line[i].bytes, line[i].e820_type);
    if (info->modules) {
        const struct pvh_module *module = (const struct pvh_module *)info->module_list;
        start->archive = module->at;
        start->archive_bytes = module->bytes;
    }
    start->rsdp = info->rsdp;
    if (info->command_line)
        start_command_line(start, (const char *)info->command_line);
}
