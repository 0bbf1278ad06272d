/* SPDX-License-Identifier: BSD-2-Clause */
/* wounds.c: what once hurt the system, one case each: short programs that came out of chaos, capacity and attacks by hand. Each prints what it
 * saw; the same program on Linux prints the same. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>
#include "raw.h"

static char buffer[65536];

static void file_make(const char *name, size_t bytes)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, buffer, bytes) != (ssize_t)bytes) {
        perror(name);
    }
    close(fd);
}

/* Cutting one file short took away the pages of every file in the same 2 MB. */
static void cut(void)
{
    file_make("f0", 0);
    file_make("g", 12000);
    int fd = open("f0", O_RDWR);
    printf("%zd\n", pwrite(fd, buffer, 8, 0xaa19));
    close(open("g", O_WRONLY | O_CREAT | O_TRUNC, 0666));
    printf("%zd\n", pread(fd, buffer, sizeof buffer, 0));
}

/* A process that ended with a thousand descriptors was more than one transaction of vfs could hold; so was one whose descriptors close at
 * execve, every other one. */
static void many(void)
{
    static const char *const shell[] = { "/bin/sh", "-c", "echo ended", NULL };
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = 900;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int how = 0; how < 3; how++) {
        if (fork() == 0) {
            int count = 0, ends[2] = { -1, -1 };
            while (how != 1 && count < 20 && pipe(ends) == 0) {
                count++;
            }
            while (open("/dev/null", O_RDONLY | (how == 2 && ++count % 2 ? O_CLOEXEC : 0)) >= 0) { }
            printf("%d\n", errno == EMFILE);
            fflush(stdout);
            if (how == 2) {
                execv(shell[0], (char **)shell);
            }
            _exit(how);
        }
        int status;
        wait(&status);
        printf("status %d\n", WEXITSTATUS(status));
        fflush(stdout);
    }
}

/* The number of a call is half of rax; -1 once gave what was in rax. sysinfo was refused. */
static void numbers(void)
{
    struct sysinfo now;
    printf("%d\n", raw(1ul << 32 | SYS_getpid, 0, 0, 0, 0, 0, 0) == getpid());
    printf("%ld\n", (long)raw(~0ul, 0, 0, 0, 0, 0, 0));
    printf("%ld\n", (long)raw(0x7fffffff, 0, 0, 0, 0, 0, 0));
    printf("%d\n", sysinfo(&now));
    printf("%ld\n", (long)raw(SYS_mmap, 0, 4096, 1, 1, (u64)open("/proc/self/exe", O_RDONLY), 1ul << 63));
}

static void told(long result) { printf("%ld %d\n", result, result < 0 ? errno : 0); }

/* Access mode 3 neither reads nor writes: such an end of a FIFO was none that its pipe counted, and outlived it. */
static void neither(void)
{
    char path[40];
    int ends[2], again, fd;
    if (mkfifo("p", 0600) || pipe(ends)) {
        perror("p");
    }
    int both = open("p", O_RDWR);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    told(open("p", 3));
    told(open("p", 3 | O_NONBLOCK));
    told(open(path, 3));
    close(both);
    again = open("p", O_RDWR);
    printf("%zd\n", write(again, "well", 4));
    printf("%zd\n", read(again, buffer, 4));
    file_make("f0", 100);
    fd = open("f0", 3);
    printf("%d\n", fd < 0);
    told(read(fd, buffer, 1));
    told(write(fd, buffer, 1));
    told(ftruncate(fd, 1));
    printf("%o\n", (unsigned)fcntl(fd, F_GETFL) & 3);
    told(open(".", 3));
}

static void signals_print(const char *what, const sigset_t *set)
{
    printf("%s:", what);
    for (int i = 1; i < 32; i++) {
        if (sigismember(set, i)) {
            printf(" %d", i);
        }
    }
    puts("");
}

static void signals_seen(void)
{
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    signals_print("blocked", &set);
    sigpending(&set);
    signals_print("pending", &set);
}

/* What was blocked was not any more after execve, so that what was pending killed the new program. */
static void blocked(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    signals_seen();
    fflush(stdout);
    execl("/proc/self/exe", "wounds", "again", "signals", NULL);
    perror("execl");
}

static const struct { const char *name; void (*run)(void); } cases[] = {
    { "cut", cut }, { "many", many }, { "numbers", numbers }, { "neither", neither }, { "blocked", blocked }, { "signals", signals_seen },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof cases / sizeof cases[0]; i++) {
        if (!strcmp(argv[2], cases[i].name)) {
            if (mkdir(argv[1], 0777) || chdir(argv[1])) {
                perror(argv[1]);
            }
            cases[i].run();
            return 0;
        }
    }
    for (size_t i = 0; argc == 1 && i < sizeof cases / sizeof cases[0]; i++) {
        puts(cases[i].name);
    }
    return argc != 1;
}
