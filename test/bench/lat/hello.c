/* SPDX-License-Identifier: BSD-2-Clause */
/* hello.c: the smallest useful exec target for lat's fork_exec test.
 * With no argument it exits at once (what lat runs); with one, it prints a line. */
#include <unistd.h>
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1 && write(1, "hello\n", 6) != 6)
        return 1;
    return 0;
}
