/* SPDX-License-Identifier: BSD-2-Clause */
/* worker.c: a process of one generation: what it has at its beginning, its signals, its end. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "chaos.h"

struct worker me;
char scratch[16 * 4096] __attribute__((aligned(4096))), stacks[4][8192] __attribute__((aligned(16)));
const char *tally_path = "/tmp/chaos-tally", *program_path = "/proc/self/exe";

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators". */
static u64 random_next(void)
{
    u64 z = (me.random += 0x9e3779b97f4a7c15ul);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}
u64 random_below(u64 n) { return n ? random_next() % n : random_next(); }

bool tally_map(const char *path, bool make)
{
    i64 fd = call(SYS_open, path, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0), 0666);
    if (is_error(fd)) {
        return false;
    }
    if (make) {
        call(SYS_fchmod, fd, 0666);
        call(SYS_ftruncate, fd, sizeof(struct tally));
    }
    u64 bytes = (sizeof(struct tally) + PAGE - 1) / PAGE * PAGE;
    i64 at = call(SYS_mmap, TALLY_AT, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    call(SYS_close, fd);
    return at == (i64)TALLY_AT;
}

/* ---- signals ---- */
__asm__(".text\n.global restorer\nrestorer:\n mov $15, %eax\n syscall\n");

void handler(int number, void *info, void *context)
{
    me.handled++;
    if (number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGTRAP) {
        i32 code = ((i32 *)info)[2];
        if (code > 0) {             /* an exception, which would come again */
            worker_leave();
        }
    }
}

struct action { void *handler; u64 flags; void *restorer; u64 mask; };
void action_set(u32 number, void *to, u64 flags)
{
    struct action a = { to, flags | SA_SIGINFO | 0x04000000, restorer, 0 };
    call(SYS_rt_sigaction, number, &a, 0, 8);
}

/* ---- beginning and end ---- */
static void file_make(const char *name, u64 bytes)
{
    i64 fd = call(SYS_open, name, O_RDWR | O_CREAT | O_TRUNC, 0666);
    call(SYS_write, fd, scratch, bytes);
    call(SYS_close, fd);
}

static void arena_make(void)
{
    u64 half = ARENA_PAGES / 2 * PAGE;
    call(SYS_mmap, ARENA, half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    call(SYS_mmap, ARENA + half, half, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void signals_make(void)
{
    for (u32 i = 1; i <= 64; i++) {
        if (i != SIGKILL && i != SIGSTOP) {
            action_set(i, handler, 0);
        }
    }
    u64 none = 0;
    call(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

static void files_make(void)
{
    static const char *const names[] = { "f0", "f1", "f2", "d0/f", "d0/g" };
    i32 ends[2];
    call(SYS_mkdir, "d0", 0777);
    call(SYS_mkdir, "d1", 0777);
    for (u32 i = 0; i < sizeof names / sizeof names[0]; i++) {
        file_make(names[i], i * 3000);
    }
    call(SYS_symlink, "f1", "l0");
    call(SYS_symlink, "d0", "l1");
    call(SYS_symlink, "l2", "l2");
    call(SYS_mknod, "p0", S_IFIFO | 0666, 0);
    call(SYS_mknod, "null", S_IFCHR | 0666, 1 << 8 | 3);        /* not those of /dev: uid 0 could remove them */
    call(SYS_mknod, "zero", S_IFCHR | 0666, 1 << 8 | 5);
    call(SYS_mknod, "full", S_IFCHR | 0666, 1 << 8 | 7);
    call(SYS_mknod, "random", S_IFCHR | 0666, 1 << 8 | 9);
    call(SYS_open, "f0", O_RDWR, 0);
    call(SYS_open, "f1", O_RDWR | O_APPEND, 0);
    call(SYS_open, "d0", O_RDONLY | O_DIRECTORY, 0);
    call(SYS_open, ".", O_RDONLY | O_DIRECTORY, 0);
    for (u32 i = 0; i < 3; i++) {
        call(SYS_pipe2, ends, i == 2 ? 0 : O_NONBLOCK);
    }
    call(SYS_open, "/dev/null", O_RDWR, 0);
    call(SYS_open, "/dev/zero", O_RDWR, 0);
    call(SYS_open, "/proc/self/status", O_RDONLY, 0);
    call(SYS_open, "l0", O_RDWR, 0);
    call(SYS_open, "p0", O_RDWR | O_NONBLOCK, 0);
}

void worker_run(u32 slot, u32 generation)
{
    char folder[] = "/tmp/chaos-0";
    folder[11] = (char)('0' + slot);
    me = (struct worker){ .random = tally->seed << 32 ^ generation, .slot = slot };
    tally->slot[slot].pid[0] = (u32)call(SYS_getpid);
    call(SYS_setsid);
    call(SYS_close_range, 0, PRINT_FD - 1, 0);
    call(SYS_umask, 0);
    call(SYS_mkdir, folder, 0777);
    call(SYS_chdir, folder);
    arena_make();
    signals_make();
    files_make();
    worker_life(100 + (u32)random_below(500));
    worker_leave();
}

/* After a successful execve. */
void worker_again(u32 slot, u32 place, u64 random)
{
    me = (struct worker){ .random = random, .slot = slot, .place = place, .depth = 2 };
    count(&tally->succeeded[SYS_execve]);
    arena_make();
    if (random_below(2)) {
        signals_make();
    }
    worker_life((u32)random_below(6));
    worker_leave();
}

void worker_life(u32 calls)
{
    while (calls-- > 0 && tally->done < tally->wanted) {
        call_random();
    }
}

void place_leave(void) { __atomic_or_fetch(&tally->slot[me.slot].pid[me.place], LEAVING, __ATOMIC_RELAXED); }

void worker_leave(void)
{
    place_leave();
    for (;;) {
        call(SYS_exit_group, 0);
    }
}
