/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: guest instructions of the kernel's operations. Runs as the root task. */
#include "bench.h"
#include <l4/start.h>
#include "test.h"

enum { LOOP = 1000 };

volatile u32 bench_sample[SAMPLES] L4_VOLATILE_ZERO;
static u32 overhead L4_VOLATILE_ZERO;

static void sort(void)
{
    for (u32 i = 1; i < SAMPLES; i++) {
        u32 value = bench_sample[i], at = i;
        for (; at && bench_sample[at - 1] > value; at--) {
            bench_sample[at] = bench_sample[at - 1];
        }
        bench_sample[at] = value;
    }
}

void bench_samples(const char *id, u32 operations)
{
    __asm__ volatile(BENCH_MARK(BENCH_GROUP) : : : "memory");
    sort();
    l4_print("bench: %s %u instructions min %u of %u\n", id, (bench_sample[SAMPLES / 2] - overhead) / operations,
        (bench_sample[0] - overhead) / operations, operations);
}

void bench_each_of(const char *id, u32 (*once)(u32 i), u32 operations)
{
    for (u32 i = 0; i < SAMPLES; i++) {
        bench_sample[i] = once(i);
    }
    bench_samples(id, operations);
}

void bench_each(const char *id, u32 (*once)(u32 i)) { bench_each_of(id, once, 1); }

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
    test_is("the clock counts instructions", bench_sample[SAMPLES / 2] - overhead, 2 * LOOP + 1);
    bench_messages();
    bench_memory();
    bench_handlers();
    bench_lives();
    test_end();
}
