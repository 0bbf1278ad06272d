/* SPDX-License-Identifier: BSD-2-Clause */
/* linux_init.c: the first process of the Linux that the system is compared with. It runs what /etc/axo/start names, as the system's own first
 * process would, with the first serial port as raw standard output, and leaves through isa-debug-exit. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { DEBUG_EXIT = 0xf4, PASSED = 0x10, FAILED = 0x11, WORDS_MOST = 64 };
static const char START[] = "/etc/axo/start", LINE[] = "/dev/axo/line";

static _Noreturn void leave(int how)
{
    tcdrain(1);
    if (ioperm(DEBUG_EXIT, 4, 1) == 0) {
        outl(how, DEBUG_EXIT);
    }
    for (;;) {
        pause();
    }
}

/* The line as descriptors 0 to 2: bytes pass as they are. */
static void line_open(void)
{
    struct termios raw;
    int fd = open(LINE, O_RDWR | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &raw) < 0) {
        leave(FAILED);
    }
    cfmakeraw(&raw);
    cfsetspeed(&raw, B115200);
    tcsetattr(fd, TCSANOW, &raw);
    for (int i = 0; i < 3; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
}

/* The words of START from the program's path on: what stands before tells the system's runtime how to open and trace. */
static char **words_read(void)
{
    static char text[4096], *words[WORDS_MOST];
    int fd = open(START, O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (bytes <= 0) {
        leave(FAILED);
    }
    for (char *at = text; at < text + bytes && count < WORDS_MOST - 1; at += strlen(at) + 1) {
        if (count > 0 || *at == '/') {
            words[count++] = at;
        }
    }
    return words;
}

int main(void)
{
    static char *const environment[] = { "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=vt100", NULL };
    mount("proc", "/proc", "proc", 0, NULL);
    line_open();
    char **words = words_read();
    pid_t child = fork();
    if (child == 0) {
        execve(words[0], words, environment);
        _exit(127);
    }
    int status = 0;
    for (pid_t ended = 0; ended != child;) {
        ended = wait(&status);
    }
    leave(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? PASSED : FAILED);
}
