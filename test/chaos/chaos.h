/* SPDX-License-Identifier: BSD-2-Clause */
/* chaos.h: what the files of chaos share.
 * The supervisor starts workers, each a process of one `generation` that makes random calls, with its children, until it ends. All
 * processes count in one file that they map. Which calls a generation makes follows from (seed, generation) and the answers alone. */
#pragma once
#include "raw.h"

enum { WORKERS = 4, NUMBERS = 512, ERRNOS = 134, FAMILY = 12, KIDS = 6, PRINT_FD = 200 };
#define TALLY_AT 0x600000000000ul
#define ARENA 0x200000000ul
enum { PAGE = 4096, ARENA_PAGES = 64 };

/* Added to a pid: it is about to end, so its place is free once it is gone. */
#define LEAVING 0x80000000u

struct slot {
    u64 beat;                       /* calls begun by this worker and its children */
    u32 generation;
    u32 pid[FAMILY];                /* 0: free; the worker's own is the first */
};

/* Counts are changed atomically. */
struct tally {
    u64 seed, wanted, done, unknown, wrong;
    u32 print;
    struct slot slot[WORKERS];
    u32 tried[NUMBERS], succeeded[NUMBERS];
    u32 error[NUMBERS][ERRNOS];
};
static struct tally *const tally = (struct tally *)TALLY_AT;
static inline void count(u32 *what) { __atomic_add_fetch(what, 1, __ATOMIC_RELAXED); }

/* ---- table.c: the system's table of calls ---- */
struct entry { u32 number; const char *name, *arguments; };
extern const struct entry entries[];
extern const u32 entry_count;
const char *name_of(u64 number);

/* ---- worker.c ---- */
struct worker {
    u64 random;                     /* state of the generator */
    u32 slot, place, depth;         /* `place` in slot's pid[] */
    u32 kid[KIDS], kid_count;
    u64 region[8], region_pages[8]; /* mmap's answers */
    u32 handled, threads;           /* signals handled, threads begun */
    bool in_thread;
};
extern struct worker me;
extern char scratch[16 * 4096], stacks[4][8192];

u64 random_below(u64 n);
void worker_run(u32 slot, u32 generation);
void worker_again(u32 slot, u32 place, u64 random);
void worker_life(u32 calls);
_Noreturn void worker_leave(void);
void place_leave(void);
void handler(int number, void *info, void *context);
void restorer(void);
void action_set(u32 signal, void *to, u64 flags);
bool tally_map(const char *path, bool make);
extern const char *tally_path, *program_path;

/* ---- make.c ---- */
/* Makes one random call, and counts it. */
void call_random(void);
