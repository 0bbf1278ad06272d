/* SPDX-License-Identifier: BSD-2-Clause */
/* system.c: clocks, and what the system says of itself. */
#include "see.h"
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>

static long since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void clocks(void)
{
    struct timespec start, part = { 0, 30000000 }, bad = { 0, -1 }, negative = { -1, 0 };
    struct timeval day;
    SEE(clock_gettime(CLOCK_MONOTONIC, &start));
    SEE(nanosleep(&part, NULL));
    SEE(since(&start) >= 30);
    SEE(nanosleep(&bad, NULL));
    SEE(nanosleep(&negative, NULL));
    SEE(clock_nanosleep(CLOCK_MONOTONIC, 0, &part, NULL));
    SEE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &start, NULL));
    SEE(clock_gettime(77, &part));
    SEE(syscall(SYS_clock_gettime, CLOCK_REALTIME, 1));
    SEE(clock_getres(CLOCK_MONOTONIC, &part));
    SEE(gettimeofday(&day, NULL));
    SEE(day.tv_sec > 1700000000);
    SEE(labs(time(NULL) - day.tv_sec) <= 1);
    SEE(times(NULL) != (clock_t)-1);
    SEE(clock() != (clock_t)-1);
}

static void about(void)
{
    struct utsname name;
    struct sysinfo info;
    char bytes[32];
    SEE(uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    SEE(uname((struct utsname *)1));
    SEE(sysinfo(&info));
    printf("%d %d %d\n", info.totalram > 1000000, info.procs > 0, info.mem_unit);
    SEE(sysinfo((struct sysinfo *)1));
    SEE(getrandom(bytes, sizeof bytes, 0));
    SEE(getrandom(bytes, 4, 0x100));
    SEE(getrandom((char *)1, 4, 0));
    SEE(getauxval(AT_PAGESZ));
    SEE(getauxval(AT_UID));
    SEE(getauxval(AT_SECURE));
    SEE(getauxval(AT_CLKTCK));
    SEE(getauxval(AT_RANDOM) != 0);
    printf("%s\n", (const char *)getauxval(AT_EXECFN));
    SEE(sysconf(_SC_NPROCESSORS_ONLN));
    SEE(sysconf(_SC_PAGESIZE));
    SEE(syscall(9999));
    SEE(getppid() > 0);
    SEE(gettid() == getpid());
}

int main(int count, char **words)
{
    clocks();
    about();
    printf("%d %s\n", count, words[0]);
    return 0;
}
