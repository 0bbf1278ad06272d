/* SPDX-License-Identifier: BSD-2-Clause */
/* lat.c: a small set of operating-system micro-benchmarks for a POSIX/Linux x86-64 ABI.
 *
 * Prints one line per test:   name value unit n=<iterations> tsc=<TSC ticks per op>
 * or, where a call is missing: name FAIL <errno> <what>: <errno text>
 *
 * Build:  musl-gcc -static -O2 -Wall -o lat lat.c      (any C11 compiler and POSIX libc will do)
 * Use:    lat [-n factor] [-d dir] [-s MiB] [-H hello] [-S shell] [-T] [-l] [test...]
 *   -n f   scale the time given to each test (1 = about 40 ms measured, three times)
 *   -d     directory the file tests work in (default /tmp)
 *   -s     size of the big file in MiB (default 64)
 *   -H     static program for fork_exec (default ./hello)   -S  shell for sh_c (default /bin/sh)
 *   -T     do not execute RDTSC      -l  list the tests      -r k  repetitions (best is kept)
 *
 * Every test returns the time of its own measured part only (set-up is outside START/STOP).
 * The iteration count calibrates itself; the best of the repetitions is printed.
 * Under `qemu -icount shift=0` one TSC tick and one nanosecond are one guest instruction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAIT_PRIVATE 128  /* from the kernel ABI; musl ships no linux/futex.h */
#define FUTEX_WAKE_PRIVATE 129

static double factor = 1.0;
static int reps = 3, use_tsc = 1, big_mb = 64;
static const char *dir = "/tmp", *hello = "./hello", *shell = "/bin/sh";
static char p_file[512], p_new[512], p_big[512], p_dir[512];
static jmp_buf bail;
static char why[256];
static int why_errno;
static char *envp_min[] = { "PATH=/bin:/usr/bin", 0 };

static void fail(const char *fmt, ...)
{
    int e = why_errno = errno;
    va_list ap;
    va_start(ap, fmt);
    int k = vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(why + k, sizeof why - k, ": %s", strerror(e));
    longjmp(bail, 1);
}
#define CK(e) do { if ((long)(e) < 0) fail("%s", #e); } while (0)

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}
static uint64_t tsc(void)
{
    if (!use_tsc)
        return 0;
    uint32_t a, d;
    __asm__ volatile("lfence; rdtsc" : "=a"(a), "=d"(d));
    return (uint64_t)d << 32 | a;
}
static uint64_t m_ns, m_tsc, s_ns, s_tsc;
static void START(void) { s_ns = now_ns(); s_tsc = tsc(); }
static void STOP(void) { uint64_t c = tsc(); m_ns = now_ns() - s_ns; m_tsc = c - s_tsc; }

static char page[65536];

/* ---- processor: to normalise one machine's numbers against another's ---- */
static void t_cpu(long n)
{
    uint64_t x = 88172645463325252ull;
    START();
    for (long i = 0; i < n; i++) {
        x ^= x << 13; x ^= x >> 7; x ^= x << 17;
        __asm__ volatile("" : "+r"(x));
    }
    STOP();
}
static void t_memcpy(long n)
{
    char *a = malloc(1 << 16), *b = malloc(1 << 16);
    if (!a || !b)
        fail("malloc");
    memset(a, 1, 1 << 16); memset(b, 2, 1 << 16);
    START();
    for (long i = 0; i < n; i++) {
        memcpy(a, b, 1 << 16);
        __asm__ volatile("" : : "r"(a) : "memory");
    }
    STOP();
    free(a); free(b);
}

/* ---- simple calls ---- */
static void t_getppid(long n)
{
    START();
    for (long i = 0; i < n; i++)
        syscall(SYS_getppid);
    STOP();
}
static void t_getpid(long n)
{
    START();
    for (long i = 0; i < n; i++)
        syscall(SYS_getpid);
    STOP();
}
static void t_badsys(long n)    /* a number nobody implements: the bare trap + dispatch + ENOSYS */
{
    START();
    for (long i = 0; i < n; i++)
        syscall(1023);
    STOP();
}
static void t_clock(long n) /* through libc: the vDSO where there is one */
{
    struct timespec t;
    START();
    for (long i = 0; i < n; i++)
        clock_gettime(CLOCK_MONOTONIC, &t);
    STOP();
}
static void t_clockraw(long n)
{
    struct timespec t;
    START();
    for (long i = 0; i < n; i++)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    STOP();
}
static void t_yield(long n)
{
    START();
    for (long i = 0; i < n; i++)
        sched_yield();
    STOP();
}

/* ---- files: metadata and single bytes ---- */
static void touch_file(const char *p)
{
    int fd = open(p, O_CREAT | O_RDWR | O_TRUNC, 0644);
    if (fd < 0)
        fail("open %s", p);
    if (write(fd, page, 4096) != 4096)
        fail("write %s", p);
    close(fd);
}
static void t_openclose(long n)
{
    touch_file(p_file);
    START();
    for (long i = 0; i < n; i++) {
        int fd = open(p_file, O_RDONLY);
        if (fd < 0)
            fail("open");
        close(fd);
    }
    STOP();
    unlink(p_file);
}
static void t_stat(long n)
{
    struct stat st;
    touch_file(p_file);
    START();
    for (long i = 0; i < n; i++)
        CK(stat(p_file, &st));
    STOP();
    unlink(p_file);
}
static void t_fstat(long n)
{
    struct stat st;
    touch_file(p_file);
    int fd = open(p_file, O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        CK(fstat(fd, &st));
    STOP();
    close(fd);
    unlink(p_file);
}
static void t_readzero(long n)
{
    char c;
    int fd = open("/dev/zero", O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        if (read(fd, &c, 1) != 1)
            fail("read");
    STOP();
    close(fd);
}
static void t_writenull(long n)
{
    int fd = open("/dev/null", O_WRONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        if (write(fd, "x", 1) != 1)
            fail("write");
    STOP();
    close(fd);
}
static void t_pread1(long n)    /* one byte of a cached regular file */
{
    char c;
    touch_file(p_file);
    int fd = open(p_file, O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        if (pread(fd, &c, 1, i & 4095) != 1)
            fail("pread");
    STOP();
    close(fd);
    unlink(p_file);
}
static void t_pread4k(long n)
{
    touch_file(p_file);
    int fd = open(p_file, O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        if (pread(fd, page, 4096, 0) != 4096)
            fail("pread");
    STOP();
    close(fd);
    unlink(p_file);
}
static void t_lseek(long n)
{
    touch_file(p_file);
    int fd = open(p_file, O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++)
        CK(lseek(fd, i & 1023, SEEK_SET));
    STOP();
    close(fd);
    unlink(p_file);
}
static void t_dupclose(long n)
{
    int fd = open("/dev/null", O_WRONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++) {
        int d = dup(fd);
        CK(d);
        close(d);
    }
    STOP();
    close(fd);
}
static void t_creat(long n)
{
    START();
    for (long i = 0; i < n; i++) {
        int fd = open(p_new, O_CREAT | O_EXCL | O_WRONLY, 0644);
        if (fd < 0)
            fail("creat");
        close(fd);
        CK(unlink(p_new));
    }
    STOP();
}
static void t_mkdir(long n)
{
    START();
    for (long i = 0; i < n; i++) {
        CK(mkdir(p_dir, 0755));
        CK(rmdir(p_dir));
    }
    STOP();
}
static void t_rename(long n)
{
    touch_file(p_file);
    START();
    for (long i = 0; i < n; i++) {
        CK(rename(p_file, p_new));
        CK(rename(p_new, p_file));
    }
    STOP();
    unlink(p_file);
}
static void t_readdir(long n)   /* one pass over a directory of 64 files */
{
    char f[600];
    CK(mkdir(p_dir, 0755));
    for (int i = 0; i < 64; i++) {
        snprintf(f, sizeof f, "%s/f%d", p_dir, i);
        int fd = open(f, O_CREAT | O_WRONLY, 0644);
        CK(fd);
        close(fd);
    }
    START();
    for (long i = 0; i < n; i++) {
        DIR *d = opendir(p_dir);
        int k = 0;
        if (!d)
            fail("opendir");
        while (readdir(d))
            k++;
        closedir(d);
        if (k < 64)
            fail("readdir saw %d", k);
    }
    STOP();
    for (int i = 0; i < 64; i++) {
        snprintf(f, sizeof f, "%s/f%d", p_dir, i);
        unlink(f);
    }
    rmdir(p_dir);
}
static void t_poll10(long n)
{
    int p[2];
    struct pollfd f[10];
    CK(pipe(p));
    for (int i = 0; i < 10; i++)
        f[i].fd = p[0], f[i].events = POLLIN;
    START();
    for (long i = 0; i < n; i++)
        CK(poll(f, 10, 0));
    STOP();
    close(p[0]); close(p[1]);
}

/* ---- talking between two processes or threads ---- */
static void pingpong(long n, int rd, int wr, int crd, int cwr)
{
    char c = 'x';
    pid_t k = fork();
    CK(k);
    if (!k) {
        if (rd != crd) { close(rd); close(wr); }
        while (read(crd, &c, 1) == 1)
            if (write(cwr, &c, 1) != 1)
                _exit(1);
        _exit(0);
    }
    if (rd != crd) { close(crd); if (cwr != crd) close(cwr); }
    if (write(wr, &c, 1) != 1 || read(rd, &c, 1) != 1)  /* warm up */
        fail("pingpong");
    START();
    for (long i = 0; i < n; i++)
        if (write(wr, &c, 1) != 1 || read(rd, &c, 1) != 1)
            fail("pingpong");
    STOP();
    close(wr);
    if (rd != wr)
        close(rd);
    waitpid(k, 0, 0);
}
static void t_pipepp(long n)
{
    int a[2], b[2];
    CK(pipe(a)); CK(pipe(b));
    pingpong(n, b[0], a[1], a[0], b[1]);
}
static int thr_fd[2];
static void *thr_echo(void *x)
{
    char c;
    while (read(thr_fd[0], &c, 1) == 1 && write(thr_fd[1], &c, 1) == 1)
        ;
    return x;
}
static void t_pipethr(long n)   /* the same between two threads: no change of address space */
{
    int a[2], b[2];
    char c = 'x';
    pthread_t t;
    CK(pipe(a)); CK(pipe(b));
    thr_fd[0] = a[0]; thr_fd[1] = b[1];
    if ((errno = pthread_create(&t, 0, thr_echo, 0)))
        fail("pthread_create");
    if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
        fail("pipethr");
    START();
    for (long i = 0; i < n; i++)
        if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
            fail("pipethr");
    STOP();
    close(a[1]);
    pthread_join(t, 0);
    close(a[0]); close(b[0]); close(b[1]);
}
static void t_sockpp(long n)
{
    int s[2];
    CK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    pingpong(n, s[0], s[0], s[1], s[1]);
}
static void t_tcppp(long n) /* TCP over the loopback interface */
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t l = sizeof a;
    int one = 1, ls = socket(AF_INET, SOCK_STREAM, 0), c, s;
    CK(ls);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CK(bind(ls, (void *)&a, sizeof a));
    CK(listen(ls, 1));
    CK(getsockname(ls, (void *)&a, &l));
    c = socket(AF_INET, SOCK_STREAM, 0);
    CK(c);
    CK(connect(c, (void *)&a, sizeof a));
    s = accept(ls, 0, 0);
    CK(s);
    close(ls);
    setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pingpong(n, c, c, s, s);
}
static void t_pipebw(long n)    /* 64 KiB blocks, one way */
{
    int a[2];
    CK(pipe(a));
    pid_t k = fork();
    CK(k);
    if (!k) {
        close(a[1]);
        while (read(a[0], page, sizeof page) > 0)
            ;
        _exit(0);
    }
    close(a[0]);
    START();
    for (long i = 0; i < n; i++)
        for (size_t o = 0; o < sizeof page;) {
            ssize_t w = write(a[1], page + o, sizeof page - o);
            if (w <= 0)
                fail("write");
            o += w;
        }
    close(a[1]);
    waitpid(k, 0, 0);
    STOP();
}
static void t_unixbw(long n)
{
    int a[2];
    CK(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
    pid_t k = fork();
    CK(k);
    if (!k) {
        close(a[1]);
        while (read(a[0], page, sizeof page) > 0)
            ;
        _exit(0);
    }
    close(a[0]);
    START();
    for (long i = 0; i < n; i++)
        for (size_t o = 0; o < sizeof page;) {
            ssize_t w = write(a[1], page + o, sizeof page - o);
            if (w <= 0)
                fail("write");
            o += w;
        }
    close(a[1]);
    waitpid(k, 0, 0);
    STOP();
}

static int fut;
static long fut_n;
static void fut_wait_for(int mine)
{
    int v;
    while ((v = __atomic_load_n(&fut, __ATOMIC_ACQUIRE)) != mine)
        syscall(SYS_futex, &fut, FUTEX_WAIT_PRIVATE, v, 0, 0, 0);
}
static void fut_give(int to)
{
    __atomic_store_n(&fut, to, __ATOMIC_RELEASE);
    syscall(SYS_futex, &fut, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
static void *fut_peer(void *x)
{
    for (long i = 0; i < fut_n; i++) {
        fut_wait_for(1);
        fut_give(0);
    }
    return x;
}
static void t_futexpp(long n)
{
    pthread_t t;
    fut = 0;
    fut_n = n + 1;
    if ((errno = pthread_create(&t, 0, fut_peer, 0)))
        fail("pthread_create");
    fut_give(1);
    fut_wait_for(0);
    START();
    for (long i = 0; i < n; i++) {
        fut_give(1);
        fut_wait_for(0);
    }
    STOP();
    pthread_join(t, 0);
}
static void t_futexwake0(long n)    /* wake with nobody waiting */
{
    static int f;
    START();
    for (long i = 0; i < n; i++)
        syscall(SYS_futex, &f, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    STOP();
}
static void *th_nop(void *x) { return x; }
static void t_thread(long n)
{
    START();
    for (long i = 0; i < n; i++) {
        pthread_t t;
        if ((errno = pthread_create(&t, 0, th_nop, 0)))
            fail("pthread_create");
        pthread_join(t, 0);
    }
    STOP();
}

/* a ring of k processes passes one token: one op = one hop (pipe write + switch + pipe read) */
static void ring(long n, int k)
{
    int p[17][2];
    pid_t kid[17];
    long rounds = n / k + 1;
    char c = 'x';
    for (int i = 0; i < k; i++)
        CK(pipe(p[i]));
    for (int i = 1; i < k; i++) {
        kid[i] = fork();
        CK(kid[i]);
        if (!kid[i]) {
            int rd = p[i - 1][0], wr = p[i][1];
            for (int j = 0; j < k; j++) {
                if (p[j][0] != rd) close(p[j][0]);
                if (p[j][1] != wr) close(p[j][1]);
            }
            while (read(rd, &c, 1) == 1)
                if (write(wr, &c, 1) != 1)
                    _exit(1);
            _exit(0);
        }
    }
    int rd = p[k - 1][0], wr = p[0][1];
    for (int j = 0; j < k; j++) {
        if (p[j][0] != rd) close(p[j][0]);
        if (p[j][1] != wr) close(p[j][1]);
    }
    if (write(wr, &c, 1) != 1 || read(rd, &c, 1) != 1)
        fail("ring");
    START();
    for (long i = 0; i < rounds; i++)
        if (write(wr, &c, 1) != 1 || read(rd, &c, 1) != 1)
            fail("ring");
    STOP();
    m_ns = m_ns * (double)n / (rounds * k);     /* rounds * k hops were made */
    m_tsc = m_tsc * (double)n / (rounds * k);
    close(wr); close(rd);
    for (int i = 1; i < k; i++)
        waitpid(kid[i], 0, 0);
}
static void t_ring2(long n) { ring(n, 2); }
static void t_ring4(long n) { ring(n, 4); }
static void t_ring8(long n) { ring(n, 8); }
static void t_ring16(long n) { ring(n, 16); }

/* ---- processes ---- */
static void t_fork(long n)
{
    START();
    for (long i = 0; i < n; i++) {
        pid_t k = fork();
        CK(k);
        if (!k)
            _exit(0);
        CK(waitpid(k, 0, 0));
    }
    STOP();
}
static void t_fork8m(long n)    /* the same with 8 MiB of dirty private memory to share */
{
    size_t sz = 8 << 20;
    char *m = mmap(0, sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        fail("mmap");
    memset(m, 1, sz);
    t_fork(n);
    munmap(m, sz);
}
static void spawn_loop(long n, char **av, int vf)
{
    int st;
    START();
    for (long i = 0; i < n; i++) {
        pid_t k = vf ? vfork() : fork();
        CK(k);
        if (!k) {
            execve(av[0], av, envp_min);
            _exit(127);
        }
        CK(waitpid(k, &st, 0));
        if (!WIFEXITED(st) || WEXITSTATUS(st)) {
            errno = 0;
            fail("%s status %x", av[0], st);
        }
    }
    STOP();
}
static void t_forkexec(long n) { char *a[] = { (char *)hello, 0 }; spawn_loop(n, a, 0); }
static void t_vforkexec(long n) { char *a[] = { (char *)hello, 0 }; spawn_loop(n, a, 1); }
static void t_shc(long n) { char *a[] = { (char *)shell, "-c", ":", 0 }; spawn_loop(n, a, 0); }
static void t_shfork(long n)    /* the shell itself forks and execs once more */
{
    char cmd[600];
    snprintf(cmd, sizeof cmd, "%s;:", hello);
    char *a[] = { (char *)shell, "-c", cmd, 0 };
    spawn_loop(n, a, 0);
}

/* ---- memory ---- */
static void t_mmap(long n)  /* map and unmap 64 KiB, untouched */
{
    START();
    for (long i = 0; i < n; i++) {
        void *m = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (m == MAP_FAILED)
            fail("mmap");
        munmap(m, 65536);
    }
    STOP();
}
#define PFPAGES 1024        /* 4 MiB at a time; no huge pages */
static void t_pagefault(long n) /* one op = one 4 KiB page: its share of mmap+munmap, and its fault */
{
    long left = n;
    START();
    while (left > 0) {
        long k = left < PFPAGES ? left : PFPAGES;
        char *m = mmap(0, k * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (m == MAP_FAILED)
            fail("mmap");
        madvise(m, k * 4096, MADV_NOHUGEPAGE);
        for (long i = 0; i < k; i++)
            *(volatile char *)(m + i * 4096) = 1;
        munmap(m, k * 4096);
        left -= k;
    }
    STOP();
}
static void t_filefault(long n) /* minor fault on a shared file mapping already in the cache */
{
    int fd = open(p_file, O_CREAT | O_RDWR | O_TRUNC, 0644);
    CK(fd);
    for (int i = 0; i < 64; i++)
        if (write(fd, page, 65536) != 65536)
            fail("write");
    long left = n;
    volatile char sink;
    START();
    while (left > 0) {
        long k = left < PFPAGES ? left : PFPAGES;
        char *m = mmap(0, k * 4096, PROT_READ, MAP_SHARED, fd, 0);
        if (m == MAP_FAILED)
            fail("mmap");
        for (long i = 0; i < k; i++)
            sink = *(volatile char *)(m + i * 4096);
        munmap(m, k * 4096);
        left -= k;
    }
    STOP();
    (void)sink;
    close(fd);
    unlink(p_file);
}
static void t_brk(long n)   /* grow the heap by one page and touch it */
{
    uintptr_t b0 = syscall(SYS_brk, 0), b = b0;
    long left = n;
    uint64_t ns = 0, tc = 0;
    while (left > 0) {
        long k = left < PFPAGES ? left : PFPAGES;
        START();
        for (long i = 0; i < k; i++) {
            if ((uintptr_t)syscall(SYS_brk, b + 4096) != b + 4096)
                fail("brk");
            *(volatile char *)b = 1;
            b += 4096;
        }
        STOP();
        ns += m_ns; tc += m_tsc;
        syscall(SYS_brk, b0);
        b = b0;
        left -= k;
    }
    m_ns = ns; m_tsc = tc;
}
static void t_cow(long n)   /* a child writes to pages it shares with its parent; per page */
{
    size_t sz = PFPAGES * 4096ul;
    char *m = mmap(0, sz, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile uint64_t *sh = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED || sh == MAP_FAILED)
        fail("mmap");
    madvise(m, sz, MADV_NOHUGEPAGE);
    memset(m, 1, sz);
    sh[0] = sh[1] = 0;
    for (long left = n; left > 0; left -= PFPAGES) {
        long k = left < PFPAGES ? left : PFPAGES;
        pid_t c = fork();
        CK(c);
        if (!c) {
            START();
            for (long i = 0; i < k; i++)
                *(volatile char *)(m + i * 4096) = 2;
            STOP();
            sh[0] += m_ns; sh[1] += m_tsc;
            _exit(0);
        }
        CK(waitpid(c, 0, 0));
    }
    m_ns = sh[0]; m_tsc = sh[1];
    munmap(m, sz);
    munmap((void *)sh, 4096);
    if (!m_ns) { errno = 0; fail("child measured nothing"); }
}
static void t_mprotect(long n)
{
    char *m = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        fail("mmap");
    memset(m, 1, 65536);
    START();
    for (long i = 0; i < n; i++)
        CK(mprotect(m, 65536, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ));
    STOP();
    munmap(m, 65536);
}

/* ---- signals ---- */
static volatile sig_atomic_t hits;
static void on_sig(int s) { (void)s; hits++; }
static void t_siginst(long n)
{
    struct sigaction a = { .sa_handler = on_sig };
    START();
    for (long i = 0; i < n; i++)
        CK(sigaction(SIGUSR1, &a, 0));
    STOP();
}
static void t_sigdeliver(long n)
{
    struct sigaction a = { .sa_handler = on_sig };
    pid_t me = getpid();
    CK(sigaction(SIGUSR1, &a, 0));
    hits = 0;
    START();
    for (long i = 0; i < n; i++)
        CK(kill(me, SIGUSR1));
    STOP();
    if (hits != n) { errno = 0; fail("%ld signals, %ld handled", n, (long)hits); }
}
static char *segv_page;
static void on_segv(int s)
{
    (void)s;
    hits++;
    mprotect(segv_page, 4096, PROT_READ | PROT_WRITE);
}
static void t_segv(long n)  /* fault, handler runs mprotect, returns, store retried; mprotect back */
{
    struct sigaction a = { .sa_handler = on_segv }, o;
    segv_page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (segv_page == MAP_FAILED)
        fail("mmap");
    *(volatile char *)segv_page = 1;
    CK(sigaction(SIGSEGV, &a, &o));
    hits = 0;
    START();
    for (long i = 0; i < n; i++) {
        mprotect(segv_page, 4096, PROT_READ);
        *(volatile char *)segv_page = 1;
    }
    STOP();
    sigaction(SIGSEGV, &o, 0);
    munmap(segv_page, 4096);
    if (hits != n) { errno = 0; fail("%ld faults, %ld handled", n, (long)hits); }
}

/* ---- the big file: n operations of bs bytes, wrapping at big_mb MiB ---- */
static void big_write(long n, int bs)
{
    long per = ((long)big_mb << 20) / bs, k = 0;
    int fd = open(p_big, O_CREAT | O_RDWR | O_TRUNC, 0644);
    CK(fd);
    START();
    for (long i = 0; i < n; i++) {
        if (k++ == per) {
            CK(lseek(fd, 0, SEEK_SET));
            k = 1;
        }
        if (write(fd, page, bs) != bs)
            fail("write");
    }
    STOP();
    close(fd);
}
static void big_read(long n, int bs)
{
    long per = ((long)big_mb << 20) / bs, k = 0;
    struct stat st;
    if (stat(p_big, &st) || st.st_size < (long)big_mb << 20)
        big_write(((long)big_mb << 20) / 65536, 65536);
    int fd = open(p_big, O_RDONLY);
    CK(fd);
    START();
    for (long i = 0; i < n; i++) {
        if (k++ == per) {
            CK(lseek(fd, 0, SEEK_SET));
            k = 1;
        }
        if (read(fd, page, bs) != bs)
            fail("read");
    }
    STOP();
    close(fd);
}
static void t_w4k(long n) { big_write(n, 4096); }
static void t_w64k(long n) { big_write(n, 65536); }
static void t_r4k(long n) { big_read(n, 4096); }
static void t_r64k(long n) { big_read(n, 65536); }

/* bytes: per-op payload for a MB/s column; fixed: iterations as a multiple of a whole file pass */
static const struct test {
    const char *name;
    void (*fn)(long);
    int bytes, whole;
} tests[] = {
    { "cpu_xorshift", t_cpu, 0, 0 },
    { "memcpy_64k", t_memcpy, 65536, 0 },
    { "null_getppid", t_getppid, 0, 0 },
    { "null_getpid", t_getpid, 0, 0 },
    { "null_enosys", t_badsys, 0, 0 },
    { "clock_gettime_libc", t_clock, 0, 0 },
    { "clock_gettime_raw", t_clockraw, 0, 0 },
    { "sched_yield", t_yield, 0, 0 },
    { "open_close", t_openclose, 0, 0 },
    { "stat", t_stat, 0, 0 },
    { "fstat", t_fstat, 0, 0 },
    { "read1_devzero", t_readzero, 0, 0 },
    { "write1_devnull", t_writenull, 0, 0 },
    { "pread1_file", t_pread1, 0, 0 },
    { "pread4k_file", t_pread4k, 4096, 0 },
    { "lseek", t_lseek, 0, 0 },
    { "dup_close", t_dupclose, 0, 0 },
    { "poll_10fd", t_poll10, 0, 0 },
    { "creat_unlink", t_creat, 0, 0 },
    { "mkdir_rmdir", t_mkdir, 0, 0 },
    { "rename_x2", t_rename, 0, 0 },
    { "readdir_64", t_readdir, 0, 0 },
    { "pipe_rtt", t_pipepp, 0, 0 },
    { "pipe_rtt_threads", t_pipethr, 0, 0 },
    { "unix_rtt", t_sockpp, 0, 0 },
    { "tcp_lo_rtt", t_tcppp, 0, 0 },
    { "futex_rtt", t_futexpp, 0, 0 },
    { "futex_wake_none", t_futexwake0, 0, 0 },
    { "pipe_bw_64k", t_pipebw, 65536, 0 },
    { "unix_bw_64k", t_unixbw, 65536, 0 },
    { "ring_hop_2p", t_ring2, 0, 0 },
    { "ring_hop_4p", t_ring4, 0, 0 },
    { "ring_hop_8p", t_ring8, 0, 0 },
    { "ring_hop_16p", t_ring16, 0, 0 },
    { "thread_create_join", t_thread, 0, 0 },
    { "fork_exit_wait", t_fork, 0, 0 },
    { "fork_exit_wait_8M", t_fork8m, 0, 0 },
    { "fork_exec_wait", t_forkexec, 0, 0 },
    { "vfork_exec_wait", t_vforkexec, 0, 0 },
    { "sh_c_colon", t_shc, 0, 0 },
    { "sh_c_forkexec", t_shfork, 0, 0 },
    { "mmap_munmap_64k", t_mmap, 0, 0 },
    { "pagefault_anon", t_pagefault, 0, 0 },
    { "pagefault_filemap", t_filefault, 0, 0 },
    { "brk_grow_touch", t_brk, 0, 0 },
    { "cow_fault", t_cow, 0, 0 },
    { "mprotect_64k", t_mprotect, 0, 0 },
    { "sig_install", t_siginst, 0, 0 },
    { "sig_deliver_self", t_sigdeliver, 0, 0 },
    { "sigsegv_mprotect_x2", t_segv, 0, 0 },
    { "file_write_4k", t_w4k, 4096, 1 },
    { "file_read_4k", t_r4k, 4096, 1 },
    { "file_write_64k", t_w64k, 65536, 1 },
    { "file_read_64k", t_r64k, 65536, 1 },
    { NULL, NULL, 0, 0 }
};

static void run(const struct test *t)
{
    double target = 40e6 * factor;
    volatile long n = 1;
    volatile uint64_t best = UINT64_MAX, btsc = 0;
    volatile int done = 0;

    if (setjmp(bail)) {
        printf("%s FAIL %d %s\n", t->name, why_errno, why);
        fflush(stdout);
        return;
    }
    if (t->whole) {         /* exactly one pass over the file */
        n = ((long)big_mb << 20) / t->bytes;
    } else {
        for (;;) {
            t->fn(n);
            if (m_ns >= target * 0.7) { /* long enough, or one hiccup of the host? */
                best = m_ns; btsc = m_tsc;
                t->fn(n);
            }
            if (m_ns >= target * 0.7 || n >= 1L << 30)
                break;
            best = UINT64_MAX;
            double g = m_ns < target / 100 ? 10 : 1.2 * target / (m_ns + 1);
            n = (long)(n * (g < 1.3 ? 1.3 : g)) + 1;
        }
        if (m_ns < best)
            best = m_ns, btsc = m_tsc;
        done = 2;
    }
    for (; done < reps; done++) {
        t->fn(n);
        if (m_ns < best)
            best = m_ns, btsc = m_tsc;
    }
    double ns = (double)best / n;
    if (t->bytes)
        printf("%s %.1f ns n=%ld tsc=%.1f MB/s=%.1f\n", t->name, ns, n, (double)btsc / n, t->bytes * 1e3 / ns);
    else
        printf("%s %.1f ns n=%ld tsc=%.1f\n", t->name, ns, n, (double)btsc / n);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "n:d:s:H:S:r:Tl")) != -1)
        switch (c) {
        case 'n': factor = atof(optarg); break;
        case 'd': dir = optarg; break;
        case 's': big_mb = atoi(optarg); break;
        case 'H': hello = optarg; break;
        case 'S': shell = optarg; break;
        case 'r': reps = atoi(optarg); break;
        case 'T': use_tsc = 0; break;
        case 'l':
            for (const struct test *t = tests; t->name; t++)
                puts(t->name);
            return 0;
        default:
            fprintf(stderr, "usage: lat [-n factor] [-d dir] [-s MiB]"
                "  [-H hello] [-S shell] [-r reps] [-T] [-l] [test...]\n");
            return 2;
        }
    snprintf(p_file, sizeof p_file, "%s/lat.file", dir);
    snprintf(p_new, sizeof p_new, "%s/lat.new", dir);
    snprintf(p_big, sizeof p_big, "%s/lat.big", dir);
    snprintf(p_dir, sizeof p_dir, "%s/lat.dir", dir);
    signal(SIGPIPE, SIG_IGN);
    memset(page, 'x', sizeof page);
    for (const struct test *t = tests; t->name; t++) {
        int want = optind == argc;
        for (int i = optind; i < argc; i++)
            want |= !strcmp(argv[i], t->name);
        if (want)
            run(t);
    }
    unlink(p_big);
    return 0;
}
