/* SPDX-License-Identifier: BSD-2-Clause */
/* program.c: segments of an ELF in the archive: shared pages from the archive itself, private ones copied. */
#include "program.h"

#include <abi/error.h>
#include <abi/fpage.h>
#include <abi/object.h>
#include <l4/string.h>
#include <l4/task.h>

/* Section header (System V ABI, chapter 4). */
struct section {
    u32 name, type;
    u64 flags, address, offset, bytes;
    u32 link, info;
    u64 align, entry_bytes;
};
enum { SECTIONS_AT = 0x28, SECTION_BYTES_AT = 0x3a, SECTIONS_COUNT_AT = 0x3c, NAMES_AT = 0x3e };

static u64 page_down(u64 n) { return n & ~(L4_PAGE_SIZE - 1ul); }
static u64 page_up(u64 n) { return page_down(n + L4_PAGE_SIZE - 1); }

static u16 half_at(const u8 *at)
{
    u16 value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* The bytes of the section called `name`; NULL if there is none of at least `least` bytes. */
static const u8 *section_find(const struct module *m, const char *name, u64 least)
{
    u64 table, count = half_at(m->data + SECTIONS_COUNT_AT), names = half_at(m->data + NAMES_AT);
    memcpy(&table, m->data + SECTIONS_AT, sizeof table);
    if (half_at(m->data + SECTION_BYTES_AT) != sizeof(struct section) || names >= count || table > m->bytes
        || count * sizeof(struct section) > m->bytes - table) {
        return NULL;
    }
    const struct section *sections = (const struct section *)(m->data + table);
    for (u64 i = 0; i < count; i++) {
        u64 at = sections[names].offset + sections[i].name;
        bool inside = at < m->bytes && sections[i].offset < m->bytes && sections[i].bytes <= m->bytes - sections[i].offset;
        const char *called = (const char *)m->data + at;
        if (inside && sections[i].bytes >= least && l4_is_word(called, strnlen(called, m->bytes - at), name)) {
            return m->data + sections[i].offset;
        }
    }
    return NULL;
}

l4_err_t program_read(const struct module *module, struct program *p)
{
    memset(p, 0, sizeof *p);
    p->module = *module;
    l4_err_t err = l4_elf_read(module->data, module->bytes, module->bytes, &p->elf);
    if (err != L4_OK || p->elf.type != L4_ELF_FIXED) {
        return err ? err : L4_UNSUPPORTED;
    }
    const u8 *card = section_find(module, ".note.axo", sizeof p->card);
    const u8 *routines = section_find(module, ".note.fail", sizeof p->routine);
    if (card) {
        memcpy(&p->card, card, sizeof p->card);
    }
    if (routines) {
        memcpy(p->routine, routines, sizeof p->routine);
    }
    return L4_OK;
}

u64 program_own(struct program *p)
{
    u64 taken = 0;
    for (u32 i = 0; i < p->elf.segments; i++) {
        const struct l4_elf_segment *s = &p->elf.segment[i];
        u64 bytes = page_up(s->at + s->bytes) - page_down(s->at);
        if (!(s->rights & L4_W) || bytes == 0) {
            continue;
        }
        u8 *pages = p->owned < PROGRAM_OWN ? memory_take(bytes) : NULL;
        if (!pages) {
            return 0;
        }
        p->own[p->owned].pages = pages;
        p->own[p->owned++].segment = i;
        taken += bytes;
    }
    return taken;
}

void program_reset(const struct program *p)
{
    for (u32 i = 0; i < p->owned; i++) {
        const struct l4_elf_segment *s = &p->elf.segment[p->own[i].segment];
        u8 *start = p->own[i].pages + s->at % L4_PAGE_SIZE;
        memcpy(start, p->module.data + s->file_offset, s->file_bytes);
        memset(start + s->file_bytes, 0, s->bytes - s->file_bytes);
    }
}

static l4_err_t segment_map(const struct program *p, u32 i, cap_t task)
{
    const struct l4_elf_segment *s = &p->elf.segment[i];
    vaddr_t to = page_down(s->at), end = page_up(s->at + s->bytes);
    const u8 *from = p->module.data + s->file_offset - s->at % L4_PAGE_SIZE;
    for (u32 k = 0; k < p->owned; k++) {
        if (p->own[k].segment == i) {
            from = p->own[k].pages;
        }
    }
    if (s->bytes == 0) {
        return L4_OK;
    }
    return (u64)from % L4_PAGE_SIZE ? L4_BAD_ARGUMENT : l4_map_range(task, L4_BOOT_TASK, (vaddr_t)from, to, end - to, s->rights);
}

l4_err_t program_map(const struct program *p, cap_t task)
{
    l4_err_t err = L4_OK;
    for (u32 i = 0; i < p->elf.segments && err == L4_OK; i++) {
        err = segment_map(p, i, task);
    }
    return err;
}

static bool is_code(const struct program *p, u64 pc)
{
    for (u32 i = 0; i < p->elf.segments; i++) {
        const struct l4_elf_segment *s = &p->elf.segment[i];
        if (s->rights & L4_X && pc - s->at < s->file_bytes) {
            return pc - s->at >= 5 && p->module.data[s->file_offset + (pc - s->at) - 5] == 0xe8;    /* behind a call */
        }
    }
    return false;
}

void program_backtrace(const struct program *p, vaddr_t sp, u64 *pc, u32 most)
{
    u32 found = 0;
    for (u32 i = 0; i < p->owned; i++) {
        const struct l4_elf_segment *s = &p->elf.segment[p->own[i].segment];
        for (u64 at = (sp + 7) & ~7ul; at >= s->at && at + 8 <= s->at + s->bytes && found < most; at += 8) {
            u64 value;
            memcpy(&value, p->own[i].pages + (at - page_down(s->at)), sizeof value);
            if (is_code(p, value)) {
                pc[found++] = value;
            }
        }
    }
}
