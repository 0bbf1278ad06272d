/* SPDX-License-Identifier: BSD-2-Clause */
/* tracing.c: strace's lines on their way to the kernel's log. */
#include "strace.h"
#include "text.h"
#include <log.h>
#include <process.h>

/* Calls that nothing comes back from. */
static bool shows_first(u64 number)
{
    enum { FORK = 57, VFORK = 58, EXECVE = 59, EXIT = 60, EXIT_GROUP = 231, RT_SIGRETURN = 15 };
    return number == EXECVE || number == EXIT || number == EXIT_GROUP || number == RT_SIGRETURN || number == FORK || number == VFORK;
}

static u32 who(char *to, u32 room)
{
    struct text x = { to, room, 0 };
    text_char(&x, '[');
    text_number(&x, process()->pid, 10);
    text_add(&x, "] ");
    return x.length;
}

static void put(char *line, u32 length)
{
    line[length++] = '\n';
    log_write(PROCESS_LOG, l4_bytes(line, length));
}

void strace_enter(struct thread *t)
{
    char line[STRACE_LINE + 1];
    if (!shows_first(t->number))
        return;
    u32 length = who(line, STRACE_LINE);
    length += strace_call(line + length, STRACE_LINE - length, t->number, t->args, -1);
    put(line, length);
}

void strace_leave(struct thread *t, i64 result)
{
    char line[STRACE_LINE + 1];
    u64 number = t->rax;
    u32 length = who(line, STRACE_LINE), tail_room = 40;
    length += strace_call(line + length, STRACE_LINE - length - tail_room, number, t->args, result);
    length += strace_result(line + length, STRACE_LINE - length, call_find(number), result);
    put(line, length);
}
