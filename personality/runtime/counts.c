/* SPDX-License-Identifier: BSD-2-Clause */
/* counts.c: how often a program made each system call, told to the kernel's log when it ends or becomes another:
 *   [pid 4] name: calls read=12 open=3/1         twelve times read, three times open, one of which failed
 * What does not fit into a line goes on in lines that say `more` instead. */
#include "calls.h"
#include "text.h"
#include <log.h>
#include <process.h>

enum { LINE = 240, LONGEST = 48 };      /* bytes of a line, and of a name with two numbers */

static void count(u32 *counts, u64 number)
{
    if (number < PENDING_CALLS)
        __atomic_add_fetch(&counts[number], 1, __ATOMIC_RELAXED);
}

void counts_made(u64 number) { count(tally()->made, number); }
void counts_failed(u64 number) { count(tally()->failed, number); }

void counts_forget(void)
{
    __builtin_memset(tally()->made, 0, sizeof tally()->made);
    __builtin_memset(tally()->failed, 0, sizeof tally()->failed);
}

static void line_begin(struct text *x, const struct thread *t, const char *kind)
{
    x->length = 0;
    text_add(x, "[pid ");
    text_number(x, t->tid, 10);
    text_add(x, "] ");
    text_add(x, mm()->shown.name);
    text_add(x, kind);
}

static void line_put(struct text *x)
{
    text_char(x, '\n');
    log_write(PROCESS_LOG, l4_bytes(x->at, x->length));
}

void counts_tell(struct thread *t)
{
    char line[LINE];
    struct text x = { line, sizeof line, 0 };
    line_begin(&x, t, ": calls");
    for (u32 i = 0; i < call_count(); i++) {
        const struct call *call = call_at(i);
        u32 made = __atomic_exchange_n(&tally()->made[call->number], 0, __ATOMIC_RELAXED);
        u32 failed = __atomic_exchange_n(&tally()->failed[call->number], 0, __ATOMIC_RELAXED);
        if (!made)
            continue;
        if (x.length + LONGEST > sizeof line) {
            line_put(&x);
            line_begin(&x, t, ": more");
        }
        text_char(&x, ' ');
        text_add(&x, call->name);
        text_char(&x, '=');
        text_number(&x, made, 10);
        if (failed) {
            text_char(&x, '/');
            text_number(&x, failed, 10);
        }
    }
    line_put(&x);
}
