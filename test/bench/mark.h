/* SPDX-License-Identifier: BSD-2-Clause */
/* mark.h: places in a bench program that counter/counter.c knows again: its ELF file's section .bench_marks lists them. They take no
 * instruction: a mark is a name for the one that follows. For C and assembler text, in non-relocatable programs. */
#pragma once

#define BENCH_BEGIN 0       /* a window is what runs after this instruction */
#define BENCH_END   1       /* and before this one */
#define BENCH_GROUP 2       /* here a group of windows ends, and its result is printed */

#define BENCH_MARK(kind) "771: .pushsection .bench_marks,\"\",@progbits; .quad 771b, " BENCH_MARK_TEXT(kind) "; .popsection; "
#define BENCH_MARK_TEXT(kind) BENCH_MARK_TEXT_(kind)
#define BENCH_MARK_TEXT_(kind) #kind
