/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.c: handlers, masks, what a signal does to a wait. */
#include "see.h"
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t caught, last, info_code, info_pid, info_status, depth, deepest, on_stack;
static char *stack_low, *stack_high;

static void on_signal(int number) { caught++; last = number; }

static void on_info(int number, siginfo_t *info, void *context)
{
    (void)context;
    caught++;
    last = number;
    info_code = info->si_code;
    info_pid = info->si_pid == getpid();
    info_status = info->si_status;
    on_stack = (char *)&number >= stack_low && (char *)&number < stack_high;
}

static void on_nested(int number)
{
    depth++;
    deepest = depth > deepest ? depth : deepest;
    if (caught++ < 2) {
        raise(number);
    }
    depth--;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    sigaction(number, &action, NULL);
}

static void handle_info(int number, int flags)
{
    struct sigaction action = { .sa_sigaction = on_info, .sa_flags = flags | SA_SIGINFO };
    sigaction(number, &action, NULL);
}

static void actions(void)
{
    struct sigaction action;
    SEE(sigaction(SIGKILL, NULL, &action));
    SEE(sigaction(SIGKILL, &action, NULL));
    SEE(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    SEE(syscall(SYS_rt_sigaction, 5, NULL, NULL, 4));
    SEE(sigaction(0, NULL, NULL));
    handle(SIGUSR1, on_signal, SA_RESETHAND);
    SEE(raise(SIGUSR1));
    SEE(sigaction(SIGUSR1, NULL, &action));
    printf("caught %d, default again %d\n", (int)caught, action.sa_handler == SIG_DFL);
    handle(SIGUSR1, on_nested, 0);
    caught = deepest = 0;
    raise(SIGUSR1);
    printf("caught %d, deepest %d\n", (int)caught, (int)deepest);
    handle(SIGUSR1, on_nested, SA_NODEFER);
    caught = deepest = 0;
    raise(SIGUSR1);
    printf("caught %d, deepest %d\n", (int)caught, (int)deepest);
}

static void masks(void)
{
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    handle(SIGUSR1, on_signal, 0);
    handle(SIGUSR2, on_signal, 0);
    caught = 0;
    SEE(sigprocmask(SIG_BLOCK, &set, &old));
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    SEE(sigpending(&pending));
    printf("caught %d, pending %d %d %d\n", (int)caught, sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
           sigismember(&pending, SIGTERM));
    sigfillset(&set);
    sigdelset(&set, SIGUSR2);
    SEE(sigsuspend(&set));
    printf("caught %d, last %d\n", (int)caught, (int)last);
    SEE(sigprocmask(SIG_SETMASK, &old, NULL));
    printf("caught %d, last %d\n", (int)caught, (int)last);
    SEE(sigprocmask(77, &set, NULL));
    SEE(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
    SEE(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 1, NULL, 8));
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("kill blocked %d, stop blocked %d\n", sigismember(&set, SIGKILL), sigismember(&set, SIGSTOP));
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void infos(void)
{
    union sigval value = { .sival_int = 99 };
    handle_info(SIGUSR1, 0);
    SEE(kill(getpid(), SIGUSR1));
    printf("code %d from me %d\n", (int)info_code, (int)info_pid);
    SEE(raise(SIGUSR1));
    printf("code %d from me %d\n", (int)info_code, (int)info_pid);
    SEE(sigqueue(getpid(), SIGUSR1, value));
    printf("code %d from me %d\n", (int)info_code, (int)info_pid);
    handle_info(SIGCHLD, SA_RESTART);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(12);
    }
    see_child("child", child);
    printf("code %d status %d\n", (int)info_code, (int)info_status);
    signal(SIGCHLD, SIG_DFL);
    SEE(kill(999999, 0));
    SEE(kill(getpid(), 65));
    SEE(kill(getpid(), 0));
    SEE(syscall(SYS_tgkill, getpid(), getpid(), 0));
    SEE(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1));
    SEE(syscall(SYS_tkill, -1, SIGUSR1));
}

/* By kill, which the C library does not guard with a mask as it does raise. */
static void on_other(int number)
{
    printf("other %d\n", number);
    if (number == SIGUSR2) {
        SEE(kill(getpid(), SIGUSR1));
        printf("last %d\n", (int)last);
    }
}

static double doubled(double x) { return x + x; }

static void to_self(void)
{
    sigset_t set, old;
    volatile double x = 0.1;
    handle(SIGUSR1, on_signal, 0);
    handle(SIGUSR2, on_other, 0);
    handle(SIGTSTP, on_signal, 0);
    handle(SIGCONT, on_signal, 0);
    caught = last = 0;
    SEE(kill(getpid(), SIGUSR1));
    SEE(kill(getpid(), SIGUSR2));
    SEE(kill(getpid(), SIGTSTP));
    SEE(kill(getpid(), SIGCONT));
    SEE(kill(0, 0));
    printf("caught %d, last %d\n", (int)caught, (int)last);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    SEE(kill(getpid(), SIGUSR1));
    SEE(kill(getpid(), SIGUSR1));
    SEE(kill(getpid(), SIGUSR2));
    printf("caught %d\n", (int)caught);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("caught %d\n", (int)caught);
    handle(SIGUSR1, on_signal, SA_RESETHAND | SA_NODEFER);
    SEE(kill(getpid(), SIGUSR1));
    SEE(sigaction(SIGUSR1, NULL, &(struct sigaction){ 0 }));
    signal(SIGUSR1, SIG_IGN);
    SEE(kill(getpid(), SIGUSR1));
    signal(SIGUSR1, on_signal);
    for (int i = 0; i < 1000; i++) {
        x = doubled(x) - x * 0.999;
        kill(getpid(), SIGUSR1);
    }
    printf("caught %d, %.17g\n", (int)caught, x);
    signal(SIGTSTP, SIG_DFL);
    signal(SIGCONT, SIG_DFL);
}

static void stacks(void)
{
    stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 }, old, small = { .ss_sp = stack.ss_sp, .ss_size = 100 };
    stack_low = stack.ss_sp;
    stack_high = stack_low + 65536;
    SEE(sigaltstack(&stack, NULL));
    handle_info(SIGUSR1, SA_ONSTACK);
    raise(SIGUSR1);
    printf("on its stack %d\n", (int)on_stack);
    handle_info(SIGUSR1, 0);
    raise(SIGUSR1);
    printf("on its stack %d\n", (int)on_stack);
    SEE(sigaltstack(&small, NULL));
    SEE(sigaltstack(NULL, &old));
    printf("%d %d\n", old.ss_sp == stack.ss_sp, old.ss_flags);
    stack.ss_flags = SS_DISABLE;
    SEE(sigaltstack(&stack, NULL));
}

static void timer_in(long us, long every_us)
{
    struct itimerval timer = { { every_us / 1000000, every_us % 1000000 }, { us / 1000000, us % 1000000 } };
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void interrupted(void)
{
    int p[2];
    char byte;
    struct timespec second = { 5, 0 }, rest = { 0, 0 };
    struct itimerval timer;
    if (pipe(p) < 0) {
        return;
    }
    handle(SIGALRM, on_signal, 0);
    timer_in(50000, 0);
    SEE(read(p[0], &byte, 1));
    timer_in(50000, 0);
    SEE(syscall(SYS_nanosleep, &second, &rest));
    printf("rest %d\n", rest.tv_sec == 4 && rest.tv_nsec < 970000000);
    timer_in(50000, 0);
    SEE(pause());
    timer_in(50000, 0);
    SEE(waitpid(-1, NULL, 0));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    SEE(waitpid(-1, NULL, 0));
    handle(SIGALRM, on_signal, SA_RESTART);
    caught = 0;
    fflush(stdout);
    pid_t writer = fork();
    if (writer == 0) {
        usleep(300000);
        _exit(write(p[1], "x", 1) != 1);
    }
    timer_in(50000, 50000);
    SEE(read(p[0], &byte, 1));
    SEE(caught > 1);
    timer_in(0, 0);
    SEE(getitimer(ITIMER_REAL, &timer));
    printf("%ld %ld\n", (long)timer.it_value.tv_sec, (long)timer.it_value.tv_usec);
    see_child("writer", writer);
    kill(child, SIGKILL);
    see_child("child", child);
    SEE(alarm(100));
    SEE(alarm(0));
}

/* A wait goes on after the process was stopped, and no handler ran. */
static void stopped(void)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct timespec time = { 0, 400000000 };
        _exit(syscall(SYS_nanosleep, &time, NULL) == 0 ? 11 : errno);
    }
    usleep(100000);
    SEE(kill(child, SIGSTOP));
    int status;
    SEE(waitpid(child, &status, WUNTRACED) == child);
    SEE(kill(child, SIGCONT));
    see_child("sleeper", child);
    child = fork();
    if (child == 0) {
        struct timespec time = { 0, 400000000 };
        setpgid(0, 0);
        _exit(syscall(SYS_nanosleep, &time, NULL) == 0 ? 12 : errno);
    }
    usleep(100000);
    SEE(kill(child, SIGTSTP));
    SEE(waitpid(child, &status, WUNTRACED) == child);
    SEE(kill(child, SIGCONT));
    see_child("sleeper", child);
    SEE(syscall(SYS_restart_syscall));
    int p[2];
    if (pipe(p) < 0) {
        return;
    }
    child = fork();
    if (child == 0) {
        char byte;
        _exit(read(p[0], &byte, 1) == 1 ? byte : errno);
    }
    usleep(100000);
    SEE(kill(child, SIGSTOP));
    SEE(waitpid(child, &status, WUNTRACED) == child);
    SEE(kill(child, SIGCONT));
    usleep(100000);
    SEE(write(p[1], "A", 1));
    see_child("reader", child);
    child = fork();
    if (child == 0) {
        signal(SIGTSTP, SIG_DFL);
        pid_t inner = fork();
        if (inner == 0) {
            usleep(400000);
            _exit(3);
        }
        _exit(waitpid(inner, &status, 0) == inner ? WEXITSTATUS(status) : errno);
    }
    usleep(100000);
    SEE(kill(child, SIGTSTP));
    usleep(100000);
    SEE(kill(child, SIGCONT));
    see_child("waiter", child);
}

static void waited_for(void)
{
    sigset_t set;
    siginfo_t info;
    struct timespec none = { 0, 0 };
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SEE(sigtimedwait(&set, &info, &none));
    raise(SIGUSR2);
    SEE(sigtimedwait(&set, &info, &none));
    raise(SIGUSR2);
    SEE(sigwaitinfo(&set, NULL));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void faults(void)
{
    static const int how[] = { SIGFPE, SIGILL, SIGTRAP };
    for (int i = 0; i < 3; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            volatile int zero = 0;
            if (how[i] == SIGFPE) {
                zero = 7 / zero;
            } else if (how[i] == SIGILL) {
                __asm__ volatile("ud2");
            } else {
                __asm__ volatile("int3");
            }
            _exit(0);
        }
        see_child("fault", child);
    }
}

int main(void)
{
    actions();
    masks();
    infos();
    to_self();
    stacks();
    interrupted();
    stopped();
    waited_for();
    faults();
    return 0;
}
