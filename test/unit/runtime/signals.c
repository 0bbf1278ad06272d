/* SPDX-License-Identifier: BSD-2-Clause */
/* signals.c: the host's own signals, apart from the runtime's headers, whose names are the same. */
#include <signal.h>
#include <string.h>

void host_signal(void (*handler)(void *info, void *uc));
void host_raise(void);

static void (*to_call)(void *, void *);

static void handle(int number, siginfo_t *info, void *uc)
{
    (void)number;
    to_call(info, uc);
}

/* Without the alternate stack that a sanitizer may have made. */
void host_signal(void (*handler)(void *info, void *uc))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    to_call = handler;
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    stack_t none = { .ss_flags = SS_DISABLE };
    sigaltstack(&none, 0);
    sigaction(SIGUSR1, &action, 0);
}

void host_raise(void) { raise(SIGUSR1); }
