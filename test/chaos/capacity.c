/* SPDX-License-Identifier: BSD-2-Clause */
/* capacity.c: how many things the system still has room for: fills each table of its servers to the end, prints how far it came, and gives
 * all back. A table that lost an entry since the last time shows it here; and what servers make at the first use and keep is there
 * afterwards, so that whatever is more later was lost. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 100000, CHILDREN = 64, THREADS = 3, STACK = 16384 };

/* Children that each take what `take` takes until it fails, one after the other, and keep it till the end; the number of all. */
static long by_children(long (*take)(void))
{
    pid_t child[CHILDREN];
    long sum = 0, last = 1;
    int children = 0, ends[2], hold[2];
    if (pipe(ends) || pipe(hold)) {
        return -errno;
    }
    while (children < CHILDREN && last > 0) {
        child[children] = fork();
        if (child[children] < 0) {
            break;
        }
        if (child[children] == 0) {
            char byte;
            close(hold[1]);
            last = take();
            if (write(ends[1], &last, sizeof last) != sizeof last) {
                _exit(1);
            }
            while (read(hold[0], &byte, 1) > 0) { }
            _exit(0);
        }
        children++;
        if (read(ends[0], &last, sizeof last) != sizeof last) {
            break;
        }
        sum += last;
    }
    close(hold[1]);
    for (int i = 0; i < children; i++) {
        waitpid(child[i], NULL, 0);
    }
    close(hold[0]);
    close(ends[0]);
    close(ends[1]);
    return sum;
}

static long take_files(void)
{
    long count = 0;
    while (count < MOST && open("/dev/null", O_RDONLY) >= 0) {
        count++;
    }
    return count;
}

static long take_pipes(void)
{
    long count = 0;
    int ends[2];
    while (count < MOST && pipe(ends) == 0) {
        count++;
    }
    return count;
}

/* Regions of one space that cannot be joined. */
static long regions(void)
{
    long count = 0;
    pid_t pid = fork();
    int ends[2], status;
    (void)ends;
    if (pid == 0) {
        long i = 0;
        while (i < 250 && mmap(NULL, 8192, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
            i++;
        }
        _exit((int)i);
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
        count = WEXITSTATUS(status);
    }
    return count;
}

/* Processes that sleep. */
static long processes(void)
{
    static pid_t child[1024];
    long count = 0;
    while (count < 1024 && (child[count] = fork()) >= 0) {
        if (child[count] == 0) {
            for (;;) {
                pause();
            }
        }
        count++;
    }
    for (long i = 0; i < count; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], NULL, 0);
    }
    return count;
}

/* A chain of processes, each the child of the one before, with all the threads that it may have. Each process waits for its child, each
 * other thread reads what nobody writes: every process and every thread that the system has room for is there at once and waits at a
 * server. So whatever the system keeps for one of them that is made the first time is kept afterwards. */
static struct { long processes, threads; int end; } *chain;
static int held[2], told[2];
static pthread_t thread[THREADS];

static void *reader(void *unused)
{
    char byte;
    return read(held[0], &byte, 1) == 0 ? unused : NULL;
}

static int threads_start(void)
{
    static char stacks[THREADS][STACK] __attribute__((aligned(4096)));
    pthread_attr_t own;
    int count = 0;
    pthread_attr_init(&own);
    while (count < THREADS && pthread_attr_setstack(&own, stacks[count], STACK) == 0 && pthread_create(&thread[count], &own, reader, NULL) == 0) {
        count++;
    }
    chain->processes++;
    chain->threads += count;
    return count;
}

static void chain_told(void)
{
    if (write(told[1], "", 1) != 1) {
        _exit(1);
    }
}

static void chain_run(void)
{
    pid_t pid = 0;
    while (pid == 0) {
        threads_start();
        pid = fork();
    }
    if (pid < 0) {
        chain->end = errno;
        chain_told();
        reader(NULL);
    }
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void chain_fill(void)
{
    char byte;
    chain = mmap(NULL, sizeof *chain, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (chain == MAP_FAILED || pipe(held) || pipe(told)) {
        perror("chain");
        return;
    }
    int own = threads_start();
    pid_t pid = fork();
    if (pid == 0) {
        close(held[1]);
        chain_run();
    }
    if (pid > 0 && read(told[0], &byte, 1) == 1) {
        printf("chain %ld threads %ld, then %s\n", chain->processes, chain->threads, strerror(chain->end));
    }
    close(held[1]);
    close(told[1]);
    waitpid(pid, NULL, 0);
    for (int i = 0; i < own; i++) {
        pthread_join(thread[i], NULL);
    }
    close(held[0]);
    close(told[0]);
    munmap(chain, sizeof *chain);
}

static char path[64];
static long names(const char *form, int (*make)(const char *), int (*drop)(const char *))
{
    long count = 0;
    for (; count < MOST; count++) {
        snprintf(path, sizeof path, form, count);
        if (make(path)) {
            break;
        }
    }
    for (long i = 0; i < count; i++) {
        snprintf(path, sizeof path, form, i);
        drop(path);
    }
    return count;
}

static int link_make(const char *name) { return symlink("somewhere", name); }

/* Files of a page: vm's objects. */
static int page_make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    int bad = fd < 0 || write(fd, "x", 1) != 1;
    if (fd >= 0) {
        close(fd);
    }
    if (bad && fd >= 0) {
        unlink(name);
    }
    return bad ? -1 : 0;
}

/* `capacity chain` fills nothing but the tables of processes and threads. */
int main(int argc, char **argv)
{
    struct rlimit files = { 0, 0 };
    if (argc == 2 && !strcmp(argv[1], "chain")) {
        chain_fill();
        return 0;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    mkdir("/tmp/capacity", 0755);
    if (chdir("/tmp/capacity")) {
        return 1;
    }
    printf("processes %ld\n", processes());
    chain_fill();
    printf("files %ld\n", by_children(take_files));
    printf("pipes %ld\n", by_children(take_pipes));
    printf("regions %ld\n", regions());
    struct statfs now;
    if (statfs(".", &now) == 0) {
        printf("inodes %lu blocks %lu\n", (unsigned long)now.f_ffree, (unsigned long)now.f_bfree);
    }
    printf("links %ld\n", names("l%ld", link_make, unlink));
    printf("objects %ld\n", names("o%ld", page_make, unlink));
    return chdir("/") || rmdir("/tmp/capacity");
}
