/* SPDX-License-Identifier: BSD-2-Clause */
/* files.c: open files: positions, flags, descriptors, sizes. */
#include "see.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <termios.h>

static char text[64];

static const char *content(const char *path)
{
    int fd = open(path, O_RDONLY);
    memset(text, 0, sizeof text);
    for (ssize_t i = 0, n = read(fd, text, sizeof text - 1); i < n; i++) {
        text[i] = text[i] ? text[i] : '.';
    }
    close(fd);
    return text;
}

static void opening(void)
{
    SEE(open("a", O_RDONLY));
    SEE(open("a", O_WRONLY | O_CREAT | O_EXCL, 0640));
    SEE(open("a", O_WRONLY | O_CREAT | O_EXCL, 0640));
    SEE(open("a", O_RDONLY | O_DIRECTORY));
    SEE(open(".", O_WRONLY));
    SEE(open(".", O_RDONLY | O_DIRECTORY));
    SEE(open("a/b", O_RDONLY));
    SEE(open("", O_RDONLY));
    SEE(open("none/b", O_WRONLY | O_CREAT, 0600));
    SEE(open((char *)1, O_RDONLY));
    SEE(symlink("a", "link"));
    SEE(open("link", O_RDONLY | O_NOFOLLOW));
    SEE(open("link/", O_RDONLY));
    SEE(creat("c", 0444));
    SEE(close(3));
    SEE(close(3));
    SEE(open("c", O_RDWR));
    SEE(openat(999, "a", O_RDONLY));
    SEE(openat(4, "a", O_RDONLY));
    SEE(openat(3, "a", O_RDONLY));
    SEE(close(-1));
    for (int fd = 3; fd < 10; fd++) {
        close(fd);
    }
}

static void positions(void)
{
    char buffer[16] = "";
    int fd = open("p", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SEE(write(fd, "0123456789", 10));
    SEE(lseek(fd, 2, SEEK_SET));
    SEE(read(fd, buffer, 3));
    printf("%s\n", buffer);
    SEE(lseek(fd, 0, SEEK_CUR));
    SEE(lseek(fd, -1, SEEK_END));
    SEE(lseek(fd, -20, SEEK_CUR));
    SEE(lseek(fd, 0, 77));
    SEE(pread(fd, buffer, 4, 6));
    printf("%.4s\n", buffer);
    SEE(pread(fd, buffer, 4, -1));
    SEE(pwrite(fd, "XY", 2, 12));
    SEE(lseek(fd, 0, SEEK_CUR));
    SEE(read(fd, buffer, 16));
    SEE(read(fd, buffer, 16));
    printf("%s\n", content("p"));
    SEE(ftruncate(fd, 4));
    SEE(lseek(fd, 0, SEEK_CUR));
    SEE(write(fd, "end", 3));
    printf("%s\n", content("p"));
    SEE(ftruncate(fd, -1));
    SEE(truncate("p", 2));
    SEE(truncate("none", 2));
    SEE(truncate(".", 2));
    SEE(read(fd, (char *)1, 4));
    SEE(lseek(fd, 0, SEEK_SET));
    SEE(read(fd, (char *)1, 4));
    SEE(write(fd, (char *)1, 4));
    SEE(read(fd, buffer, 0));
    SEE(read(99, buffer, 1));
    SEE(close(fd));
    fd = open("p", O_WRONLY | O_APPEND);
    SEE(read(fd, buffer, 1));
    SEE(lseek(fd, 0, SEEK_SET));
    SEE(write(fd, "++", 2));
    SEE(lseek(fd, 0, SEEK_CUR));
    printf("%s\n", content("p"));
    SEE(ftruncate(open("p", O_RDONLY), 1));
    close(fd);
}

static void vectors(void)
{
    char a[4] = "", b[8] = "";
    struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "two", 3 } }, in[2] = { { a, 2 }, { b, 7 } }, bad[1] = { { (void *)1, 4 } };
    int fd = open("v", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SEE(writev(fd, out, 3));
    SEE(lseek(fd, 0, SEEK_SET));
    SEE(readv(fd, in, 2));
    printf("%s %s\n", a, b);
    SEE(writev(fd, bad, 1));
    SEE(writev(fd, out, -1));
    SEE(readv(fd, in, 2000));
    SEE(writev(fd, out, 0));
    close(fd);
}

static void descriptors(void)
{
    int fd = open("p", O_RDWR);
    SEE(dup(fd));
    SEE(dup2(fd, 20));
    SEE(dup2(fd, fd));
    SEE(dup2(99, 5));
    SEE(dup2(fd, -1));
    SEE(dup3(fd, fd, 0));
    SEE(dup3(fd, 21, O_CLOEXEC));
    SEE(fcntl(21, F_GETFD));
    SEE(fcntl(20, F_GETFD));
    SEE(fcntl(20, F_SETFD, FD_CLOEXEC));
    SEE(fcntl(20, F_GETFD));
    SEE(fcntl(fd, F_DUPFD, 30));
    SEE(fcntl(fd, F_DUPFD_CLOEXEC, 30));
    SEE(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SEE(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
    SEE(fcntl(20, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SEE(fcntl(fd, 9999));
    SEE(fcntl(99, F_GETFL));
    SEE(fcntl(fd, F_DUPFD, 1 << 20));
    SEE(lseek(20, 1, SEEK_SET));
    SEE(lseek(fd, 0, SEEK_CUR));
    for (fd = 3; fd < 40; fd++) {
        close(fd);
    }
}

static void pipes(void)
{
    int p[2], count = -1;
    char buffer[8] = "";
    struct pollfd ready[2];
    struct timeval now = { 0, 0 };
    struct termios t;
    struct winsize w;
    fd_set set;
    SEE(syscall(SYS_pipe, p));
    SEE(write(p[1], "abc", 3));
    SEE(ioctl(p[0], FIONREAD, &count));
    printf("waiting %d\n", count);
    SEE(ioctl(p[0], TCGETS, &t));
    SEE(ioctl(p[0], TIOCGWINSZ, &w));
    SEE(ioctl(99, TCGETS, &t));
    SEE(isatty(p[0]));
    SEE(lseek(p[0], 0, SEEK_CUR));
    SEE(pread(p[0], buffer, 1, 0));
    SEE(read(p[1], buffer, 1));
    SEE(write(p[0], buffer, 1));
    ready[0] = (struct pollfd){ p[0], POLLIN, 0 };
    ready[1] = (struct pollfd){ p[1], POLLOUT | POLLIN, 0 };
    SEE(poll(ready, 2, 0));
    printf("%x %x\n", ready[0].revents, ready[1].revents);
    SEE(read(p[0], buffer, 8));
    SEE(poll(ready, 1, 10));
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    SEE(select(p[0] + 1, &set, NULL, NULL, &now));
    SEE(fcntl(p[0], F_SETFL, O_NONBLOCK));
    SEE(read(p[0], buffer, 8));
    SEE(close(p[1]));
    SEE(poll(ready, 1, 0));
    printf("%x\n", ready[0].revents);
    SEE(read(p[0], buffer, 8));
    SEE(close(p[0]));
    SEE(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    SEE(fcntl(p[0], F_GETFD));
    for (count = 0; write(p[1], text, sizeof text) > 0; count++) {
    }
    printf("holds %d, then errno %d\n", count * (int)sizeof text, errno);
    SEE(close(p[0]));
    signal(SIGPIPE, SIG_IGN);
    SEE(write(p[1], "x", 1));
    ready[0] = (struct pollfd){ p[1], POLLOUT, 0 };
    SEE(poll(ready, 1, 0));
    printf("%x\n", ready[0].revents);
    SEE(pipe2(p, 0x12345));
    SEE(syscall(SYS_pipe, 1));
    ready[0].fd = 99;
    SEE(poll(ready, 1, 0));
    printf("%x\n", ready[0].revents);
}

static void about(void)
{
    struct stat a, b;
    struct statfs s;
    off_t from = 1;
    int fd = open("p", O_RDWR), out = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SEE(fstat(fd, &a));
    SEE(stat("p", &b));
    printf("%d %o %d %d\n", a.st_ino == b.st_ino && a.st_dev == b.st_dev, a.st_mode, (int)a.st_nlink, (int)a.st_size);
    SEE(lstat("link", &a));
    printf("%o %d\n", a.st_mode, (int)a.st_size);
    SEE(stat("none", &a));
    SEE(fstat(99, &a));
    SEE(stat("p", (struct stat *)1));
    SEE(fchmod(fd, 0604));
    SEE(fstat(fd, &a));
    printf("%o\n", a.st_mode);
    SEE(fchmod(99, 0600));
    SEE(fchown(fd, 5, 6));
    SEE(fstat(fd, &a));
    printf("%d %d\n", (int)a.st_uid, (int)a.st_gid);
    SEE(statfs(".", &s));
    printf("%lx %ld\n", (long)s.f_type, (long)s.f_bsize);
    SEE(fstatfs(fd, &s));
    SEE(statfs("none", &s));
    SEE(sendfile(out, fd, &from, 100));
    printf("%ld %s\n", (long)from, content("copy"));
    SEE(sendfile(out, fd, NULL, 2));
    SEE(sendfile(99, fd, NULL, 2));
    SEE(fsync(fd));
    SEE(fdatasync(99));
    SEE((sync(), 0));
}

int main(void)
{
    umask(022);
    opening();
    positions();
    vectors();
    descriptors();
    pipes();
    about();
    return 0;
}
