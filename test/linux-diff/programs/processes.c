/* SPDX-License-Identifier: BSD-2-Clause */
/* processes.c: making, replacing, grouping and waiting for processes. */
#include "see.h"
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

static pid_t child_of(int (*what)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int status = what();
        fflush(stdout);
        _exit(status);
    }
    return child;
}

static int leave_seven(void) { return 7; }
static int abort_now(void) { signal(SIGABRT, SIG_DFL); kill(getpid(), SIGABRT); return 0; }
static int stop_now(void) { raise(SIGSTOP); return 9; }
static int wait_long(void) { for (;;) { pause(); } return 0; }

static void waiting(void)
{
    int status;
    struct rusage use;
    SEE(waitpid(-1, &status, 0));
    SEE(waitpid(-1, &status, 0x8000));
    see_child("exit", child_of(leave_seven));
    see_child("abort", child_of(abort_now));
    pid_t child = child_of(wait_long);
    SEE(waitpid(child, &status, WNOHANG));
    SEE(waitpid(child + 1000, &status, WNOHANG));
    SEE(waitpid(-getpgrp(), &status, WNOHANG));
    SEE(kill(child, SIGTERM));
    SEE(waitpid(-getpgrp(), &status, 0) == child);
    see_status("killed", status);
    child = child_of(stop_now);
    SEE(waitpid(child, &status, WUNTRACED) == child);
    see_status("stop", status);
    SEE(waitpid(child, &status, WUNTRACED | WNOHANG));
    SEE(kill(child, SIGCONT));
    SEE(waitpid(child, &status, WCONTINUED) == child || WIFEXITED(status));
    SEE(wait4(child, &status, 0, &use) == child || errno == ECHILD);
    see_status("end", status);
    SEE(kill(child, 0));
    child = child_of(leave_seven);
    siginfo_t info;
    memset(&info, 0, sizeof info);
    SEE(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    printf("%d %d %d %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == child);
    SEE(waitid(P_ALL, 0, &info, WEXITED));
    SEE(waitid(P_ALL, 0, &info, WEXITED));
    SEE(waitid(P_ALL, 0, &info, 0));
    signal(SIGCHLD, SIG_IGN);
    child = child_of(leave_seven);
    SEE(waitpid(child, &status, 0));
    signal(SIGCHLD, SIG_DFL);
}

static int group_leader(void)
{
    pid_t me = getpid();
    SEE(setpgid(0, 0));
    SEE(getpgrp() == me);
    SEE(syscall(SYS_getpgrp) == me);
    SEE(getpgid(0) == me);
    SEE(setsid());
    SEE(setpgid(0, getppid()));
    SEE(setpgid(1, 1));
    SEE(setpgid(0, -1));
    SEE(getpgid(999999));
    SEE(getsid(0) == getsid(getppid()));
    return 0;
}

static int session_leader(void)
{
    pid_t me = getpid();
    SEE(setsid() == me);
    SEE(getpgrp() == me);
    SEE(getsid(0) == me);
    SEE(setsid());
    SEE(setpgid(0, 0));
    return 0;
}

static int exec_fails(void)
{
    char *none[] = { NULL }, *words[] = { "x", NULL };
    SEE(execve("none", words, none));
    SEE(execve(".", words, none));
    SEE(execve("/etc/passwd", words, none));
    SEE(execve("/etc/passwd/x", words, none));
    SEE(execve("", words, none));
    SEE(execve((char *)1, words, none));
    SEE(execve("/bin/true", (char **)1, none));
    int fd = open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    SEE(write(fd, "#!\n", 3));
    SEE(execve("script", words, none));
    SEE(ftruncate(fd, 0));
    SEE(pwrite(fd, "garbage", 7, 0));
    SEE(execve("script", words, none));
    close(fd);
    SEE(chmod("script", 0644));
    SEE(execve("script", words, none));
    return 0;
}

static int exec_script(void)
{
    FILE *file = fopen("s", "w");
    char *words[] = { "name", "one", "two", NULL }, *environment[] = { "V=value", NULL };
    fputs("#!/bin/sh -x\necho \"$0\" \"$@\" $V\nexit 5\n", file);
    fchmod(fileno(file), 0755);
    fclose(file);
    dup2(1, 2);
    execve("./s", words, environment);
    return 1;
}

static int exec_open(void)
{
    char *words[] = { "sh", "-c", "readlink /proc/$$/fd/7 || echo closed; readlink /proc/$$/fd/8", NULL };
    dup2(open("/dev/null", O_RDONLY), 8);
    dup3(8, 7, O_CLOEXEC);
    execv("/bin/sh", words);
    return 1;
}

static void vforked(void)
{
    volatile int shared = 1;
    fflush(stdout);
    pid_t child = vfork();
    if (child == 0) {
        shared = 2;
        _exit(3);
    }
    see_child("vfork", child);
    printf("shared %d\n", shared);
    fflush(stdout);
    child = vfork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exit 4", NULL);
        _exit(1);
    }
    see_child("vfork and exec", child);
}

static int runs_in_clone(void *argument)
{
    *(int *)argument = 42;
    return 6;
}

static void cloned(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    int seen = 0, tid = 0;
    pid_t child = clone(runs_in_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &seen);
    see_child("clone", child);
    printf("seen %d\n", seen);
    SEE(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    SEE(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    fflush(stdout);
    child = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &tid, &tid, 0);
    if (child == 0) {
        _exit(tid == getpid() ? 8 : 9);
    }
    SEE(tid == child);
    see_child("settid", child);
}

static void about(void)
{
    char name[17] = "";
    struct rlimit limit;
    struct rusage use;
    SEE(prctl(PR_SET_NAME, "a-name-longer-than-fits"));
    SEE(prctl(PR_GET_NAME, name));
    printf("%s\n", name);
    SEE(prctl(9999, 0, 0, 0, 0));
    SEE(getpriority(PRIO_PROCESS, 0));
    SEE(setpriority(PRIO_PROCESS, 0, 3));
    SEE(getpriority(PRIO_PROCESS, 0));
    SEE(getpriority(9, 0));
    SEE(setpriority(PRIO_PROCESS, 999999, 3));
    SEE(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 100;
    SEE(setrlimit(RLIMIT_NOFILE, &limit));
    SEE(getrlimit(RLIMIT_NOFILE, &limit));
    printf("%ld\n", (long)limit.rlim_cur);
    limit.rlim_cur = limit.rlim_max + 1;
    SEE(setrlimit(RLIMIT_NOFILE, &limit));
    SEE(getrlimit(99, &limit));
    SEE(getrlimit(RLIMIT_STACK, &limit));
    printf("%ld\n", (long)limit.rlim_cur);
    SEE(getrusage(RUSAGE_SELF, &use));
    SEE(getrusage(77, &use));
    SEE(getgroups(0, NULL));
    gid_t groups[3] = { 1, 2, 3 };
    SEE(setgroups(3, groups));
    SEE(getgroups(3, groups));
    SEE(getgroups(1, groups));
    SEE(setresuid(-1, 5, -1));
    uid_t r, e, s;
    SEE(getresuid(&r, &e, &s));
    printf("%d %d %d\n", (int)r, (int)e, (int)s);
    SEE(setresuid(-1, 6, -1));
    SEE(seteuid(0));
    SEE(setreuid(7, -1));
    SEE(sched_yield());
}

/* ---- whose parent ends ---- */
static int told[2], go[2];

static void tell(void) { write(told[1], "t", 1); }

/* It has asked before, so that an answer that was kept would be an old one. */
static void orphan_waits(void)
{
    char byte;
    pid_t parent = getppid();
    SEE(getppid() == parent);
    tell();
    SEE(read(go[0], &byte, 1));
    SEE(getppid() == parent);
    SEE(getppid());
}

static void orphan_spins(void)
{
    pid_t parent = getppid();
    tell();
    while (getppid() == parent) {
    }
    SEE(getppid());
}

static void *spin(void *parent)
{
    while (getppid() == *(pid_t *)parent) {
    }
    return NULL;
}

/* One thread asks without an end, the other waits meanwhile. */
static void orphan_has_threads(void)
{
    pthread_t thread;
    pid_t parent = getppid();
    SEE(pthread_create(&thread, NULL, spin, &parent));
    tell();
    SEE(pthread_join(thread, NULL));
    SEE(getppid());
}

/* The parent of whoever does `what` ends once it is told to. Only one of them prints at a time. */
static void orphaned(void (*what)(void))
{
    int status;
    char byte;
    pipe(told);
    pipe(go);
    fflush(stdout);
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            close(told[0]);
            what();
            fflush(stdout);
            _exit(0);
        }
        read(told[0], &byte, 1);
        _exit(0);
    }
    close(told[1]);
    waitpid(middle, &status, 0);
    write(go[1], "g", 1);
    while (read(told[0], &byte, 1) == 1) {  /* until all have ended */
    }
    see_status("middle", status);
    close(told[0]);
    close(go[0]);
    close(go[1]);
}

int main(void)
{
    waiting();
    orphaned(orphan_waits);
    orphaned(orphan_spins);
    orphaned(orphan_has_threads);
    see_child("group", child_of(group_leader));
    see_child("session", child_of(session_leader));
    see_child("fails", child_of(exec_fails));
    see_child("script", child_of(exec_script));
    see_child("open", child_of(exec_open));
    vforked();
    cloned();
    about();
    return 0;
}
