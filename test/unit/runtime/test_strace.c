/* SPDX-License-Identifier: BSD-2-Clause */
/* test_strace.c: lines of --strace. */
#include "strace.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *line, u64 number, i64 result, u64 a, u64 b, u64 c, u64 d)
{
    char text[STRACE_LINE + 1];
    u64 args[6] = { a, b, c, d, 0, 0 };
    u32 length = strace_call(text, STRACE_LINE, number, args, result);
    length += strace_result(text + length, STRACE_LINE - length, call_find(number), result);
    text[length] = 0;
    assert_string_equal(text, line);
}

static void lines(void **state)
{
    (void)state;
    expect("write(1, \"hi\\n\", 3) = 3", 1, 3, 1, (u64)"hi\n", 3, 0);
    expect("read(0, \"a\\\"b\\\\\\0\", 4096) = 5", 0, 5, 0, (u64)"a\"b\\", 4096, 0);
    expect("write(1, \"\\33[0;\\0001\\377\", 7) = 7", 1, 7, 1, (u64)"\33[0;\0" "1\377", 8 - 1, 0);
    expect("write(1, \"0123456789abcdef0123456789abcdef\"..., 40) = 40", 1, 40, 1, (u64)"0123456789abcdef0123456789abcdef01234567", 40, 0);
    expect("read(0, 0x10, 5) = -1 EBADF (Bad file descriptor)", 0, -EBADF, 0, 16, 5, 0);
    expect("read(0, NULL, 0) = ? ERESTARTSYS", 0, -EINTERRUPTED, 0, 0, 0, 0);
    expect("openat(AT_FDCWD, \"/etc/passwd\", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = -1 EACCES (Permission denied)", 257, -EACCES,
           (u64)-100, (u64)"/etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    expect("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, 0, 0x0) = 0x7f7ffffde000", 9, 0x7f7ffffde000, 0, 4096, 3, 0x22);
    expect("kill(-1, SIGTERM) = 0", 62, 0, (u64)-1, 15, 0, 0);
    expect("syscall_0x14f(0x1, 0x2, 0x3, 0x4, 0x0, 0x0) = -1 ENOSYS (Function not implemented)", 335, -ENOSYS, 1, 2, 3, 4);
    expect("rseq(0x10, 0x20, 1, 0x53053053) = -1 EPERM (Operation not permitted)", 334, -EPERM, 16, 32, 1, 0x53053053);
    expect("getpid() = 17", 39, 17, 0, 0, 0, 0);
    expect("time(NULL) = 1795000000", 201, 1795000000, 0, 0, 0, 0);
    expect("lseek(3, -4, SEEK_CUR) = -1 ESPIPE (Illegal seek)", 8, -ESPIPE, 3, (u64)-4, 1, 0);
    expect("ioctl(0, TCGETS, 0x10) = -1 ENOTTY (Inappropriate ioctl for device)", 16, -ENOTTY, 0, 0x5401, 16, 0);
    expect("close(9) = -1 200", 3, -200, 9, 0, 0, 0);
}

/* What lies in the program's memory. */
static void structures(void **state)
{
    (void)state;
    u32 exited = 3 << 8, killed = SIGTERM, stopped = SIGSTOP << 8 | 0x7f;
    expect("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG|WUNTRACED, NULL) = 7", 61, 7, (u64)-1, (u64)&exited, 3, 0);
    expect("wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 7", 61, 7, (u64)-1, (u64)&killed, 0, 0);
    expect("wait4(5, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}], 0, NULL) = 5", 61, 5, 5, (u64)&stopped, 0, 0);
    expect("wait4(-1, NULL, 0, NULL) = -1 ECHILD (No child processes)", 61, -ECHILD, (u64)-1, 0, 0, 0);
    char *arguments[] = { "ls", "-l", "a longer one than thirty-two bytes", NULL }, *environment[] = { "A=1", NULL };
    char line[200];
    snprintf(line, sizeof line, "execve(\"/bin/ls\", [\"ls\", \"-l\", \"a longer one than thirty-two byt\"...], 0x%lx /* 1 var */) = 0", (u64)environment);
    expect(line, 59, 0, (u64)"/bin/ls", (u64)arguments, (u64)environment, 0);
    struct linux_sigaction action = { 0x1234, SA_RESTART, 0, SIGNAL_BIT(SIGINT) | SIGNAL_BIT(33) };
    expect("rt_sigaction(SIGUSR1, {sa_handler=0x1234, sa_mask=[INT RT_1], sa_flags=SA_RESTART}, NULL, 8) = 0", 13, 0, SIGUSR1, (u64)&action, 0, 8);
    u64 all = ~0ul;
    expect("rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8) = 0", 14, 0, 2, (u64)&all, 0, 8);
    struct linux_iovec pieces[] = { { (u64)"one\n", 4 }, { (u64)"two", 3 } };
    expect("writev(1, [{iov_base=\"one\\n\", iov_len=4}, {iov_base=\"two\", iov_len=3}], 2) = 7", 20, 7, 1, (u64)pieces, 2, 0);
    i32 ends[] = { 3, 4 };
    expect("pipe2([3, 4], O_CLOEXEC) = 0", 293, 0, (u64)ends, O_CLOEXEC, 0, 0);
    u64 clone[11] = { 0x4100, 0, 0, 0, SIGCHLD, 0x10000, 0x9000 };
    expect("clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x10000, stack_size=0x9000}, 88) = 7", 435, 7, (u64)clone, sizeof clone, 0, 0);
    clone[0] = 0x380000, clone[2] = 0x20, clone[3] = 0x30, clone[4] = 0, clone[7] = 0x40;
    expect("clone3({flags=CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, exit_signal=0, child_tid=0x20, parent_tid=0x30, "
           "stack=0x10000, stack_size=0x9000, tls=0x40}, 88) = 7", 435, 7, (u64)clone, sizeof clone, 0, 0);
    expect("clone3(NULL, 88) = -1 EFAULT (Bad address)", 435, -EFAULT, 0, 88, 0, 0);
    struct linux_timespec second = { 1, 5 };
    expect("nanosleep({tv_sec=1, tv_nsec=5}, NULL) = 0", 35, 0, (u64)&second, 0, 0, 0);
}

static void expect_text(const char *line, char *text, u32 length)
{
    text[length] = 0;
    assert_string_equal(text, line);
}

static void signals_and_ends(void **state)
{
    (void)state;
    char text[STRACE_LINE + 1];
    struct linux_siginfo sent = { .number = SIGUSR1, .code = SI_USER, .sent = { 7, 0, 0 } };
    expect_text("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0} ---", text, strace_signal(text, STRACE_LINE, &sent));
    struct linux_siginfo child = { .number = SIGCHLD, .code = 2, .child = { .pid = 9, .status = SIGTERM } };
    expect_text("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=9, si_uid=0, si_status=SIGTERM} ---", text,
                strace_signal(text, STRACE_LINE, &child));
    struct linux_siginfo fault = { .number = SIGSEGV, .code = SEGV_MAPERR, .fault = { 0 } };
    expect_text("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---", text, strace_signal(text, STRACE_LINE, &fault));
    expect_text("+++ exited with 3 +++", text, strace_end(text, STRACE_LINE, 3 << 8));
    expect_text("+++ killed by SIGKILL +++", text, strace_end(text, STRACE_LINE, SIGKILL));
    static const char words[] = "/bin/sh\0-c\0echo hi";
    expect_text("execve(\"/bin/sh\", [\"/bin/sh\", \"-c\", \"echo hi\"])", text, strace_first(text, STRACE_LINE, words, sizeof words));
}

/* Nothing is written behind the room, whatever the arguments. */
static void bounded(void **state)
{
    char text[64], many[200];
    (void)state;
    memset(many, 'x', sizeof many);
    many[199] = 0;
    u64 args[6] = { (u64)-100, (u64)many, ~0ul, ~0ul, ~0ul, ~0ul };
    for (u32 room = 0; room < 60; room++) {
        memset(text, '#', sizeof text);
        u32 length = strace_call(text, room, 257, args, 0);
        assert_true(length <= room);
        for (u32 i = room; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
        assert_true(room < 16 || memcmp(text + room - 4, "...)", 4) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(structures), cmocka_unit_test(signals_and_ends), cmocka_unit_test(bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
