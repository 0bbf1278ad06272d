/* SPDX-License-Identifier: BSD-2-Clause */
/* clones.c: clone below any library: which words it writes, and when. A word that is the new thread's own, told at its beginning
 * (CLONE_PARENT_SETTID) and cleared at its end (CLONE_CHILD_CLEARTID), is how C libraries join. */
#include "see.h"
#include <sched.h>

enum { ROUNDS = 20, THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
static char stack[64 << 10] __attribute__((aligned(16)));
static char *const top = stack + sizeof stack;
static volatile int word, seen, self;

static int look(void *from)
{
    seen = *(volatile int *)from;
    self = (int)syscall(SYS_gettid);
    return 0;
}

/* Whether the word was cleared. */
static int ended(volatile int *of)
{
    struct timespec second = { 1, 0 };
    for (int i = 0, id; i < 3 && (id = *of); i++) {
        syscall(SYS_futex, of, 0 /* FUTEX_WAIT */, id, &second, NULL, 0);
    }
    return *of == 0;
}

static void threads(void)
{
    int told = 0, known = 0, cleared = 0;
    for (int i = 0; i < ROUNDS; i++) {
        word = -1;
        int id = clone(look, top, THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, (void *)&word, &word, NULL, &word);
        if (!ended(&word)) {
            break;
        }
        cleared++;
        told += seen == self;
        known += id == self;
    }
    printf("threads: %d told before they ran, %d known by their number, %d cleared\n", told, known, cleared);
    volatile int here = -1;
    word = -1;
    clone(look, top, THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, (void *)&here, &here, NULL, &word);
    known = ended(&word);
    printf("apart: cleared %d, told %d, and it stays so %d\n", known, seen == self, here == self);
    word = -1;
    int id = clone(look, top, THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, (void *)&word, (void *)8, NULL, &word);
    known = ended(&word);
    printf("a bad word is no error: %d, cleared %d, nothing told %d\n", id > 0, known, seen);
}

static void processes(void)
{
    word = -1;
    int child = clone(look, top, CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, (void *)&word, &word);
    printf("shared memory: told before it ran %d, after it %d\n", seen == child, word == child);
    see_child("shared memory", child);
    volatile int mine = -1, its = -1;
    fflush(stdout);
    child = (int)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &mine, &its, 0);
    if (child == 0) {
        _exit(its == getpid() && mine == -1 ? 5 : 6);
    }
    printf("a copy: told %d, the child's word untouched %d\n", mine == child, its == -1);
    see_child("a copy", child);
}

int main(void)
{
    threads();
    processes();
    return 0;
}
