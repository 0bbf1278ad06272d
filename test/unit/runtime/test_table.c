/* SPDX-License-Identifier: BSD-2-Clause */
/* test_table.c: the table of system calls against the host's own numbers, and what a milestone needs of it. */
#include "calls.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <sys/syscall.h>

static void numbers_are_linux_s(void **state)
{
    (void)state;
#define CALL(number, name, handler, arguments, restart, recovery) assert_int_equal(number, SYS_##name);
#include "calls.def"
#undef CALL
}

static void sorted_and_found(void **state)
{
    (void)state;
    for (u32 i = 0; i < call_count(); i++) {
        if (i)
            assert_true(call_at(i)->number > call_at(i - 1)->number);
        assert_ptr_equal(call_find(call_at(i)->number), call_at(i));
        size_t letters = strspn(call_at(i)->arguments, "iuxopdDsbBvVAEONTPMCcFIfrkhwWSamte");
        assert_true(letters <= 6);
        assert_true(strcmp(call_at(i)->arguments + letters, "") == 0 || strcmp(call_at(i)->arguments + letters, "R") == 0);
    }
    assert_null(call_find(335));
    assert_null(call_find(~0ul));
    assert_null(call_find(0x40000000ul));
}

/* M1 of linux/README.md is a shell. */
static void a_shell_finds_what_it_needs(void **state)
{
    static const char *const needed[] = {
        "arch_prctl", "execve", "exit_group", "set_tid_address", "mprotect", "write", "brk", "getrandom", "prlimit64", "set_robust_list",
        "close", "getuid", "ioctl", "mmap", "munmap", "newfstatat", "read", "rt_sigaction", "fcntl", "openat", "rt_sigprocmask", "access",
        "geteuid", "getgid", "wait4", "getcwd", "getdents64", "lseek", "rt_sigreturn", "getegid", "getpid", "getppid", "dup2", "readlink",
        "pipe2", "clone", "uname", "unlink", "umask", "chdir", "poll", "prctl", "kill", "chmod", "clock_nanosleep", "rename", "mkdir",
        "getgroups", "rmdir", "getpgrp", "gettid", "utimensat", "sendfile", "setpgid", "restart_syscall", "rt_sigsuspend", "symlink", "tgkill",
        "vfork", "setsid", "sysinfo", "futex", "exit", "madvise", "link", "ftruncate", "fchmod", "statfs", "sync", "open", "stat", "fstat",
        "lstat", "fork", "pipe", "nanosleep", "writev", "clock_gettime", "gettimeofday", "time", "rseq",
    };
    (void)state;
    for (u32 n = 0; n < sizeof needed / sizeof needed[0]; n++) {
        bool found = false;
        for (u32 i = 0; i < call_count(); i++)
            found |= strcmp(call_at(i)->name, needed[n]) == 0;
        if (!found)
            fail_msg("%s is not in calls.def", needed[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_linux_s), cmocka_unit_test(sorted_and_found), cmocka_unit_test(a_shell_finds_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
