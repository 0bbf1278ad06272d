/* SPDX-License-Identifier: BSD-2-Clause */
/* make.c: one random call. Each argument follows the letter that the table gives it, mostly plausible and sometimes not; where that says
 * too little (memory stays in the arena, signals stay in the family, waits are short) `arrange` says more. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "chaos.h"

enum { CHILD_SIGNALS = 65, BAD = 8 };           /* one argument in BAD is implausible */
enum { FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET };

static bool one_in(u64 n) { return random_below(n) == 0; }
static bool bad(void) { return one_in(BAD); }
/* Where paths are written. */
enum { PATH_ROOM = 8192 };
#define PATHS ((u64)scratch + PATH_ROOM)
#define PICK(list) ((list)[random_below(sizeof (list) / sizeof (list)[0])])

/* ---- telling ---- */
static char *put_hex(char *to, u64 value)
{
    u32 digits = 1;
    while (digits < 16 && value >> (4 * digits)) {
        digits++;
    }
    while (digits--) {
        *to++ = "0123456789abcdef"[value >> (4 * digits) & 15];
    }
    return to;
}

static char *put_text(char *to, const char *text)
{
    for (u32 i = 0; text[i] && i < 60; i++) {
        *to++ = text[i];
    }
    return to;
}

static void tell(u64 number, const u64 *a, i64 result, bool done)
{
    char line[512], *at = line;
    at = put_text(at, done ? "  = " : "");
    if (done) {
        at = put_text(at, result < 0 && result > -4096 ? "-" : "");
        at = put_hex(at, result < 0 && result > -4096 ? (u64)-result : (u64)result);
    } else {
        at = put_hex(put_text(at, "g"), tally->slot[me.slot].generation);
        at = put_hex(put_text(at, " place "), me.place);
        at = put_text(put_text(at, " "), name_of(number));
        for (u32 i = 0; i < 6; i++) {
            at = put_hex(put_text(at, " "), a[i]);
            if (a[i] - PATHS < 2 * PATH_ROOM) {
                at = put_text(put_text(at, "="), (const char *)a[i]);
            }
        }
    }
    *at++ = '\n';
    call(SYS_write, PRINT_FD, line, at - line);
}

/* ---- values ---- */
static u64 odd_word(void)
{
    switch (random_below(4)) {
    case 0: return random_below(256);
    case 1: return 1ul << random_below(64);
    case 2: return ~0ul << random_below(64);
    default: return random_below(0);
    }
}

/* Nobody may write or read there: null, the runtime, its data, threads' blocks, the info page, the kernel's half, no address at all. */
static u64 bad_address(void)
{
    static const u64 list[] = { 0, 1, 8, 0xfff, 0x7f8000000000, 0x7f7ffffffff8, 0x7f8000100000, 0x7f8000180000, 0x7f8000181000, 0x7f8000184000,
                                0x7fffffff0000, 0x7ffffffffff8, 0x800000000000, 0xffff800000000000, 0xffffffff80000000, ~0ul, ~7ul,
                                ARENA + ARENA_PAGES * PAGE };
    return PICK(list) + (one_in(4) ? random_below(PAGE) : 0);
}

static u64 arena_page(void) { return ARENA + random_below(ARENA_PAGES) * PAGE; }
static u64 data(u64 *bytes)
{
    static const u64 sizes[] = { 0, 1, 7, 8, 64, 100, 4095, 4096, 4097, 16384, 20000, 65536, 70000 };
    *bytes = one_in(20) ? odd_word() : PICK(sizes);
    switch (random_below(BAD)) {
    case 0: return bad_address();
    case 1: return ARENA + ARENA_PAGES * PAGE - random_below(100);      /* over the end of a mapping */
    case 2: return arena_page() + random_below(PAGE);
    default: *bytes = *bytes > 16384 ? 16384 : *bytes; return (u64)scratch + 32768 + random_below(64);
    }
}
/* Something that the call reads or fills; zeroed here and perhaps filled by `arrange`. */
static u64 *room(u32 which)
{
    u64 *at = (u64 *)(scratch + 1024 * which);
    for (u32 i = 0; i < 128; i++) {
        at[i] = 0;
    }
    return at;
}
static u64 structure(u32 which) { return bad() ? bad_address() : one_in(16) ? ARENA + ARENA_PAGES * PAGE - 4 : (u64)room(which); }

static u64 descriptor(void) { return bad() ? odd_word() : random_below(18); }
static u64 signal_number(void) { return bad() ? odd_word() : one_in(3) ? random_below(CHILD_SIGNALS) : (u64)SIGUSR1 + random_below(8); }

/* In pairs, as rename and link have them, the second is mostly new. */
static u64 path(u32 which)
{
    static const char *const names[] = { "f0", "f1", "f2", "d0", "d1", "d0/f", "d0/g", "l0", "l1", "l1/f", "p0", ".", "n0", "n1", "n2", "d0/n", "d1/n", "d2",
                                         "d1/..", "f0", "f1", "n0", "n1", "d1/m", "d0/../f1" };
    static const char *const fresh[] = { "n0", "n1", "n2", "n3", "d0/n", "d0/o", "d1/n", "d1/m", "d2", "l1/m" };
    static const char *const strange[] = { "", "nothing/there", "f0/x", "l2", "l2/x", "/", "null", "zero", "full", "/proc/self/fd/3", "/proc/self/exe",
                                           "/proc/self/maps", "/proc/1/status", "d0/", "f0/", "..", ".//d0//f", "/proc/self/fd", "random", "/proc/self/cwd/f0" };
    char *to = (char *)PATHS + PATH_ROOM * which;
    if (bad()) {
        return bad_address();
    }
    if (one_in(30)) {
        u64 length = one_in(2) ? 256 : 4096 + random_below(10);
        for (u64 i = 0; i < length; i++) {
            to[i] = one_in(50) ? '/' : 'x';
        }
        to[length] = 0;
        return (u64)to;
    }
    const char *from = one_in(6) ? PICK(strange) : which && one_in(2) ? PICK(fresh) : PICK(names);
    u64 end = 0;
    while ((to[end] = from[end])) {
        end++;
    }
    if (one_in(20)) {               /* its zero would lie behind the end of a mapping */
        return ARENA + ARENA_PAGES * PAGE - 1 - random_below(8);
    }
    return (u64)to;
}

static u64 child_pid(void)
{
    if (bad()) {
        return one_in(2) ? 40000 + random_below(1u << 30) : (u64)-(i64)(40000 + random_below(100000));
    }
    return me.kid_count && one_in(2) ? me.kid[random_below(me.kid_count)] : one_in(3) ? 0 : (u64)call(SYS_getpid);
}
static u64 id(void)
{
    static const u64 ids[] = { 0, 0, 0, 1, 1000, 65534, ~0ul };
    return bad() ? odd_word() : PICK(ids);
}

static void time_fill(u64 *t, u64 most_ns)
{
    t[0] = bad() ? ~0ul : 0;
    t[1] = bad() ? 2000000000 : random_below(most_ns);
}

static u64 by_letter(char letter, u32 which, u64 *bytes)
{
    static const u64 flags[] = { 0, 1, 2, 4, 0x100, 0x200, 0x400, 0x1000 };
    static const u64 maps[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE };
    switch (letter) {
    case 'i': return bad() ? odd_word() : random_below(8);
    case 'u': return bad() ? odd_word() : random_below(4096);
    case 'x': return bad() ? odd_word() : PICK(flags);
    case 'o': return bad() ? odd_word() : random_below(01000);
    case 'd': return descriptor();
    case 'D': return one_in(3) ? descriptor() : (u64)AT_FDCWD;
    case 'b': case 'B': return data(bytes);
    case 'O': return bad() ? odd_word() & 07777777 : (random_below(3) | (one_in(2) ? O_CREAT : 0) | (one_in(6) ? O_TRUNC : 0) | (one_in(8) ? O_EXCL : 0) | (one_in(8) ? 0 : O_NONBLOCK));
    case 'P': return bad() ? odd_word() : random_below(8);
    case 'M': return bad() ? odd_word() & ~(u64)MAP_FIXED : PICK(maps);
    case 'S': return signal_number();
    default: return structure(which);
    }
}

/* ---- calls that leave the process changed ---- */
static u64 fresh_place(void)
{
    for (u32 i = 1; i < FAMILY; i++) {
        u32 there = __atomic_load_n(&tally->slot[me.slot].pid[i], __ATOMIC_RELAXED), none = 0;
        if (there & LEAVING) {
            call(SYS_wait4, there & ~LEAVING, 0, WNOHANG, 0);
            none = call(SYS_kill, there & ~LEAVING, 0) == -ESRCH ? there : 0;
        }
        if (__atomic_compare_exchange_n(&tally->slot[me.slot].pid[i], &none, ~0u >> 2, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return i;
        }
    }
    return 0;
}

static void child_begin(u32 place)
{
    tally->slot[me.slot].pid[place] = (u32)call(SYS_getpid);
    me.place = place;
    me.depth++;
    me.kid_count = 0;
    me.random ^= (u64)place << 56 | 0x5555;
}

static void place_free(u32 place) { tally->slot[me.slot].pid[place] = 0; }

static i64 kid_made(i64 pid, u32 place)
{
    if (is_error(pid)) {
        place_free(place);
    } else {
        u32 claimed = ~0u >> 2;     /* the child may have set it, and even left, already */
        __atomic_compare_exchange_n(&tally->slot[me.slot].pid[place], &claimed, (u32)pid, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        if (me.kid_count == KIDS) {
            me.kid_count--;
        }
        me.kid[me.kid_count++] = (u32)pid;
    }
    return pid;
}

/* clone3 with the same flags. Whatever is implausible makes it fail: a child that shares memory, or has a stack, would not come back here. */
static i64 clone3_by(u64 flags)
{
    static const u64 sizes[] = { 64, 80, 88, 88, 88, 128 };
    static u64 list[16];
    u64 now[16] = { [0] = flags & ~0xfful, [2] = (u64)scratch + 8, [3] = (u64)scratch, [4] = flags & 0xff };
    if (bad()) {
        now[PICK(((const u32[]){ 4, 5, 6, 8, 9, 11 }))] = odd_word() | 1ul << 40;
    }
    for (u32 i = 0; i < 16; i++) {
        list[i] = now[i];
    }
    return call(SYS_clone3, bad() ? bad_address() : (u64)list, bad() ? odd_word() : PICK(sizes));
}

static i64 copy_by(u32 number, u64 flags)
{
    return number == SYS_clone3 ? clone3_by(flags) : number == SYS_clone ? call(SYS_clone, flags, 0, scratch, scratch + 8, 0) : call(number);
}

/* A copy: what it does first is `first`, 0: random calls. */
static void end_by(u32 number);
static i64 fork_by(u32 number, u64 flags, u32 first)
{
    u32 place = (u32)fresh_place();
    if (!place) {
        return -EAGAIN;
    }
    i64 pid = copy_by(number, flags);
    if (pid == 0) {
        child_begin(place);
        if (first) {
            end_by(first);
        }
        worker_life((u32)random_below(14));
        end_by(one_in(2) ? SYS_exit : SYS_exit_group);
    }
    return kid_made(pid, place);
}

/* A vfork child shares even the stack: it only executes, or ends. */
static i64 vfork_by(const char *file, char *const *arguments)
{
    i64 result;
    register const void *f __asm__("r12") = file;
    register const void *a __asm__("r13") = arguments;
    __asm__ volatile("mov $58, %%eax; syscall; test %%rax, %%rax; jnz 1f\n"
                     "mov $59, %%eax; mov %%r12, %%rdi; mov %%r13, %%rsi; xor %%edx, %%edx; syscall\n"
                     "mov $231, %%eax; xor %%edi, %%edi; syscall\n1:"
                     : "=a"(result) : "r"(f), "r"(a) : "rcx", "r11", "rdi", "rsi", "rdx", "memory");
    return result;
}

static char *const *again_arguments(u32 place)
{
    static char numbers[3][24];
    static char *list[6] = { "chaos", "--again", numbers[0], numbers[1], numbers[2], NULL };
    u64 values[3] = { me.slot, place, me.random };
    for (u32 i = 0; i < 2; i++) {
        numbers[i][0] = (char)('0' + values[i] / 10);
        numbers[i][1] = (char)('0' + values[i] % 10);
        numbers[i][2] = 0;
    }
    for (u32 i = 0; i < 16; i++) {
        numbers[2][i] = "0123456789abcdef"[me.random >> (60 - 4 * i) & 15];
    }
    return list;
}

/* exit and exit_group succeed by not coming back, and execve is counted by the program that it starts. */
static void end_by(u32 number)
{
    count(&tally->tried[number]);
    if (number == SYS_execve) {
        call(SYS_execve, program_path, again_arguments(me.place), 0);
        worker_leave();
    }
    count(&tally->succeeded[number]);
    place_leave();
    call(number, random_below(256));
    __atomic_add_fetch(&tally->wrong, 1, __ATOMIC_RELAXED);
    for (;;) {
        call(SYS_exit_group, 1);
    }
}

/* A thread on a stack of its own: a few calls that need nothing of the library, then its end. */
static _Noreturn void thread_main(void)
{
    u64 nap[2] = { 0, 50000 };
    call(SYS_futex, scratch + 512, FUTEX_WAKE, 1);
    call(SYS_sched_yield);
    call(SYS_write, 7, scratch, 10);
    call(SYS_tgkill, call(SYS_getpid), call(SYS_gettid), SIGUSR1);
    call(SYS_nanosleep, nap, 0);
    call(SYS_read, 6, scratch + 600, 10);
    for (;;) {
        call(SYS_exit, 0);
    }
}

static i64 thread_by(u64 flags)
{
    u64 *top = (u64 *)(stacks[me.threads++ % 4] + sizeof stacks[0]) - 2;
    i64 result;
    register u64 r10 __asm__("r10") = (u64)scratch + 16, r8 __asm__("r8") = 0;
    register void (*r12)(void) __asm__("r12") = (void (*)(void))thread_main;
    __asm__ volatile("syscall; test %%rax, %%rax; jnz 1f\n xor %%ebp, %%ebp; call *%%r12\n1:"
                     : "=a"(result) : "a"(SYS_clone), "D"(flags), "S"(top), "d"(scratch + 24), "r"(r10), "r"(r8), "r"(r12) : "rcx", "r11", "memory");
    return result;
}

static i64 clone_random(u32 number)
{
    static const u64 flags[] = { SIGCHLD, SIGCHLD | 0x01200000, 0x3d0f00, 0x3d0f00, SIGCHLD | 0x100000, 0x10000, 0x800, 0x7e020000 };
    u64 f = bad() ? odd_word() & ~0xc100ul : PICK(flags);       /* VM and VFORK need a stack of their own */
    if (f == 0x3d0f00 && number == SYS_clone) {
        return thread_by(0x350f00);                             /* what the C library asks for, without a TLS */
    }
    return fork_by(number, f == 0x3d0f00 ? SIGCHLD : f, 0);
}

static i64 vfork_random(void)
{
    u32 place = one_in(2) ? 0 : (u32)fresh_place();
    i64 pid = vfork_by(place ? program_path : "/nothing", again_arguments(place));
    if (place) {
        kid_made(pid, place);
    }
    return pid;
}

static i64 execve_random(const u64 *a)
{
    static u64 list[6];
    if (one_in(2)) {
        fork_by(SYS_fork, 0, SYS_execve);
        return -EAGAIN;             /* the child counted its own */
    }
    list[0] = structure(2);
    list[1] = bad() ? bad_address() : 0;
    return call(SYS_execve, one_in(2) ? a[0] : (u64)"/nothing/there", bad() ? bad_address() : (u64)list, bad() ? bad_address() : 0);
}

static i64 sigreturn_random(void)
{
    u64 none = 0;
    u32 before = me.handled;
    if (one_in(40)) {
        return call(SYS_rt_sigreturn);                  /* what lies on the stack is no frame */
    }
    action_set(SIGUSR2, handler, 0);
    call(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
    call(SYS_tgkill, call(SYS_getpid), call(SYS_gettid), SIGUSR2);
    return me.handled > before ? 0 : -EAGAIN;
}

/* A child that sleeps, is stopped and goes on: Linux lets it call restart_syscall. It then asks by itself once more. */
static i64 restart_random(void)
{
    u32 place = one_in(4) ? 0 : (u32)fresh_place();
    if (!place) {
        return call(SYS_restart_syscall);
    }
    i64 pid = call(SYS_fork);
    if (pid == 0) {
        u64 nap[2] = { 0, 3000000 };
        child_begin(place);
        call(SYS_nanosleep, nap, 0);
        i64 result = call(SYS_restart_syscall);
        count(&tally->tried[SYS_restart_syscall]);
        if (result == 0) {
            count(&tally->succeeded[SYS_restart_syscall]);
        }
        worker_leave();
    }
    kid_made(pid, place);
    if (!is_error(pid)) {
        u64 nap[2] = { 0, 600000 };
        call(SYS_nanosleep, nap, 0);
        call(SYS_kill, pid, SIGSTOP);
        call(SYS_nanosleep, nap, 0);
        call(SYS_kill, pid, SIGCONT);
    }
    return -EAGAIN;
}

/* Waits that a signal ends: the timer brings it. */
static i64 until_signal(u32 number, u64 argument)
{
    u64 every[4] = { 0, 500, 0, 500 }, never[4] = { 0 };
    action_set(SIGALRM, handler, 0);
    if (number == SYS_pause) {
        call(SYS_rt_sigprocmask, SIG_SETMASK, never, 0, 8);
    }
    call(SYS_setitimer, 0, every, 0);
    i64 result = call(number, argument, 8);
    call(SYS_setitimer, 0, never, 0);
    return result == -EINTR ? 0 : result;
}

/* A signal that waits, or for a short while one that does not. */
static i64 sigtimedwait_random(void)
{
    u64 *set = room(1), *t = room(7), none = 0;
    set[0] = 1ul << (SIGUSR2 - 1);
    time_fill(t, 1000000);
    call(SYS_rt_sigprocmask, SIG_SETMASK, set, 0, 8);
    if (one_in(2)) {
        call(SYS_tgkill, call(SYS_getpid), call(SYS_gettid), SIGUSR2);
    }
    i64 result = call(SYS_rt_sigtimedwait, bad() ? bad_address() : (u64)set, bad() ? structure(2) : 0, bad() ? bad_address() : (u64)t, bad() ? odd_word() : 8);
    call(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
    return result;
}

static i64 wait_random(u64 *a)
{
    a[0] = one_in(2) ? ~0ul : child_pid();
    a[2] = bad() ? odd_word() : random_below(4) ? WNOHANG : WNOHANG | WUNTRACED | WCONTINUED;
    i64 pid = call(SYS_wait4, a[0], a[1], a[2], bad() ? structure(3) : 0);
    for (u32 i = 0; pid > 0 && i < me.kid_count; i++) {
        if (me.kid[i] == (u32)pid) {
            me.kid[i] = me.kid[--me.kid_count];
        }
    }
    return pid;
}

/* ---- memory: in the arena, or where nothing may be ---- */
static void memory_arrange(u64 *a)
{
    a[0] = arena_page();
    a[1] = (1 + random_below(8)) * PAGE;
    if (a[0] + a[1] > ARENA + ARENA_PAGES * PAGE) {
        a[1] = PAGE;
    }
    if (bad()) {
        a[0] = bad_address() | 0x7f8000000000;
        a[1] = one_in(2) ? odd_word() : a[1];
    } else if (one_in(20)) {
        a[0]++;
    } else if (one_in(20)) {
        a[1] = 0;
    }
}

static i64 mmap_random(u64 *a)
{
    u64 flags = a[3];
    u64 pages = 1 + random_below(8);
    memory_arrange(a);
    if (one_in(2) && a[0] < 0x7f8000000000) {
        a[3] = (flags & MAP_TYPE) | MAP_ANONYMOUS | MAP_FIXED;          /* mostly mends the arena */
        a[2] = one_in(3) ? a[2] : PROT_READ | PROT_WRITE;
        return raw(SYS_mmap, a[0], a[1], a[2], a[3], a[4], 0);
    }
    if (me.region[pages % 8]) {
        call(SYS_munmap, me.region[pages % 8], me.region_pages[pages % 8] * PAGE);
        me.region[pages % 8] = 0;
    }
    a[5] = one_in(4) ? odd_word() : random_below(4) * PAGE;
    a[1] = one_in(10) ? odd_word() | 1ul << 46 : pages * PAGE;
    if (tally->print) {
        tell(SYS_mmap, a, 0, false);
    }
    i64 at = raw(SYS_mmap, one_in(2) ? 0 : a[0], a[1], a[2], flags & ~(u64)MAP_FIXED, a[4], a[5]);
    if (!is_error(at)) {
        me.region[pages % 8] = (u64)at;
        me.region_pages[pages % 8] = pages;
    }
    return at;
}

static u64 size(void) { return one_in(6) ? (one_in(2) ? ~0ul : 1ul << 50) : random_below(200000); }

/* Linux may do as it likes with a list that is nonsense, but not more than end the process. */
static void robust_arrange(u64 *a)
{
    u64 *head = room(1);
    head[0] = (u64)(one_in(2) ? head : head + 8);
    head[1] = odd_word();
    head[8] = (u64)(head + 8);
    a[0] = bad() ? bad_address() : (u64)head;
    a[1] = bad() ? odd_word() : 24;
}

static u64 sequence[4] __attribute__((aligned(32)));            /* of rseq */

static i64 call_arranged(u32 number, u64 *a)
{
    static const u64 reboots[] = { 0, 0x89abcdef, 1, 77 };
    static const u64 requests[] = { 0x541b, 0x5421, 0x5401, 0x5413, 0x5410, 0x540f, 0x5451, 0x5450, 77 };
    static const u64 commands[] = { 0, 1, 2, 3, 4, 1030, 1031, 1032, 5, 6, 77 };
    static const u64 futexes[] = { FUTEX_WAKE, FUTEX_WAKE, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, 11, 77 };
    u64 *t = room(7);
    switch (number) {
    case SYS_fork: return fork_by(SYS_fork, 0, 0);
    case SYS_clone: case SYS_clone3: return clone_random(number);
    case SYS_vfork: return vfork_random();
    case SYS_execve: return execve_random(a);
    case SYS_exit: case SYS_exit_group: return fork_by(SYS_fork, 0, number), -EAGAIN;
    case SYS_rt_sigreturn: return sigreturn_random();
    case SYS_restart_syscall: return restart_random();
    case SYS_pause: return until_signal(SYS_pause, 0);
    case SYS_rt_sigsuspend: return until_signal(SYS_rt_sigsuspend, bad() ? bad_address() : (u64)t);
    case SYS_rt_sigtimedwait: return sigtimedwait_random();
    case SYS_wait4: return wait_random(a);
    case SYS_mmap: return mmap_random(a);
    case SYS_munmap: case SYS_mprotect: case SYS_madvise:
        memory_arrange(a);
        break;
    case SYS_mremap:
        memory_arrange(a);
        a[2] = one_in(6) ? odd_word() | 1ul << 46 : a[1];
        a[3] = bad() ? odd_word() & ~2ul : 0;
        break;
    case SYS_brk:
        a[0] = one_in(3) ? bad_address() : (u64)call(SYS_brk, 0) + random_below(16) * PAGE;
        break;
    case SYS_kill:
        a[0] = child_pid();
        break;
    case SYS_tkill:
        a[0] = child_pid();
        break;
    case SYS_tgkill:
        a[0] = child_pid();
        a[1] = one_in(3) ? child_pid() : a[0];
        break;
    case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: {
        u32 at = number == SYS_rt_sigqueueinfo ? 1 : 2;
        i32 *info = (i32 *)room(2);
        info[2] = bad() ? (i32)odd_word() : -1;
        a[0] = child_pid();
        a[1] = one_in(3) ? child_pid() : a[0];
        a[at] = signal_number();
        a[at + 1] = bad() ? bad_address() : (u64)info;
        break;
    }
    case SYS_setpgid:
        a[0] = child_pid();
        a[1] = one_in(2) ? 0 : child_pid();
        break;
    case SYS_getpgid: case SYS_getsid: case SYS_prlimit64:
        a[0] = child_pid();
        break;
    case SYS_getpriority: case SYS_setpriority:
        a[0] = bad() ? odd_word() : 0;
        a[1] = child_pid();
        break;
    case SYS_setuid: case SYS_setgid: case SYS_setfsuid: case SYS_setfsgid: case SYS_setreuid: case SYS_setregid: case SYS_setresuid: case SYS_setresgid:
        a[0] = id(), a[1] = id(), a[2] = id();
        break;
    case SYS_chown: case SYS_fchown: case SYS_lchown:
        a[1] = id(), a[2] = id();
        break;
    case SYS_setgroups: case SYS_getgroups:
        a[0] = bad() ? odd_word() : random_below(20);
        break;
    case SYS_reboot:
        a[0] = bad() ? odd_word() : 0xfee1dead;
        a[1] = bad() ? odd_word() : 672274793;
        a[2] = PICK(reboots);
        break;
    case SYS_mknod:
        a[1] = (one_in(2) ? S_IFREG : one_in(2) ? S_IFIFO : S_IFCHR) | (a[1] & 0777);
        a[2] = 1ul << 8 | random_below(10);
        break;
    case SYS_mknodat:
        a[2] = (one_in(2) ? S_IFREG : one_in(2) ? S_IFIFO : S_IFCHR) | (a[2] & 0777);
        a[3] = 1ul << 8 | random_below(10);
        break;
    case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6: {
        struct pollfd *list = (struct pollfd *)room(1);
        u64 fds = random_below(6), *set = room(2);
        for (u32 i = 0; i < fds; i++) {
            list[i] = (struct pollfd){ (i32)descriptor(), (short)random_below(32), 0 };
        }
        set[0] = random_below(1u << 16);
        time_fill(t, 2000000);
        if (number == SYS_poll || number == SYS_ppoll) {
            a[0] = bad() ? bad_address() : (u64)list;
            a[1] = bad() ? odd_word() : fds;
            a[2] = number == SYS_poll ? random_below(3) : (u64)t;
            a[3] = 0;
        } else {
            a[0] = bad() ? odd_word() : 16;
            a[1] = bad() ? bad_address() : (u64)set;
            a[2] = one_in(3) ? (u64)room(3) : 0;
            a[3] = 0;
            a[4] = (u64)t;
            t[1] /= number == SYS_select ? 1000 : 1;
            a[5] = 0;
        }
        break;
    }
    case SYS_nanosleep:
        time_fill(t, 1000000);
        a[0] = bad() ? bad_address() : (u64)t;
        break;
    case SYS_clock_nanosleep:
        time_fill(t, 1000000);
        a[0] = bad() ? odd_word() : random_below(2);
        a[1] = one_in(2);
        a[2] = bad() ? bad_address() : (u64)t;
        break;
    case SYS_clock_gettime: case SYS_clock_getres:
        a[0] = bad() ? odd_word() : random_below(12);
        break;
    case SYS_alarm:
        a[0] = one_in(3) ? odd_word() : random_below(2);
        break;
    case SYS_setitimer: case SYS_getitimer:
        a[0] = bad() ? odd_word() : one_in(4) ? random_below(3) : 0;
        t[0] = 0, t[1] = one_in(2) ? 3000 : 0, t[2] = 0, t[3] = one_in(2) ? 1000 : 0;
        a[1] = bad() ? bad_address() : (u64)t;
        break;
    case SYS_futex:
        time_fill(t, 1000000);
        *room(1) = 7;
        a[0] = bad() ? bad_address() : (u64)(scratch + 1024) + (one_in(20) ? 1 : 0);
        a[1] = PICK(futexes) | (one_in(2) ? 128 : 0);
        a[2] = one_in(2) ? 7 : random_below(3);
        a[3] = (u64)t;
        a[4] = (u64)scratch + 1024 + 64;
        a[5] = one_in(4) ? 0 : ~0u;
        break;
    case SYS_flock:
        a[1] = bad() ? odd_word() | 4 : PICK(((const u64[]){ 1 | 4, 2 | 4, 8 }));
        break;
    case SYS_fcntl:
        a[1] = bad() ? odd_word() : PICK(commands);
        a[2] = bad() ? odd_word() : random_below(20);
        break;
    case SYS_ioctl:
        a[1] = bad() ? odd_word() : PICK(requests);
        break;
    case SYS_lseek:
        a[1] = one_in(6) ? odd_word() : random_below(10000);
        a[2] = bad() ? odd_word() : random_below(5);
        break;
    case SYS_pread64: case SYS_pwrite64:
        a[3] = one_in(6) ? ~0ul << random_below(64) : random_below(100000);
        break;
    case SYS_readv: case SYS_writev: {
        u64 *list = room(1);
        u64 vectors = random_below(5), bytes;
        for (u32 i = 0; i < vectors; i++) {
            list[2 * i] = data(&bytes);
            list[2 * i + 1] = bytes;
        }
        a[1] = bad() ? bad_address() : (u64)list;
        a[2] = bad() ? odd_word() : vectors;
        break;
    }
    case SYS_sendfile:
        a[2] = one_in(3) ? structure(2) : 0;
        a[3] = bad() ? odd_word() : random_below(20000);
        break;
    case SYS_truncate: case SYS_ftruncate:
        a[1] = size();
        break;
    case SYS_getdents64: case SYS_getcwd: {
        u64 bytes;
        u32 at = number == SYS_getdents64;
        a[0] = one_in(4) ? descriptor() : 2 + random_below(2);
        a[at] = data(&bytes);
        a[at + 1] = bytes;
        break;
    }
    case SYS_getrandom: {
        u64 bytes;
        a[0] = data(&bytes);
        a[1] = bytes > 100000 ? 100000 : bytes;
        a[2] = bad() ? odd_word() : random_below(4);
        break;
    }
    case SYS_rt_sigaction:
        t[0] = bad() ? random_below(2) : (u64)handler;
        t[1] = 4 | 0x04000000 | (one_in(2) ? 0x10000000 : 0) | (one_in(4) ? 0x40000000 : 0) | (one_in(8) ? 0x80000000 : 0) | (one_in(8) ? 0x08000000 : 0);
        t[2] = (u64)restorer;
        t[3] = one_in(4) ? odd_word() : 0;
        a[1] = bad() ? bad_address() : one_in(4) ? 0 : (u64)t;
        a[3] = bad() ? odd_word() : 8;
        break;
    case SYS_rt_sigprocmask:
        t[0] = one_in(4) ? odd_word() : 0;
        a[0] = bad() ? odd_word() : random_below(3);
        a[1] = bad() ? bad_address() : one_in(4) ? 0 : (u64)t;
        a[3] = bad() ? odd_word() : 8;
        break;
    case SYS_rt_sigpending:
        a[1] = bad() ? odd_word() : 8;
        break;
    case SYS_sigaltstack:
        t[0] = one_in(4) ? bad_address() : (u64)stacks[3];
        t[1] = bad() ? odd_word() : one_in(3) ? 2 : 0;
        t[2] = bad() ? odd_word() : 8192;
        a[0] = bad() ? bad_address() : one_in(3) ? 0 : (u64)t;
        a[1] = one_in(2) ? 0 : a[1];
        break;
    case SYS_arch_prctl:
        a[0] = bad() ? odd_word() : 0x1001 + random_below(4);
        break;
    case SYS_prctl:
        a[0] = bad() ? odd_word() : PICK(((const u64[]){ 15, 16, 3, 4, 1, 38, 39 }));
        a[1] = a[0] == 15 || a[0] == 16 ? structure(1) : random_below(3);
        a[2] = a[3] = a[4] = 0;
        break;
    case SYS_set_robust_list:
        robust_arrange(a);
        break;
    case SYS_get_robust_list:
        a[0] = one_in(2) ? 0 : a[0];
        break;
    case SYS_getrlimit: case SYS_setrlimit:
        a[0] = bad() ? odd_word() : random_below(16);
        t[0] = one_in(3) ? odd_word() : 1000;
        t[1] = one_in(3) ? odd_word() : ~0ul;
        a[1] = bad() ? bad_address() : (u64)t;
        break;
    case SYS_utimensat:
        time_fill(t, 1000000000);
        time_fill(t + 2, 1000000000);
        a[2] = bad() ? bad_address() : one_in(3) ? 0 : (u64)t;
        a[3] = bad() ? odd_word() : one_in(4) ? 0x100 : 0;
        break;
    case SYS_close: case SYS_dup2: case SYS_dup3:
        a[0] = one_in(2) ? descriptor() : 10 + random_below(20);        /* the first ones live longer */
        a[1] = 10 + random_below(30);
        a[2] = bad() ? odd_word() : one_in(2) ? O_CLOEXEC : 0;
        break;
    case SYS_close_range:
        a[0] = 12 + random_below(30);
        a[1] = a[0] + random_below(20);
        a[2] = bad() ? odd_word() : one_in(2) ? 4 : 0;
        break;
    case SYS_sched_getaffinity:
        a[0] = child_pid();
        a[1] = bad() ? odd_word() : 8 * random_below(17);
        break;
    case SYS_access: case SYS_faccessat: case SYS_faccessat2:
        a[number == SYS_access ? 1 : 2] = bad() ? odd_word() : random_below(8);
        a[3] = bad() ? odd_word() : one_in(2) ? 0x200 : 0;
        break;
    case SYS_fchownat:
        a[2] = id(), a[3] = id();
        a[4] = bad() ? odd_word() : 0;
        break;
    case SYS_msync:
        memory_arrange(a);
        a[2] = bad() ? odd_word() : random_below(5);
        break;
    case SYS_linkat: case SYS_renameat2:
        a[4] = bad() ? odd_word() : 0;
        break;
    case SYS_newfstatat:
        a[3] = bad() ? odd_word() : one_in(2) ? 0x100 : 0;
        break;
    case SYS_unlinkat:
        a[2] = bad() ? odd_word() : one_in(3) ? 0x200 : 0;
        break;
    case SYS_pipe2:
        a[1] = bad() ? odd_word() : one_in(4) ? 0 : O_NONBLOCK;
        break;
    case SYS_rseq:
        a[0] = bad() ? bad_address() : (u64)sequence;
        a[1] = bad() ? odd_word() : 32;
        a[2] = bad() ? odd_word() : random_below(2);
        a[3] = one_in(20) ? odd_word() : 77;
        break;
    case SYS_fadvise64:
        a[3] = random_below(7);
        break;
    }
    if (name_of(number)[0] != '?' && (number == SYS_dup2 || number == SYS_dup3) && a[1] == PRINT_FD) {
        a[1]++;
    }
    if (tally->print) {
        tell(number, a, 0, false);
    }
    return raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void touch(void)
{
    volatile u8 *at = (u8 *)arena_page();
    if (one_in(2)) {
        (void)*at;
    } else {
        *at = 1;
    }
}

void call_random(void)
{
    u64 a[6] = { 0 }, bytes = 0;
    __atomic_add_fetch(&tally->done, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&tally->slot[me.slot].beat, 1, __ATOMIC_RELAXED);
    if (one_in(40)) {
        u64 number = one_in(2) ? odd_word() : random_below(NUMBERS);
        if (name_of((u32)number)[0] == '?') {
            for (u32 i = 0; i < 6; i++) {
                a[i] = odd_word();
            }
            i64 result = raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            __atomic_add_fetch(result == -ENOSYS ? &tally->unknown : &tally->wrong, 1, __ATOMIC_RELAXED);
            return;
        }
    }
    if (one_in(200)) {
        touch();                    /* a fault, or an exception and the end of the process */
    }
    const struct entry *e = &entries[random_below(entry_count)];
    u32 paths = 0;
    for (u32 i = 0; e->arguments[i]; i++) {
        bool is_length = i > 0 && (e->arguments[i - 1] == 'b' || e->arguments[i - 1] == 'B');
        a[i] = is_length ? bytes : e->arguments[i] == 's' ? path(paths++ & 1) : by_letter(e->arguments[i], i, &bytes);
    }
    i64 result = call_arranged(e->number, a);
    if (tally->print) {
        tell(e->number, a, result, true);
    }
    count(&tally->tried[e->number]);
    if (!is_error(result)) {
        count(&tally->succeeded[e->number]);
    } else if (-result < ERRNOS) {
        count(&tally->error[e->number][-result]);
    } else {
        __atomic_add_fetch(&tally->wrong, 1, __ATOMIC_RELAXED);
    }
}
