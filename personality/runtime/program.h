/* SPDX-License-Identifier: BSD-2-Clause */
/* program.h: the arguments of the next program, as the old one leaves them at RUNTIME_PROGRAM for the new one: the path it was
 * started by, then the argument strings, then the environment, each with its zero. */
#pragma once
#include <abi/types.h>

enum { PROGRAM_MAGIC = 0x6772704c };
enum { PROGRAM_STRING_MOST = 131072 };      /* MAX_ARG_STRLEN */
enum { PROGRAM_CALL = 200 };                /* bytes of a call in a line of --strace */

struct program {
    u32 magic, strace;
    u32 arguments, environment;     /* how many */
    u64 bytes;                      /* of text */
    u64 mask;                       /* blocked signals: they stay so */
    u32 counting;                   /* the calls are counted */
    u32 call_bytes;                 /* with --strace: the execve as the old program made it, for the new one to say that it succeeded */
    char call[PROGRAM_CALL];
    char text[];
};

/* Everything that the initial stack says. */
struct program_start {
    const struct program *program;
    u64 top;                        /* first address behind the stack */
    u64 headers, header_count, base, entry;
    u64 seed[2];
    u32 uid, euid, gid, egid;
    u32 secure, hwcap, hwcap2, minsigstksz;
    u64 arg_start, arg_end, env_end;        /* results, for /proc */
};

/* Bytes of the initial stack, a multiple of 16. */
u64 program_stack_bytes(const struct program *);
/* Build it in `image`, program_stack_bytes() long, that will lie just below start->top. Returns the new stack pointer. */
u64 program_stack_build(struct program_start *start, u8 *image);
