/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.c: checks in the order and with the errors of Linux's fs/binfmt_elf.c and binfmt_script.c. */
#include "elf.h"
#include "../linux/errno.h"

#define OFFSET_MOST 0x7ffffffffffff000ul        /* of a file */
enum { PAGE = 4096, PAGE_MASK = PAGE - 1, HEADERS_MOST = 65536 };

static bool starts_with(const u8 *at, const char *text, u64 bytes) { return __builtin_memcmp(at, text, bytes) == 0; }

i64 elf_check(const void *first, u64 bytes)
{
    const struct elf_header *h = first;
    if (bytes < sizeof *h || !starts_with(h->ident, "\177ELF", 4))
        return -ENOEXEC;
    if (h->type != ET_EXEC && h->type != ET_DYN)
        return -ENOEXEC;
    if (h->machine != EM_X86_64 || h->phentsize != sizeof(struct elf_segment))
        return -ENOEXEC;
    if (h->phnum == 0 || h->phnum > HEADERS_MOST / sizeof(struct elf_segment))
        return -ENOEXEC;
    /* Linux reads the headers wherever they are; every linker puts them at the start. */
    if (h->phoff > bytes || bytes - h->phoff < (u64)h->phnum * sizeof(struct elf_segment))
        return -ENOEXEC;
    return 0;
}

static bool is_sane(const struct elf_segment *s, u64 end)
{
    return s->filesz <= s->memsz && s->memsz <= end && s->vaddr <= end - s->memsz && ((s->vaddr ^ s->offset) & PAGE_MASK) == 0
        && s->offset <= OFFSET_MOST - s->filesz;
}

i64 elf_read(const void *first, u64 bytes, u64 address_end, struct elf_plan *plan)
{
    const struct elf_header *h = first;
    i64 err = elf_check(first, bytes);
    if (err)
        return err;
    *plan = (struct elf_plan){ .relocatable = h->type == ET_DYN, .low = ~0ul, .entry = h->entry, .header_count = h->phnum };
    for (u32 i = 0; i < h->phnum; i++) {
        struct elf_segment header;
        const struct elf_segment *s = &header;
        __builtin_memcpy(&header, (const u8 *)first + h->phoff + i * sizeof header, sizeof header);
        if (s->type == PT_INTERP && !plan->interpreted)
            plan->interpreter = header;
        plan->interpreted |= s->type == PT_INTERP;
        if (s->type != PT_LOAD || s->memsz == 0)
            continue;
        if (plan->loads == ELF_SEGMENTS || !is_sane(s, address_end))
            return -EINVAL;
        plan->load[plan->loads++] = *s;
        u64 end = s->vaddr + s->memsz;
        plan->low = s->vaddr < plan->low ? s->vaddr & ~(u64)PAGE_MASK : plan->low;
        plan->end = end > plan->end ? end : plan->end;
        if (h->phoff >= s->offset && h->phoff - s->offset < s->filesz)
            plan->headers = h->phoff - s->offset + s->vaddr;
    }
    plan->high = (plan->end + PAGE_MASK) & ~(u64)PAGE_MASK;
    return plan->loads ? 0 : -EINVAL;
}

/* ---- scripts ---- */
static bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool elf_script(const void *first, u64 bytes, bool *is_script, struct elf_script *script)
{
    const char *at = first, *end = at + (bytes < ELF_SCRIPT_LINE ? bytes : ELF_SCRIPT_LINE);
    *is_script = bytes >= 2 && at[0] == '#' && at[1] == '!';
    if (!*is_script)
        return false;
    const char *line_end = at + 2;
    while (line_end < end && *line_end != '\n' && *line_end != 0)
        line_end++;
    bool cut = line_end == end && bytes >= ELF_SCRIPT_LINE;
    const char *name = at + 2;
    while (name < line_end && is_blank(*name))
        name++;
    const char *name_end = name;
    while (name_end < line_end && !is_blank(*name_end))
        name_end++;
    script->nothing = name == name_end && !cut && (line_end == end || *line_end == 0);
    if (name == name_end || (cut && name_end == line_end))
        return false;               /* nothing there, or a path that may have been cut off */
    const char *argument = name_end;
    while (argument < line_end && is_blank(*argument))
        argument++;
    while (line_end > argument && is_blank(line_end[-1]))
        line_end--;
    *script = (struct elf_script){ name, argument < line_end ? argument : NULL, (u32)(name_end - name), (u32)(line_end - argument), false };
    return true;
}
