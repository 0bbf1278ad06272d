/* SPDX-License-Identifier: BSD-2-Clause */
/* pty.c: script.h on a pseudo terminal of the Linux that runs the test. What was typed gets to its discipline, and what is shown gets back,
 * a moment later; so a step ends when the terminal shows what the rest of its line says, or when it has not for PATIENCE. More than that
 * would show in the next step, and after the last one in SETTLED. */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "script.h"

enum { PATIENCE_MS = 400, SETTLED_US = 2000 };
static int master, slave;
static volatile sig_atomic_t signals;
static bool differs;             /* what comes behind a difference is not waited for */

static void note(int number) { signals |= number == SIGINT ? 1 : number == SIGQUIT ? 2 : 4; }

static long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void result(struct shown *s, long value)
{
    sprintf(s->result, "%ld", value < 0 ? -(long)errno : value);
}

static void carry_out(const struct step *step, struct shown *s)
{
    static unsigned char bytes[SCRIPT_LINE];
    long n;
    switch (step->what) {
    case 'm':
        result(s, ioctl(slave, TCSETS + step->number, step->bytes));
        break;
    case 'g':
        n = ioctl(slave, TCGETS, bytes);
        script_hex(s->result, bytes, n ? 0 : SCRIPT_TERMIOS);
        break;
    case 't':
        result(s, write(master, step->bytes, step->count) == step->count ? 0 : -1);
        break;
    case 'w':
        result(s, write(slave, step->bytes, step->count));
        break;
    case 'r':
        n = read(slave, bytes, step->number);
        if (n < 0) {
            result(s, n);
        } else {
            script_hex(s->result, bytes, (int)n);
        }
        break;
    case 'f':
        result(s, ioctl(slave, TCFLSH, step->number));
        break;
    }
}

static void look(struct shown *s)
{
    struct pollfd wish = { .fd = slave, .events = POLLIN | POLLOUT };
    poll(&wish, 1, 0);          /* lets what was typed in, if nothing is there yet */
    long n = read(master, s->out + s->count, sizeof s->out - s->count);
    s->count += n > 0 ? (int)n : 0;
    ioctl(slave, FIONREAD, &s->waiting);
    poll(&wish, 1, 0);
    s->poll = wish.revents;
    s->signals = signals;
}

/* Look until it is as expected. */
static void step_do(const struct step *step)
{
    static struct shown s;
    static char text[4 * SCRIPT_LINE], wanted[SCRIPT_LINE];
    long end = now_us() + 1000 * PATIENCE_MS;
    snprintf(wanted, sizeof wanted, "%s", step->rest);
    wanted[strcspn(wanted, "\n")] = 0;
    memset(&s, 0, sizeof s);
    signals = 0;
    carry_out(step, &s);
    look(&s);
    script_text(text, &s);
    while (strcmp(text, wanted) != 0 && !differs && now_us() < end) {
        usleep(200);
        look(&s);
        script_text(text, &s);
    }
    differs |= strcmp(text, wanted) != 0;
    puts(text);
}

/* What is still shown when nothing more was asked for. */
static void end_check(void)
{
    static struct shown s;
    usleep(SETTLED_US);
    memset(&s, 0, sizeof s);
    look(&s);
    if (s.count) {
        printf("%d bytes more\n", s.count);
    }
}

static void terminal_open(void)
{
    char name[64];
    int unlock = 0;
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ptsname_r(master, name, sizeof name)) {
        perror("ptmx");
        exit(2);
    }
    setsid();
    slave = open(name, O_RDWR | O_NONBLOCK);
    int numbers[] = { SIGINT, SIGQUIT, SIGTSTP };
    for (unsigned i = 0; i < 3; i++) {
        sigaction(numbers[i], &(struct sigaction){ .sa_handler = note, .sa_flags = SA_RESTART }, NULL);
    }
}

/* A case in a process of its own, whose session is the terminal's. */
static void case_do(struct step *step, char *line)
{
    terminal_open();
    do {
        step_do(step);
    } while (script_next(step, line) && step->what != '.');
    end_check();
    fflush(stdout);
    _exit(0);
}

int main(void)
{
    static struct step step;
    static char line[SCRIPT_LINE];
    setvbuf(stdin, NULL, _IONBF, 0);        /* who reads on is another process */
    while (script_next(&step, line)) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            case_do(&step, line);
        }
        waitpid(child, NULL, 0);
        puts(".");
        fflush(stdout);
    }
    return 0;
}
