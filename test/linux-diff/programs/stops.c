/* SPDX-License-Identifier: BSD-2-Clause */
/* stops.c: a process is stopped and goes on while it is inside a system call, without a handler: what waits goes on waiting, no call is
 * cut short, but for sigtimedwait. */
#include "see.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>

enum { STEP = 40000, SLEEP = 4 * STEP };        /* microseconds */
static int line[2], full[2];

static struct timespec time_of(long us) { return (struct timespec){ 0, us * 1000 }; }
static int result_of(long result, long good) { return result == good ? 1 : result < 0 ? errno : 2; }

static int reads(void)
{
    char byte;
    return result_of(read(line[0], &byte, 1), 1);
}

static int reads_many(void)
{
    char bytes[8];
    struct iovec parts[2] = { { bytes, 1 }, { bytes + 1, 1 } };
    return result_of(readv(line[0], parts, 2), 1);
}

static int writes(void)
{
    return result_of(write(full[1], "x", 1), 1);
}

static int sleeps(void)
{
    struct timespec time = time_of(SLEEP), rest = { 5, 5 };
    return result_of(nanosleep(&time, &rest), 0);
}

static int sleeps_until(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += SLEEP * 1000l;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    int err = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    return err ? err : 1;
}

static int polls(void)
{
    struct pollfd ask = { line[0], POLLIN, 0 };
    return result_of(poll(&ask, 1, -1), 1);
}

static int polls_in_vain(void) { return result_of(poll(NULL, 0, SLEEP / 1000), 0); }

static int selects(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(line[0], &set);
    struct timeval time = { 10, 0 };
    return result_of(select(line[0] + 1, &set, NULL, NULL, &time), 1);
}

static int pselects(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(line[0], &set);
    sigset_t none;
    sigemptyset(&none);
    return result_of(pselect(line[0] + 1, &set, NULL, NULL, NULL, &none), 1);
}

static int waits(void)
{
    pid_t inner = fork();
    if (inner == 0) {
        usleep(SLEEP);
        _exit(0);
    }
    return result_of(waitpid(inner, NULL, 0), inner);
}

static int vforks(void)
{
    pid_t inner = vfork();
    if (inner == 0) {
        struct timespec time = time_of(SLEEP);
        nanosleep(&time, NULL);
        _exit(7);
    }
    int status = 0;
    return inner < 0 ? errno : result_of(waitpid(inner, &status, 0), inner) + (WEXITSTATUS(status) == 7 ? 10 : 0);
}

static int vforks_and_executes(void)
{
    pid_t inner = vfork();
    if (inner == 0) {
        struct timespec time = time_of(SLEEP);
        nanosleep(&time, NULL);
        execl("/bin/sh", "sh", "-c", "exit 8", (char *)NULL);
        _exit(9);
    }
    int status = 0;
    return inner < 0 ? errno : result_of(waitpid(inner, &status, 0), inner) + (WEXITSTATUS(status) == 8 ? 10 : 0);
}

static int opens(void)
{
    int file = open("fifo", O_RDONLY);
    return file < 0 ? errno : 1;
}

static int locks(void)
{
    int file = open("locked", O_RDWR);
    return result_of(flock(file, LOCK_EX), 0);
}

static void nothing(int number) { (void)number; }

static int pauses(void)
{
    signal(SIGUSR1, nothing);
    return pause() == -1 && errno == EINTR ? 1 : 2;
}

static int suspends(void)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGUSR1, nothing);
    return sigsuspend(&none) == -1 && errno == EINTR ? 1 : 2;
}

static int takes(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct timespec time = { 1, 0 };
    return result_of(syscall(SYS_rt_sigtimedwait, &set, NULL, &time, 8), SIGUSR2);
}

static sem_t semaphore;
static void *posts(void *unused)
{
    usleep(SLEEP);
    sem_post(&semaphore);
    return unused;
}

static int waits_for_thread(void)
{
    pthread_t other;
    sem_init(&semaphore, 0, 0);
    pthread_create(&other, NULL, posts, NULL);
    int result = result_of(sem_wait(&semaphore), 0);
    return pthread_join(other, NULL) ? 3 : result;
}

static int waits_with_deadline(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_t other;
    sem_init(&semaphore, 0, 0);
    pthread_create(&other, NULL, posts, NULL);
    int result = result_of(sem_timedwait(&semaphore, &until), 0);
    return pthread_join(other, NULL) ? 3 : result;
}

/* Calls that do not wait for anybody: whether one ever failed. */
static int works(void)
{
    struct timespec now, start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int file = open("work", O_RDWR | O_CREAT | O_TRUNC, 0600);
    do {
        char byte = 'w';
        struct stat info;
        if (pwrite(file, &byte, 1, 0) != 1 || pread(file, &byte, 1, 0) != 1 || fstat(file, &info) || access("work", R_OK) ||
            stat("work", &info) || getppid() < 1 || kill(0, 0)) {
            return errno;
        }
        void *place = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
        if (place == MAP_FAILED || munmap(place, 4096)) {
            return errno;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < SLEEP);
    return 1;
}

static int makes_processes(void)
{
    struct timespec now, start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        pid_t inner = fork();
        if (inner == 0) {
            _exit(0);
        }
        if (inner < 0 || waitpid(inner, NULL, 0) != inner) {
            return errno;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 < SLEEP);
    return 1;
}

/* ---- who ends the wait ---- */
static void by_itself(pid_t child) { (void)child; }
static void by_signal(pid_t child) { kill(child, SIGUSR1); }

static void by_byte(pid_t child)
{
    (void)child;
    if (write(line[1], "b", 1) != 1) {
        printf("no byte\n");
    }
}

static void by_reading(pid_t child)
{
    (void)child;
    static char much[1 << 16];
    if (read(full[0], much, sizeof much) < 1) {
        printf("nothing read\n");
    }
}

static void by_opening(pid_t child)
{
    (void)child;
    close(open("fifo", O_WRONLY));
}

static int held;
static void by_unlocking(pid_t child)
{
    (void)child;
    flock(held, LOCK_UN);
}

static void see_stopped(const char *name, int (*act)(void), void (*end)(pid_t), int number, int times)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);      /* or SIGTSTP would find an orphaned group */
        _exit(act());
    }
    usleep(STEP);
    for (int i = 0; i < times; i++) {
        kill(child, number);
        usleep(STEP / 10);
        kill(child, SIGCONT);
        usleep(STEP / 10);
    }
    end(child);
    see_child(name, child);
}

static void see_each(const char *name, int (*act)(void), void (*end)(pid_t))
{
    see_stopped(name, act, end, SIGSTOP, 2);
    see_stopped(name, act, end, SIGTSTP, 2);
}
#define EACH(act, end) see_each(#act " " #end, act, end)

static void prepare(void)
{
    static char much[1 << 16];
    if (pipe(line) < 0 || pipe(full) < 0 || mkfifo("fifo", 0600) < 0) {
        printf("no pipes\n");
    }
    fcntl(full[1], F_SETFL, O_NONBLOCK);
    while (write(full[1], much, sizeof much) > 0) {
    }
    fcntl(full[1], F_SETFL, 0);
    held = open("locked", O_RDWR | O_CREAT, 0600);
}

int main(void)
{
    prepare();
    EACH(reads, by_byte);
    EACH(reads_many, by_byte);
    EACH(sleeps, by_itself);
    EACH(sleeps_until, by_itself);
    EACH(polls, by_byte);
    close(line[0]), close(line[1]);
    pipe(line);
    EACH(polls_in_vain, by_itself);
    EACH(selects, by_byte);
    close(line[0]), close(line[1]);
    pipe(line);
    EACH(pselects, by_byte);
    EACH(writes, by_reading);
    EACH(waits, by_itself);
    EACH(vforks, by_itself);
    EACH(vforks_and_executes, by_itself);
    EACH(opens, by_opening);
    flock(held, LOCK_EX);
    see_stopped("locks", locks, by_unlocking, SIGSTOP, 2);
    flock(held, LOCK_EX);
    see_stopped("locks", locks, by_unlocking, SIGTSTP, 2);
    EACH(pauses, by_signal);
    EACH(suspends, by_signal);
    EACH(takes, by_itself);
    EACH(waits_for_thread, by_itself);
    EACH(waits_with_deadline, by_itself);
    see_stopped("works", works, by_itself, SIGSTOP, 40);
    see_stopped("makes processes", makes_processes, by_itself, SIGSTOP, 40);
    return 0;
}
