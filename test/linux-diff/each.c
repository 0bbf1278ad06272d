/* SPDX-License-Identifier: BSD-2-Clause */
/* each.c: runs every script of /diff/case that /diff/list names, one after the other, and says on its standard output what became of each:
 *   begin NAME
 *   end NAME STATUS OUT ERR       then OUT bytes of its standard output and ERR bytes of its standard error
 * A script starts in the new empty folder /tmp/case, as leader of a session, with an empty standard input; what of it is left afterwards
 * is killed. One that takes longer than LONGEST seconds is killed, too. It is the same program on both systems. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 30, OUTPUT_MOST = 1 << 20, NAME_MOST = 128 };
static const char FOLDER[] = "/tmp/case", OUT[] = "/tmp/.out", ERR[] = "/tmp/.err";
static volatile sig_atomic_t too_long;
static pid_t running;

static void on_alarm(int number)
{
    (void)number;
    too_long = 1;
    kill(running, SIGKILL);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static int output_open(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

static _Noreturn void become(const char *script)
{
    int out = output_open(OUT), err = output_open(ERR), in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setsid();
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/diff/bin", 1);
    if (chdir(FOLDER) < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
        _exit(126);
    }
    execl("/bin/sh", "sh", script, (char *)NULL);
    _exit(127);
}

/* The wait status of a script. */
static int run(const char *script)
{
    int status = 0;
    umask(022);
    mkdir(FOLDER, 0755);
    fflush(stdout);
    too_long = 0;
    running = fork();
    if (running == 0) {
        become(script);
    }
    alarm(LONGEST);
    while (waitpid(running, &status, 0) < 0 && errno == EINTR) {
    }
    alarm(0);
    kill(-1, SIGKILL);      /* everybody but process 1 and this one */
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    nftw(FOLDER, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}

static long size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) < 0 ? 0 : info.st_size < OUTPUT_MOST ? (long)info.st_size : OUTPUT_MOST;
}

static void put_file(const char *path, long left)
{
    static char part[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (left > 0) {
        ssize_t got = read(fd, part, left < (long)sizeof part ? (size_t)left : sizeof part);
        if (got <= 0) {     /* it became shorter: the length stands already */
            memset(part, '?', sizeof part);
            got = left < (long)sizeof part ? left : (long)sizeof part;
        }
        fwrite(part, 1, (size_t)got, stdout);
        left -= got;
    }
    close(fd);
}

int main(void)
{
    char name[NAME_MOST], script[NAME_MOST + 16];
    FILE *list = fopen("/diff/list", "re");
    struct sigaction alarmed = { .sa_handler = on_alarm };
    sigaction(SIGALRM, &alarmed, NULL);
    if (!list) {
        perror("/diff/list");
        return 1;
    }
    while (fgets(name, sizeof name, list)) {
        name[strcspn(name, "\n")] = 0;
        snprintf(script, sizeof script, "/diff/case/%s", name);
        printf("begin %s\n", name);
        int status = run(script);
        long out = size_of(OUT), err = size_of(ERR);
        printf("end %s %d %ld %ld\n", name, too_long ? -1 : status, out, err);
        put_file(OUT, out);
        put_file(ERR, err);
        fflush(stdout);
    }
    return 0;
}
