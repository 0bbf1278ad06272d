/* SPDX-License-Identifier: BSD-2-Clause */
/* resend.c: real stubs with a real `syscall`; the parent process plays the kernel (PTRACE_SYSEMU). The first three times
 * the server "dies": each attempt must arrive exactly like the first, and the fourth is answered. Exits with 77 where
 * tracing is forbidden. */
#include "block.h"
#include "pipe.h"
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { DEATHS = 3, FORBIDDEN = 77 };

struct shared { l4_err_t err; u32 done; u64 a, b, c, d, number; struct pipe_info info; };
static struct shared *shared;
static ucontext_t back, thread;

/* Values that live over the call: the cold path may not touch them. */
static void retried(void)
{
    u64 a = shared->a + 1, b = shared->b + 2, c = shared->c + 3, d = shared->d + 4;
    shared->err = block_read(0x77, 0x1111111111111111, 0x22222222, 0x33, 0x4444444444444444, &shared->done);
    shared->a = a, shared->b = b, shared->c = c, shared->d = d;
}

static void numbered(void)
{
    struct l4_session s = { .gate = 0x78, .number = 5 << 16 | 3 };
    u32 reader, writer;
    shared->err = pipe_make(&s, &reader, &writer);
    shared->done = reader + writer;
    shared->number = s.number;
}

static void on_own_stack(void (*run)(void))
{
    char *block = mmap(NULL, 2 * L4_STACK_BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block = (char *)(((u64)block + L4_STACK_BLOCK - 1) & ~(L4_STACK_BLOCK - 1));
    getcontext(&thread);
    thread.uc_stack.ss_sp = block + L4_PAGE_SIZE;
    thread.uc_stack.ss_size = L4_STACK_BLOCK - L4_PAGE_SIZE;
    thread.uc_link = &back;
    makecontext(&thread, run, 0);
    shared->err = -100;
    raise(SIGSTOP);
    swapcontext(&back, &thread);
}

static struct user_regs_struct next_call(pid_t child)
{
    struct user_regs_struct r;
    int status;
    for (;;) {
        assert(!ptrace(PTRACE_SYSEMU, child, NULL, NULL) && waitpid(child, &status, 0) == child && WIFSTOPPED(status));
        assert(!ptrace(PTRACE_GETREGS, child, NULL, &r));
        if (r.r10 == 0x77 || r.r10 == 0x78)
            return r;
        r.rax = 0;              /* swapcontext saves the signal mask: pretend */
        assert(!ptrace(PTRACE_SETREGS, child, NULL, &r));
    }
}

static void answer(pid_t child, struct user_regs_struct r, u64 tag)
{
    r.rdi = tag;
    r.rsi = 40;
    r.rdx = 2;
    r.r8 = r.r9 = r.r10 = r.rcx = r.r11 = 0xdeadbeef;
    assert(!ptrace(PTRACE_SETREGS, child, NULL, &r));
}

static void play(void (*run)(void), u64 what, u64 words)
{
    *shared = (struct shared){ .a = 10, .b = 20, .c = 30, .d = 40 };
    pid_t child = fork();
    if (!child) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(FORBIDDEN);
        on_own_stack(run);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    struct user_regs_struct first = next_call(child), again = first;
    for (int i = 0; i <= DEATHS; i++) {
        assert(again.rdi == (what | words << L4_TAG_WORDS_SHIFT));
        assert(again.r10 == first.r10 && again.orig_rax == first.orig_rax);
        assert(words < 1 || again.rsi == first.rsi);
        assert(words < 2 || again.rdx == first.rdx);
        assert(words < 3 || again.r8 == first.r8);
        assert(words < 4 || again.r9 == first.r9);
        answer(child, again, i < DEATHS ? (u32)L4_PEER_RESTARTED : l4_tag(L4_OK, 2, 0));
        if (i < DEATHS)
            again = next_call(child);
    }
    assert(!ptrace(PTRACE_CONT, child, NULL, NULL) && waitpid(child, &status, 0) == child);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 0 && shared->err == L4_OK);
    if (run == numbered)
        assert(first.orig_rax == shared->number && shared->done == 42);
    else
        assert(shared->done == 40 && shared->a == 11 && shared->b == 22 && shared->c == 33 && shared->d == 44);
}

int main(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    play(retried, BLOCK_METHOD_READ, 4);
    play(numbered, PIPE_METHOD_MAKE, 0);
    puts("ok");
    return 0;
}
