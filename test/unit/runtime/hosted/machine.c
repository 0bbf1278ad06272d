/* SPDX-License-Identifier: BSD-2-Clause */
/* machine.c: what our kernel does, by signals of the host: SIGSYS is a system call, SIGSEGV and its like an exception, all others a kick. */
#define _GNU_SOURCE
#include "hosted.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "vm.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

struct machine machine;
static u64 host_fs;
static char selector;
static bool tracing;            /* HOSTED_TRACE is set: print every message */
static u8 signal_stack[256 * 1024] __attribute__((aligned(16)));

static u64 read_fs(void) { u64 fs; __asm__ volatile("rdfsbase %0" : "=r"(fs)); return fs; }
static void write_fs(u64 fs) { __asm__ volatile("wrfsbase %0" :: "r"(fs)); }

l4_err_t host_error(void) { return errno == EINTR ? L4_KICKED : (l4_err_t)errno; }

static bool is_native(u64 ip) { return ip - VM_RUNTIME_TEXT < machine.image_bytes; }
static bool is_leaving(u64 ip) { return ip - machine.header->leave < machine.header->leave_end - machine.header->leave; }

/* ---- messages ---- */
/* The last numbered answer of each server, as its slot would keep it. */
static struct { u64 number; u32 method; l4_err_t status; struct request answer; } slots[4];

static l4_err_t serve(u64 cap, struct request *r)
{
    switch (cap) {
    case PM_SLOT:
        return pm_serve(r);
    case VM_SLOT:
        return vm_serve(r);
    case VFS_SLOT:
        return vfs_serve(r);
    default:
        return L4_NO_CAPABILITY;
    }
}

static l4_err_t call_server(u64 cap, u64 number, struct request *r)
{
    enum { CANCEL = 242 };
    if (r->method == CANCEL) {
        if (slots[cap].number != number)
            slots[cap].status = L4_KICKED;
        slots[cap].number = number;
        return slots[cap].status;
    }
    u32 method = r->method;
    /* Calls that change nothing carry the last number, to say which window is theirs. */
    bool retry = cap == VFS_SLOT && (method == 12 || (method >= 30 && method <= 33) || method == 44 || method == 51);
    bool again = !retry && number && slots[cap].number == number;
    if (again && (slots[cap].method == method || slots[cap].status == L4_KICKED)) {
        *r = slots[cap].answer;
        return slots[cap].status;
    }
    l4_err_t status = serve(cap, r);
    if (number && !again && !retry && status != L4_KICKED) {
        slots[cap].method = method;
        slots[cap].number = number;
        slots[cap].status = status;
        slots[cap].answer = *r;
    }
    return status;
}

static l4_err_t log_line(const struct request *r)
{
    ssize_t done = write(STREAM_FD + 2, &machine.utcb->mr[4], r->word[0]);
    return done < 0 ? L4_BAD_STATE : L4_OK;
}

static l4_err_t own_thread(const struct request *r)
{
    enum { SET_UPCALL = 6, SET_BASE = 7 };
    if (r->method == SET_UPCALL) {
        machine.call = r->word[0];
        machine.kick = r->word[1];
        machine.exception = r->word[2];
        machine.stack = r->word[3];
    } else if (r->method == SET_BASE) {
        machine.fs = r->word[0];
    }
    return L4_OK;
}

/* An open receive with a deadline: nobody ever sends, so it sleeps. */
static l4_err_t sleep_until(u64 tag)
{
    struct timespec now, left = { 3600, 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    u64 ns = (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec, deadline = machine.utcb->deadline;
    if (tag & L4_TAG_TIMEOUT) {
        u64 rest = deadline > ns ? deadline - ns : 0;
        left = (struct timespec){ (time_t)(rest / 1000000000), (long)(rest % 1000000000) };
    }
    return nanosleep(&left, NULL) == 0 ? L4_TIMED_OUT : L4_KICKED;
}

static void invoke(greg_t *g)
{
    u64 cap = (u64)g[REG_R10], tag = (u64)g[REG_RDI];
    struct request r = { .words = l4_tag_words(tag), .method = (u32)tag & 0xff };
    memcpy(r.word, machine.utcb->mr, sizeof r.word);
    r.word[0] = (u64)g[REG_RSI], r.word[1] = (u64)g[REG_RDX], r.word[2] = (u64)g[REG_R8], r.word[3] = (u64)g[REG_R9];
    l4_err_t status = cap == 0 ? sleep_until(tag) : cap == LOG_SLOT ? log_line(&r) : cap == THREAD_SLOT ? own_thread(&r)
        : call_server(cap, (u64)g[REG_RAX], &r);
    if (tracing)
        dprintf(STREAM_FD + 2, "hosted: cap %lu method %u: %d, word %lx\n", cap, r.method, status, r.word[0]);
    memcpy(machine.utcb->mr + 4, r.word + 4, sizeof r.word - 32);
    g[REG_RDI] = (greg_t)(u32)status;
    g[REG_RSI] = (greg_t)r.word[0], g[REG_RDX] = (greg_t)r.word[1], g[REG_R8] = (greg_t)r.word[2], g[REG_R9] = (greg_t)r.word[3];
    if (machine.go_ip) {
        g[REG_RIP] = (greg_t)machine.go_ip, g[REG_RSP] = (greg_t)machine.go_sp, g[REG_RDI] = (greg_t)machine.go_argument;
        machine.go_ip = 0;
    }
}

/* ---- upcalls ---- */
static void save_place(const greg_t *g)
{
    machine.utcb->reflect_rip = (u64)g[REG_RIP];
    machine.utcb->reflect_rflags = (u64)g[REG_EFL];
    machine.utcb->reflect_rsp = (u64)g[REG_RSP];
}

static void enter(greg_t *g, u64 at)
{
    g[REG_RIP] = (greg_t)at;
    g[REG_RSP] = (greg_t)machine.stack;
}

static void on_call(int number, siginfo_t *info, void *context)
{
    u64 fs = read_fs();
    write_fs(host_fs);
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    machine.fs = fs;
    (void)number, (void)info;
    if (is_native((u64)g[REG_RIP] - 1)) {
        invoke(g);
    } else {
        save_place(g);
        enter(g, machine.call);
    }
    write_fs(machine.fs);
}

static void on_exception(int number, siginfo_t *info, void *context)
{
    u64 fs = read_fs();
    write_fs(host_fs);
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct l4_exception *e = &machine.utcb->exception;
    if (!machine.exception || (!is_native((u64)g[REG_RIP]) && (u64)g[REG_RIP] >= 0x555555000000)) {
        dprintf(STREAM_FD + 2, "hosted: signal %d at %llx, address %p\n", number, g[REG_RIP], info->si_addr);
        _exit(125);
    }
    e->vector = (u64)g[REG_TRAPNO], e->error = (u64)g[REG_ERR], e->address = (u64)g[REG_CR2];
    e->registers = (struct l4_registers){
        (u64)g[REG_RAX], (u64)g[REG_RBX], (u64)g[REG_RCX], (u64)g[REG_RDX], (u64)g[REG_RSI], (u64)g[REG_RDI], (u64)g[REG_RBP],
        (u64)g[REG_R8], (u64)g[REG_R9], (u64)g[REG_R10], (u64)g[REG_R11], (u64)g[REG_R12], (u64)g[REG_R13], (u64)g[REG_R14],
        (u64)g[REG_R15], (u64)g[REG_RIP], (u64)g[REG_EFL], (u64)g[REG_RSP], fs, 0,
    };
    u64 sp = (u64)g[REG_RSP];
    enter(g, machine.exception);
    if (is_native(e->registers.rip) && sp <= machine.stack && machine.stack - sp < 65536)
        g[REG_RSP] = (greg_t)((sp - 128) & ~15ul);
    write_fs(fs);
}

static void on_kick(int number, siginfo_t *info, void *context)
{
    u64 fs = read_fs();
    write_fs(host_fs);
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    machine.pending |= 1ul << (number - 1);
    machine.info[number].code = info->si_code;
    machine.info[number].pid = (u32)info->si_pid;
    machine.info[number].uid = info->si_uid;
    machine.info[number].value = number == SIGCHLD ? (u64)info->si_status : 0;
    u64 ip = (u64)g[REG_RIP];
    machine.utcb->kicked = 1;
    if (ip < VM_ADDRESS_END && ip < 0x555555000000) {
        save_place(g);
        enter(g, machine.kick);
    } else if (is_native(ip) && is_leaving(ip)) {
        machine.utcb->kicked = 2;
        enter(g, machine.kick);
    }
    write_fs(fs);
}

/* ---- beginning ---- */
static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(125);
    }
}

static void map_fixed(u64 at, u64 bytes)
{
    must(mmap((void *)at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)at, "mmap");
}

void machine_renew(u64 how)
{
    u64 block = VM_RUNTIME_THREADS;
    must(munmap((void *)VM_ADDRESS_FIRST, 0x500000000000 - VM_ADDRESS_FIRST) == 0, "munmap");
    must(munmap((void *)0x560000000000, VM_ADDRESS_END - 0x560000000000) == 0, "munmap");
    map_fixed(VM_RUNTIME_DATA, VM_RUNTIME_DATA_BYTES);
    map_fixed(block, 8192);
    map_fixed(block + VM_BLOCK_WINDOW, VM_BLOCK - VM_BLOCK_WINDOW);
    machine.utcb = (struct l4_utcb *)block;
    machine.window = (u8 *)block + VM_BLOCK_WINDOW;
    machine.go_ip = machine.header->start;
    machine.go_sp = block + VM_BLOCK;
    machine.go_argument = how;
    machine.fs = 0;
}

static void map_info_page(void)
{
    map_fixed(VM_RUNTIME_INFO, 4096);
    struct l4_kip *kip = (struct l4_kip *)VM_RUNTIME_INFO;
    struct timespec mono, real;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &real);
    u64 start = __builtin_ia32_rdtsc(), ns = (u64)mono.tv_sec * 1000000000 + (u64)mono.tv_nsec;
    usleep(20000);
    clock_gettime(CLOCK_MONOTONIC, &mono);
    u64 ticks = __builtin_ia32_rdtsc() - start, spent = (u64)mono.tv_sec * 1000000000 + (u64)mono.tv_nsec - ns;
    kip->magic = L4_KIP_MAGIC;
    kip->tsc_shift = 32;
    kip->tsc_mul = (u64)(((unsigned __int128)spent << 32) / ticks);
    kip->tsc_base = start - (u64)(((unsigned __int128)ns << 32) / kip->tsc_mul);
    kip->boot_seconds = (u64)real.tv_sec - ns / 1000000000;
    kip->cpus = 1;
    u32 a = 0xd, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    kip->features = L4_CPU_XSAVE;
    kip->xsave_bytes = b;
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    kip->xcr0 = a | (u64)d << 32;
}

static void map_image(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat s;
    must(fd >= 0 && fstat(fd, &s) == 0, path);
    machine.image_bytes = (u64)s.st_size;
    must(mmap((void *)VM_RUNTIME_TEXT, machine.image_bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) != MAP_FAILED, "image");
    close(fd);
    machine.header = (const void *)VM_RUNTIME_TEXT;
}

/* [start, end) of the C library's code: the only place where `syscall` is the host's. */
static u64 library, library_end;
static void find_library(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        if (strstr(line, "r-xp") && strstr(line, "libc.so"))
            sscanf(line, "%lx-%lx", &library, &library_end);
    }
    fclose(maps);
}

/* The host forgets it at fork. */
void machine_dispatch(void)
{
    must(prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, library, library_end - library, &selector) == 0, "syscall user dispatch");
    selector = 1;
}

static void take_signals(void)
{
    stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof signal_stack };
    sigaltstack(&stack, NULL);
    for (int number = 1; number < 65; number++) {
        bool exception = number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGTRAP;
        struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
        action.sa_sigaction = number == SIGSYS ? on_call : exception ? on_exception : on_kick;
        sigfillset(&action.sa_mask);
        if (number == SIGSYS)
            sigemptyset(&action.sa_mask);
        sigaction(number, &action, NULL);
    }
}

/* The words that tell the first process what to run, each with its zero, as a file; the host's streams out of the way. */
static void place_files(char **words)
{
    int fd = memfd_create("start", 0);
    must(fd >= 0 && write(fd, "exec", 5) == 5, "memfd");
    for (; *words; words++)
        must(write(fd, *words, strlen(*words) + 1) > 0, "write");
    must(dup3(fd, START_FD, O_CLOEXEC) >= 0 && close(fd) == 0, "dup");
    for (int i = 0; i < 3; i++) {
        must(dup3(i, STREAM_FD + i, O_CLOEXEC) >= 0, "dup");
        close(i);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 125;
    if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
    }
    tracing = getenv("HOSTED_TRACE") != NULL;
    host_fs = read_fs();
    map_image(argv[1]);
    map_info_page();
    find_library();
    place_files(argv + 2);
    take_signals();
    machine_renew(0);
    u64 ip = machine.go_ip, sp = machine.go_sp;
    machine.go_ip = 0;
    machine_dispatch();
    write_fs(0);
    __asm__ volatile("mov %0, %%rsp\n\txor %%edi, %%edi\n\tjmp *%1" :: "r"(sp), "r"(ip) : "memory");
    __builtin_unreachable();
}
