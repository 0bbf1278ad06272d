/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: guest instructions of the kernel's operations. Runs as the root task. */
#include "bench.h"
#include <l4/start.h>
#include "test.h"

enum { LOOP = 1000 };

volatile u32 bench_sample[SAMPLES] L4_VOLATILE_ZERO;
static u32 overhead L4_VOLATILE_ZERO;

static u32 median(void)
{
    for (u32 i = 1; i < SAMPLES; i++) {
        u32 value = bench_sample[i], at = i;
        for (; at && bench_sample[at - 1] > value; at--) {
            bench_sample[at] = bench_sample[at - 1];
        }
        bench_sample[at] = value;
    }
    return bench_sample[SAMPLES / 2];
}

void bench_samples(const char *id)
{
    __asm__ volatile(BENCH_MARK(BENCH_GROUP) : : : "memory");
    l4_print("bench: %s %u instructions\n", id, median() - overhead);
}

void bench_each(const char *id, u32 (*once)(u32 i))
{
    for (u32 i = 0; i < SAMPLES; i++) {
        bench_sample[i] = once(i);
    }
    bench_samples(id);
}

static u32 nothing(u32 i)
{
    u32 start = bench_begin();
    return bench_end() - start;
}

static u32 loop(u32 i)
{
    u64 left = LOOP;
    u32 start = bench_begin();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(left) : : "cc");
    return bench_end() - start;
}

void l4_main(void)
{
    test_begin("bench-kernel");
    bench_each("k_clock", nothing);
    overhead = bench_sample[SAMPLES / 2];
    bench_each("k_calibration", loop);
    test_true("the clock counts instructions", bench_sample[SAMPLES / 2] - overhead <= 2 * LOOP + 2);
    bench_messages();
    bench_memory();
    bench_handlers();
    bench_lives();
    test_end();
}
