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

enum { SAMPLES = 101, FEW = 11, PAGE = 4096, ROW = 64, PAGES = SAMPLES + (FEW + 1) * ROW };

static uint64_t empty;

/* Instructions until now, with a mark, or "", for the plugin that counts from outside. */
#define TICKS(mark) ({ uint32_t low, high; __asm__ volatile(mark "rdtsc" : "=a"(low), "=d"(high) :: "memory"); (uint64_t)high << 32 | low; })

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

static void print(const char *id, uint64_t value, uint64_t least)
{
    __asm__ volatile(BENCH_MARK(BENCH_GROUP) ::: "memory");
    printf("bench: %s %llu instructions min %llu\n", id, (unsigned long long)value, (unsigned long long)least);
    fflush(stdout);
}

/* ---- operations, each measured as one call of a function ---- */
static int file, to[2], from[2];
static char *fresh, *row, data[PAGE];

static void nothing(void) { }
static void getuid_raw(void) { syscall(SYS_getuid); }
static void getppid_raw(void) { syscall(SYS_getppid); }
/* Downwards, which no system foresees; and upwards, which one may. */
static void page_touch(void) { *(volatile char *)fresh = 1; fresh -= PAGE; }
static void row_touch(void)
{
    for (int i = 0; i < ROW; i++, row += PAGE) {
        *(volatile char *)row = 1;
    }
}
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

/* Print the median and the least of `count` samples, less `empty`; the median as it was. */
static uint64_t measure(const char *id, void (*operation)(void), int count)
{
    uint64_t sample[SAMPLES];
    for (int i = 0; i < count; i++) {
        uint64_t begin = TICKS(BENCH_MARK(BENCH_BEGIN));
        operation();
        sample[i] = TICKS(BENCH_MARK(BENCH_END)) - begin;
    }
    qsort(sample, (size_t)count, sizeof *sample, compare);
    print(id, sample[count / 2] - empty, sample[0] - empty);
    return sample[count / 2];
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
    uint64_t begun = TICKS("");
    if (count > 1) {
        return strcmp(argument[1], "nothing") != 0;
    }
    print("boot", begun, begun);
    empty = measure("u_clock", nothing, SAMPLES);
    measure("u_getuid", getuid_raw, SAMPLES);
    measure("u_getppid", getppid_raw, SAMPLES);
    row = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(row != MAP_FAILED, "mmap");
    fresh = row + (PAGES - 1) * PAGE;
    measure("u_page", page_touch, SAMPLES);
    measure("u_page_row", row_touch, FEW);
    check(munmap(row - FEW * ROW * PAGE, PAGES * PAGE) == 0, "munmap");
    file = open("/tmp/measured", O_RDWR | O_CREAT, 0600);
    check(file >= 0, "/tmp/measured");
    write_page();
    measure("u_open_close", open_close, SAMPLES);
    measure("u_write_4k", write_page, SAMPLES);
    measure("u_read_4k", read_page, SAMPLES);
    echo_begin();
    measure("u_pipe", round_trip, SAMPLES);
    measure("u_fork", fork_exit, FEW);
    measure("u_exec", fork_exec, FEW);
    return 0;
}
