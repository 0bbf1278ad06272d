/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c: directories, links, renaming, times, permissions. */
#include "see.h"
#include <dirent.h>
#include <sys/time.h>
#include <utime.h>

static void list(const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    printf("%s:", path);
    for (int i = 0; i < count; i++) {
        printf(" %s(%d)", names[i]->d_name, names[i]->d_type);
    }
    printf("\n");
}

static void directories(void)
{
    char path[64];
    SEE(mkdir("d", 0777));
    SEE(mkdir("d", 0777));
    SEE(mkdir("d/e/f", 0777));
    SEE(mkdir("d/.", 0777));
    SEE(mkdir("d/e/", 0700));
    SEE(mkdirat(AT_FDCWD, "d/g", 0700));
    SEE(rmdir("d"));
    SEE(rmdir("d/."));
    SEE(rmdir("d/e/.."));
    SEE(rmdir("none"));
    SEE(rmdir("/"));
    SEE(unlink("d"));
    SEE(chdir("d/e"));
    SEE(getcwd(path, sizeof path) != NULL);
    printf("%s\n", path);
    SEE(syscall(SYS_getcwd, path, 3));
    SEE(chdir("../../none"));
    SEE(fchdir(99));
    SEE(chdir("../.."));
    SEE(rmdir("d/e/"));
    list("d");
    list(".");
}

static void links(void)
{
    char target[16];
    struct stat s;
    close(creat("f", 0644));
    SEE(link("f", "g"));
    SEE(link("f", "g"));
    SEE(link("d", "h"));
    SEE(link("none", "h"));
    SEE(link("f", "none/h"));
    SEE(stat("f", &s));
    printf("%d\n", (int)s.st_nlink);
    SEE(symlink("f", "s"));
    SEE(symlink("f", "s"));
    SEE(symlink("", "t"));
    SEE(readlink("s", target, sizeof target));
    SEE(readlink("f", target, sizeof target));
    SEE(readlink("none", target, sizeof target));
    SEE(readlink("s", target, 0));
    SEE(linkat(AT_FDCWD, "s", AT_FDCWD, "hard-to-link", 0));
    SEE(linkat(AT_FDCWD, "s", AT_FDCWD, "hard-to-file", AT_SYMLINK_FOLLOW));
    SEE(lstat("hard-to-link", &s));
    printf("%o\n", s.st_mode);
    SEE(linkat(AT_FDCWD, "s", AT_FDCWD, "x", 0x8000));
    SEE(unlinkat(AT_FDCWD, "d", 0));
    SEE(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
    SEE(unlink("g"));
    SEE(unlink("g"));
    SEE(unlink("f/"));
    SEE(symlink("loop", "loop"));
    SEE(open("loop", O_RDONLY));
    SEE(access("loop", F_OK));
    SEE(unlink("loop"));
}

static void renaming(void)
{
    SEE(rename("f", "f2"));
    SEE(rename("f", "f2"));
    SEE(rename("f2", "d"));
    SEE(rename("d", "f2"));
    SEE(rename("d", "d/g/inside"));
    SEE(rename("d/g", "d"));
    SEE(rename("f2", "f2/x"));
    SEE(rename("f2", "new/"));
    SEE(rename(".", "dot"));
    SEE(rename("f2", "none/f"));
    SEE(rename("f2", "f"));
    SEE(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "s", 1));
    SEE(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 2));
    list(".");
    SEE(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 2));
    SEE(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 99));
    SEE(rename("", "x"));
    list("d");
}

static void attributes(void)
{
    struct stat s;
    struct timespec times[2] = { { 1000000, 5 }, { 0, UTIME_OMIT } }, bad[2] = { { 0, 2000000000 }, { 0, 0 } };
    struct utimbuf old = { 1234, 5678 };
    SEE(chmod("f", 07777));
    SEE(stat("f", &s));
    printf("%o\n", s.st_mode);
    SEE(chmod("none", 0));
    SEE(chmod("s", 0600));
    SEE(stat("f", &s));
    printf("%o\n", s.st_mode);
    SEE(fchmodat(AT_FDCWD, "f", 0640, 0));
    SEE(chown("f", -1, 7));
    SEE(lchown("s", 3, 4));
    SEE(lstat("s", &s));
    printf("%d %d\n", (int)s.st_uid, (int)s.st_gid);
    SEE(utimensat(AT_FDCWD, "f", times, 0));
    SEE(stat("f", &s));
    printf("%ld.%ld %d\n", (long)s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec > 1000);
    SEE(utimensat(AT_FDCWD, "f", bad, 0));
    SEE(utime("f", &old));
    SEE(stat("f", &s));
    printf("%ld %ld\n", (long)s.st_atime, (long)s.st_mtime);
    SEE(utime("none", &old));
    SEE(access("f", R_OK | W_OK));
    SEE(access("f", X_OK));
    SEE(access("f", 99));
    SEE(faccessat(AT_FDCWD, "none", F_OK, 0));
    SEE(umask(077));
    SEE(umask(022));
    SEE(mknod("fifo", S_IFIFO | 0600, 0));
    SEE(mknod("fifo", S_IFIFO | 0600, 0));
    SEE(mknod("plain", S_IFREG | 0600, 0));
    SEE(mknod("dir", S_IFDIR | 0600, 0));
    SEE(open("fifo", O_WRONLY | O_NONBLOCK));
}

static void as_user(void)
{
    mkdir("closed", 0700);
    mkdir("sticky", 0777);
    chmod("sticky", 01777);
    close(creat("sticky/root", 0666));
    close(creat("mine", 0600));
    chmod(".", 0755);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        SEE(setgid(1000));
        SEE(setuid(1000));
        SEE(getuid());
        SEE(geteuid());
        SEE(setuid(0));
        SEE(open("mine", O_RDONLY));
        SEE(access("mine", R_OK));
        SEE(open("closed/x", O_RDONLY));
        SEE(open("new", O_WRONLY | O_CREAT, 0600));
        SEE(mkdir("newdir", 0700));
        SEE(unlink("mine"));
        SEE(chmod("mine", 0666));
        SEE(chown("mine", 1000, 1000));
        SEE(unlink("sticky/root"));
        SEE(rename("sticky/root", "sticky/other"));
        SEE_OK(open("sticky/own", O_WRONLY | O_CREAT, 0600));
        SEE(chown("sticky/own", 0, 0));
        SEE(chown("sticky/own", -1, 1000));
        SEE(unlink("sticky/own"));
        SEE(link("mine", "sticky/stolen"));
        SEE(chroot("."));
        SEE(mknod("sticky/null", S_IFCHR | 0666, 0x103));
        SEE(kill(1, 0));
        SEE(utimensat(AT_FDCWD, "mine", NULL, 0));
        fflush(stdout);
        _exit(0);
    }
    see_child("user", child);
}

int main(void)
{
    umask(022);
    directories();
    links();
    renaming();
    attributes();
    as_user();
    return 0;
}
