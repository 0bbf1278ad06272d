/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.h: reading static ELF64 programs for x86-64. Pure: nothing is mapped or copied; every offset is checked. */
#pragma once
#include <abi/types.h>

enum { L4_ELF_SEGMENTS = 16 };
enum l4_elf_type { L4_ELF_FIXED = 2, L4_ELF_POSITION_INDEPENDENT = 3 };

struct l4_elf_segment {
    vaddr_t at;                  /* as linked; need not be page aligned */
    u64 bytes;                   /* in memory */
    u64 file_offset, file_bytes; /* what of it is in the file, the rest is zero */
    u32 rights;                  /* L4_R | L4_W | L4_X */
    u32 align_log2;
};

struct l4_elf {
    enum l4_elf_type type;
    vaddr_t entry;
    vaddr_t headers; /* address of the program headers in memory (AT_PHDR), 0 if no segment holds them */
    u32 header_count, header_bytes;
    vaddr_t start, end;                        /* of all segments, page aligned */
    u64 interpreter_offset, interpreter_bytes; /* in the file; 0 bytes: none */
    bool executable_stack;
    u32 segments;
    struct l4_elf_segment segment[L4_ELF_SEGMENTS]; /* sorted by address, not overlapping */
};

/* Read the headers of the file of `bytes` bytes, of which the first `head_bytes` are at `head` (all program headers
 * must be among
 * them). L4_BAD_ARGUMENT: no ELF, of another machine, or damaged; L4_UNSUPPORTED: too many segments. */
l4_err_t l4_elf_read(const void *head, u64 head_bytes, u64 bytes, struct l4_elf *elf);
