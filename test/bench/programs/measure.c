/* SPDX-License-Identifier: BSD-2-Clause */
/* measure.c: what system calls cost a Linux program, the same binary on Axolotl and on Linux. Under -icount a tick of the TSC is an
 * instruction; each figure is the median of its samples, less what reading the TSC twice takes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../mark.h"

enum { SAMPLES = 101, FEW = 11, PAGE = 4096 };

static uint64_t empty;

static inline __attribute__((always_inline)) uint64_t ticks_begin(void)
{
    uint32_t low, high;
    __asm__ volatile(BENCH_MARK(BENCH_BEGIN) "rdtsc" : "=a"(low), "=d"(high) :: "memory");
    return (uint64_t)high << 32 | low;
}
static inline __attribute__((always_inline)) uint64_t ticks_end(void)
{
    uint32_t low, high;
    __asm__ volatile(BENCH_MARK(BENCH_END) "rdtsc" : "=a"(low), "=d"(high) :: "memory");
    return (uint64_t)high << 32 | low;
}

static void check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median(uint64_t *sample, int count)
{
    qsort(sample, (size_t)count, sizeof *sample, compare);
    return sample[count / 2];
}

static void print(const char *id, uint64_t value)
{
    __asm__ volatile(BENCH_MARK(BENCH_GROUP) ::: "memory");
    printf("bench: %s %llu instructions\n", id, (unsigned long long)value);
    fflush(stdout);
}

/* ---- operations, each measured as one call of a function ---- */
static int file, to[2], from[2];
static char *fresh, data[PAGE];

static void nothing(void) { }
static void getuid_raw(void) { syscall(SYS_getuid); }
static void getppid_raw(void) { syscall(SYS_getppid); }
static void page_touch(void) { *(volatile char *)fresh = 1; fresh += PAGE; }
static void open_close(void) { close(open("/tmp/measured", O_RDONLY)); }
static void read_page(void) { check(pread(file, data, PAGE, 0) == PAGE, "pread"); }
static void write_page(void) { check(pwrite(file, data, PAGE, 0) == PAGE, "pwrite"); }

static void round_trip(void)
{
    check(write(to[1], data, 1) == 1 && read(from[0], data, 1) == 1, "round trip");
}

static void child_wait(pid_t child)
{
    int status;
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "child");
}

static void fork_exit(void)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    child_wait(child);
}

static void fork_exec(void)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/measure", "measure", "nothing", (char *)NULL);
        _exit(1);
    }
    child_wait(child);
}

static uint64_t measure(void (*operation)(void), int count)
{
    uint64_t sample[SAMPLES];
    for (int i = 0; i < count; i++) {
        uint64_t begin = ticks_begin();
        operation();
        sample[i] = ticks_end() - begin;
    }
    return median(sample, count) - empty;
}

/* ---- what they need ---- */
static void echo_begin(void)
{
    check(pipe(to) == 0 && pipe(from) == 0, "pipe");
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0) {
        char byte;
        close(to[1]);
        while (read(to[0], &byte, 1) == 1) {
            check(write(from[1], &byte, 1) == 1, "echo");
        }
        _exit(0);
    }
    close(to[0]);
}

int main(int count, char **argument)
{
    uint64_t begun = ticks_end();
    if (count > 1) {
        return strcmp(argument[1], "nothing") != 0;
    }
    print("boot", begun);
    uint64_t clock = measure(nothing, SAMPLES);
    print("u_clock", clock);
    empty = clock;
    print("u_getuid", measure(getuid_raw, SAMPLES));
    print("u_getppid", measure(getppid_raw, SAMPLES));
    fresh = mmap(NULL, (SAMPLES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(fresh != MAP_FAILED, "mmap");
    print("u_page", measure(page_touch, SAMPLES));
    file = open("/tmp/measured", O_RDWR | O_CREAT, 0600);
    check(file >= 0, "/tmp/measured");
    write_page();
    print("u_open_close", measure(open_close, SAMPLES));
    print("u_write_4k", measure(write_page, SAMPLES));
    print("u_read_4k", measure(read_page, SAMPLES));
    echo_begin();
    print("u_pipe", measure(round_trip, SAMPLES));
    print("u_fork", measure(fork_exit, FEW));
    print("u_exec", measure(fork_exec, FEW));
    return 0;
}
