/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.c: loads statically linked ELF64 files of x86-64. Nothing of a file is believed before it is checked.
 * Rule: each segment has pages of its own, so that it can have rights of its own. */
#include "loader.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 bytes, program_header_bytes, program_header_count, section_header_bytes, section_header_count, names;
};
struct elf_program_header {
    u32 type, flags;
    u64 offset, at, physical, file_bytes, memory_bytes, align;
};
enum { LOAD = 1, EXECUTABLE = 2, X86_64 = 62, FLAG_X = 1, FLAG_W = 2, FLAG_R = 4, FLAG_ENTRY = 0x100000 };

static void malformed(const struct member *file, const char *how) __attribute__((noreturn));
static void malformed(const struct member *file, const char *how)
{
    fail("`", file->name, "` in the boot archive is no usable ELF64 program: ", how, NULL);
}

static const struct elf_header *elf_check(const struct member *file)
{
    const struct elf_header *elf = (const struct elf_header *)file->data;
    if (file->bytes < sizeof *elf || memcmp(elf->ident, "\177ELF\2\1\1", 7))
        malformed(file, "it does not begin with an ELF64 little-endian header; put the linked program there");
    if (elf->type != EXECUTABLE || elf->machine != X86_64)
        malformed(file, "it is not an executable (ET_EXEC) for x86-64; link it with -static -no-pie");
    if (elf->program_header_bytes != sizeof(struct elf_program_header) || elf->program_headers % 8
        || elf->program_headers > file->bytes
        || elf->program_header_count > (file->bytes - elf->program_headers) / sizeof(struct elf_program_header))
        malformed(file, "its program headers lie outside the file; it is cut short or damaged, build it again");
    return elf;
}

static u32 rights_of(u32 flags)
{
    return (flags & FLAG_R ? L4_R : 0) | (flags & FLAG_W ? L4_W : 0) | (flags & FLAG_X ? L4_X : 0);
}

/* The loadable segments, frames not yet chosen, in ascending order inside [low, high); returns how many. A bit of
 * `entry_pages` for each that has FLAG_ENTRY. */
static u32 elf_segments(const struct member *file, struct l4_segment *segment, vaddr_t low, vaddr_t high, u32 *entry_pages)
{
    const struct elf_header *elf = elf_check(file);
    const struct elf_program_header *header = (const void *)(file->data + elf->program_headers);
    u32 count = *entry_pages = 0;
    bool has_entry = false;
    for (u32 i = 0; i < elf->program_header_count; i++, header++) {
        if (header->type != LOAD || !header->memory_bytes)
            continue;
        if (header->file_bytes > header->memory_bytes || header->offset > file->bytes
            || header->file_bytes > file->bytes - header->offset)
            malformed(file, "a segment lies outside the file; it is cut short or damaged, build it again");
        if (header->at < low || header->at >= high || header->memory_bytes > high - header->at)
            malformed(file, "a segment's address is outside what its kind of program may use; mend its linker script");
        if (count == L4_PROGRAM_SEGMENTS)
            malformed(file, "it has more than 8 loadable segments; mend its linker script");
        vaddr_t at = round_down(header->at, L4_PAGE_SIZE);
        vaddr_t end = round_up(header->at + header->memory_bytes, L4_PAGE_SIZE);
        if (count && segment[count - 1].at + segment[count - 1].bytes > at)
            malformed(file, "segments are out of order or share a page; align each to 4096 in its linker script");
        segment[count++] = (struct l4_segment){ .at = at, .bytes = end - at, .rights = rights_of(header->flags) };
        if (header->flags & FLAG_ENTRY)
            *entry_pages |= 1u << (count - 1);
        has_entry |= header->flags & FLAG_X && elf->entry - header->at < header->memory_bytes;
    }
    if (!has_entry)
        malformed(file, "its entry is in no executable segment; mend ENTRY in its linker script");
    return count;
}

/* Copy the file's part of each segment into the frames chosen for it, which are zero. */
static void elf_copy(const struct member *file, const struct l4_segment *segment)
{
    const struct elf_header *elf = (const struct elf_header *)file->data;
    const struct elf_program_header *header = (const void *)(file->data + elf->program_headers);
    for (u32 i = 0; i < elf->program_header_count; i++, header++) {
        if (header->type != LOAD || !header->memory_bytes)
            continue;
        memcpy((void *)(segment->frames + header->at % L4_PAGE_SIZE), file->data + header->offset, header->file_bytes);
        segment++;
    }
}

void elf_load_kernel(const struct member *file, struct kernel_image *image, u64 extra)
{
    image->segments = elf_segments(file, image->segment, 0xffffffff80000000ul, 0xfffffffffffff000ul, &image->entry_pages);
    image->entry = ((const struct elf_header *)file->data)->entry;
    image->base = image->segment[0].at;
    const struct l4_segment *last = &image->segment[image->segments - 1];
    image->bytes = last->at + last->bytes - image->base;
    image->frames = memory_take(image->bytes + extra, "the kernel");
    for (u32 i = 0; i < image->segments; i++)
        image->segment[i].frames = image->frames + (image->segment[i].at - image->base);
    elf_copy(file, image->segment);
}

void elf_load_task(const struct member *file, enum l4_first task, struct l4_boot_record *record)
{
    struct l4_segment *segment = &record->segment[record->segments];
    u32 entry_pages, count = elf_segments(file, segment, L4_PAGE_SIZE, L4_USER_END, &entry_pages);
    record->entry[task] = ((const struct elf_header *)file->data)->entry;
    record->segments += count;
    for (u32 i = 0; i < count; i++) {
        segment[i].frames = memory_take(segment[i].bytes, file->name);
        segment[i].task = (u16)task;
    }
    elf_copy(file, segment);
}
