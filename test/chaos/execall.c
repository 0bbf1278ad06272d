/* SPDX-License-Identifier: BSD-2-Clause */
/* execall.c: execall DIRECTORY: executes every file that DIRECTORY/list names, each in a child without rights, and says what became of it:
 * the errno of execve, or how the program ended. Then what depends on the arguments and not on the file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, SECONDS = 5 };

static int told[2];

/* No output, no core, little memory and time: what runs may be anything. */
static void cage(void)
{
    struct rlimit core = { 0, 0 }, time = { SECONDS, SECONDS };
    int null = open("/dev/null", O_RDWR);
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_CPU, &time);
    for (int i = 0; i < 3; i++) {
        dup2(null, i);
    }
    alarm(SECONDS);
    if (getuid() == 0 && (setgid(NOBODY) || setuid(NOBODY))) {
        _exit(99);
    }
}

static void outcome(const char *name, pid_t pid)
{
    int status, error = 0;
    close(told[1]);
    ssize_t got = read(told[0], &error, sizeof error);
    close(told[0]);
    waitpid(pid, &status, 0);
    if (got == sizeof error) {
        printf("%s: errno %d\n", name, error);
    } else if (WIFSIGNALED(status)) {
        printf("%s: signal %d\n", name, WTERMSIG(status));
    } else {
        printf("%s: exit %d\n", name, WEXITSTATUS(status));
    }
    fflush(stdout);
}

static void try(const char *name, const char *path, char *const *arguments, char *const *environment)
{
    if (pipe2(told, O_CLOEXEC)) {
        perror("pipe");
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        cage();
        execve(path, arguments, environment);
        int error = errno;
        if (write(told[1], &error, sizeof error) != sizeof error) {
            _exit(98);
        }
        _exit(97);
    }
    outcome(name, pid);
}

static char *const none[] = { NULL };
static char *const one[] = { "program", NULL };

/* ---- arguments ---- */
static char **many(size_t count, size_t bytes)
{
    char *word = malloc(bytes + 1), **list = malloc((count + 1) * sizeof *list);
    memset(word, 'a', bytes);
    word[bytes] = 0;
    for (size_t i = 0; i < count; i++) {
        list[i] = word;
    }
    list[count] = NULL;
    return list;
}

static void arguments_try(const char *program)
{
    static const struct { size_t count, bytes; } sizes[] = { { 1, 131071 }, { 1, 131072 }, { 1, 131073 }, { 15, 131071 }, { 16, 131071 }, { 17, 131071 }, { 40, 131071 },
                                                              { 10000, 10 }, { 100000, 1 }, { 130000, 5 }, { 300000, 1 }, { 500, 4000 }, { 530, 4000 } };
    char name[64];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(name, sizeof name, "arguments %zu of %zu", sizes[i].count, sizes[i].bytes);
        try(name, program, many(sizes[i].count, sizes[i].bytes), none);
        snprintf(name, sizeof name, "environment %zu of %zu", sizes[i].count, sizes[i].bytes);
        try(name, program, one, many(sizes[i].count, sizes[i].bytes));
    }
    char *bad[] = { (char *)8, NULL };
    try("argument at 8", program, bad, none);
    try("environment at 8", program, one, bad);
    try("list at 8", program, (char **)8, none);
    try("list at the end of addresses", program, (char **)0x7ffffffffff8, none);
    try("list in the kernel", program, (char **)0xffffffff80000000, none);
    try("no list", program, NULL, NULL);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    memset(page + 4000, 'x', 96);
    char *cut[] = { page + 4000, NULL };
    try("argument over the end of a mapping", program, cut, none);
    ((char **)(page + 4096))[-1] = "a";
    try("list over the end of a mapping", program, (char **)(page + 4096) - 1, none);
}

static void paths_try(const char *program, const char *folder)
{
    char path[5000];
    try("empty path", "", one, none);
    try("path at 8", (const char *)8, one, none);
    memset(path, 'a', sizeof path);
    path[256] = 0;
    try("long name", path, one, none);
    memset(path, '/', 4200);
    path[4200] = 0;
    try("long path", path, one, none);
    snprintf(path, sizeof path, "%s/x", program);
    try("below a file", path, one, none);
    try("a folder", folder, one, none);
    try("a device", "/dev/null", one, none);
    snprintf(path, sizeof path, "%s/written", folder);
    int fd = open(path, O_WRONLY);
    try("being written", path, one, none);
    close(fd);
    try("written before", path, one, none);
}

int main(int argc, char **argv)
{
    char name[256], path[512];
    if (argc != 2) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/list", argv[1]);
    FILE *list = fopen(path, "re");
    while (list && fgets(name, sizeof name, list)) {
        name[strcspn(name, "\n")] = 0;
        snprintf(path, sizeof path, "%s/%s", argv[1], name);
        try(name, path, one, none);
    }
    snprintf(path, sizeof path, "%s/good", argv[1]);
    arguments_try(path);
    paths_try(path, argv[1]);
    return list ? 0 : 1;
}
