/* SPDX-License-Identifier: BSD-2-Clause */
/* attack.c: a malicious program. The runtime protects nobody from the program that it serves, so this one jumps to a system call instruction
 * in the runtime's code and invokes its capabilities by itself, changes the runtime's memory and what a server reads while it reads it,
 * takes all there is of something, and dies in the middle. attack WAY SEED: children attack one after the other. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "raw.h"

#define RUNTIME      0x7f8000000000ul
#define DATA         0x7f8000100000ul
#define BLOCK        0x7f8000180000ul           /* of the first thread: UTCB, struct thread, window, stack */
#define WINDOW       (BLOCK + 0x4000)
enum { DATA_BYTES = 64 << 10, WINDOW_BYTES = 16 << 10, PAGE = 4096, WORDS = 63, ITEMS = 600 };
enum { PM = 1, VM, VFS, LOG, THREAD = 8, NOBODY = 65534, HARMED = 77 };

static u64 state;
static u64 below(u64 n)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    u64 mixed = (state ^ state >> 33) * 0xff51afd7ed558ccdul;
    mixed ^= mixed >> 29;
    return n ? mixed % n : mixed;
}
static u64 odd(void)
{
    switch (below(4)) {
    case 0: return below(300);
    case 1: return 1ul << below(64);
    case 2: return ~0ul << below(64);
    default: return below(0);
    }
}

/* `syscall; cmp $-3, %edi; je; ret` in libl4's resend: it comes back to whoever calls it. */
static const u8 *instruction_find(void)
{
    static const u8 code[] = { 0x0f, 0x05, 0x83, 0xff, 0xfd, 0x74 };
    for (const u8 *at = (const u8 *)RUNTIME; at < *(const u8 *const *)(RUNTIME + 8) - 8; at++) {
        if (memcmp(at, code, sizeof code) == 0 && at[7] == 0xc3) {
            return at;
        }
    }
    return NULL;
}

static const u8 *instruction;
static i64 invoke(u64 cap, u64 tag, u64 number, const u64 *word)
{
    register u64 r10 __asm__("r10") = cap, r8 __asm__("r8") = word[2], r9 __asm__("r9") = word[3], rdi __asm__("rdi") = tag;
    u64 rsi = word[0], rdx = word[1], rax = number;
    __asm__ volatile("call *%[at]" : "+a"(rax), "+r"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9) : [at] "r"(instruction) : "rcx", "r11", "memory");
    return (i32)rdi;
}

/* ---- capabilities, invoked by itself ---- */
static u64 some_word(void)
{
    static const u64 list[] = { 0, 1, 2, 3, 16, 0x10010, 0x7f8000200000, 0x400000, 0x200000000, 4096, 16384, 65536, ~0ul, 0xffffff9c };
    return below(3) ? list[below(sizeof list / sizeof list[0])] : odd();
}

static void utcb_fill(void)
{
    u64 *utcb = (u64 *)BLOCK;
    for (u32 i = 0; i < WORDS; i++) {
        utcb[i] = some_word();
    }
    for (u32 i = 0; i < 8; i++) {
        utcb[ITEMS / 8 + i] = some_word();
    }
}

static void invoke_random(void)
{
    static const u64 protocols[] = { 0, 0x200, 0x201, 0x202, 3, 5 };
    static const u64 caps[] = { 0, PM, VM, VFS, LOG, THREAD, THREAD + 1 };
    u64 which = below(7), cap = below(8) ? caps[which] : odd(), protocol = below(8) ? protocols[which < 4 ? which : which < 6 ? 4 : 5] : odd();
    u64 method = below(8) ? 1 + below(64) : below(256), words = below(2) ? below(12) : below(64), items = below(6) ? 0 : below(4);
    u64 tag = protocol << 8 | method | words << 32 | items << 38 | (below(2) ? 1ul << 43 : 0) | (below(8) ? 0 : odd() << 41);
    u64 word[4] = { some_word(), some_word(), some_word(), some_word() };
    if (below(2)) {
        utcb_fill();
    }
    invoke(cap, tag, below(3) ? odd() : below(4), word);
}

static void way_invoke(void)
{
    for (u32 i = 0; i < 300; i++) {
        invoke_random();
    }
}

/* ---- memory ---- */
static void way_overwrite(void)
{
    struct stat s;
    static const struct { u64 at, bytes; } places[] = { { DATA, DATA_BYTES }, { BLOCK, PAGE }, { BLOCK + PAGE, PAGE }, { WINDOW, WINDOW_BYTES }, { BLOCK + 0x8000, 0x8000 } };
    for (u32 i = 0; i < 300; i++) {
        u64 place = below(5);
        u8 *at = (u8 *)places[place].at + below(places[place].bytes - 8);
        u64 word = odd();
        memcpy(at, &word, 1 + below(8));
        char name[16] = "/tmp/attack-x";
        raw(below(2) ? SYS_getpid : below(2) ? SYS_stat : SYS_open, (u64)name, below(2) ? (u64)&s : O_RDWR | O_CREAT, 0, 0, 0, 0);
    }
}

static void *window_changes(void *unused)
{
    u64 mine = 1;
    for (;;) {
        mine = mine * 6364136223846793005ul + 1442695040888963407ul;
        ((volatile u8 *)WINDOW)[(mine >> 33) % (mine >> 60 ? 64 : WINDOW_BYTES)] = (u8)(mine >> 50 & 1 ? '/' : mine >> 55);
    }
    return unused;
}

static void way_window(void)
{
    pthread_t thread;
    char from[64], to[64], data[512];
    pthread_create(&thread, NULL, window_changes, NULL);
    for (u32 i = 0; i < 400; i++) {
        snprintf(from, sizeof from, "/tmp/attack-%lu", below(6));
        snprintf(to, sizeof to, "/tmp/attack-%lu", below(6));
        int fd = open(from, O_RDWR | O_CREAT, 0666);
        if (write(fd, data, sizeof data) < 0 || pread(fd, data, sizeof data, 0) < 0) {
            errno = 0;
        }
        rename(from, to);
        unlink(to);
        mkdir(from, 0777);
        rmdir(from);
        readlink(to, data, sizeof data);
        close(fd);
    }
}

/* ---- taking all ---- */
static void way_files(void)
{
    while (open("/dev/null", O_RDONLY) >= 0) { }
    if (fork() >= 0) {
        while (open("/dev/null", O_RDONLY) >= 0) { }
    }
    pause();
}

static void way_pipes(void)
{
    int ends[2];
    while (pipe(ends) == 0) { }
    pause();
}

static void way_log(void)
{
    u64 word[4] = { 0x6b6361747461, 0, 0, 0 };
    for (u32 i = 0; i < 50; i++) {
        invoke(LOG, 9ul << 8 | 1 | 3ul << 32, 0, word);
    }
}

/* What another process sent to a server is nowhere in a new process. The windows of servers are used again and again. */
static void way_secret(void)
{
    static const char word[] = "secret of another";
    char data[WINDOW_BYTES];
    for (u32 i = 0; i < sizeof data; i++) {
        data[i] = word[i % sizeof word];
    }
    if (fork() == 0) {
        int fd = open("/tmp/attack-secret", O_RDWR | O_CREAT, 0600);
        if (write(fd, data, sizeof data) < 0) {
            _exit(1);
        }
        _exit(unlink("/tmp/attack-secret"));
    }
    wait(NULL);
    for (u32 i = 0; i < 200; i++) {
        if (fork() == 0) {
            void *found = memmem((void *)WINDOW, WINDOW_BYTES, word, sizeof word);
            _exit(found != NULL);
        }
        int status = 0;
        wait(&status);
        if (status) {
            raw(SYS_exit_group, HARMED, 0, 0, 0, 0, 0);
        }
    }
}

static const struct { const char *name; void (*run)(void); u32 children, most_ms; } ways[] = {
    { "invoke", way_invoke, 60, 400 }, { "overwrite", way_overwrite, 40, 300 }, { "window", way_window, 6, 1500 }, { "files", way_files, 3, 300 },
    { "pipes", way_pipes, 3, 100 }, { "log", way_log, 1, 300 }, { "secret", way_secret, 1, 3000 },
};

/* The child and all that it made are gone: it is the only family of its user. */
static void family_end(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setuid(NOBODY)) {
            _exit(1);
        }
        kill(-1, SIGKILL);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static int others_are_well(void)
{
    int ends[2], fd = open("/tmp/bystander", O_RDWR | O_CREAT | O_TRUNC, 0600), good = fd >= 0 && write(fd, "well", 4) == 4;
    good = good && pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0;
    close(fd);
    unlink("/tmp/bystander");
    pid_t pid = fork();
    if (pid == 0) {
        _exit(7);
    }
    int status = 0;
    return good && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7;
}

int main(int argc, char **argv)
{
    u32 way = 0, bad = 0;
    while (argc == 3 && way < sizeof ways / sizeof ways[0] && strcmp(argv[1], ways[way].name)) {
        way++;
    }
    instruction = instruction_find();
    if (argc != 3 || way == sizeof ways / sizeof ways[0] || !instruction) {
        fprintf(stderr, "usage: attack WAY SEED\n");
        return 2;
    }
    for (u32 i = 0; i < ways[way].children; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            state = strtoul(argv[2], NULL, 10) << 32 | (i + 1);
            setsid();
            raw(SYS_close_range, 0, 2, 0, 0, 0, 0);
            if (setgid(NOBODY) == 0 && setuid(NOBODY) == 0) {
                ways[way].run();
            }
            raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
        }
        for (u32 ms = 0; pid > 0 && ms < ways[way].most_ms; ms += 5) {
            nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
            int status = 0;
            if (waitpid(pid, &status, WNOHANG) == pid) {
                bad += WIFEXITED(status) && WEXITSTATUS(status) == HARMED;
                pid = 0;
            }
        }
        bad += !others_are_well();          /* while it holds all that it could get */
        family_end();
        while (waitpid(-1, NULL, WNOHANG) > 0) { }
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
    }
    printf("%s: %u attackers, others were harmed %u times\n", ways[way].name, ways[way].children, bad);
    return bad != 0;
}
