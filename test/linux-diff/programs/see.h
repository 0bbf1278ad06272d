/* SPDX-License-Identifier: BSD-2-Clause */
/* see.h: what the programs here print: an expression, its result and the errno if it is -1. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static inline long see(const char *text, long result)
{
    int number = errno;
    if (result == -1) {
        printf("%s = -1, errno %d\n", text, number);
    } else {
        printf("%s = %ld\n", text, result);
    }
    fflush(stdout);
    return result;
}

/* The result of `e`; for what must be the same on each system. */
#define SEE(e) (errno = 0, see(#e, (long)(e)))
/* Only whether it failed, and how. */
#define SEE_OK(e) (errno = 0, see(#e " >= 0", (long)(e) >= 0 ? 1 : -1))

static inline void see_status(const char *text, int status)
{
    if (WIFEXITED(status)) {
        printf("%s: exit %d\n", text, WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        printf("%s: signal %d\n", text, WTERMSIG(status));
    } else if (WIFSTOPPED(status)) {
        printf("%s: stopped by %d\n", text, WSTOPSIG(status));
    } else {
        printf("%s: %s\n", text, WIFCONTINUED(status) ? "continued" : "?");
    }
    fflush(stdout);
}

static inline void see_child(const char *text, pid_t child)
{
    int status = -1;
    if (waitpid(child, &status, 0) != child) {
        printf("%s: no child, errno %d\n", text, errno);
    } else {
        see_status(text, status);
    }
}
