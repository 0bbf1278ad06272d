/* SPDX-License-Identifier: BSD-2-Clause */
/* rseq.c: restartable sequences. The C library's own registration (glibc's) is taken back first, so that each thread here has an area of
 * its own; errors of the call, counters that threads share without a lock, what a signal, a page fault, a fork do to a sequence, and what
 * is no sequence at all. */
#include "see.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

enum { SIGNATURE = 0x53053053, UNREGISTER = 1, ROUNDS = 1000000, THREADS = 2 };

struct sequence {
    uint32_t version, flags;
    uint64_t start, bytes, abort;
} __attribute__((aligned(32)));

struct area {
    uint32_t cpu_start, cpu;
    uint64_t sequence;
    uint32_t flags, pad[3];
} __attribute__((aligned(32)));

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

static __thread volatile struct area own = { .cpu = -1 };

static long call_rseq(volatile void *at, uint32_t bytes, int flags, uint32_t signature)
{
    return syscall(SYS_rseq, at, bytes, flags, signature);
}

static void take_back_library_s(void)
{
    if (&__rseq_size && __rseq_size) {
        call_rseq((char *)__builtin_thread_pointer() + __rseq_offset, 32, UNREGISTER, SIGNATURE);
    }
}

static void begin(void)
{
    take_back_library_s();
    if (call_rseq(&own, sizeof own, 0, SIGNATURE)) {
        printf("cannot register, errno %d\n", errno);
        exit(1);
    }
}

/* ---- the call ---- */
static void errors(void)
{
    static struct area other;
    take_back_library_s();
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
    SEE(call_rseq(NULL, 32, UNREGISTER, SIGNATURE));
    SEE(call_rseq(&own, 31, 0, SIGNATURE));
    SEE(call_rseq(&own, 64, 0, SIGNATURE));
    SEE(call_rseq((char *)&own + 8, 32, 0, SIGNATURE));
    SEE(call_rseq(&own, 32, 2, SIGNATURE));
    SEE(call_rseq(&own, 32, 3, SIGNATURE));
    SEE(call_rseq((void *)0xffffffff80000000, 32, 0, SIGNATURE));
    SEE(call_rseq((void *)0x7fffffffffe0, 64, 0, SIGNATURE));
    SEE(call_rseq((void *)0x800000000000, 32, 0, SIGNATURE));
    printf("%d %d\n", (int)own.cpu_start, (int)own.cpu);
    own.sequence = 8;               /* what an earlier user of the memory left */
    SEE(call_rseq(&own, 32, 0, SIGNATURE));
    printf("%d %d %d\n", (int)own.cpu_start, (int)own.cpu, (int)own.sequence);
    SEE(call_rseq(&own, 32, 0, SIGNATURE));
    SEE(call_rseq(&own, 32, 0, SIGNATURE + 1));
    SEE(call_rseq(&own, 64, 0, SIGNATURE));
    SEE(call_rseq(&other, 32, 0, SIGNATURE));
    SEE(call_rseq((char *)&own + 8, 32, 0, SIGNATURE));
    SEE(call_rseq(&own, 32, 4, SIGNATURE));
    SEE(call_rseq(&other, 32, UNREGISTER, SIGNATURE));
    SEE(call_rseq(&own, 64, UNREGISTER, SIGNATURE));
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE + 1));
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
    printf("%d %d\n", (int)own.cpu_start, (int)own.cpu);
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
}

/* ---- counters ---- */
static volatile long counter;
static struct { long aborts; char pad[120]; } per[THREADS];

/* Add 1 to the counter of this CPU, in steps that anybody could come between. 0: aborted. */
static long add_one(volatile long *to)
{
    long done;
    __asm__ volatile(
        "  .pushsection .data.rseq, \"aw\"; .balign 32\n"
        "3: .long 0, 0; .quad 1f, 2f - 1f, 4f\n"
        "  .popsection\n"
        "  lea 3b(%%rip), %%rax\n"
        "  mov %%rax, 8(%[area])\n"
        "1: mov (%[to]), %%rax\n"
        "  mov $40, %%ecx\n"
        "5: dec %%ecx; jnz 5b\n"
        "  inc %%rax\n"
        "  mov %%rax, (%[to])\n"
        "2: mov $1, %%eax\n"
        "  jmp 6f\n"
        "  .byte 0x0f, 0xb9, 0x3d; .long 0x53053053\n"
        "4: xor %%eax, %%eax\n"
        "6:\n"
        : "=&a"(done) : [area] "r"(&own), [to] "r"(to) : "rcx", "memory", "cc");
    return done;
}

static void *adder(void *number)
{
    begin();
    for (long i = 0; i < ROUNDS; i++) {
        while (!add_one(&counter)) {
            per[(long)number].aborts++;
        }
    }
    if (own.cpu_start != 0 || own.cpu != 0) {
        printf("the CPU is %d %d\n", (int)own.cpu_start, (int)own.cpu);
    }
    return NULL;
}

/* A system call that hands the CPU over inside a sequence, which nobody should do and anybody can. */
static long yield_inside(void)
{
    long done;
    __asm__ volatile(
        "  .pushsection .data.rseq, \"aw\"; .balign 32\n"
        "3: .long 0, 0; .quad 1f, 2f - 1f, 4f\n"
        "  .popsection\n"
        "  lea 3b(%%rip), %%rax\n"
        "  mov %%rax, 8(%[area])\n"
        "1: mov %[call], %%eax\n"
        "  xor %%edx, %%edx; xor %%r10d, %%r10d; mov %[time], %%rdi; xor %%esi, %%esi\n"
        "  syscall\n"
        "  nop\n"
        "2: mov $1, %%eax\n"
        "  jmp 6f\n"
        "  .byte 0x0f, 0xb9, 0x3d; .long 0x53053053\n"
        "4: xor %%eax, %%eax\n"
        "6:\n"
        : "=&a"(done)
        : [area] "r"(&own), [call] "i"(SYS_nanosleep), [time] "r"(&(struct timespec){ 0, 10000000 })
        : "rcx", "r11", "r10", "rdx", "rdi", "rsi", "memory", "cc");
    return done;
}

static void counters(void)
{
    pthread_t thread[THREADS];
    for (long i = 0; i < THREADS; i++) {
        SEE(pthread_create(&thread[i], NULL, adder, (void *)i));
    }
    for (long i = 0; i < THREADS; i++) {
        SEE(pthread_join(thread[i], NULL));
    }
    printf("%ld of %d, aborted: %s\n", counter, THREADS * ROUNDS, per[0].aborts + per[1].aborts ? "yes" : "no");
    fflush(stdout);
}

/* ---- a signal inside ---- */
static volatile int handled, inside_named;

static void handler(int number)
{
    (void)number;
    handled++;
    inside_named = own.sequence != 0;
}

/* Wait for `flag` inside a sequence: only its abort, or its flag, ends that. 2: the flag was seen. */
static long wait_inside(volatile int *flag, struct sequence **which)
{
    long done;
    static struct sequence *named;
    __asm__ volatile(
        "  .pushsection .data.rseq, \"aw\"; .balign 32\n"
        "3: .long 0, 0; .quad 1f, 2f - 1f, 4f\n"
        "  .popsection\n"
        "  lea 3b(%%rip), %%rax\n"
        "  mov %%rax, %[named]\n"
        "  mov %%rax, 8(%[area])\n"
        "1: cmpl $0, (%[flag])\n"
        "  je 1b\n"
        "2: mov $2, %%eax\n"
        "  jmp 6f\n"
        "  .byte 0x0f, 0xb9, 0x3d; .long 0x53053053\n"
        "4: xor %%eax, %%eax\n"
        "6:\n"
        : "=&a"(done), [named] "=m"(named) : [area] "r"(&own), [flag] "r"(flag) : "memory", "cc");
    *which = named;
    return done;
}

static void signals(void)
{
    static volatile int never;
    struct sequence *s;
    begin();
    signal(SIGALRM, handler);
    alarm(1);
    while (!handled) {              /* others end it, too */
        long done = wait_inside(&never, &s);
        if (done) {
            printf("it ended with %ld\n", done);
        }
    }
    printf("handled %d, named inside the handler %d, now %d\n", handled, inside_named, own.sequence != 0);
    never = 1;
    long done, named;
    do {                            /* until nobody came between */
        done = wait_inside(&never, &s);
        named = own.sequence == (uint64_t)s;
    } while (!named);
    printf("left with %ld, still named\n", done);
    SEE(raise(SIGALRM));
    SEE(own.sequence == 0);
}

/* ---- what a page fault does not do: end it for good ---- */
static long touch_inside(volatile char *page)
{
    long done;
    __asm__ volatile(
        "  .pushsection .data.rseq, \"aw\"; .balign 32\n"
        "3: .long 0, 0; .quad 1f, 2f - 1f, 4f\n"
        "  .popsection\n"
        "7: lea 3b(%%rip), %%rax\n"
        "  mov %%rax, 8(%[area])\n"
        "1: movb $7, (%[page])\n"
        "2: mov $1, %%eax\n"
        "  jmp 6f\n"
        "  .byte 0x0f, 0xb9, 0x3d; .long 0x53053053\n"
        "4: jmp 7b\n"
        "6:\n"
        : "=&a"(done) : [area] "r"(&own), [page] "r"(page) : "memory", "cc");
    return done;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    printf("signal %d, code %d, named %d\n", number, info->si_code, own.sequence != 0);
    fflush(stdout);
    _exit(9);
}

static void faults(void)
{
    begin();
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SEE(touch_inside(page));
    SEE(page[0]);
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    mprotect(page, 4096, PROT_NONE);
    touch_inside(page);
}

/* ---- what is no sequence ---- */
static struct sequence made;
static void *code;

/* The area names the sequence only when that is spoilt: the system may look at any time. */
static void spoil(int which)
{
    uint64_t here = (uint64_t)code, named = (uint64_t)&made;
    made = (struct sequence){ 0, 0, here, 16, here + 64 };
    *(uint32_t *)((char *)code + 60) = SIGNATURE;
    begin();
    switch (which) {
    case 0: break;                                                      /* the good one, elsewhere */
    case 1: made.version = 1; break;
    case 2: *(uint32_t *)((char *)code + 60) = SIGNATURE + 1; break;
    case 3: named = 8; break;                                           /* cannot be read */
    case 4: made.abort = here + 8; break;                               /* inside itself */
    case 5: made.bytes = ~0ul - here + 1 + 16; break;                   /* wraps */
    case 6: made.start = 0xffffffff80000000; break;
    case 7: made.abort = 0xffffffff80000000; break;
    case 8: made.flags = 1; break;                                      /* of no sequence that is running */
    case 9: own.flags = 4; break;
    case 10: named = 0xffffffff80000000; break;
    case 11: made.abort = 2; break;
    }
    __asm__ volatile("" ::: "memory");
    own.sequence = named;
    raise(SIGURG);                                                      /* a handler makes the system look */
    printf("spoilt %d: alive, named %d\n", which, own.sequence != 0);
    fflush(stdout);
    _exit(0);
}

static void nothing(int number) { (void)number; }

static void no_sequences(void)
{
    signal(SIGURG, nothing);
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 12; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            spoil(i);
        }
        see_child("spoilt", child);
    }
}

/* An area that is no longer there when it is looked at, and one that never was. */
static void lost_areas(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        take_back_library_s();
        SEE(call_rseq(page, 32, 0, SIGNATURE));
        munmap(page, 4096);
        raise(SIGURG);
        _exit(0);
    }
    see_child("an area taken away", child);
    munmap(page, 4096);
    child = fork();
    if (child == 0) {
        take_back_library_s();
        SEE(call_rseq(page, 32, 0, SIGNATURE));
        _exit(0);
    }
    see_child("an area that is not there", child);
    child = fork();
    if (child == 0) {
        take_back_library_s();
        page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        call_rseq(page, 32, 0, SIGNATURE);
        _exit(0);
    }
    see_child("an area to be read only", child);
}

/* ---- over fork, threads and execve ---- */
static void *unregistered(void *argument)
{
    take_back_library_s();
    *(long *)argument = call_rseq(&own, 32, UNREGISTER, SIGNATURE);
    return NULL;
}

static void inherited(char *self)
{
    pthread_t thread;
    long answer = 0;
    begin();
    pid_t child = fork();
    if (child == 0) {
        SEE(call_rseq(&own, 32, 0, SIGNATURE));
        SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
        execl(self, self, "fresh", NULL);
        _exit(1);
    }
    see_child("a fork's child", child);
    SEE(pthread_create(&thread, NULL, unregistered, &answer));
    SEE(pthread_join(thread, NULL));
    SEE(answer);
    SEE(call_rseq(&own, 32, 0, SIGNATURE));
    child = vfork();
    if (child == 0) {
        answer = call_rseq(&own, 32, UNREGISTER, SIGNATURE);
        _exit(answer == -1 && errno == EINVAL ? 4 : 5);
    }
    see_child("a vfork's child", child);
    SEE(call_rseq(&own, 32, 0, SIGNATURE));
    fflush(stdout);
    execl(self, self, "again", NULL);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        take_back_library_s();
        printf("%s: ", arguments[1]);
        SEE(call_rseq(&own, 32, 0, SIGNATURE));
        return 6;
    }
    errors();
    counters();
    begin();
    SEE(yield_inside());
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
    signals();
    SEE(call_rseq(&own, 32, UNREGISTER, SIGNATURE));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        faults();
        _exit(1);
    }
    see_child("faults", child);
    no_sequences();
    lost_areas();
    inherited(arguments[0]);
    return 1;
}
