/* SPDX-License-Identifier: BSD-2-Clause */
/* elf.h: reading an ELF executable, as pure functions: nothing is mapped here, and every number in the file is checked before it is used. */
#pragma once
#include <abi/types.h>
#include "../linux/elf.h"

enum { ELF_SEGMENTS = 64, ELF_SCRIPT_LINE = 256 };

/* What must be known to place a program. Addresses are the file's, without the bias of a position-independent one. */
struct elf_plan {
    struct elf_segment load[ELF_SEGMENTS];
    u32 loads;
    bool relocatable;               /* ET_DYN: goes where there is room */
    bool interpreted;               /* it names a dynamic linker, */
    struct elf_segment interpreter; /* in this part of the file */
    u64 low, high;                  /* page-aligned range of all loads */
    u64 end;                        /* the highest byte's successor: brk starts on the next page */
    u64 entry, headers;             /* headers: where the program headers will be in memory, 0: nowhere */
    u32 header_count;
};

/* What the first `bytes` bytes of a file say, before the point of no return. 0, or -ENOEXEC: no program for us. */
i64 elf_check(const void *first, u64 bytes);
/* The plan of a file that elf_check passed. 0, -ENOEXEC, or -EINVAL: segments that cannot be; by then it costs the process its life. */
i64 elf_read(const void *first, u64 bytes, u64 address_end, struct elf_plan *plan);

/* The line `#!interpreter argument`: pointers into `first`, argument NULL if there is none. False: no script, or a bad line (*is_script);
 * `nothing`: the file ends before a name, which Linux takes for the empty one. */
struct elf_script { const char *interpreter, *argument; u32 interpreter_bytes, argument_bytes; bool nothing; };
bool elf_script(const void *first, u64 bytes, bool *is_script, struct elf_script *script);
