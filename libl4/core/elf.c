/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.c: the headers of a program file. Offsets and field sizes: System V ABI, "Object Files" and "Program Loading". */
#include <l4/elf.h>
#include <abi/error.h>
#include <abi/object.h>
#include <l4/string.h>

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 header_bytes, program_header_bytes, program_header_count, rest[3];
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");

struct program_header {
    u32 type, flags;
    u64 offset, at, physical, file_bytes, bytes, align;
};
_Static_assert(sizeof(struct program_header) == 56, "ELF64 program header");

enum { SEGMENT_LOAD = 1, SEGMENT_INTERPRETER = 3, SEGMENT_STACK = 0x6474e551, MACHINE_X86_64 = 62 };

static u32 rights_of(u32 flags) { return (flags & 4 ? L4_R : 0) | (flags & 2 ? L4_W : 0) | (flags & 1 ? L4_X : 0); }

static l4_err_t add_segment(struct l4_elf *elf, const struct program_header *h, u64 bytes)
{
    if (h->bytes == 0)
        return L4_OK;
    if (h->file_bytes > h->bytes || h->offset > bytes || bytes - h->offset < h->file_bytes || h->at >= L4_USER_END ||
        h->bytes > L4_USER_END - h->at || (h->file_bytes && (h->at ^ h->offset) & (L4_PAGE_SIZE - 1)))
        return L4_BAD_ARGUMENT;
    if (elf->segments == L4_ELF_SEGMENTS)
        return L4_UNSUPPORTED;
    if (elf->segments) {
        const struct l4_elf_segment *last = &elf->segment[elf->segments - 1];
        if (h->at < last->at + last->bytes)
            return L4_BAD_ARGUMENT;
    }
    u32 align = h->align & (h->align - 1) || h->align < L4_PAGE_SIZE ? L4_PAGE_SHIFT : (u32)__builtin_ctzl(h->align);
    elf->segment[elf->segments++] =
        (struct l4_elf_segment){ h->at, h->bytes, h->offset, h->file_bytes, rights_of(h->flags), align };
    return L4_OK;
}

static l4_err_t read_program_header(struct l4_elf *elf, const struct program_header *h, u64 bytes)
{
    switch (h->type) {
    case SEGMENT_LOAD:
        return add_segment(elf, h, bytes);
    case SEGMENT_INTERPRETER:
        if (h->offset > bytes || bytes - h->offset < h->file_bytes || h->file_bytes < 2)
            return L4_BAD_ARGUMENT;
        elf->interpreter_offset = h->offset;
        elf->interpreter_bytes = h->file_bytes;
        return L4_OK;
    case SEGMENT_STACK:
        elf->executable_stack = h->flags & 1;
        return L4_OK;
    default:
        return L4_OK;
    }
}

/* Where the program headers lie in memory, and the range of all segments. */
static void find_extent(struct l4_elf *elf, u64 headers)
{
    const struct l4_elf_segment *first = &elf->segment[0], *last = &elf->segment[elf->segments - 1];
    elf->start = first->at & ~(u64)(L4_PAGE_SIZE - 1);
    elf->end = (last->at + last->bytes + L4_PAGE_SIZE - 1) & ~(u64)(L4_PAGE_SIZE - 1);
    for (u32 i = 0; i < elf->segments; i++) {
        const struct l4_elf_segment *s = &elf->segment[i];
        if (headers >= s->file_offset && headers - s->file_offset < s->file_bytes)
            elf->headers = s->at + headers - s->file_offset;
    }
}

l4_err_t l4_elf_read(const void *head, u64 head_bytes, u64 bytes, struct l4_elf *elf)
{
    struct elf_header h;
    if (head_bytes < sizeof h)
        return L4_BAD_ARGUMENT;
    memcpy(&h, head, sizeof h);
    if (memcmp(h.ident,
            "\x7f"
            "ELF\2\1\1",
            7) != 0 ||
        h.machine != MACHINE_X86_64 || (h.type != L4_ELF_FIXED && h.type != L4_ELF_POSITION_INDEPENDENT) ||
        h.program_header_bytes != sizeof(struct program_header) || h.program_header_count == 0 ||
        h.program_headers > head_bytes ||
        (head_bytes - h.program_headers) / sizeof(struct program_header) < h.program_header_count)
        return L4_BAD_ARGUMENT;
    *elf = (struct l4_elf){ .type = (enum l4_elf_type)h.type,
        .entry = h.entry,
        .header_count = h.program_header_count,
        .header_bytes = h.program_header_bytes };
    for (u32 i = 0; i < h.program_header_count; i++) {
        struct program_header p;
        memcpy(&p, (const u8 *)head + h.program_headers + i * sizeof p, sizeof p);
        l4_err_t err = read_program_header(elf, &p, bytes);
        if (err)
            return err;
    }
    if (elf->segments == 0)
        return L4_BAD_ARGUMENT;
    find_extent(elf, h.program_headers);
    return L4_OK;
}
