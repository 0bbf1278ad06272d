/* SPDX-License-Identifier: BSD-2-Clause */
/* tracing.c: strace's lines on their way to the kernel's log, each in one piece: `[pid 4] close(3) = 0`. axo takes them out of the log
 * (tools/axo/strace.py). A call shows when it has ended; those that nothing comes back from show when they begin. */
#include "strace.h"
#include "text.h"
#include <log.h>
#include <process.h>

enum { NR_RT_SIGRETURN = 15, NR_EXIT = 60, NR_EXIT_GROUP = 231 };
enum { PREFIX = 16, TAIL_ROOM = 72 };       /* of the line: in front, and for the result */

/* A line being made: `at` is where the next part goes. */
struct line { char text[PREFIX + STRACE_LINE + 1]; u32 length; };
_Static_assert(sizeof(struct line) - 4 <= 256, "one message to the log");

static struct line line_begin(const struct thread *t)
{
    struct line line;
    struct text x = { line.text, PREFIX, 0 };
    text_add(&x, "[pid ");
    text_number(&x, t->tid, 10);
    text_add(&x, "] ");
    line.length = x.length;
    return line;
}

static void line_add(struct line *line, const char *from, u32 bytes)
{
    u32 room = sizeof line->text - 1 - line->length;
    bytes = bytes < room ? bytes : room;
    __builtin_memcpy(line->text + line->length, from, bytes);
    line->length += bytes;
}

static void line_put(struct line *line)
{
    line->text[line->length++] = '\n';
    log_write(PROCESS_LOG, l4_bytes(line->text, line->length));
}

static char *end_of(struct line *line) { return line->text + line->length; }

void strace_enter(struct thread *t)
{
    if (t->number != NR_EXIT && t->number != NR_EXIT_GROUP && t->number != NR_RT_SIGRETURN)
        return;
    struct line line = line_begin(t);
    line.length += strace_call(end_of(&line), STRACE_LINE, t->number, t->args, -1);
    if (t->number != NR_RT_SIGRETURN)
        line_add(&line, " = ?", 4);
    line_put(&line);
}

void strace_leave(struct thread *t, i64 result)
{
    u64 number = t->rax;
    if (number == NR_RT_SIGRETURN)
        return;
    struct line line = line_begin(t);
    line.length += strace_call(end_of(&line), STRACE_LINE - TAIL_ROOM, number, t->args, result);
    line.length += strace_result(end_of(&line), TAIL_ROOM, call_find(number), result);
    line_put(&line);
}

void strace_started(struct thread *t, const struct program *program)
{
    struct line line = line_begin(t);
    line_add(&line, program->call, program->call_bytes);
    line_add(&line, " = 0", 4);
    line_put(&line);
}

void strace_taken(struct thread *t, const struct linux_siginfo *info)
{
    struct line line = line_begin(t);
    line.length += strace_signal(end_of(&line), STRACE_LINE, info);
    line_put(&line);
}

void strace_ended(struct thread *t, u32 status)
{
    struct line line = line_begin(t);
    line.length += strace_end(end_of(&line), STRACE_LINE, status);
    line_put(&line);
}
