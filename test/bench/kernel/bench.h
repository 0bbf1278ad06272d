/* SPDX-License-Identifier: BSD-2-Clause */
/* bench.h: how this program measures: each operation SAMPLES times, the median counts.
 * What is between bench_begin() and bench_end() is also counted from outside: ../counter. */
#pragma once
#include "../mark.h"
#include <l4/invoke.h>
#include <l4/types.h>

enum { SAMPLES = 101 };

/* Slots of the root task, and of a child at the same places. */
enum { SLOT_GATE = 64, SLOT_DOOR, SLOT_IRQ, SLOT_THREAD, SLOT_TASK, SLOT_EMPTY = 200 };

/* Instructions until now: under -icount the TSC counts them. */
static inline __attribute__((always_inline)) u32 bench_begin(void)
{
    u32 low, high;
    __asm__ volatile(BENCH_MARK(BENCH_BEGIN) "rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low;
}
static inline __attribute__((always_inline)) u32 bench_end(void)
{
    u32 low, high;
    __asm__ volatile(BENCH_MARK(BENCH_END) "rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low;
}

/* Measure once(0), once(1), ...: each returns how many instructions it took, clock included. */
void bench_each(const char *id, u32 (*once)(u32 i));
/* The same, where each does the operation so many times. */
void bench_each_of(const char *id, u32 (*once)(u32 i), u32 operations);
/* The same, where a child has put them into bench_sample. */
void bench_samples(const char *id, u32 operations);
extern volatile u32 bench_sample[SAMPLES];

/* Call `door` with a word that nobody looks at; a stub that has one word loads no register for more. */
static inline __attribute__((always_inline)) void bench_call_word(cap_t door, u64 tag)
{
    register u64 r10 __asm__("r10") = door;
    register u64 r8 __asm__("r8");
    register u64 r9 __asm__("r9");
    u64 number = 0, w0 = 1, w1;
    __asm__ volatile("syscall" : "+D"(tag), "+S"(w0), "=d"(w1), "=r"(r8), "=r"(r9), "+r"(r10), "+a"(number) : : "rcx", "r11", "memory");
}
/* Call `door` with a tag, and four words that nobody looks at. */
static inline __attribute__((always_inline)) void bench_call(cap_t door, u64 tag)
{
    u64 w0 = 1, w1 = 2, w2 = 3, w3 = 4;
    l4_invoke(door, &tag, 0, &w0, &w1, &w2, &w3);
}
/* Answer and receive; returns the tag of what came. */
static inline __attribute__((always_inline)) u64 bench_answer(u64 tag, u64 *w0)
{
    u64 w1 = 0, w2 = 0, w3 = 0;
    tag |= L4_TAG_WAIT;
    l4_invoke(0, &tag, 0, w0, &w1, &w2, &w3);
    return tag;
}
/* Answer with a word, and receive. */
static inline __attribute__((always_inline)) void bench_answer_word(u64 tag)
{
    register u64 r10 __asm__("r10") = 0;
    register u64 r8 __asm__("r8");
    register u64 r9 __asm__("r9");
    u64 number = 0, w0, w1;
    tag |= L4_TAG_WAIT;
    __asm__ volatile("syscall" : "+D"(tag), "=S"(w0), "=d"(w1), "=r"(r8), "=r"(r9), "+r"(r10), "+a"(number) : : "rcx", "r11", "memory");
}
/* Receive without an answer. */
static inline __attribute__((always_inline)) u64 bench_receive(void)
{
    u64 none = 0;
    return bench_answer(0, &none);
}

void bench_messages(void);
void bench_memory(void);
void bench_handlers(void);
void bench_lives(void);
