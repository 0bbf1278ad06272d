/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c: mapping, protection, faults, the heap. */
#include "see.h"
#include <setjmp.h>
#include <sys/mman.h>

enum { PAGE = 4096 };
static sigjmp_buf back;
static volatile int code;
static volatile long where;
static volatile char *fault_base;
static volatile int waits;              /* for a fault: any other is a mistake of ours */

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!waits) {
        _exit(100 + number);
    }
    code = info->si_code;
    where = (long)((volatile char *)info->si_addr - fault_base);
    siglongjmp(back, number);
}

/* Touch a byte; what became of it. */
static void touch(const char *what, volatile char *at, int write)
{
    int number = sigsetjmp(back, 1);
    waits = number == 0;
    if (number == 0) {
        if (write) {
            *at = 'w';
        }
        char byte = *at;
        waits = 0;
        printf("%s: byte %d\n", what, byte);
    } else {
        printf("%s: signal %d code %d at %ld\n", what, number, code, where);
    }
    fflush(stdout);
}

static void anonymous(void)
{
    char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fault_base = p;
    SEE((unsigned long)p % PAGE);
    touch("fresh", p, 0);
    touch("written", p + PAGE, 1);
    SEE(mprotect(p + PAGE, PAGE, PROT_READ));
    touch("read only", p + PAGE, 0);
    touch("read only", p + PAGE + 5, 1);
    SEE(mprotect(p + PAGE, PAGE, PROT_NONE));
    touch("none", p + PAGE, 0);
    SEE(mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE));
    touch("again", p + PAGE, 0);
    SEE(madvise(p + PAGE, PAGE, MADV_DONTNEED));
    touch("given up", p + PAGE, 0);
    SEE(madvise(p + 1, PAGE, MADV_DONTNEED));
    SEE(madvise(p, PAGE, 9999));
    SEE(munmap(p + PAGE, PAGE));
    touch("unmapped", p + PAGE, 0);
    SEE(madvise(p, 3 * PAGE, MADV_DONTNEED));
    SEE(mprotect(p, 3 * PAGE, PROT_READ));
    SEE(munmap(p + 1, PAGE));
    SEE(munmap(p, 0));
    SEE(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SEE(errno);
    SEE(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SEE(errno);
    SEE(mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    SEE(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    SEE(errno);
    fault_base = NULL;
    touch("null", NULL, 0);
    touch("low", (char *)8, 1);
}

static void files(void)
{
    int fd = open("m", O_RDWR | O_CREAT | O_TRUNC, 0600), ro;
    SEE(write(fd, "hello", 5));
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char byte[6] = "";
    fault_base = shared;
    SEE(shared != MAP_FAILED && private != MAP_FAILED);
    shared[0] = 'J';
    SEE(pread(fd, byte, 5, 0));
    printf("%s %.5s\n", byte, private);
    private[1] = 'u';
    SEE(pwrite(fd, "y", 1, 4));
    printf("%.5s %.5s\n", shared, private);
    touch("past the end", shared + 10, 0);
    touch("beyond the last page", shared + PAGE, 0);
    SEE(ftruncate(fd, 2 * PAGE));
    touch("it grew", shared + PAGE, 1);
    SEE(ftruncate(fd, 1));
    touch("it shrank", shared + PAGE, 0);
    touch("rest of the page", shared + 3, 0);
    SEE(msync(shared, PAGE, MS_SYNC));
    SEE(msync(shared + 1, PAGE, MS_SYNC));
    ro = open("m", O_RDONLY);
    SEE(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED);
    SEE(errno);
    SEE(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0) != MAP_FAILED);
    SEE(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 7) == MAP_FAILED);
    SEE(errno);
    SEE(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED);
    SEE(errno);
    char *view = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
    SEE(mprotect(view, PAGE, PROT_READ | PROT_WRITE));
    SEE(unlink("m"));
    SEE(view[0]);
}

static void moving(void)
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(p, "moved");
    char *q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    SEE(q != MAP_FAILED);
    printf("%s %d\n", q, q[63 * PAGE]);
    SEE(mremap(q, 64 * PAGE, PAGE, 0) == q);
    fault_base = q;
    touch("cut off", q + PAGE, 0);
    SEE(mremap(q + 1, PAGE, PAGE, 0) == MAP_FAILED);
    SEE(errno);
    char *start = (char *)syscall(SYS_brk, 0), *end = (char *)syscall(SYS_brk, start + 3 * PAGE);
    SEE(end - start);
    start[0] = 'h';
    end[-1] = 'p';
    SEE((char *)syscall(SYS_brk, start + PAGE) - start);
    SEE((char *)syscall(SYS_brk, 0) - start);
    SEE((char *)syscall(SYS_brk, 1) - start);
}

static void forked(void)
{
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *private = *shared = 'a';
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        *private = *shared = 'b';
        _exit(0);
    }
    see_child("child", child);
    printf("%c %c\n", *private, *shared);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)8 = 1;
        _exit(0);
    }
    see_child("segv", child);
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    anonymous();
    files();
    moving();
    forked();
    return 0;
}
