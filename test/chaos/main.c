/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c: chaos [--seed N] [--calls N] [--generation G [--print]]: random system calls by several processes at once, signals arriving in the
 * middle. The supervisor starts workers, sends signals at random moments, ends what hangs and prints the mix. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "chaos.h"

enum { LOOK_NS = 2000000, PATIENCE = 40 };      /* looks without a call before a family is ended */

static pid_t workers[WORKERS];
static u64 seen[WORKERS];
static u32 silent[WORKERS], generations, only, ended, killed, hung;

static void nap(long ns) { nanosleep(&(struct timespec){ 0, ns }, NULL); }

/* Remove what a family left in its folder, whatever its modes are: uid 0 may. */
static void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    char name[4096];
    for (struct dirent *e; folder && (e = readdir(folder));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && snprintf(name, sizeof name, "%s/%s", path, e->d_name) < (int)sizeof name) {
            if (unlink(name) && (errno == EISDIR || errno == EPERM)) {
                folder_remove(name);
            }
        }
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(path);
}

/* Who went up from its folder, or made a link that leads up, made names there: whatever was not there at the beginning goes. Nothing that
 * was there is named by a worker. */
static const char *const above[] = { "/", "/tmp" };
enum { ABOVE = sizeof above / sizeof above[0], ENTRIES = 64, NAME = 256 };
static char there[ABOVE][ENTRIES][NAME];
static u32 there_count[ABOVE];

static void above_note(void)
{
    for (u32 i = 0; i < ABOVE; i++) {
        DIR *folder = opendir(above[i]);
        for (struct dirent *e; folder && there_count[i] < ENTRIES && (e = readdir(folder));) {
            snprintf(there[i][there_count[i]++], NAME, "%s", e->d_name);
        }
        if (!folder || there_count[i] == ENTRIES) {
            fprintf(stderr, "chaos: %s cannot be read, or is too full\n", above[i]);
            exit(1);
        }
        closedir(folder);
    }
}

static bool is_ours(u32 i, const char *name)
{
    for (u32 k = 0; k < there_count[i]; k++) {
        if (!strcmp(there[i][k], name)) {
            return false;
        }
    }
    return strncmp(name, "chaos-", 6) != 0;         /* folders of families, and the tally */
}

static void above_clean(void)
{
    char path[NAME + 8];
    for (u32 i = 0; i < ABOVE; i++) {
        DIR *folder = opendir(above[i]);
        for (struct dirent *e; folder && (e = readdir(folder));) {
            if (is_ours(i, e->d_name)) {
                snprintf(path, sizeof path, "%s/%s", above[i], e->d_name);
                if (unlink(path) && (errno == EISDIR || errno == EPERM)) {
                    folder_remove(path);
                }
            }
        }
        if (folder) {
            closedir(folder);
        }
    }
}

/* End everybody of the family; those whose parent is gone are reaped by process 1. */
static void family_end(u32 w)
{
    char path[] = "/tmp/chaos-0";
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < FAMILY; i++) {
            u32 pid = tally->slot[w].pid[i] & ~LEAVING;
            if (pid) {
                kill((pid_t)pid, SIGKILL);
                tally->slot[w].pid[i] = 0;
            }
        }
        nap(100000);
    }
    chmod(program_path, 0755);
    path[11] = (char)('0' + w);
    folder_remove(path);
    above_clean();
}

static void worker_start(u32 w)
{
    u32 generation = only ? only : ++generations;
    generations = generation;
    tally->slot[w].generation = generation;
    seen[w] = tally->slot[w].beat;
    silent[w] = 0;
    workers[w] = fork();
    if (workers[w] == 0) {
        worker_run(w, generation);
    }
    if (workers[w] < 0) {
        perror("chaos: fork");
        exit(1);
    }
}

static void pest(u64 *random)
{
    static const int signals[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGIO, SIGTERM, SIGCHLD, SIGSTOP, SIGCONT, SIGCONT, SIGTSTP, SIGHUP };
    *random = *random * 6364136223846793005ul + 1442695040888963407ul;
    u32 r = (u32)(*random >> 33), pid = tally->slot[r % WORKERS].pid[r / 8 % FAMILY] & ~LEAVING;
    if (pid) {
        kill((pid_t)pid, r / 128 % 100 == 0 ? SIGKILL : signals[r / 16384 % (sizeof signals / sizeof signals[0])]);
    }
}

/* A family that has made no call for long: first wake, then end. */
static void watch(u32 w)
{
    struct slot *s = &tally->slot[w];
    silent[w] = s->beat == seen[w] ? silent[w] + 1 : 0;
    seen[w] = s->beat;
    if (silent[w] > PATIENCE / 4 && workers[w]) {
        kill(workers[w], SIGCONT);
        kill(workers[w], SIGALRM);
    }
    if (silent[w] > PATIENCE && workers[w]) {
        hung++;
        kill(workers[w], SIGKILL);
        silent[w] = 0;
    }
}

static void run(void)
{
    u64 random = tally->seed;
    u32 left = only ? 1 : WORKERS;
    for (u32 w = 0; w < left; w++) {
        worker_start(w);
    }
    while (left) {
        int status;
        nap(LOOK_NS);
        pest(&random);
        for (u32 w = 0; w < WORKERS; w++) {
            watch(w);
        }
        pid_t pid = waitpid(-1, &status, WNOHANG);
        for (u32 w = 0; pid > 0 && w < WORKERS; w++) {
            if (workers[w] == pid) {
                ended++;
                killed += WIFSIGNALED(status);
                workers[w] = 0;
                family_end(w);
                if (tally->done < tally->wanted && !only) {
                    worker_start(w);
                } else {
                    left--;
                }
            }
        }
    }
}

/* The supervisor itself was hurt: what it sees of its tally says how. */
static void hurt(int number, siginfo_t *info, void *context)
{
    struct stat s = { 0 };
    int status = stat(tally_path, &s);
    fprintf(stderr, "chaos: signal %d, code %d, at %p; its tally: %d, %ld bytes, inode %ld\n", number, info->si_code, info->si_addr, status, (long)s.st_size, (long)s.st_ino);
    _exit(3);
}

static void report(void)
{
    u64 good = 0;
    for (u32 i = 0; i < entry_count; i++) {
        good += tally->succeeded[entries[i].number];
    }
    for (u32 i = 0; i < entry_count; i++) {
        u32 n = entries[i].number;
        printf("call %s tried %u succeeded %u", entries[i].name, tally->tried[n], tally->succeeded[n]);
        for (u32 e = 1; e < ERRNOS; e++) {
            if (tally->error[n][e]) {
                printf(" %u:%u", e, tally->error[n][e]);
            }
        }
        printf("\n");
    }
    printf("calls %lu succeeded %lu unknown %lu wrong %lu\n", tally->done, good, tally->unknown, tally->wrong);
    printf("workers %u killed %u hung %u\n", ended, killed, hung);
}

int main(int argc, char **argv)
{
    u64 seed = 1, calls = 100000, print = 0;
    if (argc == 5 && !strcmp(argv[1], "--again")) {
        if (!tally_map(tally_path, false)) {
            _exit(99);
        }
        worker_again((u32)atoi(argv[2]), (u32)atoi(argv[3]), strtoul(argv[4], NULL, 16));
    }
    if (argc == 1) {                /* a worker executed it with arguments of its own: it must not begin anew */
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        u64 value = i + 1 < argc ? strtoul(argv[i + 1], NULL, 10) : 0;
        if (!strcmp(argv[i], "--print")) {
            print = 1;
        } else if (i + 1 < argc && !strcmp(argv[i], "--seed")) {
            seed = value, i++;
        } else if (i + 1 < argc && !strcmp(argv[i], "--calls")) {
            calls = value, i++;
        } else if (i + 1 < argc && !strcmp(argv[i], "--generation")) {
            only = (u32)value, i++;
        } else {
            fprintf(stderr, "usage: chaos [--seed N] [--calls N] [--generation G] [--print]\n");
            return 2;
        }
    }
    if (!tally_map(tally_path, true)) {
        perror("chaos: its tally");
        return 1;
    }
    struct sigaction action = { .sa_sigaction = hurt, .sa_flags = SA_SIGINFO };
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    above_note();
    tally->seed = seed, tally->wanted = calls, tally->print = (u32)print;
    if (print) {
        dup2(1, PRINT_FD);
    }
    printf("seed %lu, %lu calls\n", seed, calls);
    fflush(stdout);
    run();
    report();
    unlink(tally_path);
    return 0;
}
