/* SPDX-License-Identifier: BSD-2-Clause */
/* service.c: the `service` command, an ordinary Linux program: it prints /proc/axo/services and writes orders to /proc/axo/control,
 * one line each, which root alone may. What the reincarnation server answers is write's error. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char SERVICES[] = "/proc/axo/services", CONTROL[] = "/proc/axo/control";

static const struct { const char *name; int words; } orders[] = {
    { "up", 1 }, { "down", 1 }, { "refresh", 1 }, { "restart", 1 }, { "update", 2 }, { "kill", 2 }, { NULL, 0 },
};

static int usage(void)
{
    fputs("usage: service list\n"
          "       service show NAME\n"
          "       service up|down|refresh|restart NAME\n"
          "       service update NAME MODULE\n"
          "       service kill NAME exit|null|loop|port\n"
          "       service snapshot\n", stderr);
    return 2;
}

static int is_named(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && (line[length] == ' ' || line[length] == '\n');
}

/* The heading and all lines, or the line of one service. */
static int list(const char *only)
{
    char heading[512], line[512];
    int found = 0;
    FILE *file = fopen(SERVICES, "r");
    if (!file) {
        perror(SERVICES);
        return 1;
    }
    if (fgets(heading, sizeof heading, file)) {
        while (fgets(line, sizeof line, file)) {
            if (!only || is_named(line, only)) {
                printf("%s%s", found++ ? "" : heading, line);
            }
        }
    }
    fclose(file);
    if (!found) {
        fprintf(stderr, "service: there is no service %s\n", only);
    }
    return !found;
}

static const char *reason(const char *what, int error)
{
    switch (error) {
    case ENOENT: return "there is no such service";
    case EBUSY:
        return strcmp(what, "up") == 0       ? "it is up already, or too many orders are under way"
               : strcmp(what, "update") == 0 ? "the boot archive has no such program, or too many orders are under way"
                                             : "it is down, or too many orders are under way";
    case EINVAL: return "the order is not understood";
    default: return strerror(error);
    }
}

/* One order; 0, or why it was refused. */
static int order_send(const char *what, const char *name, const char *more)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%s %s%s%s\n", what, name, *more ? " " : "", more);
    int fd = open(CONTROL, O_WRONLY), error = 0;
    if (fd < 0 || length >= (int)sizeof line || write(fd, line, (size_t)length) != length) {
        error = length >= (int)sizeof line ? EINVAL : errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

static int is_way(const char *word)
{
    return strcmp(word, "exit") == 0 || strcmp(word, "null") == 0 || strcmp(word, "loop") == 0 || strcmp(word, "port") == 0;
}

static int complain(const char *what, const char *name, int error)
{
    if (error) {
        fprintf(stderr, "service: %s %s: %s\n", what, name, reason(what, error));
    }
    return error != 0;
}

static int order(int count, char **words)
{
    if (strcmp(words[1], "kill") == 0 && !is_way(words[3])) {
        fprintf(stderr, "service: kill %s: %s is no way to die; there are exit, null, loop and port\n", words[2], words[3]);
        return 2;
    }
    return complain(words[1], words[2], order_send(words[1], words[2], count > 3 ? words[3] : ""));
}

/* Each incarnation of the service `snapshot` takes one. It is down at first. */
static int snapshot(void)
{
    int error = order_send("up", "snapshot", "");
    return complain("up", "snapshot", error == EBUSY ? order_send("refresh", "snapshot", "") : error);
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "list") == 0) {
        return list(NULL);
    }
    if (count == 3 && strcmp(words[1], "show") == 0) {
        return list(words[2]);
    }
    if (count == 2 && strcmp(words[1], "snapshot") == 0) {
        return snapshot();
    }
    for (int i = 0; count > 1 && orders[i].name; i++) {
        if (strcmp(words[1], orders[i].name) == 0 && count == orders[i].words + 2) {
            return order(count, words);
        }
    }
    return usage();
}
