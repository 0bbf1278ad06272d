/* SPDX-License-Identifier: BSD-2-Clause */
/* multiboot2.c: reads GRUB's information structure (multiboot2 specification 2.0, section 3.6), BIOS and UEFI. */
#include "loader.h"

struct tag {
    u32 type, bytes;
};
struct tag_module {
    struct tag tag;
    u32 start, end;
    char command_line[];
};
struct tag_map {
    struct tag tag;
    u32 line_bytes, version;
    u8 lines[];
};
struct map_line {
    u64 base, bytes;
    u32 e820_type, spare;
};
struct efi_line {
    u32 type, spare;
    u64 base, virtual_base, pages, attributes;
};
enum {
    TAG_END = 0, TAG_COMMAND_LINE = 1, TAG_MODULE = 3, TAG_MAP = 6, TAG_RSDP_1 = 14, TAG_RSDP_2 = 15, TAG_EFI_MAP = 17,
};

/* UEFI memory type (2.9, table 7-6) to E820 type; 0: device memory, which no map names. */
static u32 e820_of_efi(u32 type)
{
    switch (type) {
    case 1: case 2: case 3: case 4: case 7: return 1;   /* loader and boot services, both gone; conventional */
    case 9: return 3;
    case 10: return 4;
    case 11: case 12: return 0;
    default: return 2;
    }
}

static void parse_map(const struct tag_map *map)
{
    u32 bytes = map->tag.bytes - sizeof *map;
    for (u32 at = 0; map->line_bytes && at + map->line_bytes <= bytes; at += map->line_bytes) {
        const struct map_line *line = (const struct map_line *)(map->lines + at);
        memory_add(line->base, line->bytes, line->e820_type);
    }
}

static void parse_efi_map(const struct tag_map *map)
{
    u32 bytes = map->tag.bytes - sizeof *map;
    for (u32 at = 0; map->line_bytes && at + map->line_bytes <= bytes; at += map->line_bytes) {
        const struct efi_line *line = (const struct efi_line *)(map->lines + at);
        if (e820_of_efi(line->type))
            memory_add(line->base, line->pages * L4_PAGE_SIZE, e820_of_efi(line->type));
    }
}

static void parse_rsdp(struct start *start, const struct tag *tag)
{
    u32 bytes = tag->bytes - sizeof *tag;
    start->rsdp_copy_bytes = bytes < sizeof start->rsdp_copy ? bytes : sizeof start->rsdp_copy;
    memcpy(start->rsdp_copy, tag + 1, start->rsdp_copy_bytes);
}

void multiboot2_parse(struct start *start, paddr_t info)
{
    const struct tag *efi_map = NULL;
    bool has_map = false;
    const struct tag *tag = (const struct tag *)(info + 8);
    for (; tag->type != TAG_END && tag->bytes >= sizeof *tag;
         tag = (const struct tag *)round_up((u64)tag + tag->bytes, 8)) {
        const struct tag_module *module = (const struct tag_module *)tag;
        switch (tag->type) {
        case TAG_COMMAND_LINE:
            start_command_line(start, (const char *)(tag + 1));
            break;
        case TAG_MODULE:
            if (!start->archive) {
                start->archive = module->start;
                start->archive_bytes = module->end - module->start;
            }
            break;
        case TAG_MAP:
            parse_map((const struct tag_map *)tag);
            has_map = true;
            break;
        case TAG_EFI_MAP:
            efi_map = tag;
            break;
        case TAG_RSDP_1:
            if (!start->rsdp_copy_bytes)
                parse_rsdp(start, tag);
            break;
        case TAG_RSDP_2:
            parse_rsdp(start, tag);
            break;
        }
    }
    if (!has_map && efi_map)
        parse_efi_map((const struct tag_map *)efi_map);
}
