/* SPDX-License-Identifier: BSD-2-Clause */
/* process_server.c: pm, faked by the host's processes. */
#define _GNU_SOURCE
#include "hosted.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pm.h"

static u64 ignored, caught;

static l4_err_t self(struct request *r)
{
    struct pm_self me = { .pid = (u32)getpid(), .tid = (u32)getpid(), .ppid = (u32)getppid(), .group = (u32)getpgrp(), .seed0 = 1, .seed1 = 2,
                          .ignored = ignored, .stack_limit = 8 << 20 };
    me.ids.uid = me.ids.euid = getuid();
    me.ids.gid = me.ids.egid = getgid();
    memcpy(r->word, &me, sizeof me);
    return L4_OK;
}

static l4_err_t fork_now(struct request *r)
{
    u64 entry = r->word[1], stack = r->word[2];
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);        /* what comes for the child is not the parent's to lose */
    pid_t pid = fork();
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return host_error();
    if (pid == 0) {
        machine_dispatch();
        memset(machine.utcb, 0, sizeof *machine.utcb);
        machine.pending = 0;
        machine.go_ip = entry;
        machine.go_sp = stack;
        machine.go_argument = 1;
    }
    r->word[0] = (u64)pid;
    return L4_OK;
}

static l4_err_t exec_now(const struct request *r)
{
    if (dup3((int)r->word[0], PROGRAM_FD, O_CLOEXEC) < 0)
        return host_error();
    for (int fd = 0; fd < PROGRAM_FD; fd++) {
        if (fcntl(fd, F_GETFD) == FD_CLOEXEC)
            close(fd);
    }
    caught = 0;
    machine_renew(2);
    return L4_OK;
}

static void end(u32 status)
{
    if (status & 0x7f) {
        signal((int)status & 0x7f, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        kill(getpid(), (int)status & 0x7f);
    }
    _exit((int)(status >> 8));
}

static l4_err_t wait_now(struct request *r)
{
    int status = 0;
    struct rusage use;
    pid_t pid = wait4((i32)r->word[0], &status, (int)r->word[1], &use);
    if (pid < 0)
        return host_error();
    struct pm_child child = { .pid = (u32)pid, .status = status };
    memcpy(r->word, &child, sizeof child);
    return L4_OK;
}

static l4_err_t take(struct request *r)
{
    u64 mask = r->word[0], due = machine.pending & ~mask;
    struct pm_signal what = { 0 };
    while (due) {
        u32 number = (u32)__builtin_ctzl(due) + 1;
        machine.pending &= ~(1ul << (number - 1));
        due &= ~(1ul << (number - 1));
        if (ignored >> (number - 1) & 1)
            continue;
        what = (struct pm_signal){ number, machine.info[number].code, machine.info[number].pid, machine.info[number].uid, machine.info[number].value };
        break;
    }
    memcpy(r->word, &what, sizeof what);
    r->word[(sizeof what + 7) / 8] = PM_CAUGHT;
    r->word[(sizeof what + 7) / 8 + 1] = machine.pending;
    return L4_OK;
}

static l4_err_t dispose(const struct request *r)
{
    u64 bit = 1ul << (r->word[0] - 1);
    ignored = r->word[1] == PM_IGNORE ? ignored | bit : ignored & ~bit;
    return L4_OK;
}

static l4_err_t stop(const struct request *r)
{
    machine.utcb->kicked = 0;
    raise(SIGSTOP);
    return L4_OK;
}

static l4_err_t kill_now(const struct request *r)
{
    int number = (int)(u32)r->word[2];
    return kill(r->word[1] ? (pid_t)(r->word[0] ? r->word[0] : r->word[1]) : (i32)r->word[0], number) ? host_error() : L4_OK;
}

static l4_err_t limits(struct request *r)
{
    struct rlimit limit, to = { r->word[3], r->word[4] };
    if (getrlimit((int)r->word[1], &limit) || (r->word[2] && setrlimit((int)r->word[1], &to)))
        return host_error();
    r->word[0] = limit.rlim_cur;
    r->word[1] = limit.rlim_max;
    return L4_OK;
}

static l4_err_t timer(struct request *r)
{
    struct itimerval to = { { (time_t)(r->word[1] / 1000000000), (long)(r->word[1] % 1000000000 / 1000) },
                            { (time_t)(r->word[0] / 1000000000), (long)(r->word[0] % 1000000000 / 1000) } }, was;
    if (setitimer(ITIMER_REAL, &to, &was))
        return host_error();
    r->word[0] = (u64)was.it_value.tv_sec * 1000000000 + (u64)was.it_value.tv_usec * 1000;
    r->word[1] = (u64)was.it_interval.tv_sec * 1000000000 + (u64)was.it_interval.tv_usec * 1000;
    return L4_OK;
}

static l4_err_t value(struct request *r, i64 result)
{
    r->word[0] = (u64)result;
    return result < 0 ? host_error() : L4_OK;
}

l4_err_t pm_serve(struct request *r)
{
    switch (0x20000 | r->method) {
    case PM_METHOD_SELF:
        return self(r);
    case PM_METHOD_FORK:
        return fork_now(r);
    case PM_METHOD_EXEC:
        return exec_now(r);
    case PM_METHOD_EXIT:
    case PM_METHOD_EXIT_THREAD:
        end((u32)r->word[0]);
        return L4_OK;
    case PM_METHOD_WAIT:
        return wait_now(r);
    case PM_METHOD_TAKE:
        return take(r);
    case PM_METHOD_DISPOSE:
        return dispose(r);
    case PM_METHOD_STOP:
        return stop(r);
    case PM_METHOD_KILL:
        return kill_now(r);
    case PM_METHOD_LIMITS:
        return limits(r);
    case PM_METHOD_TIMER:
        return timer(r);
    case PM_METHOD_PARENT:
        return value(r, getppid());
    case PM_METHOD_SET_GROUP:
        return value(r, setpgid((i32)r->word[0], (i32)r->word[1]));
    case PM_METHOD_MAKE_SESSION:
        return value(r, setsid());
    case PM_METHOD_GROUP:
        r->word[1] = (u64)getsid((i32)r->word[0]);
        return value(r, getpgid((i32)r->word[0]));
    case PM_METHOD_PENDING:
        r->word[0] = machine.pending;
        return L4_OK;
    case PM_METHOD_TIMES:
        r->word[0] = r->word[1] = 0;
        return L4_OK;
    case PM_METHOD_LOAD:
        memset(r->word, 0, 48);
        return L4_OK;
    default:
        return L4_NO_METHOD;
    }
}
