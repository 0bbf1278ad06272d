/* SPDX-License-Identifier: BSD-2-Clause */
/* clone3.c: clone with its arguments in a struct: what is refused, in which order, and what a child finds. glibc's threads and
 * posix_spawn begin this way, too: a thread and a program are started by the library at the end. */
#include "see.h"
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>

struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define CLEAR_SIGHAND 0x100000000

static long call(const void *at, size_t bytes) { return syscall(SYS_clone3, at, bytes); }

/* It must fail: a child that comes after all says so and goes. */
static long fails(struct arguments a, size_t bytes)
{
    fflush(stdout);
    long child = call(&a, bytes);
    if (child == 0) {
        _exit(99);
    }
    return child;
}

static void errors(void)
{
    static char page[8192] __attribute__((aligned(4096)));
    struct arguments good = { .exit_signal = SIGCHLD };
    SEE(fails(good, 0));
    SEE(fails(good, 63));
    SEE(fails(good, 4097));
    SEE(call(NULL, 88));
    SEE(call((void *)8, 88));
    SEE(call((void *)0xffffffff80000000, 88));
    SEE(call(NULL, 63));
    SEE(call(NULL, 4097));
    memcpy(page, &good, sizeof good);
    page[100] = 1;
    SEE(call(page, 128));
    char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + 4096, 4096);
    memcpy(two + 4096 - 88, &good, 88);
    SEE(call(two + 4096 - 88, 96));
    SEE(call(two + 4096 - 80, 88));
    SEE(fails((struct arguments){ .exit_signal = 65 }, 88));
    SEE(fails((struct arguments){ .exit_signal = 0x111 }, 88));
    SEE(fails((struct arguments){ .exit_signal = 1ul << 40 }, 88));
    SEE(fails((struct arguments){ .flags = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = 0x400000 /* CLONE_DETACHED */, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = 1ul << 34, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = 1ul << 63, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = CLONE_THREAD }, 88));
    SEE(fails((struct arguments){ .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .flags = CLONE_PARENT, .exit_signal = SIGCHLD }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .stack = (uint64_t)page }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .stack_size = 4096 }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .stack = 0xffffffff80000000, .stack_size = 4096 }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .stack = (uint64_t)page, .stack_size = ~0ul }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .set_tid_size = 1 }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .set_tid = (uint64_t)page }, 88));
    SEE(fails((struct arguments){ .exit_signal = SIGCHLD, .set_tid = (uint64_t)page, .set_tid_size = 33 }, 88));
    SEE(fails((struct arguments){ .flags = CLONE_SETTLS, .exit_signal = SIGCHLD, .tls = 0xffffffff80000000 }, 88));
    SEE(waitpid(-1, NULL, WNOHANG));
}

static void on_signal(int number) { (void)number; }

static const char *disposition(int number)
{
    struct sigaction action;
    sigaction(number, NULL, &action);
    return action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "caught";
}

/* What a child by these arguments finds; it begins where its parent stands, on a copy of everything. */
static void processes(void)
{
    static volatile int mine, its;
    static char later[128];
    struct arguments a = { .exit_signal = SIGCHLD, .flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                           .parent_tid = (uint64_t)&mine, .child_tid = (uint64_t)&its };
    fflush(stdout);
    long child = call(&a, 64);
    if (child == 0) {
        _exit(its == getpid() && mine == 0 ? 5 : 6);
    }
    printf("told %d, the child's word untouched %d\n", mine == child, its == 0);
    see_child("the first version", (pid_t)child);
    memcpy(later, &(struct arguments){ .exit_signal = SIGCHLD }, sizeof a);
    child = call(later, sizeof later);
    if (child == 0) {
        _exit(7);
    }
    see_child("a later one with zeros", (pid_t)child);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    for (int clear = 0; clear < 2; clear++) {
        a = (struct arguments){ .exit_signal = SIGCHLD, .flags = clear ? CLEAR_SIGHAND : 0 };
        fflush(stdout);
        child = call(&a, sizeof a);
        if (child == 0) {
            printf("handlers %s: %s %s\n", clear ? "cleared" : "kept", disposition(SIGUSR1), disposition(SIGUSR2));
            fflush(stdout);
            raise(SIGUSR1);
            _exit(8);
        }
        see_child("handlers", (pid_t)child);
    }
    printf("mine: %s %s\n", disposition(SIGUSR1), disposition(SIGUSR2));
}

static void *sum(void *argument) { return (void *)((long)argument + 1); }

static void library(void)
{
    extern char **environ;
    char *words[] = { "sh", "-c", "exit 12", NULL };
    pthread_t thread;
    pid_t child = 0;
    void *result = NULL;
    SEE(pthread_create(&thread, NULL, sum, (void *)41));
    SEE(pthread_join(thread, &result));
    SEE((long)result);
    SEE(posix_spawn(&child, "/bin/sh", NULL, NULL, words, environ));
    see_child("posix_spawn", child);
    SEE(posix_spawn(&child, "/no/such", NULL, NULL, words, environ));
}

int main(void)
{
    errors();
    processes();
    library();
    return 0;
}
