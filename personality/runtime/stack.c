/* SPDX-License-Identifier: BSD-2-Clause */
/* stack.c: the stack that a program starts on, from the top: 8 zero bytes, the path, environment, arguments, platform, 16 random bytes;
 * then, 16 byte aligned at its lower end, the auxiliary vector, environment and argument pointers, argc (psABI 3.4.1). */
#include "program.h"
#include "../linux/elf.h"

enum { TOP_ZEROS = 8, RANDOM_BYTES = 16, AUX_PAIRS = 22, PAGE = 4096, CLOCK_TICKS = 100 };
static const char platform[] = "x86_64";

static u64 text_bytes(const struct program *p) { return TOP_ZEROS + p->bytes + sizeof platform + RANDOM_BYTES; }
static u64 vector_words(const struct program *p) { return 1 + p->arguments + 1 + p->environment + 1 + 2 * AUX_PAIRS; }

u64 program_stack_bytes(const struct program *p)
{
    return ((text_bytes(p) + 15) & ~15ul) + ((8 * vector_words(p) + 15) & ~15ul);
}

/* Pointers to `count` strings that follow each other; NULL behind them. */
static u64 *point_at(u64 *word, const char **text, u64 *address, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        u64 bytes = __builtin_strlen(*text) + 1;
        *word++ = *address;
        *text += bytes;
        *address += bytes;
    }
    *word++ = 0;
    return word;
}

u64 program_stack_build(struct program_start *s, u8 *image)
{
    const struct program *p = s->program;
    u64 bytes = program_stack_bytes(p), bottom = s->top - bytes, path_bytes = __builtin_strlen(p->text) + 1;
    __builtin_memset(image, 0, bytes);
    u64 path = s->top - TOP_ZEROS - path_bytes, strings = path - (p->bytes - path_bytes), name = strings - sizeof platform,
        random = (name - RANDOM_BYTES) & ~15ul;
    __builtin_memcpy(image + (path - bottom), p->text, path_bytes);
    __builtin_memcpy(image + (strings - bottom), p->text + path_bytes, p->bytes - path_bytes);
    __builtin_memcpy(image + (name - bottom), platform, sizeof platform);
    __builtin_memcpy(image + (random - bottom), s->seed, RANDOM_BYTES);

    const u64 aux[AUX_PAIRS][2] = {
        { AT_MINSIGSTKSZ, s->minsigstksz }, { AT_HWCAP, s->hwcap }, { AT_PAGESZ, PAGE }, { AT_CLKTCK, CLOCK_TICKS },
        { AT_PHDR, s->headers }, { AT_PHENT, sizeof(struct elf_segment) }, { AT_PHNUM, s->header_count }, { AT_BASE, s->base },
        { AT_FLAGS, 0 }, { AT_ENTRY, s->entry }, { AT_UID, s->uid }, { AT_EUID, s->euid }, { AT_GID, s->gid }, { AT_EGID, s->egid },
        { AT_SECURE, s->secure }, { AT_RANDOM, random }, { AT_HWCAP2, s->hwcap2 }, { AT_EXECFN, path }, { AT_PLATFORM, name },
        { AT_NULL, 0 },
    };
    u64 *word = (u64 *)image;
    const char *text = p->text + path_bytes;
    u64 address = strings;
    *word++ = p->arguments;
    s->arg_start = address;
    word = point_at(word, &text, &address, p->arguments);
    s->arg_end = address;
    word = point_at(word, &text, &address, p->environment);
    s->env_end = address;
    __builtin_memcpy(word, aux, sizeof aux);
    return bottom;
}
